from __future__ import annotations

import threading
import time

from auditor.errors import SourceError
from auditor.evidence import Broken, Store
from auditor.model import Cause, Snapshot, SourceStatus, Unavailable

from .support import Other, Thing


def store(seconds: float = 5.0, **collectors) -> Store:  # type: ignore[no-untyped-def]
    types: dict[str, type[Snapshot]] = {"thing": Thing, "other": Other}
    made = Store(
        {types[name]: collector for name, collector in collectors.items()}, deadline=time.monotonic() + seconds
    )
    made.start()
    return made


def test_a_snapshot_is_taken_once() -> None:
    taken: list[int] = []

    def collect(_: Store) -> Thing:
        taken.append(1)
        return Thing(7)

    made = store(thing=collect)
    assert made.get(Thing) == Thing(7)
    assert made.get(Thing) is made.get(Thing)
    assert taken == [1]


def test_a_source_may_wait_for_another() -> None:
    def thing(of: Store) -> Thing:
        assert isinstance(of.get(Other), Other)
        return Thing()

    def other(_: Store) -> Other:
        time.sleep(0.05)
        return Other()

    assert store(thing=thing, other=other).get(Thing) == Thing()


def test_a_source_error_is_unavailable_with_its_words() -> None:
    def refused(_: Store) -> Thing:
        raise SourceError("redis://db: wrong password", "check it", Cause.REFUSED)

    got = store(thing=refused).get(Thing)
    assert isinstance(got, Unavailable)
    assert (got.cause, got.why) == (Cause.REFUSED, "redis://db: wrong password (check it)")
    assert got.report is not None
    assert got.report.status is SourceStatus.UNAVAILABLE


def test_a_crash_is_broken_and_a_source_not_given_is_said() -> None:
    def crash(_: Store) -> Thing:
        raise ZeroDivisionError("oops")

    made = store(thing=crash)
    assert isinstance(made.get(Thing), Broken)
    got = made.get(Other)
    assert isinstance(got, Unavailable)
    assert got.cause is Cause.SOURCE_NOT_GIVEN


def test_a_source_that_hangs_is_given_up_at_the_deadline() -> None:
    release = threading.Event()

    def hang(_: Store) -> Thing:
        release.wait(30)
        return Thing()

    begun = time.monotonic()
    got = store(seconds=-1.9, thing=hang).get(Thing)
    release.set()
    assert isinstance(got, Unavailable)
    assert "did not answer in time" in got.why
    assert time.monotonic() - begun < 5
