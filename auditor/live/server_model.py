"""A Redis server as it shows itself: INFO, CONFIG, clients, authentication, transport."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from auditor.model import RedisPlace, RedisTarget


@dataclass(frozen=True, slots=True)
class Refused:
    """A fact that the server would not tell."""

    command: str
    """What was asked: `CONFIG GET maxmemory-policy`."""
    why: str
    """The server's words, or ours where it said nothing."""
    grant: str = ""
    """ACL rule that would allow it: `+config|get`; empty where none would (renamed, managed, not sent)."""

    def label(self) -> str:
        """One line for a reason: what, why, and what would help."""
        return f"{self.command}: {self.why}" + (f" (grant {self.grant})" if self.grant else "")


@dataclass(frozen=True, slots=True)
class Unreached:
    """A target that gave nothing."""

    endpoint: str
    why: str


@dataclass(frozen=True, slots=True)
class Memory:
    """INFO memory. `maxmemory` 0 is unset."""

    used: int | None = None
    peak: int | None = None
    maxmemory: int | None = None
    policy: str = ""
    system_total: int | None = None
    evicted_keys: int | None = None
    oom_errors: int | None = None
    """`errorstat_OOM`: writes refused for memory (Redis ≥ 6.2); 0 where never."""


@dataclass(frozen=True, slots=True)
class Persistence:
    """INFO persistence; managed servers may hide it (`known` False)."""

    known: bool = False
    aof_enabled: bool | None = None
    aof_write_ok: bool | None = None
    aof_rewrite_ok: bool | None = None
    rdb_save_ok: bool | None = None
    rdb_last_save_ms: int | None = None
    rdb_changes: int | None = None
    rdb_saves: int | None = None
    """Saves since start (Redis ≥ 7)."""
    loading: bool = False
    started_ms: int | None = None


@dataclass(frozen=True, slots=True)
class Replica:
    """One line of INFO replication."""

    address: str
    state: str
    lag_s: int | None


@dataclass(frozen=True, slots=True)
class ClusterShape:
    """CLUSTER INFO and CLUSTER NODES, summed up."""

    state: str
    masters: int
    masters_without_replica: int
    replicas: int
    failed_nodes: int


@dataclass(frozen=True, slots=True)
class SentinelView:
    """What a Sentinel says of the primary that it led to."""

    service: str
    sentinels: int
    """This one and the others that it knows."""
    quorum: int
    replicas: int
    agreed: bool | None
    """SENTINEL CKQUORUM: enough of them can be reached to fail over; None where refused."""


@dataclass(frozen=True, slots=True)
class Replication:
    """Role and redundancy."""

    role: str = ""
    """`master`, `slave`, `sentinel`; empty where hidden."""
    mode: str = ""
    """`standalone`, `cluster`, `sentinel`."""
    replicas: tuple[Replica, ...] = ()
    connected_replicas: int | None = None
    master: str = ""
    """Address of the master, on a replica."""
    master_link_up: bool | None = None
    sentinels: int | None = None
    """Distinct Sentinels connected to it, by client names; None where CLIENT LIST is refused."""
    cluster: ClusterShape | Refused | None = None
    """None: not a cluster."""
    sentinel: SentinelView | None = None
    """Where a Sentinel led to this server."""


@dataclass(frozen=True, slots=True)
class Connections:
    """INFO clients and stats."""

    connected: int | None = None
    maxclients: int | None = None
    blocked: int | None = None
    rejected: int | None = None
    received: int | None = None
    """Connections ever accepted."""


class Anonymous(StrEnum):
    """What a PING on a second connection without credentials got."""

    ACCEPTED = "accepted"
    REFUSED = "refused"
    PROTECTED = "protected"
    """Protected mode: only loopback may talk to it."""
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class DefaultUser:
    """ACL GETUSER default."""

    enabled: bool
    nopass: bool
    everything: bool
    """`~* +@all`."""


@dataclass(frozen=True, slots=True)
class Authentication:
    """Who may come in."""

    anonymous: Anonymous
    reply: str
    """The server's reply to the PING, or why there is none."""
    user: str | Refused
    """ACL WHOAMI of our connection."""
    default: DefaultUser | Refused
    given: bool
    """Whether credentials were given to the scan."""
    weak: str = ""
    """What is wrong with the password given: `empty`, `a well-known word`; never the password."""
    client_users: Mapping[str, int] = field(default_factory=dict)
    """Connections by ACL user, from CLIENT LIST; ours left out."""


@dataclass(frozen=True, slots=True)
class Transport:
    """How we connected."""

    tls: bool
    unix: bool
    loopback: bool
    tls_version: str = ""
    verified: bool = True
    """False: the certificate was not checked, as asked."""
    listeners: tuple[str, ...] = ()
    """INFO `listenerN` lines (Redis ≥ 7.2, Valkey): `name=tcp,bind=…,port=6379`."""
    plaintext_answers: bool | None = None
    """Whether the plaintext port answered a probe; None: not asked for."""


@dataclass(frozen=True, slots=True)
class RedisClient:
    """One line of CLIENT LIST that holds a queue name, or counts otherwise."""

    name: str
    host: str
    db: int
    command: str
    flags: str
    age_s: int
    idle_s: int
    user: str
    library: str


@dataclass(frozen=True, slots=True)
class Clients:
    """CLIENT LIST, ours left out."""

    total: int
    by_host: Mapping[str, int]
    named: tuple[RedisClient, ...]
    """Connections whose name has a queue in it."""
    nameless_waiting: int = 0
    """Connections without a name that wait for jobs, somebody's: BullMQ 4 names none on a cluster, and a name can be lost."""


@dataclass(frozen=True, slots=True)
class Server:
    """One Redis node."""

    endpoint: str
    """URL without credentials; the way to refer to this server in every place and evidence."""
    target: RedisTarget
    product: str
    """`Redis`, `Valkey`, `Dragonfly`, `KeyDB`, `Upstash`, …"""
    managed: str
    """Offering by its signs (`Amazon ElastiCache`); empty: none seen."""
    version: str
    """The product's own version."""
    time_ms: int
    """Server's clock at the scan."""
    memory: Memory | Refused
    persistence: Persistence | Refused
    replication: Replication | Refused
    connections: Connections | Refused
    config: Mapping[str, str | Refused]
    """CONFIG GET of the names that matter, one by one; a name that the server does not know is left out."""
    authentication: Authentication
    transport: Transport
    clients: Clients | Refused
    databases: Mapping[int, int] = field(default_factory=dict)
    """Keys by logical database."""
    refused: tuple[Refused, ...] = ()
    """Every refusal on this server, in the order met."""

    def setting(self, name: str) -> str | Refused | None:
        """CONFIG GET `name`; None where the server does not have it."""
        return self.config.get(name)

    def place(self, subject: str = "") -> RedisPlace:
        """Where a reader finds that setting or INFO field."""
        return RedisPlace(self.endpoint, subject)
