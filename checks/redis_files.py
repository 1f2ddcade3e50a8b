"""The file side of items 88 to 95: pure judges of the Redis units that infra files deploy.

`checks/redis.py` merges these with the live side. Each judge gives a `FileSide`; for one subject, a failure proven by
either side wins (`auditor.probes.conclude` over the findings of both does that). Production decides: units of other
environments are judged only where no file deploys one for production, and a failure in what is for development only
is unverified. A conf that nothing mounts is a note.
"""

from __future__ import annotations

from auditor.code.model import CodeModel
from auditor.infra.model import Environment, InfraModel, PasswordState, RedisUnit, Setting, Tls
from auditor.infra.text import unresolved
from auditor.model import Confidence, Evidence

from . import _redis_tls
from ._redis_files import HEADROOM, FileSide, Side, deciding, note, redis_bytes, stated_in

__all__ = [
    "FileSide", "authentication", "backups", "connection_limits", "high_availability", "maxmemory", "maxmemory_policy",
    "persistence", "tls",
]  # fmt: skip


def maxmemory_policy(infra: InfraModel, policy: str = "noeviction") -> FileSide:
    """88: the deployed unit states `maxmemory-policy noeviction`."""

    def judge(unit: RedisUnit, stated: Setting, side: Side) -> None:
        if stated.value.lower() == policy:
            side.hold(unit, f"maxmemory-policy {stated.value}", stated.place)
        else:
            message = (
                f"{unit.name} runs with maxmemory-policy {stated.value}: when memory is full it deletes keys of jobs"
            )
            side.fail(
                unit,
                message,
                f"maxmemory-policy {stated.value}",
                stated.place,
                policy,
                fix=f"--maxmemory-policy {policy}",
            )

    default = f"relies on the server's default policy ({policy}, unless its provider or image changes it)"
    return stated_in(infra, "maxmemory-policy", default, judge, f"deployed with {policy}")


def maxmemory(infra: InfraModel) -> FileSide:
    """89: the deployed unit states a `maxmemory` above 0 that leaves headroom under the container's limit."""

    def judge(unit: RedisUnit, stated: Setting, side: Side) -> None:
        limit = redis_bytes(stated.value)
        if limit == 0:
            side.fail(
                unit,
                f"{unit.name} sets maxmemory 0: it grows until the machine's memory is gone",
                "maxmemory 0",
                stated.place,
                "above 0",
            )
        elif limit is not None and unit.memory_bytes and limit > unit.memory_bytes * HEADROOM:
            observed = f"maxmemory {stated.value}, container limit {unit.memory.value if unit.memory else ''}"
            message = f"{unit.name}: maxmemory {stated.value} leaves no headroom under the container's limit: a fork or full buffers get it killed"
            related = (unit.memory.place,) if unit.memory else ()
            side.fail(unit, message, observed, stated.place, f"at most {HEADROOM:.0%} of the limit", related=related)
        else:
            side.hold(
                unit,
                f"maxmemory {stated.value}",
                stated.place,
                Confidence.LIKELY if limit is None else Confidence.CERTAIN,
            )

    default = "relies on the server's default (no maxmemory)"
    return stated_in(infra, "maxmemory", default, judge, "maxmemory is set with headroom", provider=True)


def persistence(infra: InfraModel) -> FileSide:
    """90: the deployed unit turns AOF on, or states save points, on a volume that outlives its pod."""
    side = Side()
    for unit in deciding(infra):
        aof, save = unit.settings.get("appendonly"), unit.settings.get("save")
        points = save is not None and bool(save.value.strip("\"' "))
        if unit.ephemeral is not None and (points or (aof is not None and _yes(aof))):
            side.fail(
                unit,
                f"{unit.name} writes its data to a volume that goes with the pod: a new pod starts with no job",
                "an ephemeral volume",
                unit.ephemeral,
                "a persistent volume",
                fix="master: { persistence: { enabled: true } }, or a volumeClaimTemplate on /data",
            )
        elif aof is not None and _yes(aof):
            fsync = unit.settings.get("appendfsync")
            if fsync is not None and fsync.value.lower() == "no":
                side.fail(
                    unit,
                    f"{unit.name}: appendfsync no leaves it to the system when a job is on disk",
                    "appendfsync no",
                    fsync.place,
                    "everysec",
                )
            else:
                side.hold(unit, f"appendonly yes{f', appendfsync {fsync.value}' if fsync else ''}", aof.place)
        elif points and save is not None:
            side.hold(unit, f"save {save.value}: jobs since the last save are lost", save.place)
        elif save is not None and not unresolved(save.value):
            side.fail(
                unit,
                f"{unit.name} has neither AOF nor save points: a restart loses every job",
                "save '', appendonly off",
                save.place,
                "appendonly yes",
                fix="--appendonly yes",
            )
        else:
            mounted = (
                " on a data volume" if any(v.target.startswith(("/data", "/bitnami")) for v in unit.volumes) else ""
            )
            side.open(
                unit,
                f"{unit.name} relies on the server's default persistence{mounted}: no appendonly or save is stated",
                aof.place if aof else None,
            )
    return side.side(infra, ("appendonly", "save"), "persistence is set in the files")


