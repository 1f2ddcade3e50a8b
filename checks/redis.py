"""The Redis beneath the queues (items 88 to 95): live servers, and what the files deploy.

For one subject a failure proven by either side wins. Where a live server shows that the item holds, what the files leave
open (a default that they rely on) is a note; where the live server would not tell, files that show it make it a likely
pass.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

from auditor.code.model import CodeModel
from auditor.infra.model import InfraModel
from auditor.live.model import LiveRedis, Refused, Server
from auditor.model import Cause, Confidence, Finding, Severity, Status, Subject, SubjectType, Verdict
from auditor.probes import conclude, not_applicable, probe, unverified

from . import _server_access, _server_data, redis_files
from ._server import Judged
from .redis_files import FileSide


@dataclass(frozen=True, slots=True)
class PolicyIs:
    """The policy that queues need."""

    policy: str = "noeviction"


@dataclass(frozen=True, slots=True)
class Room:
    """Bounds of memory, in percent."""

    max_used_percent: int = 80
    max_system_percent: int = 90


@dataclass(frozen=True, slots=True)
class Clients:
    """Bound of connections, in percent of maxclients."""

    max_clients_percent: int = 80


@probe("redis.maxmemory_policy")
def maxmemory_policy(live: LiveRedis | None, infra: InfraModel | None, want: PolicyIs) -> Verdict:
    """The eviction policy is `noeviction`: CONFIG's word, INFO's where CONFIG is refused, or the deployed file's."""
    return _merged(
        live,
        lambda server: _server_data.maxmemory_policy(server, want.policy),
        None if infra is None else redis_files.maxmemory_policy(infra, want.policy),
        f"maxmemory-policy is {want.policy}",
    )


@probe("redis.maxmemory")
def maxmemory(live: LiveRedis | None, infra: InfraModel | None, room: Room) -> Verdict:
    """A limit is set, enough is free below it, and the machine has room above it, for a fork too."""
    return _merged(
        live,
        lambda server: _server_data.maxmemory(server, room.max_used_percent, room.max_system_percent),
        None if infra is None else redis_files.maxmemory(infra),
        "maxmemory is set, with room below and above",
    )


@probe("redis.persistence")
def persistence(live: LiveRedis | None, infra: InfraModel | None) -> Verdict:
    """Jobs survive a restart: AOF (everysec or always), or save points whose last save succeeded in time."""
    files = None if infra is None else redis_files.persistence(infra)
    return _merged(live, _server_data.persistence, files, "jobs survive a restart")


@probe("redis.high_availability")
def high_availability(live: LiveRedis | None, infra: InfraModel | None) -> Verdict:
    """A replica takes over by itself: Sentinel, cluster, or a managed multi-AZ service."""
    queues = live.queues if live is not None else ()
    shapes: dict[object, str] = {}
    for server in live.servers if live is not None else ():
        if not isinstance(server.replication, Refused) and server.replication.cluster is not None:
            shapes.setdefault(server.replication.cluster, server.endpoint)

    def judge(server: Server) -> Judged | None:
        cluster = None if isinstance(server.replication, Refused) else server.replication.cluster
        if cluster is None:
            return _server_access.high_availability(server, ())
        # all primaries tell the same of their cluster: the first speaks for it
        return _server_access.high_availability(server, queues) if shapes[cluster] == server.endpoint else None

    files = None if infra is None else redis_files.high_availability(infra)
    return _merged(live, judge, files, "a replica takes over by itself")


@probe("redis.tls")
def tls(live: LiveRedis | None, infra: InfraModel | None, code: CodeModel | None) -> Verdict:
    """The way to Redis is TLS, and no plaintext port is open beside it. A unix socket needs none."""
    files = None if infra is None else redis_files.tls(infra, code)
    if live is not None and all(server.transport.unix for server in live.servers) and (files is None or files.silent):
        return not_applicable("Redis is reached by a unix socket, which never leaves the machine")
    return _merged(live, _server_access.tls, files, "the connection is TLS, and no plaintext port is open")


