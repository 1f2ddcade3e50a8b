"""Managed Redis in Terraform: ElastiCache, MemoryDB, Memorystore, Azure Cache, DigitalOcean; and modules around them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping

from auditor.infra.model import PasswordState, RedisUnit, Setting, Tls
from auditor.infra.redis_conf import password_state
from auditor.infra.terraform import Block, Scope


def units(scope: Scope) -> Iterator[RedisUnit]:
    """The Redis services of a folder."""
    for block in scope.blocks:
        read = _READERS.get(block.kind) or (_module(block) if block.kind == "module" else None)
        if read is not None and (unit := read(block)) is not None:
            yield unit


def _module(block: Block) -> Callable[[Block], RedisUnit | None] | None:
    source = block.get("source")
    if source is None:
        return None
    known = {"elasticache": _elasticache, "memorydb": _memorydb, "memorystore": _memorystore}
    return next((read for word, read in known.items() if word in source.value), None)


def _elasticache(block: Block) -> RedisUnit | None:
    engine = block.get("engine")
    if engine is not None and engine.value not in ("redis", "valkey") and not engine.value.startswith("$"):
        return None
    nodes = block.get("num_cache_clusters", "number_cache_clusters", "num_cache_nodes", "cluster_size")
    per_group = block.number("replicas_per_node_group")
    count = block.number("num_cache_clusters", "number_cache_clusters", "cluster_size")
    alone = block.kind == "aws_elasticache_cluster"
    failover = block.flag("automatic_failover_enabled", "multi_az_enabled")
    return _unit(
        block, "elasticache", settings=_parameters(block, "aws_elasticache_parameter_group"),
        password=_token(block), tls=_tls(block, "transit_encryption_enabled", default=False),
        replicas=0 if alone else per_group if per_group is not None else (count - 1 if count else None),
        replicas_place=nodes, failover=False if alone else failover, snapshots=block.get("snapshot_retention_limit"),
        cluster=bool(block.number("num_node_groups") or block.inner("cluster_mode")),
    )  # fmt: skip


def _serverless(block: Block) -> RedisUnit | None:
    engine = block.get("engine")
    if engine is not None and engine.value not in ("redis", "valkey"):
        return None
    # its policy is fixed and evicts keys with a TTL: locks of jobs have one
    policy = {"maxmemory-policy": Setting("volatile-lru", block.place)}
    users = block.get("user_group_id")
    return _unit(
        block, "elasticache serverless", settings=policy, tls=(Tls.ON, None), failover=True,
        password=(PasswordState.FROM_ENV if users else PasswordState.NONE, users), snapshots=block.get("snapshot_retention_limit"),
    )  # fmt: skip


def _memorydb(block: Block) -> RedisUnit | None:
    acl = block.get("acl_name")
    open_access = acl is not None and acl.value == "open-access"
    replicas = block.number("num_replicas_per_shard")
    return _unit(
        block, "memorydb", settings={"appendonly": Setting("yes", block.place), **_parameters(block, "aws_memorydb_parameter_group")},
        password=(PasswordState.NONE if open_access else PasswordState.FROM_ENV, acl), tls=_tls(block, "tls_enabled", default=True),
        replicas=1 if replicas is None else replicas, failover=replicas != 0, cluster=True, snapshots=block.get("snapshot_retention_limit"),
    )  # fmt: skip


def _memorystore(block: Block) -> RedisUnit | None:
    tier, auth = block.get("tier"), block.get("auth_enabled")
    settings = {k: s for node in block.inner("redis_configs") for k, v in node.items() if (s := v.setting)}
    for persistence in block.inner("persistence_config"):
        mode = persistence["persistence_mode"].setting or persistence["mode"].setting
        if mode is not None and mode.value in ("RDB", "AOF"):
            name, value = ("appendonly", "yes") if mode.value == "AOF" else ("save", "by the provider's schedule")
            settings[name] = Setting(value, mode.place)
    high = tier is not None and tier.value == "STANDARD_HA"
    encryption = block.get("transit_encryption_mode")
    on = encryption is not None and "SERVER_AUTHENTICATION" in encryption.value
    return _unit(
        block, "memorystore", settings=settings, tls=(Tls.ON if on else Tls.OFF, encryption), replicas=1 if high else 0,
        replicas_place=tier, failover=high,
        password=(PasswordState.FROM_ENV if auth and auth.value == "true" else PasswordState.NONE, auth),
    )  # fmt: skip


def _azure(block: Block) -> RedisUnit | None:
    sku = block.get("sku_name")
    settings: dict[str, Setting] = {}
    open_access = None
    for node in block.inner("redis_configuration"):
        if policy := node["maxmemory_policy"].setting:
            settings["maxmemory-policy"] = policy
        for key, name in (("aof_backup_enabled", "appendonly"), ("rdb_backup_enabled", "save")):
            if node[key].text == "true":
                settings[name] = Setting(
                    "yes" if name == "appendonly" else "by the provider's schedule", node[key].place
                )
        off = node["authentication_enabled"] or node["enable_authentication"]
        open_access = off.setting if off.text == "false" else None
    plain = block.flag("non_ssl_port_enabled", "enable_non_ssl_port")
    basic = sku is not None and sku.value == "Basic"
    return _unit(
        block, "azure", settings=settings, tls=(Tls.OFF if plain else Tls.ON, block.get("non_ssl_port_enabled", "enable_non_ssl_port")),
        password=(PasswordState.NONE if open_access else PasswordState.FROM_ENV, open_access or sku),
        replicas=0 if basic else 1, replicas_place=sku, failover=not basic,
    )  # fmt: skip


def _digitalocean(block: Block) -> RedisUnit | None:
    engine = block.get("engine")
    if engine is None or engine.value not in ("redis", "valkey"):
        return None
    policy = block.get("eviction_policy")
    nodes = block.number("node_count")
    settings = {"maxmemory-policy": Setting(policy.value.replace("_", "-"), policy.place)} if policy else {}
    return _unit(
        block, "digitalocean", settings=settings, tls=(Tls.ON, None), password=(PasswordState.FROM_ENV, engine),
        replicas=nodes - 1 if nodes else None, replicas_place=block.get("node_count"), failover=bool(nodes and nodes > 1),
    )  # fmt: skip


_READERS: Mapping[str, Callable[[Block], RedisUnit | None]] = {
    "aws_elasticache_replication_group": _elasticache,
    "aws_elasticache_cluster": _elasticache,
    "aws_elasticache_serverless_cache": _serverless,
    "aws_memorydb_cluster": _memorydb,
    "google_redis_instance": _memorystore,
    "azurerm_redis_cache": _azure,
    "digitalocean_database_cluster": _digitalocean,
}


def _unit(
    block: Block, managed: str, *, settings: Mapping[str, Setting], password: tuple[PasswordState, Setting | None],
    tls: tuple[Tls, Setting | None], replicas: int | None = None, replicas_place: Setting | None = None,
    failover: bool | None = None, cluster: bool = False, snapshots: Setting | None = None,
) -> RedisUnit:  # fmt: skip
    return RedisUnit(
        name=f"{block.kind}.{block.name}", kind="terraform", environment=block.environment, place=block.place, managed=managed,
        settings=settings, password=password[0], password_place=password[1].place if password[1] else None, tls=tls[0],
        tls_place=tls[1].place if tls[1] else None, replicas=replicas,
        replicas_place=replicas_place.place if replicas_place else None, failover=failover, cluster=cluster, snapshots=snapshots,
    )  # fmt: skip


def _parameters(block: Block, kind: str) -> dict[str, Setting]:
    """Settings of the parameter group that the service uses; a module takes them as its own `parameter` list."""
    group = block.scope.referred(block.get("parameter_group_name"))
    if group is None:
        named = block.get("parameter_group_name")
        group = next(
            (g for g in block.scope.of(kind) if named and (n := g.get("name")) and n.value == named.value), None
        )
    nodes = [*block.inner("parameter"), *block.inner("parameters"), *(group.inner("parameter") if group else [])]
    return {
        n["name"].text: Setting(block.scope.value(n["value"].text), n["value"].place) for n in nodes if n["name"].text
    }


def _token(block: Block) -> tuple[PasswordState, Setting | None]:
    token = block.get("auth_token")
    if token is not None and token.value != "${null}":
        return password_state(token.value), Setting("***", token.place)
    users = block.node["user_group_ids"]
    return (PasswordState.FROM_ENV, Setting("users", users.place)) if users else (PasswordState.NONE, None)


def _tls(block: Block, key: str, *, default: bool) -> tuple[Tls, Setting | None]:
    stated = block.get(key)
    if stated is None:
        return (Tls.ON if default else Tls.OFF), None
    return {"true": Tls.ON, "false": Tls.OFF}.get(stated.value, Tls.UNKNOWN), stated
