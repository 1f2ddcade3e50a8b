"""The only commands that this tool may send to a Redis. All of them read; nothing else leaves `Connection`.

Each is written as ACL rules write it (`config|get`), so that one table serves the check, the reason of a refusal
("grant +config|get") and the least-privilege user. CONFIG GET is further held to settings that hold no secret
(`requirepass` and `masterauth` come back in clear), ACL GETUSER to the default user, MEMORY USAGE to few samples.
"""

from __future__ import annotations

from collections.abc import Sequence

HANDSHAKE = frozenset({"auth", "select", "ping", "asking"})
"""Change nothing but our own connection."""

SERVER = frozenset(
    {
        "info",
        "config|get",
        "client|list",
        "client|id",
        "acl|whoami",
        "acl|getuser",
        "time",
        "cluster|info",
        "cluster|nodes",
        "sentinel|masters",
        "sentinel|get-master-addr-by-name",
        "sentinel|ckquorum",
    }
)

KEYS = frozenset(
    {
        "scan",
        "randomkey",
        "exists",
        "pttl",
        "get",
        "hmget",
        "hstrlen",
        "llen",
        "lrange",
        "lindex",
        "scard",
        "zcard",
        "zrange",
        "zscore",
        "xlen",
        "xrevrange",
        "memory|usage",
    }
)

ALLOWED = HANDSHAKE | SERVER | KEYS

PROOF = frozenset({"acl|dryrun"})
"""Tells what a user may do without doing it; sent by `tt-audit acl --check` alone, never by a scan."""

_MOST_SAMPLES = 64
"""MEMORY USAGE estimates a key by this many of its elements at the most."""

_CONTAINERS = frozenset(rule.split("|")[0] for rule in ALLOWED if "|" in rule)

SETTINGS = (
    "maxmemory",
    "maxmemory-policy",
    "save",
    "appendonly",
    "appendfsync",
    "min-replicas-to-write",
    "port",
    "tls-port",
    "tls-auth-clients",
    "protected-mode",
    "bind",
    "maxclients",
    "timeout",
    "tcp-keepalive",
)
"""Settings asked for with CONFIG GET, one by one (Redis 6.2 takes no more)."""


class ForbiddenError(Exception):
    """A command that is not on the list was about to be sent: a bug of ours, never a user's fault."""


def rule(command: Sequence[str | int]) -> str:
    """The command as an ACL rule writes it: `get`, `config|get`, `memory|usage`."""
    name = str(command[0]).lower()
    return f"{name}|{str(command[1]).lower()}" if name in _CONTAINERS and len(command) > 1 else name


def check(command: Sequence[str | int], *, proving: bool = False) -> str:
    """Give the command's rule; raise ForbiddenError where it is not on the list.

    `proving`: for `tt-audit acl --check`, which also asks what a user may do.
    """
    asked = rule(command)
    if asked not in ALLOWED and not (proving and asked in PROOF):
        raise ForbiddenError(f"{asked} is not on the list of read-only commands")
    if asked == "config|get" and (len(command) != 3 or command[2] not in SETTINGS):
        raise ForbiddenError("CONFIG GET is allowed for single settings that hold no secret")
    if asked == "memory|usage" and (len(command) != 5 or not 0 < int(command[4]) <= _MOST_SAMPLES):
        raise ForbiddenError("MEMORY USAGE is allowed with few samples alone: else it walks over a whole key")
    if asked == "acl|getuser" and tuple(command[2:]) != ("default",) and not proving:
        raise ForbiddenError("ACL GETUSER is allowed for the default user alone")
    return asked
