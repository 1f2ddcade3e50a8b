"""What a scan cost the servers in their own time, by their own count: INFO commandstats before and after.

Redis counts by command, not by client. In the time between, others send the same commands too: what one of them took on
average, times those that we sent, is our share. It is the time in which nobody else is served; reading requests and
writing replies comes on top.
"""

from __future__ import annotations

from collections import Counter

from .asking import STOPPED
from .connection import Connection
from .info import parse
from .meter import Meter

_Stats = dict[str, tuple[int, int]]


class ServerTime:
    """Counts from its making on; a connection's server counts from its `begin` on."""

    def __init__(self, meter: Meter) -> None:
        self._meter = meter
        self._sent = Counter(meter.commands)
        self._before: list[tuple[Connection, _Stats]] = []

    def begin(self, connection: Connection) -> None:
        """Count this server too. Raises as `Connection.run` does."""
        if stats := _stats(connection):
            self._before.append((connection, stats))

    def seconds(self) -> float | None:
        """Time that our commands took in the servers, in seconds; None where no server tells."""
        calls, micros = Counter[str](), Counter[str]()
        for connection, before in self._before:
            try:
                after = _stats(connection)
            except STOPPED:
                continue
            for name, (number, took) in after.items():
                was = before.get(name, (0, 0))
                calls[name] += max(number - was[0], 0)
                micros[name] += max(took - was[1], 0)
        sent = self._meter.commands - self._sent
        # Redis 6.2 counts subcommands together
        known = [(name if calls[name] else name.partition("|")[0], number) for name, number in sent.items()]
        if not calls:
            return None
        return sum(micros[name] / calls[name] * number for name, number in known if calls[name]) / 1_000_000


def _stats(connection: Connection) -> _Stats:
    """Calls and µs by command; empty where the server does not tell."""
    reply = connection.one("INFO", "commandstats")
    found: _Stats = {}
    for name, value in parse(reply).items() if isinstance(reply, str) else ():
        fields = dict(part.partition("=")[::2] for part in value.split(","))
        calls, micros = fields.get("calls", ""), fields.get("usec", "")
        if name.startswith("cmdstat_") and calls.isdecimal() and micros.isdecimal():
            found[name.removeprefix("cmdstat_").lower()] = (int(calls), int(micros))
    return found
