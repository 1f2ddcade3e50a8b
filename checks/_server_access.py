"""How a live server is reached (91 to 94): copies that take over, TLS, passwords, connections. Pure judges, a server each."""

from __future__ import annotations

from collections.abc import Sequence

from auditor.live.model import LiveQueue, Refused, Server
from auditor.live.server_model import Anonymous, Connections, Replication, SentinelView
from auditor.model import Confidence, Evidence, Severity

from ._server import Judged


def high_availability(server: Server, queues: Sequence[LiveQueue]) -> Judged:
    """91: a copy that takes over by itself. In a cluster every queue needs a hash tag besides."""
    judged = Judged(server)
    seen = server.replication
    if isinstance(seen, Refused):
        judged.refused(seen)
    elif seen.cluster is not None:
        _cluster(judged, seen, queues)
    elif seen.role == "slave":
        judged.open(
            f"Redis is a replica of {seen.master}: give the primary's URL",
            judged.shown("INFO replication", "role:slave"),
        )
    else:
        _primary(judged, seen)
    return judged


def _primary(judged: Judged, seen: Replication) -> None:
    managed = judged.server.managed
    online = [replica for replica in seen.replicas if replica.state == "online"]
    copies = judged.shown(
        "INFO replication", f"role:{seen.role}, connected_slaves:{seen.connected_replicas or 0}", "a replica online"
    )
    if not online and managed:
        judged.open(f"{managed} hides its replication: see the provider's console for failover", copies)
    elif not online:
        replicas = f"{len(seen.replicas)} {'replica' if len(seen.replicas) == 1 else 'replicas'}"
        lost = f" ({replicas} connected, none online)" if seen.replicas else ""
        judged.fail(f"Redis is a lone primary{lost}: while it is down, no job is taken or processed", copies)
    elif seen.sentinel is not None:
        _watched(judged, seen.sentinel, copies)
    elif seen.sentinels:
        watchers = judged.shown("CLIENT LIST", f"{_sentinels(seen.sentinels)} connected")
        judged.hold(copies, watchers)
        _outvoted(judged, seen.sentinels, watchers)
    elif managed:
        judged.open(f"{len(online)} replicas online; what promotes one is {managed}'s: see its console", copies)
    elif seen.sentinels is None:
        text = f"{len(online)} replicas online; whether a Sentinel watches can't be seen (CLIENT LIST is refused)"
        judged.open(text, copies)
    else:
        nobody = judged.shown(
            "CLIENT LIST", "no Sentinel among the clients", "three Sentinels", confidence=Confidence.LIKELY
        )
        judged.fail("Redis has replicas, but nothing that promotes one: no Sentinel is connected", nobody, copies)


def _watched(judged: Judged, view: SentinelView, copies: Evidence) -> None:
    watchers = judged.shown("SENTINEL MASTERS", f"{view.service}: {_sentinels(view.sentinels)}, quorum {view.quorum}")
    if view.agreed is False:
        reached = judged.shown(f"SENTINEL CKQUORUM {view.service}", "not reachable", "reachable")
        judged.fail("too few Sentinels can be reached to agree on a failover", reached, watchers)
    else:
        judged.hold(copies, watchers)
        _outvoted(judged, view.sentinels, watchers)


def _outvoted(judged: Judged, count: int, watchers: Evidence) -> None:
    if count < 3:
        judged.note(f"{_sentinels(count)} can't outvote a fault of one: three are the least", watchers)


def _sentinels(count: int) -> str:
    return "1 Sentinel" if count == 1 else f"{count} Sentinels"


def _cluster(judged: Judged, seen: Replication, queues: Sequence[LiveQueue]) -> None:
    shape = seen.cluster
    if shape is None or isinstance(shape, Refused):
        if shape is not None:
            judged.refused(shape)
        return
    state = judged.shown("CLUSTER INFO", f"cluster_state:{shape.state}", "ok")
    nodes = judged.shown(
        "CLUSTER NODES", f"{shape.masters} primaries, {shape.replicas} replicas, {shape.failed_nodes} failed"
    )
    if shape.state != "ok":
        judged.fail(f"the cluster's state is {shape.state}", state, nodes, symbol="state")
    if shape.masters_without_replica:
        judged.fail(
            f"{shape.masters_without_replica} of {shape.masters} primaries have no replica",
            nodes,
            symbol="replicas",
        )
    for queue in queues:
        if "{" not in f"{queue.prefix}:{queue.name}":
            shown = Evidence(f"EXISTS {queue.key('id')}", "no hash tag in prefix or name", "{…}", queue.place())
            judged.fail(
                f"{queue.label}: its keys lie on several nodes, so that its scripts fail (CROSSSLOT)",
                shown,
                symbol=queue.label,
                fix="prefix: '{bull}'",
            )
    if not judged.findings:
        judged.hold(state, nodes)


