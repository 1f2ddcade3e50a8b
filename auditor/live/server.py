"""Reading one server: INFO, CONFIG, clients, authentication, transport → Server."""

from __future__ import annotations

import ssl
import time
from dataclasses import replace

from auditor.errors import SourceError
from auditor.model import RedisTarget

from . import clients as client_list
from . import info as infos
from .address import Address
from .allowlist import SETTINGS
from .connection import Command, Connection, LostError, Reply, ReplyError
from .login import Session, said, weakness
from .meter import BudgetSpentError
from .refusals import refused
from .server_model import Anonymous, Authentication, Clients, ClusterShape, DefaultUser, Refused, Server, Transport

_ASKED: tuple[Command, ...] = (
    ("INFO",),
    ("TIME",),
    ("CLIENT", "ID"),
    ("CLIENT", "LIST"),
    ("ACL", "WHOAMI"),
    ("ACL", "GETUSER", "default"),
)


def read_server(session: Session) -> Server:
    """Ask the server for everything that needs no queue. Single refusals become `Refused` in their fact's place."""
    connection, address = session.connection, session.connection.address
    info_reply, moment, own_id, listed, whoami, default = connection.run(_ASKED)
    shown = infos.parse(info_reply) if isinstance(info_reply, str) else {}
    if shown.get("redis_mode", shown.get("server_mode")) == "sentinel":
        raise SourceError(
            f"{address.endpoint}: this is a Sentinel, which holds no queues",
            "give the URL of the Redis that it watches",
        )
    no_info = refused(("INFO",), info_reply) if isinstance(info_reply, ReplyError) else None
    now_ms = _time_ms(moment)
    clients: Clients | Refused
    if isinstance(listed, str):
        clients, users, sentinels = client_list.read(listed, own_id if isinstance(own_id, int) else None)
    else:
        clients, users, sentinels = _no(("CLIENT", "LIST"), listed), {}, None
    product, version = infos.product(shown)
    replication = infos.replication(shown, sentinels)
    if replication.mode == "cluster":
        replication = replace(replication, cluster=_cluster(connection))
    server = Server(
        endpoint=address.endpoint,
        target=RedisTarget(address.endpoint, version, shown.get("run_id", ""), address.db, replication.role),
        product=product,
        managed=infos.managed(shown, address.host),
        version=version,
        time_ms=now_ms,
        memory=no_info or infos.memory(shown),
        persistence=no_info or infos.persistence(shown, now_ms),
        replication=no_info or replication,
        connections=no_info or infos.connections(shown),
        config=_settings(connection),
        authentication=_authentication(session, whoami, default, users),
        transport=_transport(connection, shown),
        clients=clients,
        databases=infos.databases(shown),
    )
    return replace(server, refused=_refusals(server))


def now_ms(connection: Connection) -> int:
    """The server's clock, ours where it would not tell."""
    return _time_ms(connection.one("TIME"))


def _time_ms(reply: Reply) -> int:
    match reply:
        case [str(seconds), str(micros)] if seconds.isdecimal() and micros.isdecimal():
            return int(seconds) * 1000 + int(micros) // 1000
    return int(time.time() * 1000)


def _no(command: Command, reply: Reply) -> Refused:
    if isinstance(reply, ReplyError):
        return refused(command, reply)
    return Refused(" ".join(map(str, command)), "the reply has an unknown form")


def _settings(connection: Connection) -> dict[str, str | Refused]:
    commands: list[Command] = [("CONFIG", "GET", name) for name in SETTINGS]
    found: dict[str, str | Refused] = {}
    for name, command, reply in zip(SETTINGS, commands, connection.run(commands), strict=True):
        match reply:
            case [_, str(value)]:
                found[name] = value
            case []:
                continue  # a name that this version does not have
            case _:
                found[name] = _no(command, reply)
    return found


def _cluster(connection: Connection) -> ClusterShape | Refused:
    state, nodes = connection.run([("CLUSTER", "INFO"), ("CLUSTER", "NODES")])
    if isinstance(state, str) and isinstance(nodes, str):
        return infos.cluster(state, nodes)
    return _no(("CLUSTER", "INFO"), state) if not isinstance(state, str) else _no(("CLUSTER", "NODES"), nodes)


def _authentication(session: Session, whoami: Reply, default: Reply, users: dict[str, int]) -> Authentication:
    address = session.connection.address
    anonymous, words = ask_anonymously(session)
    return Authentication(
        anonymous=anonymous,
        reply=words,
        user=whoami if isinstance(whoami, str) else _no(("ACL", "WHOAMI"), whoami),
        default=_default_user(default),
        given=address.has_credentials,
        weak=weakness(address),
        client_users=users,
    )


def ask_anonymously(session: Session) -> tuple[Anonymous, str]:
    """PING on a second connection without credentials: the only proof that a password is asked for."""
    address = replace(session.connection.address, username=None, password=None)
    try:
        with Connection(address, session.connection.meter) as stranger:
            reply = stranger.greet("PING")
    except (LostError, SourceError, BudgetSpentError) as error:
        return Anonymous.UNKNOWN, f"the second connection failed: {error}"
    if not isinstance(reply, ReplyError):
        return Anonymous.ACCEPTED, str(reply)
    # whoever is refused a command for its rights or for the server's state has been let in
    kinds = {
        "NOAUTH": Anonymous.REFUSED,
        "DENIED": Anonymous.PROTECTED,
        "NOPERM": Anonymous.ACCEPTED,
        "MISCONF": Anonymous.ACCEPTED,
    }
    return kinds.get(reply.code, Anonymous.UNKNOWN), said(reply)


def _default_user(reply: Reply) -> DefaultUser | Refused:
    if not isinstance(reply, list):
        return _no(("ACL", "GETUSER", "default"), reply)
    fields = dict(zip(map(str, reply[::2]), reply[1::2], strict=False))
    flags = fields.get("flags")
    names = {str(flag) for flag in flags} if isinstance(flags, list) else set()
    commands, keys = str(fields.get("commands", "")), fields.get("keys")
    patterns = {str(key) for key in keys} if isinstance(keys, list) else set(str(keys).split())
    everything = "+@all" in commands and "-" not in commands and bool(patterns & {"*", "~*"} or "allkeys" in names)
    return DefaultUser("on" in names, "nopass" in names, everything)


def _transport(connection: Connection, info: infos.Info) -> Transport:
    address = connection.address
    return Transport(
        tls=address.tls is not None,
        unix=bool(address.path),
        loopback=address.loopback,
        tls_version=connection.tls_version,
        verified=address.tls is None or not address.tls.insecure,
        listeners=tuple(info[name] for name in info if name.startswith("listener") and name[8:].isdecimal()),
        plaintext_answers=_plaintext(connection) if address.probe_plaintext and address.tls else None,
    )


def _plaintext(connection: Connection) -> bool:
    address: Address = replace(connection.address, tls=None, port=6379, username=None, password=None, db=0)
    try:
        with Connection(address, connection.meter) as stranger:
            stranger.greet("PING")
    except (LostError, SourceError, ssl.SSLError):
        return False
    return True  # NOAUTH is an answer too: the port is open and takes passwords in clear


def _refusals(server: Server) -> tuple[Refused, ...]:
    facts: list[object] = [server.memory, server.clients, server.authentication.user, server.authentication.default]
    if not isinstance(server.replication, Refused):
        facts.append(server.replication.cluster)
    facts += server.config.values()
    return tuple(fact for fact in facts if isinstance(fact, Refused))
