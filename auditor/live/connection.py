"""One connection to one Redis: the one place from which commands are sent.

It speaks RESP2 through hiredis' parser and sends nothing by itself but AUTH and SELECT, so that what the server sees is
what the code says: no HELLO, no CLIENT SETINFO, no health checks. Batches go out as plain pipelines, never in MULTI (a
Redis that is out of memory refuses even reads inside a transaction). Every wait ends at the meter's deadline.
"""

from __future__ import annotations

import socket
import ssl
import time
from collections.abc import Iterable, Sequence
from types import TracebackType
from typing import Protocol, TypeAlias

import hiredis

from .address import Address
from .allowlist import check
from .meter import BudgetSpentError, Meter
from .pace import Pace
from .transport import dial, words

Command: TypeAlias = tuple[str | int, ...]
Reply: TypeAlias = "str | int | ReplyError | list[Reply] | None"

_BATCH = 400
_CHUNK = 65_536


class ReplyError(Exception):
    """An error reply to a single command, as a value: `NOPERM this user has …`."""

    @property
    def code(self) -> str:
        """Its first word: NOPERM, NOAUTH, ERR, …"""
        return str(self).split(" ", 1)[0]


class LostError(Exception):
    """The connection is of no use any more: closed, timed out, or what answers is no Redis."""

    def __init__(self, why: str, *, timed_out: bool = False, not_redis: bool = False) -> None:
        super().__init__(why)
        self.timed_out = timed_out
        self.not_redis = not_redis


class Asker(Protocol):
    """What readers talk to: one connection, or a cluster of them."""

    address: Address
    meter: Meter

    @property
    def nodes(self) -> Sequence[Connection]:
        """Connections to the servers that hold keys."""

    def run(self, commands: Iterable[Command]) -> list[Reply]:
        """Replies in the order of the commands, error replies as values."""

    def one(self, *command: str | int) -> Reply:
        """Send one command and give its reply."""

    def owner(self, key: str) -> str:
        """Endpoint of the server that holds the key."""

    def close(self) -> None:
        """Hang up."""


class Connection:
    """Connected on construction, not logged in. Raises LostError, BudgetSpentError, and ForbiddenError (a bug of ours).

    Text is UTF-8; bytes that are none come as surrogates and go back as the same bytes.
    """

    def __init__(self, address: Address, meter: Meter) -> None:
        self.address = address
        self.meter = meter
        self.proving = False
        self.pace = Pace()
        self._reader = hiredis.Reader(encoding="utf-8", errors="surrogateescape", replyError=ReplyError)
        self._socket: socket.socket | None = dial(address, min(meter.budget.connect_s, max(meter.left, 0.01)))

    def run(self, commands: Iterable[Command]) -> list[Reply]:
        """Send commands in batches; give their replies in order, error replies as `ReplyError` values."""
        waiting = list(commands)
        replies: list[Reply] = []
        for start in range(0, len(waiting), _BATCH):
            replies += self._batch(waiting[start : start + _BATCH], self.meter.budget.reply_s)
        return replies

    def one(self, *command: str | int) -> Reply:
        """Send one command and give its reply."""
        return self.run([command])[0]

    def greet(self, *command: str | int) -> Reply:
        """As `one`, but with the shorter time that a connection has to come about."""
        return self._batch([command], self.meter.budget.connect_s)[0]

    @property
    def tls_version(self) -> str:
        """`TLSv1.3`; empty without TLS."""
        return (self._socket.version() or "") if isinstance(self._socket, ssl.SSLSocket) else ""

    @property
    def nodes(self) -> Sequence[Connection]:
        """Itself."""
        return (self,)

    def owner(self, key: str) -> str:
        """Its own endpoint, whatever the key."""
        return self.address.endpoint

    def close(self) -> None:
        """Hang up; may be called twice."""
        if self._socket is not None:
            self._socket.close()
            self._socket = None

    def __enter__(self) -> Connection:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()

    def _batch(self, commands: Sequence[Command], patience: float) -> list[Reply]:
        rules = [check(command, proving=self.proving) for command in commands]
        if self._socket is None:
            raise LostError("the connection is closed")
        self.meter.spend(rules)
        until = min(time.monotonic() + patience, self.meter.deadline)
        try:
            self._socket.settimeout(max(until - time.monotonic(), 0.01))
            began = time.monotonic()
            self._socket.sendall(b"".join(_pack(command) for command in commands))
            replies = [self._reply(until, patience) for _ in commands]
            self.pace.after(time.monotonic() - began, len(commands), self.meter.left)
            return replies
        except (LostError, BudgetSpentError):
            self.close()
            raise
        except TimeoutError:
            self.close()
            raise self._late(patience) from None
        except OSError as error:
            self.close()
            raise LostError(words(error)) from None

    def _reply(self, until: float, patience: float) -> Reply:
        sock = self._socket
        assert sock is not None
        while True:
            try:
                reply = self._reader.gets()
            except hiredis.ProtocolError:
                raise LostError("what answers is no Redis", not_redis=True) from None
            if reply is not False:
                return reply  # type: ignore[no-any-return]  # hiredis gives what Reply names
            left = until - time.monotonic()
            if left <= 0:
                raise self._late(patience)
            sock.settimeout(left)
            data = sock.recv(_CHUNK)
            if not data:
                raise LostError("the server closed the connection")
            self._reader.feed(data)

    def _late(self, patience: float) -> LostError | BudgetSpentError:
        """What a wait that ended means: the scan's own seconds are spent, its deadline has come, or the server hangs."""
        if self.meter.left > 0:
            return LostError(f"no answer within {patience:g} s", timed_out=True)
        up = f"the time is up ({self.meter.seconds:.0f} s)"
        return BudgetSpentError(up) if self.meter.own_deadline else LostError(up, timed_out=True)


def _pack(command: Command) -> bytes:
    encoded = tuple(part.encode("utf-8", "surrogateescape") if isinstance(part, str) else part for part in command)
    return hiredis.pack_command(encoded)  # type: ignore[no-any-return,arg-type]  # its stub knows no bytes tuples
