"""Files of the cache: private, whole, bounded, and never a reason to fail."""

from __future__ import annotations

import os
import stat
import sys
from pathlib import Path

import pytest

from auditor.cache import entries

TRACE: list[tuple[str, list[str | int | None], dict[str, str]]] = [("names", [], {"/x": "digest"})]


def texts(where: Path, key: str) -> list[str]:
    return [entry.text.rstrip("\n") for entry in entries.of(where, key)]


def test_an_entry_comes_back(tmp_path: Path) -> None:
    entries.write(tmp_path / "a/b", "key", TRACE, '"text"')
    (entry,) = entries.of(tmp_path / "a/b", "key")
    assert [tuple(part) for part in entry.trace] == TRACE
    assert entry.text == '"text"\n'
    assert not list(entries.of(tmp_path / "a/b", "other"))


def test_only_the_user_can_read_it(tmp_path: Path) -> None:
    before = os.umask(0)
    try:
        entries.write(tmp_path / "cache", "key", TRACE, "text")
    finally:
        os.umask(before)
    (path,) = (tmp_path / "cache").iterdir()
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700


def test_what_is_not_whole_is_not_there(tmp_path: Path) -> None:
    entries.write(tmp_path, "key", TRACE, "text")
    (path,) = tmp_path.iterdir()
    whole = path.read_bytes()
    for broken in (b"", b"\n", whole[:-1], whole[:20], whole + b"x", b"\xff" + whole, whole.replace(b"text", b"next")):
        path.write_bytes(broken)
        assert texts(tmp_path, "key") == []
    path.write_bytes(whole)
    assert texts(tmp_path, "key") == ["text"]


def test_what_is_no_file_is_passed_over(tmp_path: Path) -> None:
    (tmp_path / "key-1.entry").mkdir()
    (tmp_path / "key-2.entry").symlink_to("nowhere")
    assert texts(tmp_path, "key") == []


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a file away")
def test_another_users_file_is_passed_over(tmp_path: Path) -> None:
    entries.write(tmp_path, "key", TRACE, "text")
    (path,) = tmp_path.iterdir()
    os.chown(path, 12345, -1)
    assert texts(tmp_path, "key") == []


def test_a_place_that_cannot_be_written_costs_nothing_else(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("no folder")
    entries.write(tmp_path / "file", "key", TRACE, "text")
    assert texts(tmp_path / "file", "key") == []
    entries.write(Path("/proc/nowhere"), "key", TRACE, "text")


def test_the_newest_of_one_question_are_kept(tmp_path: Path) -> None:
    for number in range(entries.MOST_OF_ONE + 3):
        entries.write(tmp_path, "key", TRACE, str(number))
        (newest,) = [e for e in entries.of(tmp_path, "key") if e.text == f"{number}\n"]
        os.utime(newest.path, (number, number))
    assert texts(tmp_path, "key") == ["6", "5", "4", "3"]


def test_there_are_never_too_many_or_too_large(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(entries, "MOST_ENTRIES", 3)
    for number in range(5):
        entries.write(tmp_path, f"key{number}", TRACE, "x" * 100)
        for entry in entries.of(tmp_path, f"key{number}"):
            os.utime(entry.path, (number, number))
    assert sorted(path.name[:4] for path in tmp_path.iterdir()) == ["key2", "key3", "key4"]
    monkeypatch.setattr(entries, "MOST_BYTES", 500)
    entries.write(tmp_path, "key5", TRACE, "x" * 100)
    assert sorted(path.name[:4] for path in tmp_path.iterdir()) == ["key4", "key5"]
    assert not list(tmp_path.glob("*.partial"))


def test_what_is_used_is_kept_longer(tmp_path: Path) -> None:
    entries.write(tmp_path, "key", TRACE, "text")
    (entry,) = entries.of(tmp_path, "key")
    os.utime(entry.path, (1, 1))
    entry.used()
    assert entry.path.stat().st_mtime > 1


def test_the_place_is_the_users_own() -> None:
    own = "Library/Caches" if sys.platform == "darwin" else ".cache"
    assert entries.folder({"HOME": "/home/a"}) == Path(f"/home/a/{own}/tt-audit")
    assert entries.folder({"HOME": "/home/a", "XDG_CACHE_HOME": "/c"}) == Path("/c/tt-audit")
    assert entries.folder({"HOME": "/home/a", "XDG_CACHE_HOME": "/c", "TT_AUDIT_CACHE_DIR": "/t"}) == Path("/t")
    assert entries.folder({}) is None
