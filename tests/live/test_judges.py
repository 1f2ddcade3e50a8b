"""Items 88 to 95 on servers that differ from a real one in a single fact, and beside what files deploy."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest

from auditor.infra.model import Environment, InfraModel, PasswordState, RedisUnit, Setting
from auditor.live.model import LiveRedis, Refused, Server, Unreached
from auditor.live.server_model import Anonymous, ClusterShape, Memory, Replica, SentinelView
from auditor.model import Cause, Confidence, FilePlace, Status, Verdict
from auditor.probes import Probe

from ..support.redis_server import redis_server
from .support import scan

REFUSED = Refused("CONFIG GET x", "this user may not run it", "+config|get")
GB = 1 << 30


@pytest.fixture(scope="module")
def real() -> Iterator[LiveRedis]:
    """What a sound server with a password shows; tests change a fact of it."""
    settings = ("--maxmemory", "100mb", "--appendonly", "yes")
    with redis_server(*settings, tcp=True, password="9b1de0d2c4a54f0f8f5c") as server:
        yield scan(server)


def probe(name: str) -> Probe:
    from auditor.checks import redis  # mounted by auditor.plugins

    found: Probe = getattr(redis, name)
    return found


def decide(name: str, server: Server | None, infra: InfraModel | None = None, live: LiveRedis | None = None) -> Verdict:
    """The probe's verdict on one server."""
    read = live if live is not None else None if server is None else LiveRedis((server,), (), report=_report())
    asked = probe(name)
    given: dict[str, Any] = {
        need.parameter: {"live": read, "infra": infra}.get(need.snapshot.source) for need in asked.needs
    }
    if asked.params is not None:
        given[asked.params_parameter] = asked.params()
    return asked.function(**given)


def _report() -> Any:
    from auditor.model import SourceReport, SourceStatus

    return SourceReport("live", SourceStatus.OK)


def memory(server: Server, **changed: Any) -> Server:
    assert isinstance(server.memory, Memory)
    return replace(server, memory=replace(server.memory, **changed))


def part(server: Server, name: str, **changed: Any) -> Server:
    return replace(server, **{name: replace(getattr(server, name), **changed)})


def setting(server: Server, **changed: Any) -> Server:
    return replace(
        server, config={**server.config, **{name.replace("_", "-"): value for name, value in changed.items()}}
    )


