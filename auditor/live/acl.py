"""Least privilege: the ACL lines for this tool's own user and for an application's.

The tool's line is made of its allowlist, so that the two can't differ. Redis before 7 knows neither `%R~` (keys that may
only be read) nor rules that take single subcommands away, but grants single subcommands as well.
"""

from __future__ import annotations

from collections.abc import Sequence

from .allowlist import ALLOWED
from .model import Library

_READ_PERMISSIONS = (7, 0)
_CLIENT_SETINFO = (7, 2)
"""A line that names a subcommand which the server does not know is refused whole."""

_BULLMQ = (
    # the client's own commands, then those of its Lua scripts, which the same user needs
    *(
        "evalsha",
        "eval",
        "script|load",
        "info",
        "hello",
        "select",
        "ping",
        "client|setname",
        "client|list",
    ),
    *(
        "multi",
        "exec",
        "bzpopmin",
        "brpoplpush",
        "xread",
        "xadd",
        "xtrim",
        "scan",
        "del",
        "exists",
        "get",
        "hdel",
        "hexists",
    ),
    *(
        "hget",
        "hgetall",
        "hincrby",
        "hlen",
        "hmget",
        "hmset",
        "hset",
        "incr",
        "lindex",
        "llen",
        "lpop",
        "lpos",
        "lpush",
    ),
    *("lrange", "lrem", "lset", "ltrim", "persist", "pexpire", "pttl", "rename", "rpop", "rpoplpush", "rpush", "sadd"),
    *("scard", "set", "sismember", "smembers", "srem", "type", "zadd", "zcard", "zcount", "zpopmin", "zrange"),
    *("zrangebyscore", "zrem", "zremrangebyrank", "zremrangebyscore", "zrevrange", "zrevrangebyscore", "zscore"),
)
_BULLMQ_6 = ("pexpireat", "unlink")
_BULL = (
    *("evalsha", "eval", "script|load", "info", "select", "ping", "client|setname", "client|list", "multi", "exec"),
    *(
        "brpoplpush",
        "subscribe",
        "psubscribe",
        "unsubscribe",
        "punsubscribe",
        "publish",
        "scan",
        "del",
        "exists",
        "get",
    ),
    *(
        "hdel",
        "hget",
        "hgetall",
        "hincrby",
        "hmget",
        "hmset",
        "hset",
        "incr",
        "lindex",
        "llen",
        "lpush",
        "lrange",
        "lrem",
    ),
    *(
        "lset",
        "ltrim",
        "psetex",
        "pttl",
        "rename",
        "rpoplpush",
        "rpush",
        "sadd",
        "scard",
        "set",
        "sismember",
        "smembers",
    ),
    *("srem", "type", "zadd", "zcard", "zcount", "zrange", "zrangebyscore", "zrem", "zremrangebyrank"),
    *("zremrangebyscore", "zrevrange", "zrevrangebyscore", "zscore"),
)
"""As run by the packages' Lua scripts and clients (bull 4.16, bullmq 4.18, 5.81, 6.7)."""


def version(text: str) -> tuple[int, int]:
    """Major and minor of a server's version; (0, 0) where it says none."""
    parts = [int(part) if part.isdecimal() else 0 for part in text.split(".")[:2]]
    return (parts[0], parts[1]) if len(parts) == 2 else (0, 0)


def auditor_line(
    server: str = "7.0", *, user: str = "tt-audit", prefixes: Sequence[str] = (), cluster: bool = False
) -> str:
    """`ACL SETUSER` for the tool's own user: it may read, and nothing else. `prefixes` narrow the keys.

    `server` is Redis' version; Valkey counts as 7.2. Narrowed to prefixes, the scan still sees all names (SCAN's nature).
    """
    may_only_read = version(server) >= _READ_PERMISSIONS
    patterns = [f"{prefix}:*" for prefix in prefixes] or ["*"]
    keys = " ".join(f"%R~{pattern}" if may_only_read else f"~{pattern}" for pattern in patterns)
    rules = sorted(rule for rule in ALLOWED if needed(rule, cluster=cluster))
    return f"ACL SETUSER {user} reset on >PASSWORD {keys} resetchannels -@all {' '.join(f'+{rule}' for rule in rules)}"


def needed(rule: str, *, cluster: bool = False) -> bool:
    """Whether the tool's user needs the rule on a data node; AUTH is allowed to everybody."""
    if rule.startswith("sentinel|") or rule == "auth":
        return False
    return cluster or rule not in ("asking", "cluster|info", "cluster|nodes")


def application_line(
    library: Library, major: int, server: str = "7.0", *, user: str = "app", prefix: str = "bull"
) -> str:
    """`ACL SETUSER` for an application's queues and workers: its keys and the commands that the library runs, no more.

    `major` is the library's version, `server` Redis'.
    """
    bull = library is Library.BULL
    rules = _BULL if bull else (*_BULLMQ, *(_BULLMQ_6 if major >= 6 else ()))
    if version(server) >= _CLIENT_SETINFO:
        rules += ("client|setinfo",)
    # Bull publishes its events on channels named like its keys
    channels = f"resetchannels &{prefix}:*" if bull else "resetchannels"
    return f"ACL SETUSER {user} reset on >PASSWORD ~{prefix}:* {channels} -@all {' '.join(f'+{rule}' for rule in sorted(rules))}"
