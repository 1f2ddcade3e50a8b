"""`collect`: every target read once, within the budget → LiveRedis."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Sequence

from auditor.errors import SourceError
from auditor.model import SourceReport, SourceStatus

from .address import Address
from .budget import Budget
from .connection import LostError
from .meter import Meter
from .model import LiveRedis
from .server_model import Unreached
from .target import Target, read_target


def collect(
    targets: Sequence[Address],
    *,
    names: Callable[[], Collection[str]],
    budget: Budget,
    deadline: float,
) -> LiveRedis:
    """Read all targets; `deadline` is a moment of `time.monotonic()`.

    `names` gives the queue names that code knows, with or without a prefix (`mail`, `{bull}:mail`); it may block until
    code is read, and is called once, after all that needs no names.

    Raises SourceError where no target gave anything (unreachable, refused, not Redis). A target that gave nothing
    beside others that did is in `unreached`, and the report ends early. Single refusals make the report `partial`.
    """
    meter = Meter(budget, deadline)
    known = _Once(names)
    read: list[Target] = []
    failures: list[tuple[Address, SourceError]] = []
    for address in targets:
        try:
            read.append(read_target(address, meter, known))
        except SourceError as error:
            failures.append((address, error))
    if not read:
        if len(failures) == 1:
            raise failures[0][1]
        raise SourceError("; ".join(error.message for _, error in failures), failures[0][1].hint if failures else "")
    unreached = [Unreached(address.endpoint, error.message) for address, error in failures]
    unreached += [gone for target in read for gone in target.unreached]
    return LiveRedis(
        servers=tuple(server for target in read for server in target.servers),
        queues=tuple(queue for target in read for queue in target.queues),
        report=_report(read, unreached, meter),
        unreached=tuple(unreached),
        coverage="; ".join(dict.fromkeys(part for target in read for part in target.coverage)),
    )


class _Once:
    """Calls a function at most once, however many targets ask."""

    def __init__(self, names: Callable[[], Collection[str]]) -> None:
        self._names = names
        self._known: Collection[str] | None = None

    def __call__(self) -> Collection[str]:
        if self._known is None:
            self._known = self._names()
        return self._known


def _report(read: list[Target], unreached: list[Unreached], meter: Meter) -> SourceReport:
    whys = [gone.why if gone.endpoint in gone.why else f"{gone.endpoint}: {gone.why}" for gone in unreached]
    whys += [f"{target.servers[0].endpoint}: {part}" for target in read for part in target.coverage]
    refusals = dict.fromkeys(fact.label() for target in read for server in target.servers for fact in server.refused)
    refusals |= dict.fromkeys(fact.label() for target in read for queue in target.queues for fact in queue.refused)
    if refusals:
        shown = list(refusals)[:6]
        rest = f" and {len(refusals) - len(shown)} more" if len(refusals) > len(shown) else ""
        whys.append(f"refused: {'; '.join(shown)}{rest}")
    early = bool(unreached) or any(_early(target.stopped, meter) for target in read)
    return SourceReport(
        name="live",
        status=SourceStatus.PARTIAL if whys or early else SourceStatus.OK,
        why="; ".join(whys),
        commands=dict(sorted(meter.commands.items())),
        keys_scanned=meter.keys_scanned,
        server_seconds=_sum(target.server_seconds for target in read),
        ended_early=early,
    )


def _sum(seconds: Iterable[float | None]) -> float | None:
    known = [each for each in seconds if each is not None]
    return sum(known) if known else None


def _early(stopped: Exception | None, meter: Meter) -> bool:
    """A lost server or the scan's own deadline ends a source early; its budget only cuts it."""
    return isinstance(stopped, LostError) or (stopped is not None and meter.left <= 0 and not meter.own_deadline)
