"""The file side of items 88 to 95: pure judges of the Redis units that infra files deploy.

`checks/redis.py` merges these with the live side. Each judge gives a `FileSide`; for one subject, a failure proven by
either side wins (`auditor.probes.conclude` over the findings of both does that). Production decides: units of other
environments are judged only where no file deploys one for production, and a failure in what is for development only
is unverified. A conf that nothing mounts is a note.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from auditor.code.model import CodeModel, Connection, OptionState
from auditor.infra.model import Environment, InfraModel, PasswordState, RedisClient, RedisUnit, Setting, Tls
from auditor.infra.text import size, unresolved
from auditor.model import Confidence, Evidence, Finding, Place, Severity, Status, Subject, SubjectType

NO_REDIS = "no Redis in the infra files"
PROVIDER_DEFAULTS = {
    ("elasticache", "maxmemory-policy"): "volatile-lru, which evicts the locks of jobs",
    ("memorystore", "maxmemory-policy"): "volatile-lru, which evicts the locks of jobs",
    ("azure", "maxmemory-policy"): "volatile-lru, which evicts the locks of jobs",
    ("memorydb", "maxmemory-policy"): "noeviction",
}
"""What managed services do where nothing is stated, by their documentation."""
HEADROOM = 0.9
"""Share of the container's memory that `maxmemory` may take: fork and buffers need the rest."""


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
        """The files say nothing: no Redis is deployed by them, whatever notes there are."""
        return not self.evidence and all(f.status is Status.PASS for f in self.findings)


@dataclass(slots=True)
class _Side:
    """A side while it is judged."""

    findings: list[Finding] = field(default_factory=list)
    evidence: list[Evidence] = field(default_factory=list)

    def fail(
        self, unit: RedisUnit, message: str, observed: str, place: Place, expected: str = "", *,
        related: Sequence[Place] = (), confidence: Confidence = Confidence.CERTAIN, fix: str = "",
    ) -> None:  # fmt: skip
        """The unit fails; for development only, it proves nothing."""
        status = Status.FAIL
        if not unit.environment.decides:
            status = Status.UNVERIFIED
            message = (
                f"{message}; but {unit.place.path} is for {unit.environment.value} only, and nothing shows production"
            )
        shown = Evidence(place.label(), observed, expected, place, confidence=confidence)
        others = tuple(p for p in dict.fromkeys((unit.place, *related)) if p != place)
        self.findings.append(
            Finding(
                message, _subject(unit), place, others, (shown,), confidence, status=status, symbol=unit.name, fix=fix
            )
        )

    def open(self, unit: RedisUnit, message: str, place: Place | None = None) -> None:
        """The unit could not be decided."""
        at = place or unit.place
        shown = Evidence(at.label(), message, place=at)
        self.findings.append(
            Finding(message, _subject(unit), at, (), (shown,), status=Status.UNVERIFIED, symbol=unit.name)
        )

    def hold(self, unit: RedisUnit, observed: str, place: Place, confidence: Confidence = Confidence.CERTAIN) -> None:
        """The unit holds."""
        self.evidence.append(Evidence(place.label(), f"{unit.name}: {observed}", place=place, confidence=confidence))

    def side(self, infra: InfraModel, names: Sequence[str], held: str) -> FileSide:
        """The side, with notes on unmounted confs that state one of the directives."""
        notes = [
            _unmounted(c.path, n, c.settings[n])
            for c in infra.confs
            if not c.loaded_by
            for n in names
            if n in c.settings
        ]
        silent = not self.findings and not self.evidence
        return FileSide((*self.findings, *notes), tuple(self.evidence), NO_REDIS if silent else held)


def deciding(infra: InfraModel) -> tuple[RedisUnit, ...]:
    """Primaries of the environment that decides: production, else what nothing marks, else development."""
    primaries = [u for u in infra.redis if "replicaof" not in u.settings and "sentinel monitor" not in u.settings]
    for environments in (
        {Environment.PRODUCTION},
        {Environment.UNKNOWN, Environment.STAGING},
        {Environment.DEVELOPMENT},
        {Environment.TEST},
    ):
        found = tuple(u for u in primaries if u.environment in environments)
        if found:
            return found
    return ()


def maxmemory_policy(infra: InfraModel, policy: str = "noeviction") -> FileSide:
    """88: the deployed unit states `maxmemory-policy noeviction`."""

    def judge(unit: RedisUnit, stated: Setting, side: _Side) -> None:
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
    return _stated(infra, "maxmemory-policy", default, judge, f"deployed with {policy}")


def maxmemory(infra: InfraModel) -> FileSide:
    """89: the deployed unit states a `maxmemory` above 0 that leaves headroom under the container's limit."""

    def judge(unit: RedisUnit, stated: Setting, side: _Side) -> None:
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
    return _stated(infra, "maxmemory", default, judge, "maxmemory is set with headroom", provider=True)


def persistence(infra: InfraModel) -> FileSide:
    """90: the deployed unit turns AOF on, or states save points."""
    side = _Side()
    for unit in deciding(infra):
        aof, save = unit.settings.get("appendonly"), unit.settings.get("save")
        points = save is not None and bool(save.value.strip("\"' "))
        if aof is not None and _yes(aof):
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
    side = _Side()
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
    side = _Side()
    for unit in deciding(infra):
        _tls(unit, infra, code, side)
    if not side.findings and not side.evidence:
        for client in infra.clients:
            if (
                client.tls is Tls.OFF
                and not client.sample
                and client.environment is Environment.PRODUCTION
                and _remote(client)
            ):
                _plaintext_client(client, side)
    return side.side(infra, ("tls-port",), "clients speak TLS and no plaintext port is open")


