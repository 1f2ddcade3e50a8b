"""What a Redis user may and may not do, proven without doing it.

By ACL DRYRUN where this user or an administrator may ask (Redis ≥ 7), else by the user's own rules as ACL GETUSER
tells them, else not at all: then it says so.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum

from .acl import needed
from .address import Address
from .allowlist import ALLOWED, rule
from .budget import Budget
from .connection import Command, Connection, ReplyError
from .login import login, said
from .meter import Meter

_KEY = "bull:tt-audit:1"

_ARGUMENTS: dict[str, tuple[str, ...]] = {
    "select": ("0",),
    "config|get": ("maxmemory",),
    "acl|getuser": ("default",),
    "scan": ("0",),
    **dict.fromkeys(("exists", "pttl", "get", "llen", "scard", "zcard", "xlen", "memory|usage"), (_KEY,)),
    **dict.fromkeys(("hmget", "hstrlen", "zscore"), (_KEY, "field")),
    **dict.fromkeys(("lrange", "zrange"), (_KEY, "0", "1")),
    "lindex": (_KEY, "0"),
    "xrevrange": (_KEY, "+", "-"),
}
"""Arguments that make each read complete: DRYRUN checks their number."""

FORBIDDEN: tuple[Command, ...] = (
    ("SET", _KEY, "1"),
    ("DEL", _KEY),
    ("UNLINK", _KEY),
    ("RENAME", _KEY, _KEY),
    ("HSET", _KEY, "field", "1"),
    ("LPUSH", _KEY, "1"),
    ("ZADD", _KEY, "1", "member"),
    ("XADD", _KEY, "*", "field", "1"),
    ("EVAL", "return 1", "0"),
    ("SCRIPT", "LOAD", "return 1"),
    ("FLUSHDB",),
    ("FLUSHALL",),
    ("KEYS", "*"),
    ("MONITOR",),
    ("CONFIG", "SET", "maxmemory", "1"),
    ("ACL", "SETUSER", "default"),
    ("CLIENT", "KILL", "ID", "1"),
    ("BGSAVE",),
    ("SHUTDOWN",),
    ("REPLICAOF", "NO", "ONE"),
)
"""Commands that an auditor must not be able to send."""


class Means(StrEnum):
    """How it was proven."""

    DRYRUN = "ACL DRYRUN"
    RULES = "ACL GETUSER"
    NOTHING = "not provable"


@dataclass(frozen=True, slots=True)
class Permission:
    """One command: whether the user may send it (None: can't be told), and whether it should be able to."""

    command: str
    wanted: bool
    granted: bool | None

    @property
    def right(self) -> bool:
        """Whether it is as it should be."""
        return self.granted is self.wanted


@dataclass(frozen=True, slots=True)
class Proof:
    """What was found out about one user."""

    endpoint: str
    user: str
    means: Means
    why: str = ""
    """Why nothing better could be used."""
    permissions: tuple[Permission, ...] = ()

    @property
    def holds(self) -> bool | None:
        """Whether the user may do all that a scan needs and none of the rest; None where it can't be told."""
        if any(p.granted is not None and not p.right for p in self.permissions):
            return False
        return None if not self.permissions or any(p.granted is None for p in self.permissions) else True


def prove(address: Address, admin: Address | None, deadline: float) -> Proof:
    """Prove what the user of `address` may do; `deadline` is of `time.monotonic()`. Raises SourceError."""
    meter = Meter(Budget(), deadline)
    with login(address, meter).connection as own:
        whoami = own.one("ACL", "WHOAMI")
        user = whoami if isinstance(whoami, str) else address.username or "default"
        if admin is None:
            return _prove(own, own, user)
        with login(admin, meter).connection as other:
            return _prove(own, other, user)


def _prove(own: Connection, asking: Connection, user: str) -> Proof:
    own.proving = asking.proving = True
    wanted = [(command, True) for command in _reads()] + [(command, False) for command in FORBIDDEN]
    tried = asking.run([("ACL", "DRYRUN", user, *command) for command, _ in wanted])
    refusal = next((reply for reply in tried if isinstance(reply, ReplyError)), None)
    if refusal is None:
        found = tuple(
            Permission(_name(command), want, reply == "OK")
            for (command, want), reply in zip(wanted, tried, strict=True)
        )
        return Proof(own.address.endpoint, user, Means.DRYRUN, permissions=found)
    why = f"ACL DRYRUN: {said(refusal)}"
    rules = own.one("ACL", "GETUSER", user)
    if not isinstance(rules, list):
        return Proof(own.address.endpoint, user, Means.NOTHING, f"{why}; ACL GETUSER: {said(rules)}")
    fields = dict(zip(rules[::2], rules[1::2], strict=False))
    commands = fields.get("commands")
    granted = _Rules(commands if isinstance(commands, str) else "")
    found = tuple(Permission(_name(command), want, granted.allow(rule(command))) for command, want in wanted)
    return Proof(own.address.endpoint, user, Means.RULES, why, found)


def _reads() -> Iterable[Command]:
    for name in sorted(ALLOWED):
        if needed(name):
            yield (*(word.upper() for word in name.split("|")), *_ARGUMENTS.get(name, ()))


def _name(command: Sequence[str | int]) -> str:
    return rule(command).replace("|", " ").upper()


class _Rules:
    """The command rules of a user, applied in their order."""

    def __init__(self, text: str) -> None:
        self._rules = [(word[0] == "+", word[1:].lower()) for word in text.split() if word[0] in "+-"]

    def allow(self, name: str) -> bool | None:
        """Whether the rules allow a command; None where only a category, whose members are the server's, decides."""
        verdict: bool | None = False
        for grant, about in self._rules:
            if about in ("@all", name, name.split("|", maxsplit=1)[0]):
                verdict = grant
            elif about.startswith("@") and verdict is not grant:
                verdict = None
        return verdict
