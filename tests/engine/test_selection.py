from __future__ import annotations

import pytest

from auditor.errors import UsageError
from auditor.selection import search, selector

from .support import item

ITEMS = (
    [item(f"TT{n:03}", section="Redis" if n >= 88 else "Jobs") for n in range(1, 103)]
    + [item(f"X{n:03}") for n in (1, 2, 3)]
    + [item("XY002")]
)


def chosen(only: list[str], skip: list[str] | None = None) -> list[str]:
    choose = selector(ITEMS, only, skip or [])
    return [i.id for i in ITEMS if choose(i)]


@pytest.mark.parametrize(
    ("words", "ids"),
    [
        (["88"], ["TT088"]),
        (["tt088"], ["TT088"]),
        (["1-3,88"], ["TT001", "TT002", "TT003", "TT088"]),
        (["TT101-TT102", "x001"], ["TT101", "TT102", "X001"]),
        (["X002-X003"], ["X002", "X003"]),
        (["x1-4,TT001-2"], ["TT001", "TT002", "X001", "X002", "X003"]),
    ],
)
def test_words(words: list[str], ids: list[str]) -> None:
    assert chosen(words) == ids


def test_sections_and_skips() -> None:
    assert chosen(["redis"], ["89-102"]) == ["TT088"]
    assert len(chosen([], ["Redis"])) == 106 - 15


@pytest.mark.parametrize("word", ["103", "TT200", "Cache", "8-", "X004-X009", "X001-TT003"])
def test_a_word_that_names_nothing_is_told(word: str) -> None:
    with pytest.raises(UsageError, match="names no item"):
        chosen([word])


def test_search_takes_titles_too() -> None:
    assert [i.id for i in search(ITEMS, "title of TT017")] == ["TT017"]
    assert search(ITEMS, "nonsense") == []