@probe("redis.authentication")
def authentication(live: LiveRedis | None, infra: InfraModel | None, code: CodeModel | None) -> Verdict:
    """A PING without credentials is refused, and the password is neither empty nor a well-known word.

    A successful AUTH proves nothing: a user without a password accepts any.
    """
    files = None if infra is None else redis_files.authentication(infra, code)
    return _merged(live, _server_access.authentication, files, "nobody gets in without a password")


@probe("redis.connection_limits")
def connection_limits(live: LiveRedis | None, infra: InfraModel | None, most: Clients) -> Verdict:
    """Connections stay well below maxclients, none was turned away, idle ones are kept, dead ones noticed."""
    return _merged(
        live,
        lambda server: _server_access.connection_limits(server, most.max_clients_percent),
        None if infra is None else redis_files.connection_limits(infra),
        "connections have room, and idle ones are kept",
    )


@probe("redis.backups")
def backups(live: LiveRedis | None, infra: InfraModel | None) -> Verdict:
    """A copy leaves the machine on a schedule. Redis can't show that: its own last save only corroborates."""
    judged = [_server_data.last_save(server) for server in live.servers] if live is not None else []
    notes = [finding for each in judged for finding in each.findings]
    files = None if infra is None else redis_files.backups(infra)
    if files is not None and not files.silent:
        return conclude([*files.findings, *notes], held=files.reason, evidence=files.evidence)
    reason = "Redis does not show backups: give the infra files, or attest a schedule"
    return unverified(reason, Cause.NEEDS_PERSON, [*(files.findings if files else ()), *notes])


def _merged(
    live: LiveRedis | None, judge: Callable[[Server], Judged | None], files: FileSide | None, held: str
) -> Verdict:
    """Sum up all servers, and the files beside them."""
    judged = [side for server in live.servers if (side := judge(server)) is not None] if live is not None else []
    findings = [finding for side in judged for finding in side.findings]
    evidence = [shown for side in judged for shown in side.evidence]
    if live is not None and live.unreached:
        findings += [_unreached(live, held)] if not any(f.status is Status.FAIL for f in findings) else []
    if files is None and live is None:
        return unverified("give a Redis URL, or files that deploy it", Cause.SOURCE_NOT_GIVEN)
    if files is None or (files.silent and judged):
        return conclude(
            [*findings, *(files.findings if files else ())], held=held, evidence=evidence, cause=_cause(live)
        )
    if files.silent and not judged:
        return unverified(
            f"{files.reason}; give REDIS_URL, or files that deploy it", Cause.SOURCE_NOT_GIVEN, files.findings
        )
    return _beside(judged, findings, files, held, _cause(live))


def _beside(judged: list[Judged], findings: list[Finding], files: FileSide, held: str, cause: Cause) -> Verdict:
    proven = bool(judged) and not any(f.status is Status.UNVERIFIED for f in findings)
    of_files = list(files.findings)
    if proven:  # the running server has answered what its files leave to a default
        of_files = [_as_note(f, "as deployed") if f.status is Status.UNVERIFIED else f for f in of_files]
    undecided = any(f.status is not Status.PASS for f in of_files)
    surest = Confidence.CERTAIN
    if not proven and judged and files.evidence and not undecided:
        findings = [_as_note(f, "live") if f.status is Status.UNVERIFIED else f for f in findings]
        surest = Confidence.LIKELY  # the deployed file, not the server, says so
    evidence = [*(shown for side in judged for shown in side.evidence), *files.evidence]
    reason = held if judged else files.reason or held
    return conclude([*findings, *of_files], held=reason, evidence=evidence, confidence=surest, cause=cause)


def _as_note(finding: Finding, of: str) -> Finding:
    return replace(finding, status=Status.PASS, severity=Severity.LOW, message=f"{of}: {finding.message}")


def _unreached(live: LiveRedis, held: str) -> Finding:
    gone = live.unreached[0]
    subject = Subject(SubjectType.SERVER, gone.endpoint)
    return Finding(f"{gone.endpoint} could not be asked whether {held}: {gone.why}", subject, status=Status.UNVERIFIED)


def _cause(live: LiveRedis | None) -> Cause:
    return Cause.REFUSED if live is not None and any(s.refused for s in live.servers) else Cause.UNRESOLVED
