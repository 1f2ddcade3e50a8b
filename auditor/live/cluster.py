"""A cluster as one place to ask: commands go to the primary that holds their key, SCAN to each of them.

Slots that move while the scan runs are followed: MOVED to its new owner, ASK to the node that is taking it over. A
primary that can't be reached costs its own keys alone.
"""

from __future__ import annotations

from binascii import crc_hqx
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from auditor.errors import SourceError

from .address import Address
from .connection import Command, Connection, LostError, Reply, ReplyError
from .login import login
from .meter import Meter

_SLOTS = 16_384
_HOPS = 3
_KEYLESS = frozenset({"TIME", "RANDOMKEY", "SCAN", "INFO", "CLIENT", "CONFIG", "ACL", "CLUSTER", "PING"})


@dataclass(frozen=True, slots=True)
class Primary:
    """A primary as CLUSTER NODES names it, with the slots that it holds."""

    host: str
    port: int
    slots: tuple[range, ...]


def primaries(nodes: str, seed: Address) -> list[Primary]:
    """Primaries that hold slots. A node without an address of its own is the seed."""
    found = []
    for line in nodes.splitlines():
        parts = line.split(" ")
        if len(parts) < 9 or "master" not in parts[2].split(",") or "fail" in parts[2].split(","):
            continue
        where = parts[1].partition("@")[0].partition(",")[0]
        host, _, port = where.rpartition(":")
        slots = [part.partition("-") for part in parts[8:] if not part.startswith("[")]
        held = tuple(range(int(first), int(last or first) + 1) for first, _, last in slots if first.isdecimal())
        # a node need not be reachable by the address that it announces; the seed is, by the one that was given
        mine = "myself" in parts[2].split(",") or not host
        if held and (mine or port.isdecimal()):
            found.append(Primary(seed.host, seed.port, held) if mine else Primary(host.strip("[]"), int(port), held))
    return found


def slot(key: str) -> int:
    """The hash slot of a key: of its `{tag}` where it has one."""
    start = key.find("{")
    end = key.find("}", start + 1)
    tagged = key[start + 1 : end] if start >= 0 and end > start + 1 else key
    return crc_hqx(tagged.encode("utf-8", "surrogateescape"), 0) % _SLOTS


class Cluster:
    """Connections to every primary; `nodes` are those that could be reached. Raises LostError when none is left."""

    def __init__(self, seed: Connection, layout: str) -> None:
        self.address = seed.address
        self.meter: Meter = seed.meter
        self.unreached: dict[str, str] = {}
        """Endpoints of primaries that could not be reached or were lost, with the reason."""
        self._open: dict[str, Connection] = {seed.address.endpoint: seed}
        self._owners = [""] * _SLOTS
        for primary in primaries(layout, seed.address):
            address = seed.address.node(primary.host, primary.port)
            for held in primary.slots:
                self._owners[held.start : held.stop] = [address.endpoint] * len(held)
            self._connect(address)

    @property
    def nodes(self) -> list[Connection]:
        """The primaries that can be asked. A replica as seed tells the layout; its data is its primary's."""
        owners = set(self._owners)
        return [node for endpoint, node in self._open.items() if endpoint in owners]

    def owner(self, key: str) -> str:
        """Endpoint of the primary that holds the key."""
        return self._owners[slot(key)] or self.address.endpoint

    def one(self, *command: str | int) -> Reply:
        """Send one command and give its reply."""
        return self.run([command])[0]

    def run(self, commands: Iterable[Command]) -> list[Reply]:
        """As `Connection.run`. Keys of a node that is lost get error replies."""
        asked = list(commands)
        # EXISTS of several keys may span nodes: asked key by key and counted
        pieces = [(at, piece) for at, command in enumerate(asked) for piece in _pieces(command)]
        answers = self._answers([piece for _, piece in pieces])
        replies: list[Reply] = [None] * len(asked)
        for (at, _), answer in zip(pieces, answers, strict=True):
            before = replies[at]
            replies[at] = before + answer if isinstance(before, int) and isinstance(answer, int) else answer
        return replies

    def close(self) -> None:
        """Hang up everywhere."""
        for node in self._open.values():
            node.close()

    def _answers(self, commands: Sequence[Command]) -> list[Reply]:
        answers: list[Reply] = [None] * len(commands)
        waiting = {at: _Way(self._target(command)) for at, command in enumerate(commands)}
        for _ in range(_HOPS):
            by_node: dict[_Way, list[int]] = defaultdict(list)
            for at, way in waiting.items():
                by_node[way].append(at)
            for way, places in by_node.items():
                for at, reply in zip(places, self._of_node(way, [commands[at] for at in places]), strict=True):
                    answers[at] = reply
            waiting = {at: other for at in waiting if (other := self._elsewhere(answers[at])) is not None}
            if not waiting:
                break
        return answers

    def _of_node(self, way: _Way, commands: Sequence[Command]) -> list[Reply]:
        node = self._open.get(way.endpoint)
        if node is not None:
            try:
                if not way.asking:
                    return node.run(commands)
                return node.run(part for command in commands for part in (("ASKING",), command))[1::2]
            except LostError as error:
                self.unreached[way.endpoint] = str(error)
                del self._open[way.endpoint]
                if not self._open:
                    raise
        why = self.unreached.get(way.endpoint, "not connected")
        return [ReplyError(f"CLUSTERDOWN the node {way.endpoint} can't be asked: {why}") for _ in commands]

    def _elsewhere(self, reply: Reply) -> _Way | None:
        """Where to ask again: MOVED says so for good, ASK for this once."""
        if not isinstance(reply, ReplyError) or reply.code not in ("MOVED", "ASK"):
            return None
        _, number, where = [*str(reply).split(" "), "", ""][:3]
        host, _, port = where.rpartition(":")
        if not number.isdecimal() or not port.isdecimal() or int(number) >= _SLOTS:
            return None
        address = self.address.node(host or self.address.host, int(port))
        self._connect(address)
        if reply.code == "MOVED":
            self._owners[int(number)] = address.endpoint
        return _Way(address.endpoint, reply.code == "ASK")

    def _target(self, command: Command) -> str:
        if str(command[0]).upper() in _KEYLESS:
            return next(iter(self._open))
        key = command[2] if str(command[0]).upper() == "MEMORY" else command[1]
        return self.owner(str(key))

    def _connect(self, address: Address) -> None:
        if address.endpoint in self._open or address.endpoint in self.unreached:
            return
        try:
            self._open[address.endpoint] = login(address, self.meter).connection
        except SourceError as error:
            self.unreached[address.endpoint] = error.message


@dataclass(frozen=True, slots=True)
class _Way:
    endpoint: str
    asking: bool = False


def _pieces(command: Command) -> list[Command]:
    return [("EXISTS", key) for key in command[1:]] if command[0] == "EXISTS" else [command]