def high_availability(infra: InfraModel) -> FileSide:
    """91: replicas with Sentinel, a cluster with replicas, or a managed multi-AZ; a lone primary fails in production."""
    side = Side()
    for unit in deciding(infra):
        place = unit.replicas_place or unit.place
        if unit.failover or (unit.replicas and (unit.sentinel or unit.cluster)):
            how = "automatic failover" if unit.failover else ("cluster" if unit.cluster else "Sentinel")
            side.hold(unit, f"{unit.replicas or 'its'} replicas, {how}", unit.sentinel or place)
        elif unit.replicas:
            side.fail(
                unit,
                f"{unit.name} has replicas but nothing that promotes one: no Sentinel, no cluster",
                f"{unit.replicas} replicas, no failover",
                place,
                "Sentinel or cluster",
            )
        elif unit.managed and unit.replicas is None:
            side.open(
                unit, f"{unit.name} is managed ({unit.managed}); the files do not say whether it fails over", place
            )
        else:
            message = f"{unit.name} is a lone primary: while it is down, no job is taken or processed"
            side.fail(
                unit,
                message,
                "one Redis, no replica, no Sentinel",
                place,
                "replicas with Sentinel, or a managed multi-AZ",
            )
    return side.side(infra, (), "failover is set up in the files")


def tls(infra: InfraModel, code: CodeModel | None = None) -> FileSide:
    """92: neither a published plaintext port nor a client that reaches another host without TLS in production.

    A unit that speaks plaintext only makes every client of another container a plaintext client. A client whose
    variables name a host, with no TLS in the code's connections, is one too.
    """
    side = Side()
    for unit in deciding(infra):
        _redis_tls.judge(unit, infra, code, side)
    if not side.findings and not side.evidence:
        for client in infra.clients:
            if (
                client.tls is Tls.OFF
                and not client.sample
                and client.environment is Environment.PRODUCTION
                and _redis_tls.remote(client)
            ):
                _redis_tls.plaintext_client(client, side)
    return side.side(infra, ("tls-port",), "clients speak TLS and no plaintext port is open")


def authentication(infra: InfraModel, code: CodeModel | None = None) -> FileSide:
    """93: the deployed unit has a password that is not empty nor a well-known word."""
    side = Side()
    for unit in deciding(infra):
        place = unit.password_place or unit.place
        if unit.password is PasswordState.NONE:
            published = (
                " and its port is published"
                if any(p.published is not None and not p.loopback for p in unit.ports)
                else ""
            )
            ports = [p.place for p in unit.ports if p.published is not None]
            message = f"{unit.name} has no password{published}: whoever reaches it can read and write every job"
            side.fail(
                unit,
                message,
                "no requirepass, no ACL",
                place,
                "a password or ACL users",
                related=ports,
                fix="--requirepass ${REDIS_PASSWORD}",
            )
        elif unit.password is PasswordState.WEAK:
            side.fail(
                unit, f"{unit.name} has an empty or well-known password", "a well-known word", place, "a random secret"
            )
        elif unit.password is PasswordState.UNKNOWN:
            said = unit.settings["requirepass"].place if "requirepass" in unit.settings else place
            side.open(unit, f"{unit.name}: whether it asks for a password can't be told from the files", said)
        else:
            side.hold(unit, f"password {unit.password.value}", place, Confidence.LIKELY)
            if unit.password is PasswordState.LITERAL:
                side.findings.append(note(unit, f"the password of {unit.name} is written in clear", place))
    return side.side(infra, ("requirepass",), "the deployed Redis asks for a password")


def connection_limits(infra: InfraModel) -> FileSide:
    """94: stated `timeout` is 0 and `tcp-keepalive` above 0; use against the limit needs the live server."""
    side = Side()
    for unit in deciding(infra):
        idle, keepalive = unit.settings.get("timeout"), unit.settings.get("tcp-keepalive")
        wrong = [
            (s, text)
            for s, text in (
                (idle, "closes idle connections: a blocked worker looks idle and is cut off"),
                (keepalive, "never notices dead peers"),
            )
            if s is not None and s.value.isdigit() and (s.value != "0") is (s is idle)
        ]
        for stated, text in wrong:
            name = "timeout" if stated is idle else "tcp-keepalive"
            side.fail(
                unit,
                f"{unit.name}: {name} {stated.value} {text}",
                f"{name} {stated.value}",
                stated.place,
                "0" if stated is idle else "300",
                fix=f"--{name} {'0' if stated is idle else '300'}",
            )
        if not wrong:
            side.open(unit, f"{unit.name}: connections used against the limit take the live server; give its URL")
    return side.side(infra, ("maxclients", "timeout", "tcp-keepalive"), "")


def backups(infra: InfraModel) -> FileSide:
    """95: a scheduled backup covers the Redis: CronJob, Velero, sidecar, snapshot retention."""
    side = Side()
    units = deciding(infra)
    for found in infra.backups:
        if found.environment.decides:
            side.evidence.append(
                Evidence(
                    found.place.label(),
                    f"{found.kind} {found.schedule}".strip(),
                    place=found.place,
                    confidence=Confidence.LIKELY,
                )
            )
    for unit in units:
        if unit.snapshots is not None and unit.snapshots.value not in ("0", ""):
            side.hold(unit, f"snapshots kept {unit.snapshots.value} days", unit.snapshots.place)
        elif unit.snapshots is not None:
            side.fail(
                unit,
                f"{unit.name}: snapshot retention is 0, no backup is taken",
                "retention 0",
                unit.snapshots.place,
                "at least 1 day",
            )
    if not side.findings and not side.evidence:
        for unit in units:
            side.open(unit, f"no scheduled backup of {unit.name} in the files; attest where it is")
    return side.side(infra, (), "a scheduled backup is in the files")


def _yes(setting: Setting) -> bool:
    return setting.value.strip("\"'").lower() in ("yes", "true", "1")
