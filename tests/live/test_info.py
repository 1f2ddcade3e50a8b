"""INFO of servers that no test can start: fields as their documentation and clients' sources give them, not recorded."""

from __future__ import annotations

import pytest

from auditor.live import info
from auditor.live.server_model import Replica

REDIS = "# Server\r\nredis_version:7.2.4\r\nredis_mode:standalone\r\nos:Linux 6.1 x86_64\r\nuptime_in_seconds:100\r\n"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (REDIS, ("Redis", "7.2.4")),
        (
            "redis_version:7.2.4\r\nserver_name:valkey\r\nvalkey_version:8.1.8\r\nserver_mode:standalone\r\n",
            ("Valkey", "8.1.8"),
        ),
        ("redis_version:7.4.0\r\ndragonfly_version:df-v1.27.1\r\n", ("Dragonfly", "1.27.1")),
        ("redis_version:6.3.4\r\nexecutable:/opt/keydb-server\r\nmvcc_depth:0\r\n", ("KeyDB", "6.3.4")),
        ("redis_version:6.2.6\r\nupstash_version:1.12.3\r\n", ("Upstash", "1.12.3")),
        ("redis_version:7.4.0\r\ngarnet_version:1.0.50\r\n", ("Garnet", "1.0.50")),
        ("", ("Redis", "")),
    ],
)
def test_products(text: str, expected: tuple[str, str]) -> None:
    assert info.product(info.parse(text)) == expected


@pytest.mark.parametrize(
    ("host", "text", "expected"),
    [
        ("queues.abc123.0001.use1.cache.amazonaws.com", REDIS, "Amazon ElastiCache"),
        ("queues.serverless.use1.cache.amazonaws.com", REDIS, "Amazon ElastiCache Serverless"),
        ("clustercfg.queues.abc.memorydb.us-east-1.amazonaws.com", REDIS, "Amazon MemoryDB"),
        ("10.0.0.5", "os:Amazon ElastiCache\r\n", "Amazon ElastiCache"),
        ("shop.redis.cache.windows.net", REDIS, "Azure Cache for Redis"),
        ("redis-12345.c1.us-east-1-2.ec2.redns.redis-cloud.com", REDIS, "Redis Cloud"),
        ("eu1-shop-1.upstash.io", REDIS, "Upstash"),
        ("10.0.0.5", "upstash_version:1.0\r\n", "Upstash"),
        ("redis.internal", REDIS, ""),
        ("api.serverless.internal", REDIS, ""),
    ],
)
def test_managed_offerings(host: str, text: str, expected: str) -> None:
    assert info.managed(info.parse(text), host) == expected


def test_dragonfly_names_its_policy_and_limit_in_its_own_way() -> None:
    read = info.parse(
        "dragonfly_version:df-v1.27.1\r\nmaxmemory_policy:eviction\r\nmax_clients:64000\r\nconnected_clients:3\r\nrole:replica\r\nlast_success_save:1700000000\r\n"
    )
    assert info.memory(read).policy == "eviction"
    assert info.connections(read).maxclients == 64_000
    assert info.replication(read, None).role == "slave"
    assert info.persistence(read, 0).rdb_last_save_ms == 1_700_000_000_000


def test_upstash_shows_no_persistence() -> None:
    assert not info.persistence(info.parse("upstash_version:1.0\r\nused_memory:100\r\n"), 0).known


def test_valkey_says_its_mode_under_another_name() -> None:
    assert info.replication(info.parse("server_mode:cluster\r\nrole:master\r\n"), 0).mode == "cluster"


def test_replicas_with_their_state_and_lag() -> None:
    read = info.parse(
        "role:master\r\nconnected_slaves:2\r\nslave0:ip=10.0.0.2,port=6379,state=online,offset=1,lag=0\r\nslave1:ip=::1,port=6380,state=wait_bgsave,offset=0,lag=-1\r\n"
    )
    assert info.replication(read, 3).replicas == (
        Replica("10.0.0.2:6379", "online", 0),
        Replica("::1:6380", "wait_bgsave", None),
    )


@pytest.mark.parametrize(
    "text",
    [
        "maxmemory:\r\n",
        "maxmemory:lots\r\n",
        "db0:keys\r\n",
        "slave0:\r\n",
        "errorstat_OOM:count=\r\n",
        "::::\r\n",
        "a\r\n",
    ],
)
def test_odd_lines_never_break_it(text: str) -> None:
    read = info.parse(text)
    (
        info.memory(read),
        info.persistence(read, 0),
        info.replication(read, 0),
        info.connections(read),
        info.databases(read),
    )


def test_databases() -> None:
    assert info.databases(info.parse("db0:keys=12,expires=0,avg_ttl=0\r\ndb15:keys=3,expires=1\r\n")) == {0: 12, 15: 3}
