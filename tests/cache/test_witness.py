"""Each question that a collector may ask is noted, and answered otherwise once the file system is otherwise."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import pytest

from auditor.cache.witness import Checker, Trace, Witness
from auditor.opening import Inside, NotRead

Ask = Callable[[Witness, Path], object]
Change = Callable[[Path], object]


def listing(root: Path) -> list[str]:
    return sorted(path.name for path in root.iterdir())


def content(path: str, most: int = 100, first: int | None = None) -> Ask:
    return lambda disk, top: disk.content(Inside(str(top), "folder"), path, most, first)


def to(path: str, target: str) -> Change:
    def change(top: Path) -> None:
        (top / path).unlink(missing_ok=True)
        (top / path).symlink_to(target)

    return change


def write(path: str, text: str) -> Change:
    return lambda top: (top / path).write_text(text)


def remove(path: str) -> Change:
    return lambda top: (top / path).unlink()


def becomes_folder(top: Path) -> None:
    (top / "a.ts").unlink()
    (top / "a.ts").mkdir()


SEEN: list[tuple[str, Ask, Change]] = [
    ("other bytes", content("a.ts"), write("a.ts", "other")),
    ("a missing file made", content("new.ts"), write("new.ts", "")),
    ("a file gone", content("a.ts"), remove("a.ts")),
    ("a file too large", content("a.ts"), write("a.ts", "x" * 101)),
    ("a large one small", content("large.ts"), write("large.ts", "x")),
    ("a file becomes a folder", content("a.ts"), becomes_folder),
    ("a link elsewhere", content("link.ts"), to("link.ts", "large.ts")),
    ("a link out", content("link.ts"), to("link.ts", "/etc/hosts")),
    ("a link in", content("out.ts"), to("out.ts", "a.ts")),
    ("the beginning", content("large.ts", 1000, 10), write("large.ts", "y" + "x" * 299)),
    ("a short one grows", content("a.ts", 1000, 10), write("a.ts", "texttext")),
    ("is_file, gone", lambda disk, top: disk.is_file(f"{top}/a.ts"), remove("a.ts")),
    ("is_file, made", lambda disk, top: disk.is_file(f"{top}/new.ts"), write("new.ts", "")),
    ("holds, no longer", lambda disk, top: disk.holds(Inside(str(top)), "link.ts"), to("link.ts", "/etc/hosts")),
    ("holds, now", lambda disk, top: disk.holds(Inside(str(top)), "out.ts"), to("out.ts", "a.ts")),
    ("names, one more", lambda disk, top: disk.names(str(top)), write("new.txt", "")),
    ("names, with an ending", lambda disk, top: disk.names(str(top), ".ts", ".js"), write("new.js", "")),
    ("names, of no folder", lambda disk, top: disk.names(f"{top}/folder"), lambda top: (top / "folder/x").mkdir(parents=True)),
    ("real", lambda disk, top: disk.real(f"{top}/link.ts"), to("link.ts", "large.ts")),
    ("files", lambda disk, top: disk.files(top, "plain", listing), write("new.txt", "")),
]  # fmt: skip
UNSEEN: list[tuple[str, Ask, Change]] = [
    ("the rest of a long file", content("large.ts", 1000, 10), write("large.ts", "x" * 300 + "y")),
    ("another file", content("a.ts"), write("large.ts", "")),
    ("names without the ending", lambda disk, top: disk.names(str(top), ".ts"), write("new.txt", "")),
    ("the same bytes again", content("a.ts"), write("a.ts", "text")),
]


@pytest.fixture
def top(tmp_path: Path) -> Path:
    (tmp_path / "a.ts").write_text("text")
    (tmp_path / "large.ts").write_text("x" * 300)
    to("link.ts", "a.ts")(tmp_path)
    to("out.ts", "/etc/hosts")(tmp_path)
    return tmp_path


def asked(ask: Ask, top: Path) -> Trace:
    witness = Witness()
    with suppress(NotRead):
        ask(witness, top)
    kept: Trace = json.loads(json.dumps(witness.trace()))
    assert kept
    return kept


@pytest.mark.parametrize(("ask", "change"), [case[1:] for case in SEEN], ids=[case[0] for case in SEEN])
def test_another_answer_is_seen(top: Path, ask: Ask, change: Change) -> None:
    trace = asked(ask, top)
    assert Checker({"plain": listing}).holds(trace)
    change(top)
    assert not Checker({"plain": listing}).holds(trace)


@pytest.mark.parametrize(("ask", "change"), [case[1:] for case in UNSEEN], ids=[case[0] for case in UNSEEN])
def test_what_was_not_asked_does_not_matter(top: Path, ask: Ask, change: Change) -> None:
    trace = asked(ask, top)
    change(top)
    assert Checker({"plain": listing}).holds(trace)


@pytest.mark.parametrize("bounds", [(1000, None), (1000, 10), (200, None), (1000, 300), (1000, 301), (3, 3), (3, None)])
@pytest.mark.parametrize("path", ["a.ts", "large.ts"])
@pytest.mark.parametrize("before", [(1000, None), (1000, 10), (1000, 301), (200, None)])
def test_a_file_read_once_answers_as_if_read_again(
    top: Path, path: str, before: tuple[int, int | None], bounds: tuple[int, int | None]
) -> None:
    """Sources ask for the same file with bounds of their own."""
    checker = Checker({})
    assert checker.holds(asked(content(path, *before), top))
    assert checker.holds(asked(content(path, *bounds), top))


PATHS_ALONE = {
    "auditor/code/source/files.py": "lists what `files` answers, and the top of a tree, which is part of the question",
    "auditor/code/source/gitignore.py": "belongs to that listing",
    "auditor/infra/tree.py": "as files.py",
    "auditor/code/reach/catalogue.py": "reads tt-audit's own catalogue, which is part of the question",
    "auditor/code/source/services.py": "the folders of services are part of the question",
}
LOOKS = re.compile(
    r"(?<![\w.])open\(|read_text\(|read_bytes\(|\.exists\(|is_dir\(|\.is_file\(|scandir|listdir|iterdir|os\.walk|\.r?glob\("
    r"|\.l?stat\(|subprocess|environ\b|expanduser|\.home\(|\.resolve\(\)|realpath|islink|readlink|opening import .*\bcontent\b"
)
THROUGH_A_TREE = re.compile(
    r"tree\.(?:is_file|listdir)\(|disk\.\w+\(|if not root\.exists\(\)|relative\(root\.resolve\(\)\)"
)


def test_collectors_learn_of_files_through_their_disk_alone() -> None:
    """What is looked at past it would be missing from the trace, and a change of it from the next answer."""
    auditor = Path(__file__).parents[2]
    found = [
        f"{name}:{number}: {line.strip()}"
        for folder in ("code", "infra", "prom")
        for path in sorted((auditor / "auditor" / folder).rglob("*.py"))
        if (name := path.relative_to(auditor).as_posix()) not in PATHS_ALONE
        for number, line in enumerate(path.read_text().splitlines(), 1)
        if LOOKS.search(re.sub(r"[rb]*\"[^\"]*\"|'[^']*'|#.*", "", THROUGH_A_TREE.sub("", line)))
    ]
    assert found == []