CASES: list[tuple[str, str, Any, Status]] = [
    ("maxmemory_policy", "as it is", lambda s: s, Status.PASS),
    ("maxmemory_policy", "CONFIG refused, INFO tells", lambda s: setting(s, maxmemory_policy=REFUSED), Status.PASS),
    (
        "maxmemory_policy",
        "both refused",
        lambda s: replace(setting(s, maxmemory_policy=REFUSED), memory=REFUSED),
        Status.UNVERIFIED,
    ),
    (
        "maxmemory_policy",
        "volatile-lru by INFO",
        lambda s: memory(setting(s, maxmemory_policy=REFUSED), policy="volatile-lru"),
        Status.FAIL,
    ),
    (
        "maxmemory_policy",
        "Dragonfly's eviction",
        lambda s: memory(setting(s, maxmemory_policy=REFUSED), policy="eviction"),
        Status.FAIL,
    ),
    ("maxmemory_policy", "evicted under another policy", lambda s: memory(s, evicted_keys=7), Status.PASS),
    ("maxmemory", "as it is", lambda s: s, Status.PASS),
    ("maxmemory", "no limit", lambda s: memory(s, maxmemory=0), Status.FAIL),
    (
        "maxmemory",
        "no limit, managed",
        lambda s: replace(memory(s, maxmemory=0), managed="Amazon ElastiCache"),
        Status.UNVERIFIED,
    ),
    ("maxmemory", "limit not shown", lambda s: memory(s, maxmemory=None), Status.UNVERIFIED),
    ("maxmemory", "95 % of the machine", lambda s: memory(s, maxmemory=95 * GB, system_total=100 * GB), Status.FAIL),
    ("maxmemory", "80 % with AOF", lambda s: memory(s, maxmemory=80 * GB, system_total=100 * GB), Status.FAIL),
    (
        "maxmemory",
        "80 % without forks",
        lambda s: setting(
            part(memory(s, maxmemory=80 * GB, system_total=100 * GB), "persistence", aof_enabled=False), save=""
        ),
        Status.PASS,
    ),
    ("maxmemory", "81 % used", lambda s: memory(s, maxmemory=100, used=81), Status.FAIL),
    ("maxmemory", "80 % used", lambda s: memory(s, maxmemory=100, used=80), Status.PASS),
    ("maxmemory", "refused", lambda s: replace(s, memory=REFUSED), Status.UNVERIFIED),
    ("persistence", "as it is", lambda s: s, Status.PASS),
    ("persistence", "appendfsync no", lambda s: setting(s, appendfsync="no"), Status.FAIL),
    ("persistence", "AOF write failed", lambda s: part(s, "persistence", aof_write_ok=False), Status.FAIL),
    ("persistence", "AOF rewrite failed", lambda s: part(s, "persistence", aof_rewrite_ok=False), Status.FAIL),
    ("persistence", "hidden", lambda s: part(s, "persistence", known=False), Status.UNVERIFIED),
    (
        "persistence",
        "RDB, schedule refused",
        lambda s: setting(part(s, "persistence", aof_enabled=False), save=REFUSED),
        Status.UNVERIFIED,
    ),
    ("persistence", "neither", lambda s: setting(part(s, "persistence", aof_enabled=False), save=""), Status.FAIL),
    (
        "persistence",
        "RDB in time",
        lambda s: setting(
            part(s, "persistence", aof_enabled=False, rdb_last_save_ms=s.time_ms - 1_700_000, rdb_changes=5),
            save="900 1 300 10",
        ),
        Status.PASS,
    ),
    (
        "persistence",
        "RDB late",
        lambda s: setting(
            part(s, "persistence", aof_enabled=False, rdb_last_save_ms=s.time_ms - 1_900_000, rdb_changes=5),
            save="900 1 300 10",
        ),
        Status.FAIL,
    ),
    (
        "persistence",
        "RDB old, nothing changed",
        lambda s: setting(
            part(s, "persistence", aof_enabled=False, rdb_last_save_ms=s.time_ms - 9_000_000, rdb_changes=0),
            save="900 1",
        ),
        Status.PASS,
    ),
    ("high_availability", "as it is", lambda s: s, Status.FAIL),
    ("high_availability", "managed", lambda s: replace(s, managed="Amazon ElastiCache"), Status.UNVERIFIED),
    (
        "high_availability",
        "replica and Sentinels",
        lambda s: part(s, "replication", replicas=(Replica("a:1", "online", 0),), sentinels=3),
        Status.PASS,
    ),
    (
        "high_availability",
        "replica offline",
        lambda s: part(s, "replication", replicas=(Replica("a:1", "wait_bgsave", None),), sentinels=3),
        Status.FAIL,
    ),
    (
        "high_availability",
        "CLIENT LIST refused",
        lambda s: part(s, "replication", replicas=(Replica("a:1", "online", 0),), sentinels=None),
        Status.UNVERIFIED,
    ),
    (
        "high_availability",
        "no quorum",
        lambda s: part(
            s, "replication", replicas=(Replica("a:1", "online", 0),), sentinel=SentinelView("q", 3, 2, 1, False)
        ),
        Status.FAIL,
    ),
    (
        "high_availability",
        "sound cluster",
        lambda s: part(s, "replication", mode="cluster", cluster=ClusterShape("ok", 3, 0, 3, 0)),
        Status.PASS,
    ),
    (
        "high_availability",
        "cluster down",
        lambda s: part(s, "replication", mode="cluster", cluster=ClusterShape("fail", 3, 0, 3, 1)),
        Status.FAIL,
    ),
    (
        "high_availability",
        "cluster refused",
        lambda s: part(s, "replication", mode="cluster", cluster=REFUSED),
        Status.UNVERIFIED,
    ),
    ("high_availability", "refused", lambda s: replace(s, replication=REFUSED), Status.UNVERIFIED),
    ("tls", "as it is", lambda s: s, Status.FAIL),
    ("tls", "plaintext port closed", lambda s: setting(part(s, "transport", tls=True), port="0"), Status.PASS),
    ("tls", "plaintext port open", lambda s: part(s, "transport", tls=True), Status.FAIL),
    ("tls", "CONFIG refused", lambda s: setting(part(s, "transport", tls=True), port=REFUSED), Status.UNVERIFIED),
    (
        "tls",
        "CONFIG refused, listeners show TLS alone",
        lambda s: setting(part(s, "transport", tls=True, listeners=("name=tls,port=6380",)), port=REFUSED),
        Status.PASS,
    ),
    (
        "tls",
        "CONFIG refused, listeners show plaintext",
        lambda s: setting(
            part(s, "transport", tls=True, listeners=("name=tcp,port=6379", "name=tls,port=6380")), port=REFUSED
        ),
        Status.FAIL,
    ),
    (
        "tls",
        "CONFIG refused, the port was tried",
        lambda s: setting(part(s, "transport", tls=True, plaintext_answers=False), port=REFUSED),
        Status.PASS,
    ),
    ("authentication", "as it is", lambda s: s, Status.PASS),
    (
        "authentication",
        "answers anybody",
        lambda s: part(s, "authentication", anonymous=Anonymous.ACCEPTED),
        Status.FAIL,
    ),
    (
        "authentication",
        "protected mode",
        lambda s: part(s, "authentication", anonymous=Anonymous.PROTECTED),
        Status.FAIL,
    ),
    (
        "authentication",
        "not tried",
        lambda s: part(s, "authentication", anonymous=Anonymous.UNKNOWN),
        Status.UNVERIFIED,
    ),
    ("authentication", "well-known word", lambda s: part(s, "authentication", weak="a well-known word"), Status.FAIL),
    ("authentication", "ACL GETUSER refused", lambda s: part(s, "authentication", default=REFUSED), Status.PASS),
    ("connection_limits", "as it is", lambda s: s, Status.PASS),
    ("connection_limits", "81 %", lambda s: part(s, "connections", connected=81, maxclients=100), Status.FAIL),
    ("connection_limits", "turned away", lambda s: part(s, "connections", rejected=1), Status.FAIL),
    ("connection_limits", "idle timeout", lambda s: setting(s, timeout="300"), Status.FAIL),
    ("connection_limits", "no keep-alive", lambda s: setting(s, tcp_keepalive="0"), Status.FAIL),
    ("connection_limits", "CONFIG refused", lambda s: setting(s, timeout=REFUSED), Status.UNVERIFIED),
    ("connection_limits", "refused", lambda s: replace(s, connections=REFUSED), Status.UNVERIFIED),
    ("backups", "as it is", lambda s: s, Status.UNVERIFIED),
]