def tls(server: Server) -> Judged | None:
    """92: our connection is TLS, and no plaintext port is open beside. None: a unix socket, which needs none."""
    judged, way = Judged(server), server.transport
    if way.unix:
        return None
    ours = judged.shown(
        "connection",
        way.tls_version or ("TLS" if way.tls else "plaintext"),
        "TLS",
        confidence=Confidence.LIKELY if way.loopback and not way.tls else Confidence.CERTAIN,
    )
    if not way.tls:
        where = " (on loopback)" if way.loopback else ""
        judged.fail(f"Redis talks plaintext{where}: job data and the password can be read on the way", ours)
        return judged
    if not way.verified:
        judged.note("the certificate was not checked, as asked", ours)
    port = server.setting("port")
    plain = [line for line in way.listeners if "name=tcp" in line]
    if isinstance(port, str) and port != "0":
        judged.fail(
            f"port {port} beside it is open for plaintext",
            judged.shown("CONFIG GET port", port, "0"),
            ours,
        )
    elif not isinstance(port, str) and plain:
        judged.fail(
            "a plaintext port is open beside it",
            judged.shown("INFO", plain[0], "no listener without TLS"),
            ours,
        )
    elif way.plaintext_answers:
        judged.fail(
            "port 6379 of the same host answers plaintext",
            judged.shown("PING without TLS, port 6379", "answered", "refused"),
            ours,
        )
    elif isinstance(port, str):
        judged.hold(ours, judged.shown("CONFIG GET port", port, "0"))
    elif way.listeners:
        judged.hold(ours, judged.shown("INFO", "; ".join(way.listeners)))
    elif way.plaintext_answers is False:
        judged.hold(ours, judged.shown("PING without TLS, port 6379", "no answer", confidence=Confidence.LIKELY))
    else:
        why = f" ({port.label()})" if isinstance(port, Refused) else ""
        judged.open(
            f"Redis talks TLS; whether a plaintext port is open beside can't be seen{why}: try --probe-plaintext",
            ours,
        )
    return judged


def authentication(server: Server) -> Judged:
    """93: a PING without credentials is refused; the password given is neither empty nor a well-known word."""
    judged, seen = Judged(server), server.authentication
    ping = judged.shown("PING without credentials", seen.reply, "NOAUTH")
    default = seen.default
    if seen.anonymous is Anonymous.ACCEPTED:
        by_certificate = (
            server.transport.tls and server.setting("tls-auth-clients") == "yes" and server.setting("port") == "0"
        )
        if by_certificate:
            judged.fail(
                "Redis asks for a client certificate, but for no user or password",
                ping,
                severity=Severity.MEDIUM,
            )
        else:
            judged.fail(
                "Redis answers without a password",
                ping,
                fix="set requirepass, or turn the default user off and use ACL users",
            )
    elif seen.anonymous is Anonymous.PROTECTED:
        judged.fail("Redis has no password; protected mode alone keeps others out", ping)
    elif seen.anonymous is Anonymous.UNKNOWN:
        judged.open(f"whether a password is asked for could not be tried: {seen.reply}", ping)
    if seen.weak:
        judged.fail(
            f"the password given is {seen.weak}",
            judged.shown("the password given", seen.weak, "a long random one"),
            symbol="weak",
        )
    if judged.findings:
        return judged
    judged.hold(ping)
    if not isinstance(default, Refused):
        state = "off" if not default.enabled else "nopass" if default.nopass else "with a password"
        judged.hold(judged.shown("ACL GETUSER default", f"the default user is {state}"))
        users = set(seen.client_users)
        if default.enabled and default.everything and users <= {"default"} and users:
            judged.note(
                "all clients are the default user, who may do everything; an ACL user per application bounds the harm",
                judged.shown("CLIENT LIST", f"user=default: {seen.client_users.get('default', 0)} connections"),
            )
    return judged


def connection_limits(server: Server, max_clients_percent: int) -> Judged:
    """94: room below maxclients, none refused, idle connections kept, dead peers noticed."""
    judged, seen = Judged(server), server.connections
    if isinstance(seen, Refused):
        judged.refused(seen)
        return judged
    _limits(judged, seen, max_clients_percent)
    idle, keepalive = server.setting("timeout"), server.setting("tcp-keepalive")
    if isinstance(idle, str) and idle != "0":
        judged.fail(
            f"timeout {idle} cuts connections that are idle, as queues and waiting workers are",
            judged.shown("CONFIG GET timeout", idle, "0"),
            symbol="timeout",
        )
    if keepalive == "0":
        judged.fail(
            "tcp-keepalive 0 never notices dead peers, which keep their place",
            judged.shown("CONFIG GET tcp-keepalive", "0", "300"),
            symbol="tcp-keepalive",
        )
    hidden = next((fact for fact in (idle, keepalive) if isinstance(fact, Refused)), None)
    if hidden is not None and not judged.findings:
        judged.refused(hidden)
    elif not judged.findings:
        judged.hold(
            *(
                judged.shown(f"CONFIG GET {name}", value)
                for name, value in (("timeout", idle), ("tcp-keepalive", keepalive))
                if isinstance(value, str)
            )
        )
    return judged


def _limits(judged: Judged, seen: Connections, most: int) -> None:
    limit = seen.maxclients
    if limit is None and isinstance(said := judged.server.setting("maxclients"), str) and said.isdecimal():
        limit = int(said)
    if seen.connected is None or not limit:
        judged.open("Redis does not show how many clients it takes")
        return
    shown = judged.shown("INFO clients", f"connected_clients:{seen.connected}, maxclients:{limit}", f"at most {most} %")
    if seen.connected > limit * most / 100:
        judged.fail(f"{seen.connected:,} of {limit:,} connections are taken", shown, symbol="connected")
    else:
        judged.hold(shown)
    if seen.rejected:
        judged.fail(
            f"Redis turned {seen.rejected:,} connections away since its start",
            judged.shown("INFO stats", f"rejected_connections:{seen.rejected}", "0"),
            symbol="rejected",
        )
