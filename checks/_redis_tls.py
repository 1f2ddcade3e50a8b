"""The file side of item 92: which units and clients speak in plain text over the network."""

from __future__ import annotations

from auditor.code.model import CodeModel, Connection, OptionState
from auditor.infra.model import Environment, InfraModel, RedisClient, RedisUnit, Tls
from auditor.infra.text import unresolved
from auditor.model import Confidence, Evidence, Finding, Subject, SubjectType

from ._redis_files import Side


def judge(unit: RedisUnit, infra: InfraModel, code: CodeModel | None, side: Side) -> None:
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
    users = [c for c in infra.clients if _reaches(c, unit)]
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


def _reaches(client: RedisClient, unit: RedisUnit) -> bool:
    """Whether a client's host is this unit: by name, in the same stack; a sample file may be for any."""
    host = client.host if client.host in (unit.name, *unit.hosts) else client.host.split(".")[0]
    meant = client.sample and client.environment not in (Environment.DEVELOPMENT, Environment.TEST)
    together = meant or (client.environment is unit.environment and client.stack == unit.stack)
    return together and host in (unit.name, *unit.hosts)


def _without_tls(code: CodeModel | None) -> Connection | None:
    """A living connection of the code that names a host and has no `tls`; None where that can't be told."""
    for connection in code.connections if code else ():
        options = connection.options
        known = all(o.state is not OptionState.UNKNOWN for o in options.values())
        if connection.live and known and "host" in options and "tls" not in options:
            return connection
    return None


def remote(client: RedisClient) -> bool:
    return bool(client.host) and not client.loopback and not unresolved(client.host)


def plaintext_client(client: RedisClient, side: Side) -> None:
    subject = Subject(SubjectType.CLIENT, client.unit or client.variable)
    shown = Evidence(client.place.label(), f"{client.variable} is redis:// to {client.host}", "rediss://", client.place)
    message = f"{client.unit or client.place.path} reaches Redis at {client.host} without TLS"
    side.findings.append(Finding(message, subject, client.place, (), (shown,), symbol=client.variable))