def authentication(infra: InfraModel, code: CodeModel | None = None) -> FileSide:
    """93: the deployed unit has a password that is not empty nor a well-known word."""
    side = _Side()
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
                side.findings.append(_note(unit, f"the password of {unit.name} is written in clear", place))
    return side.side(infra, ("requirepass",), "the deployed Redis asks for a password")


def connection_limits(infra: InfraModel) -> FileSide:
    """94: stated `timeout` is 0 and `tcp-keepalive` above 0; use against the limit needs the live server."""
    side = _Side()
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
    side = _Side()
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


def redis_bytes(text: str) -> int | None:
    """Bytes of a Redis size: `1g` is 10^9, `1gb` 2^30; None for what comes from outside."""
    text = text.strip().lower()
    return size(text, decimal=not text.endswith("b"))


def _stated(
    infra: InfraModel, name: str, default: str, judge: Callable[[RedisUnit, Setting, _Side], None], held: str,
    *, provider: bool = False,
) -> FileSide:  # fmt: skip
    """Judge one directive of each unit; unstated, it is unverified, unless every cloud `provider` sets it by itself."""
    side = _Side()
    for unit in deciding(infra):
        stated = unit.settings.get(name)
        if stated is None and provider and unit.kind == "terraform":
            side.hold(unit, f"{name} is set by {unit.managed}, by the size of its nodes", unit.place, Confidence.LIKELY)
        elif stated is None:
            known = PROVIDER_DEFAULTS.get((unit.managed, name), "")
            side.open(
                unit, f"{unit.name} relies on its provider's default ({known})" if known else f"{unit.name} {default}"
            )
        elif unresolved(stated.value):
            side.open(unit, f"{unit.name}: {name} comes from outside the files ({stated.value})", stated.place)
        else:
            judge(unit, stated, side)
    return side.side(infra, (name,), held)


def _tls(unit: RedisUnit, infra: InfraModel, code: CodeModel | None, side: _Side) -> None:
    place = unit.tls_place or unit.place
    if unit.tls is Tls.ON:
        side.hold(unit, "TLS, and the plaintext port is closed", place)
        return
    if unit.tls is Tls.UNKNOWN:
        side.open(unit, f"{unit.name}: whether it speaks TLS can't be told from the files", place)
        return
    published = [p for p in unit.ports if p.published is not None and not p.loopback]
    if published:
        message = f"{unit.name} publishes its plaintext port {published[0].target}: jobs and passwords travel readable"
        side.fail(
            unit,
            message,
            f"port {published[0].published or ''}:{published[0].target} without TLS",
            published[0].place,
            "TLS, or no published port",
        )
        return
    users = [c for c in infra.clients if c.host == unit.name and (c.environment is unit.environment or c.sample)]
    plain = [c for c in users if c.tls is not Tls.ON]
    if plain:
        message = f"{unit.name} speaks no TLS, and {plain[0].unit or plain[0].place.path} reaches it over the network in plain text"
        sure = Confidence.LIKELY if plain[0].sample else Confidence.CERTAIN
        side.fail(
            unit,
            message,
            f"{plain[0].variable} names {plain[0].host}",
            plain[0].place,
            "rediss://",
            related=[unit.place],
            confidence=sure,
        )
        return
    bare = _without_tls(code)
    if bare is not None:
        message = f"{unit.name} speaks no TLS, and the clients' connection sets none"
        side.fail(
            unit, message, "no tls option", bare.span, "tls: {}", related=[unit.place], confidence=Confidence.LIKELY
        )
        return
    side.open(
        unit,
        f"{unit.name} speaks no TLS as deployed; which clients reach it, and over which network, can't be told",
        place,
    )


def _without_tls(code: CodeModel | None) -> Connection | None:
    """A living connection of the code that names a host and has no `tls`; None where that can't be told."""
    for connection in code.connections if code else ():
        options = connection.options
        known = all(o.state is not OptionState.UNKNOWN for o in options.values())
        if connection.live and known and "host" in options and "tls" not in options:
            return connection
    return None


def _remote(client: RedisClient) -> bool:
    return bool(client.host) and not client.loopback and not unresolved(client.host)


def _plaintext_client(client: RedisClient, side: _Side) -> None:
    subject = Subject(SubjectType.CLIENT, client.unit or client.variable)
    shown = Evidence(client.place.label(), f"{client.variable} is redis:// to {client.host}", "rediss://", client.place)
    message = f"{client.unit or client.place.path} reaches Redis at {client.host} without TLS"
    side.findings.append(Finding(message, subject, client.place, (), (shown,), symbol=client.variable))


def _subject(unit: RedisUnit) -> Subject:
    return Subject(SubjectType.SERVER, f"{unit.name} ({unit.place.path})")


def _note(unit: RedisUnit, text: str, place: Place) -> Finding:
    shown = (Evidence(place.label(), text, place=place),)
    return Finding(text, _subject(unit), place, (), shown, severity=Severity.LOW, status=Status.PASS, symbol=unit.name)


def _unmounted(path: str, name: str, stated: Setting) -> Finding:
    shown = (Evidence(stated.place.label(), f"{name} {stated.value}", place=stated.place),)
    text = f"{path} says {name} {stated.value}, but nothing in the files mounts it: it counts neither way"
    return Finding(
        text,
        Subject(SubjectType.SERVER, path),
        stated.place,
        (),
        shown,
        severity=Severity.LOW,
        status=Status.PASS,
        symbol=name,
    )


def _yes(setting: Setting) -> bool:
    return setting.value.strip("\"'").lower() in ("yes", "true", "1")
