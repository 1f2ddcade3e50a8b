"""What a scan leaves behind in memory, and for how long."""

from __future__ import annotations

import gc
import weakref
from collections.abc import Iterator

import pytest

from auditor.code import garbage


class Node:
    """A part of a cycle, as scopes and what they bind are."""

    def __init__(self) -> None:
        self.itself = self


@pytest.fixture(autouse=True)
def _clean() -> Iterator[None]:
    yield
    gc.unfreeze()
    garbage._Left.some = False
    gc.enable()


def scan(objects: int) -> weakref.ref[Node]:
    """A scan that makes so many objects; gives one of its cycles."""
    with garbage.without_collecting():
        assert not gc.isenabled()
        kept = [Node() for _ in range(objects)]
        return weakref.ref(kept[0])


def test_a_small_scan_s_garbage_is_collected_as_ever() -> None:
    left = scan(10)
    assert gc.isenabled()
    gc.collect()
    assert left() is None


def test_a_large_scan_s_garbage_is_left_to_the_next_scan() -> None:
    left = scan(garbage.MANY)
    assert gc.isenabled()
    gc.collect()
    assert left() is not None
    scan(10)
    assert left() is None


def test_who_collects_no_garbage_is_left_alone() -> None:
    gc.disable()
    left = scan(garbage.MANY)
    assert not gc.isenabled()
    gc.collect()
    assert left() is None


def test_an_exception_leaves_the_collector_as_it_was() -> None:
    with pytest.raises(ValueError, match="broke"), garbage.without_collecting():
        raise ValueError("broke")
    assert gc.isenabled()