@pytest.mark.parametrize(
    ("name", "case", "change", "status"), CASES, ids=[f"{name}: {case}" for name, case, _, _ in CASES]
)
def test_one_fact_decides(real: LiveRedis, name: str, case: str, change: Any, status: Status) -> None:
    verdict = decide(name, change(real.servers[0]))
    assert verdict.status is status, verdict.reason
    assert verdict.status is Status.UNVERIFIED or verdict.evidence or any(f.evidence for f in verdict.findings)
    assert real.servers[0].endpoint not in verdict.reason


def deployed(
    environment: Environment = Environment.PRODUCTION, password: PasswordState = PasswordState.FROM_ENV, **settings: str
) -> InfraModel:
    """A compose file with one Redis."""
    place = FilePlace("compose.yml", 3)
    stated = {name.replace("_", "-"): Setting(value, place) for name, value in settings.items()}
    return InfraModel(redis=(RedisUnit("redis", "compose", environment, place, settings=stated, password=password),))


def test_a_failure_of_the_files_wins_over_a_live_pass(real: LiveRedis) -> None:
    verdict = decide("maxmemory_policy", real.servers[0], deployed(maxmemory_policy="allkeys-lru"))
    assert verdict.status is Status.FAIL
    assert [f.place for f in verdict.findings if f.status is Status.FAIL] == [FilePlace("compose.yml", 3)]


def test_a_live_failure_wins_over_a_pass_of_the_files(real: LiveRedis) -> None:
    bad = setting(real.servers[0], maxmemory_policy="allkeys-lru")
    assert decide("maxmemory_policy", bad, deployed(maxmemory_policy="noeviction")).status is Status.FAIL


def test_a_live_pass_settles_what_the_files_leave_to_a_default(real: LiveRedis) -> None:
    verdict = decide("maxmemory_policy", real.servers[0], deployed())
    assert verdict.status is Status.PASS
    assert verdict.confidence is Confidence.CERTAIN


def test_files_show_what_the_server_would_not_tell(real: LiveRedis) -> None:
    hidden = setting(part(real.servers[0], "persistence", aof_enabled=False), save=REFUSED)
    verdict = decide("persistence", hidden, deployed(save="900 1"))
    assert verdict.status is Status.PASS
    assert verdict.confidence is Confidence.LIKELY


def test_files_alone_decide_without_a_server() -> None:
    assert decide("maxmemory_policy", None, deployed(maxmemory_policy="noeviction")).status is Status.PASS
    assert decide("maxmemory_policy", None, deployed(maxmemory_policy="allkeys-lru")).status is Status.FAIL


def test_neither_a_server_nor_a_redis_in_the_files() -> None:
    verdict = decide("maxmemory_policy", None, InfraModel())
    assert (verdict.status, verdict.cause) == (Status.UNVERIFIED, Cause.SOURCE_NOT_GIVEN)


def test_all_servers_count(real: LiveRedis) -> None:
    good = real.servers[0]
    bad = replace(setting(good, maxmemory_policy="allkeys-lru"), endpoint="redis://other:6379")
    assert decide("maxmemory_policy", None, live=replace(real, servers=(good, bad))).status is Status.FAIL


def test_a_server_that_could_not_be_asked_leaves_it_open(real: LiveRedis) -> None:
    partly = replace(real, unreached=(Unreached("redis://gone:6379", "connection refused"),))
    assert decide("maxmemory_policy", None, live=partly).status is Status.UNVERIFIED
