"""The store of evidence: each snapshot is taken at most once, side by side where order allows, or is Unavailable.

A collector is a function that returns a snapshot. It may ask the store for another source's snapshot (code asks
for infra's entry points, live asks for the queue names that code knows) and then waits for it; the order of the
sources is acyclic, so nobody waits in a circle.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping
from concurrent.futures import Future
from concurrent.futures import TimeoutError as FutureTimeout
from dataclasses import dataclass
from typing import TypeVar

from auditor.errors import SourceError
from auditor.model import Cause, Snapshot, SourceReport, SourceStatus, Unavailable

Collector = Callable[["Store"], Snapshot]

_S = TypeVar("_S", bound=Snapshot)

_GRACE = 2.0
"""Seconds past the deadline that a collector has to hand over what it got."""


@dataclass(frozen=True, slots=True)
class Broken:
    """In place of a snapshot: the collector itself crashed, which is a bug of ours."""

    source: str
    error: BaseException

    @property
    def why(self) -> str:
        """One line for the report."""
        return f"the {self.source} collector broke: {type(self.error).__name__}: {self.error}"


class Store:
    """Snapshots by type. Start it once; `get` then waits for the one it is asked for."""

    def __init__(self, collectors: Mapping[type[Snapshot], Collector], *, deadline: float) -> None:
        """`deadline`: `time.monotonic()` seconds after which a source that has not answered is given up."""
        self.deadline = deadline
        self._futures: dict[type[Snapshot], Future[Snapshot | Unavailable | Broken]] = {}
        self._collectors = dict(collectors)

    def start(self) -> None:
        """Begin collecting every source, each in a thread of its own."""
        for wanted in self._collectors:
            self._futures[wanted] = Future()
        for wanted, collector in self._collectors.items():
            # daemon: a source that hangs past its deadline must not keep the process alive
            threading.Thread(
                target=self._run, args=(wanted, collector), name=f"collect-{wanted.source}", daemon=True
            ).start()

    def get(self, wanted: type[_S]) -> _S | Unavailable | Broken:
        """The snapshot; waits until it is there or the deadline has passed."""
        future = self._futures.get(wanted)
        if future is None:
            return Unavailable(wanted.source, Cause.SOURCE_NOT_GIVEN, f"no {wanted.source} source was given")
        try:
            got = future.result(max(0.0, self.deadline + _GRACE - time.monotonic()))
        except FutureTimeout:
            why = f"the {wanted.source} source did not answer in time (--timeout)"
            return Unavailable(
                wanted.source,
                Cause.REFUSED,
                why,
                SourceReport(wanted.source, SourceStatus.UNAVAILABLE, why, ended_early=True),
            )
        if isinstance(got, Unavailable | Broken | wanted):
            return got
        raise AssertionError(f"the collector of {wanted.__name__} returned {type(got).__name__}")

    def _run(self, wanted: type[Snapshot], collector: Collector) -> None:
        future = self._futures[wanted]
        try:
            future.set_result(collector(self))
        except SourceError as error:
            why = f"{error.message} ({error.hint})" if error.hint else error.message
            report = SourceReport(wanted.source, SourceStatus.UNAVAILABLE, why, ended_early=True)
            future.set_result(Unavailable(wanted.source, error.cause, why, report))
        except BaseException as error:  # a bug of ours costs this source, never the report
            future.set_result(Broken(wanted.source, error))
