"""INFO and its like, from text to typed facts."""

from __future__ import annotations

from collections.abc import Mapping

from .server_model import ClusterShape, Connections, Memory, Persistence, Replica, Replication

Info = Mapping[str, str]


def parse(text: str) -> dict[str, str]:
    """Fields of INFO's sections in one mapping; `redis_version: 7.0.15`."""
    pairs = (line.partition(":") for line in text.splitlines() if line and not line.startswith("#"))
    return {name: value.strip() for name, _, value in pairs}


def number(info: Info, *names: str) -> int | None:
    """The first of the fields that is there, as a whole number."""
    for name in names:
        try:
            return int(info[name])
        except (KeyError, ValueError):
            continue
    return None


def memory(info: Info) -> Memory:
    """INFO memory, with the evictions and OOM errors that tell its history."""
    oom = info.get("errorstat_OOM", "").partition("count=")[2].partition(",")[0]
    return Memory(
        used=number(info, "used_memory"),
        peak=number(info, "used_memory_peak"),
        maxmemory=number(info, "maxmemory"),
        policy=info.get("maxmemory_policy", ""),
        system_total=number(info, "total_system_memory"),
        evicted_keys=number(info, "evicted_keys"),
        oom_errors=int(oom) if oom.isdecimal() else None,
    )


def persistence(info: Info, now_ms: int) -> Persistence:
    """INFO persistence."""
    uptime = number(info, "uptime_in_seconds")
    saved = number(info, "rdb_last_save_time", "last_success_save")
    return Persistence(
        known="aof_enabled" in info or "rdb_last_bgsave_status" in info,
        aof_enabled=_flag(info, "aof_enabled"),
        aof_write_ok=_ok(info, "aof_last_write_status"),
        aof_rewrite_ok=_ok(info, "aof_last_bgrewrite_status"),
        rdb_save_ok=_ok(info, "rdb_last_bgsave_status"),
        rdb_last_save_ms=None if saved is None else saved * 1000,
        rdb_changes=number(info, "rdb_changes_since_last_save"),
        rdb_saves=number(info, "rdb_saves"),
        loading=info.get("loading", "0") != "0",
        started_ms=None if uptime is None else now_ms - uptime * 1000,
    )


def replication(info: Info, sentinels: int | None) -> Replication:
    """INFO replication; `sentinels` as counted in CLIENT LIST."""
    replicas = []
    index = 0
    while line := info.get(f"slave{index}", ""):
        fields = dict(part.partition("=")[::2] for part in line.split(","))
        lag = fields.get("lag", "")
        address = f"{fields.get('ip', '')}:{fields.get('port', '')}"
        replicas.append(Replica(address, fields.get("state", ""), int(lag) if lag.isdecimal() else None))
        index += 1
    role = {"replica": "slave"}.get(info.get("role", ""), info.get("role", ""))
    mode = info.get("redis_mode") or info.get("server_mode", "")
    if not mode and info.get("cluster_enabled") == "1":
        mode = "cluster"
    link = info.get("master_link_status")
    return Replication(
        role=role,
        mode=mode or "standalone",
        replicas=tuple(replicas),
        connected_replicas=number(info, "connected_slaves"),
        master=f"{info['master_host']}:{info.get('master_port', '')}" if "master_host" in info else "",
        master_link_up=None if link is None else link == "up",
        sentinels=sentinels,
    )


def connections(info: Info) -> Connections:
    """INFO clients and stats."""
    return Connections(
        connected=number(info, "connected_clients"),
        maxclients=number(info, "maxclients", "max_clients"),
        blocked=number(info, "blocked_clients"),
        rejected=number(info, "rejected_connections"),
        received=number(info, "total_connections_received"),
    )


def databases(info: Info) -> dict[int, int]:
    """Keys by logical database."""
    found = {}
    for name, value in info.items():
        keys = value.partition("keys=")[2].partition(",")[0]
        if name.startswith("db") and name[2:].isdecimal() and keys.isdecimal():
            found[int(name[2:])] = int(keys)
    return found


def product(info: Info) -> tuple[str, str]:
    """Product and its version: `("Valkey", "8.1.8")`."""
    for field, name in (
        ("dragonfly_version", "Dragonfly"),
        ("valkey_version", "Valkey"),
        ("upstash_version", "Upstash"),
        ("garnet_version", "Garnet"),
        ("kvrocks_version", "Kvrocks"),
        ("redict_version", "Redict"),
    ):
        if field in info:
            return name, info[field].removeprefix("df-").removeprefix("v")
    if "mvcc_depth" in info or "keydb" in info.get("executable", ""):
        return "KeyDB", info.get("redis_version", "")
    return "Redis", info.get("redis_version", "")


_HOSTS = (
    (".serverless.", "Amazon ElastiCache Serverless"),
    ("memorydb.", "Amazon MemoryDB"),
    (".cache.amazonaws.com", "Amazon ElastiCache"),
    (".redis.cache.windows.net", "Azure Cache for Redis"),
    (".redisenterprise.cache.azure.net", "Azure Managed Redis"),
    (".redis.azure.net", "Azure Managed Redis"),
    (".redis-cloud.com", "Redis Cloud"),
    (".redislabs.com", "Redis Cloud"),
    (".rlrcp.com", "Redis Cloud"),
    (".redns.redis-cloud.com", "Redis Cloud"),
    (".upstash.io", "Upstash"),
    (".aivencloud.com", "Aiven"),
    (".db.ondigitalocean.com", "DigitalOcean"),
)


def managed(info: Info, host: str) -> str:
    """The managed offering, by the host's name or by what INFO says; empty: no sign of one."""
    text = " ".join(info.get(name, "") for name in ("os", "executable", "config_file", "redis_build_id")).lower()
    for sign, name in (("elasticache", "Amazon ElastiCache"), ("memorydb", "Amazon MemoryDB")):
        if sign in text:
            return name
    if "upstash_version" in info:
        return "Upstash"
    lowered = host.lower()
    if "amazonaws.com" not in lowered and ".serverless." in lowered:
        return ""
    return next((name for sign, name in _HOSTS if sign in lowered), "")


def cluster(info_text: str, nodes_text: str) -> ClusterShape:
    """CLUSTER INFO and CLUSTER NODES, summed up."""
    state = parse(info_text).get("cluster_state", "")
    masters: set[str] = set()
    followed: set[str] = set()
    replicas = failed = 0
    for line in nodes_text.splitlines():
        parts = line.split(" ")
        if len(parts) < 8:
            continue
        flags = parts[2].split(",")
        if "fail" in flags or "noaddr" in flags:
            failed += 1
        elif "master" in flags and len(parts) > 8:
            masters.add(parts[0])
        elif "slave" in flags:
            replicas += 1
            followed.add(parts[3])
    return ClusterShape(state, len(masters), len(masters - followed), replicas, failed)


def _flag(info: Info, name: str) -> bool | None:
    return info[name] == "1" if name in info else None


def _ok(info: Info, name: str) -> bool | None:
    return info[name] == "ok" if name in info else None
