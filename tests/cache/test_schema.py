"""Snapshots come back from text as they were, and nothing else comes back at all."""

from __future__ import annotations

import json
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field, fields, is_dataclass
from enum import StrEnum
from functools import cache
from pathlib import Path
from typing import Any, TypeAlias

import pytest
from hypothesis import given
from hypothesis import strategies as st

from auditor.cache.schema import Schema, Undecodable, dumps, loads
from auditor.code.collect import collect as collect_code
from auditor.code.model import CodeModel, Json, Option, OptionState
from auditor.infra.collect import collect as collect_infra
from auditor.infra.model import InfraModel
from auditor.prom.collect import of_files
from auditor.prom.model import Observability

WORLDS = Path(__file__).parents[1] / "worlds"
TREES = [
    WORLDS / "healthy",
    WORLDS / "broken",
    *sorted(p for p in (WORLDS.parent / "code/cases").iterdir() if p.is_dir()),
]

Leaf: TypeAlias = "int | str"


class Colour(StrEnum):
    RED = "red"
    BLUE = "blue"


@dataclass(frozen=True, slots=True)
class Base:
    name: str


@dataclass(frozen=True, slots=True)
class Tree(Base):
    """A bit of everything that a snapshot may hold."""

    leaf: Leaf
    colour: Colour | None = None
    share: float = 0.0
    flag: bool = False
    pair: tuple[str, int] = ("", 0)
    names: frozenset[str] = frozenset()
    value: Json = None
    children: tuple[Tree, ...] = ()
    by_name: Mapping[str, Tree] = field(default_factory=dict)
    other: Tree | Base | None = None


TEXT = st.text(max_size=5)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | TEXT,
    lambda inner: st.lists(inner, max_size=3).map(tuple) | st.dictionaries(TEXT, inner, max_size=3),
    max_leaves=8,
)


def trees(children: st.SearchStrategy[Tree]) -> st.SearchStrategy[Tree]:
    return st.builds(
        Tree, TEXT, st.integers() | TEXT, st.none() | st.sampled_from(Colour), st.integers() | st.floats(allow_nan=False), st.booleans(),
        st.tuples(TEXT, st.integers()), st.frozensets(TEXT, max_size=3), JSON, st.lists(children, max_size=3).map(tuple),
        st.dictionaries(TEXT, children, max_size=2), st.none() | st.builds(Base, TEXT) | children,
    )  # fmt: skip


def same(one: Any, other: Any) -> bool:
    """Equal, and of the same types all the way down: True is not 1, and 30 is not 30.0."""
    if type(one) is not type(other):
        return False
    if is_dataclass(one):
        return all(same(getattr(one, f.name), getattr(other, f.name)) for f in fields(one))
    if isinstance(one, tuple):
        return len(one) == len(other) and all(map(same, one, other))
    if isinstance(one, dict):
        return list(one) == list(other) and all(same(value, other[key]) for key, value in one.items())
    return repr(one) == repr(other) if isinstance(one, float) else bool(one == other)


@given(st.recursive(st.builds(Tree, TEXT, st.integers()), trees, max_leaves=6))
def test_whatever_a_snapshot_may_hold_comes_back(tree: Tree) -> None:
    assert same(loads(Tree, dumps(Tree, tree)), tree)


def test_what_is_shared_stays_shared() -> None:
    leaf = Tree("leaf", 1)
    found = loads(Tree, dumps(Tree, Tree("top", "x", children=(leaf, Tree("leaf", 1)), other=leaf)))
    assert found.children[0] is found.children[1] is found.other


def test_numbers_that_are_equal_and_print_differently_are_told_apart() -> None:
    values = (True, 1, 1.0, False, 0, 0.0, -0.0)
    assert same(loads(Tree, dumps(Tree, Tree("", 1, value=values))).value, values)


@cache
def models(root: Path) -> list[tuple[type, Any]]:
    infra = collect_infra([root])
    code = collect_code([root], entry_points=infra.entry_points)
    return [(CodeModel, code), (InfraModel, infra), (Observability, of_files([root]))]


@pytest.mark.parametrize("root", TREES, ids=lambda root: root.name)
def test_models_of_real_trees_come_back(root: Path) -> None:
    for kind, model in models(root):
        found = loads(kind, dumps(kind, model))
        assert found == model
        assert repr(found) == repr(model)


@pytest.mark.parametrize("kind", [CodeModel, InfraModel, Observability])
def test_every_field_of_every_snapshot_has_a_codec(kind: type) -> None:
    seen = {pool.kind for pool in Schema(kind).pools if hasattr(pool, "kind")}
    assert kind in seen
    assert len(seen) > 10


@pytest.mark.parametrize(
    "wrong",
    [
        Option(OptionState.KNOWN, value=["a list"]),  # type: ignore[arg-type]
        Option("known"),  # type: ignore[arg-type]
        Option(OptionState.KNOWN, why=OptionState.KNOWN),
        Option(OptionState.KNOWN, via=[]),  # type: ignore[arg-type]
        {"state": "known"},
    ],
)
def test_what_is_not_of_its_hint_has_no_text(wrong: Any) -> None:
    with pytest.raises(TypeError):
        dumps(Option, wrong)


def test_a_type_without_codec_is_refused() -> None:
    @dataclass
    class Odd:
        path: Path

    with pytest.raises(TypeError, match="no codec"):
        Schema(Odd)


def test_text_of_anything_else_is_refused() -> None:
    text = dumps(CodeModel, models(WORLDS / "broken")[0][1])
    for broken in ("", "null", "{}", "[]", "[0,[]]", text[:-1], text[: len(text) // 2], dumps(Tree, Tree("", 1))):
        with pytest.raises(Undecodable):
            loads(CodeModel, broken)


@given(st.data())
def test_a_text_that_was_tampered_with_ends_no_scan(data: st.DataObject) -> None:
    """Whatever stands in it is data: it is refused, or gives a value of the type."""
    at, pools = json.loads(dumps(Option, Option(OptionState.KNOWN, (1, "x"), via=())))
    pools[data.draw(st.integers(0, len(pools) - 1))] = data.draw(JSON)
    with suppress(Undecodable):
        assert isinstance(loads(Option, json.dumps([at, pools])), Option)


@pytest.mark.parametrize("size", [10**9, 10**30, 2, -1, True, 1.0, "1", None])
def test_a_number_of_rows_that_are_not_there_makes_none(size: object) -> None:
    at, pools = json.loads(dumps(Option, Option(OptionState.KNOWN)))
    (record,) = [number for number, pool in enumerate(pools) if len(pool) == 2 and pool[0] == 1 and len(pool[1]) > 3]
    pools[record][0] = size
    with pytest.raises(Undecodable):
        loads(Option, json.dumps([at, pools]))
