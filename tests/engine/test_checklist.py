from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path

import pytest

from auditor import binding, checklist, plugins
from auditor.errors import ChecklistError
from auditor.model import Verdict
from auditor.probes import Probe, passed, probe

from .support import Thing

GOOD = """\
schema: tt-audit.checklist/1
sections:
  - title: Redis
    items:
      - id: TT088
        number: 88
        title: noeviction
        severity: critical
        probe: thing.holds
        params: {limit: 3}
        why: because
        fix: do so
        references: [https://redis.io]
"""


class Shade(StrEnum):
    LIGHT = "light"
    DARK = "dark"


@dataclass(frozen=True, slots=True)
class Wanted:
    limit: int = 1
    share: float = 0.5
    on: bool = False
    words: tuple[str, ...] = ()
    ranks: dict[str, int] = field(default_factory=dict)
    shade: Shade = Shade.LIGHT
    name: str = ""
    cap: int | None = None


def holds(live: Thing, want: Wanted) -> Verdict:
    """It holds."""
    return passed("holds")


def bare(live: Thing) -> Verdict:
    """No params."""
    return passed("holds")


PROBES: dict[str, Probe] = {"thing.holds": probe("thing.holds")(holds), "thing.bare": probe("thing.bare")(bare)}


def write(folder: Path, text: str, name: str = "mine.yaml") -> Path:
    path = folder / name
    path.write_text(text)
    return path


def problems(folder: Path, text: str) -> list[str]:
    path = write(folder, text)
    with pytest.raises(ChecklistError) as caught:
        binding.bind(checklist.load(path).entries, PROBES)
    return [line.removeprefix(f"{path}:") for line in caught.value.problems]


def params(folder: Path, text: str) -> object:
    path = write(folder, GOOD.replace("{limit: 3}", text))
    return binding.bind(checklist.load(path).entries, PROBES)[0].params


def test_a_good_file_loads(tmp_path: Path) -> None:
    (entry,) = checklist.load(write(tmp_path, GOOD)).entries
    assert (entry.item.id, entry.item.number, entry.item.section, entry.item.line) == ("TT088", 88, "Redis", 5)
    assert entry.item.references == ("https://redis.io",)


def test_all_problems_are_listed_at_once_with_their_lines(tmp_path: Path) -> None:
    text = (
        GOOD.replace("severity: critical", "severity: urgent")
        .replace("why: because", "wy: because")
        .replace("number: 88", "number: eighty")
    )
    assert problems(tmp_path, text) == [
        "11: item: unknown key wy (did you mean why?)",
        "8: TT088: severity: one of critical, high, medium, low is wanted, got 'urgent'",
        "6: TT088: number: a whole number is wanted, got 'eighty' (text)",
        "5: TT088: why is missing",
    ]


def test_doubled_ids_and_keys_are_found(tmp_path: Path) -> None:
    item = GOOD[GOOD.index("      - id") :]
    (doubled,) = problems(tmp_path, GOOD + item)
    assert doubled.startswith("14: TT088 stands twice (first at ")
    assert problems(tmp_path, GOOD.replace("number: 88", "number: 88\n        number: 89")) == [
        "7: number is given twice (first on line 6)"
    ]


def test_an_unknown_probe_is_named_with_the_nearest(tmp_path: Path) -> None:
    assert problems(tmp_path, GOOD.replace("thing.holds", "thing.hold")) == [
        "5: TT088: unknown probe thing.hold (did you mean thing.holds?)"
    ]


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("{limit: yes}", "yes: YAML readers disagree"),
        ("{name: no}", "no: YAML readers disagree"),
        ("{limit: 012}", "012: a leading zero"),
        ("{limit: 1:30}", "1:30: some YAML readers take this for a base-60 number"),
        ('{limit: "3"}', "params.limit: a whole number is wanted, got '3' (text)"),
        ("{limit: true}", "params.limit: a whole number is wanted, got True (true or false)"),
        ("{on: 1}", "params.on: true or false is wanted, got 1 (a whole number)"),
        ("{words: a}", "params.words: a list is wanted, got 'a' (text)"),
        ("{words: [1]}", "params.words: text is wanted"),
        ("{shade: grey}", "params.shade: one of light, dark is wanted, got 'grey' (text)"),
        ("{ranks: {a: b}}", "params.ranks: a whole number is wanted"),
        ("{limt: 3}", "params: unknown key limt (did you mean limit?)"),
    ],
)
def test_wrongly_typed_params_are_told(tmp_path: Path, text: str, says: str) -> None:
    assert any(says in line for line in problems(tmp_path, GOOD.replace("{limit: 3}", text)))


def test_params_become_the_probes_dataclass(tmp_path: Path) -> None:
    text = "{limit: 4, share: 1, on: true, words: [a, 'no'], ranks: {a: 1}, shade: dark, cap: null}"
    assert params(tmp_path, text) == Wanted(4, 1.0, True, ("a", "no"), {"a": 1}, Shade.DARK, "", None)


def test_a_probe_without_params_takes_none(tmp_path: Path) -> None:
    assert problems(tmp_path, GOOD.replace("thing.holds", "thing.bare")) == [
        "10: TT088: params.limit: probe thing.bare takes no params"
    ]


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "1: the file is empty"),
        ("a: [1", "not YAML"),
        ("- 1", "a mapping is wanted"),
        ("schema: &a [*a]", "contains itself"),
    ],
)
def test_a_broken_file_is_told(tmp_path: Path, text: str, says: str) -> None:
    assert any(says in line for line in problems(tmp_path, text))


def test_a_missing_file_is_told(tmp_path: Path) -> None:
    with pytest.raises(ChecklistError, match="no such file"):
        checklist.load(tmp_path / "none.yaml")


def test_an_additional_file_comes_on_top_of_the_ones_that_ship(tmp_path: Path) -> None:
    path = write(
        tmp_path,
        GOOD.replace("TT088", "ACME001")
        .replace("number: 88\n        ", "")
        .replace("sections", "extends: builtin\nsections", 1),
    )
    ids = [entry.item.id for entry in checklist.load(path).entries]
    assert ids[0] == "TT001"
    assert ids[-1] == "ACME001"
    assert len([i for i in ids if i.startswith("TT")]) == 102


def test_every_item_that_ships_is_bound_to_a_probe() -> None:
    checks = binding.bind(checklist.load().entries, plugins.probes())
    assert [check.item.number for check in checks if check.item.number] == list(range(1, 103))
    assert all(check.probe.doc for check in checks)
