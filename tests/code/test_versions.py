"""Versions by lockfile, else by the range of the governing package.json."""

from __future__ import annotations

from pathlib import Path

import pytest

from auditor.code.source.files import SourceTree
from auditor.code.source.packages import Packages
from auditor.code.source.versions import Versions, major

MANIFEST = '{"dependencies": {"bullmq": "^5.1.0"}}'


def versions(root: Path) -> Versions:
    return Versions(Packages(SourceTree([root])))


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("package-lock.json", '{"packages": {"node_modules/bullmq": {\n "version": "5.9.2"}}}'),
        ("pnpm-lock.yaml", "packages:\n  bullmq@5.9.2:\n    resolution: {}\n"),
        ("pnpm-lock.yaml", "packages:\n  /bullmq/5.9.2:\n    resolution: {}\n"),
        ("yarn.lock", 'bullmq@^5.1.0:\n  version "5.9.2"\n'),
        ("yarn.lock", '"bullmq@npm:^5.1.0":\n  version: 5.9.2\n'),
    ],
)
def test_a_lockfile_decides(tmp_path: Path, name: str, text: str) -> None:
    (tmp_path / "package.json").write_text(MANIFEST)
    (tmp_path / name).write_text(text)
    assert versions(tmp_path).of("bullmq", "src/a.ts") == "5.9.2"


def test_the_range_stands_where_nothing_is_locked(tmp_path: Path) -> None:
    (tmp_path / "package.json").write_text(MANIFEST)
    assert versions(tmp_path).of("bullmq", "src/a.ts") == "^5.1.0"
    assert versions(tmp_path).of("bull", "src/a.ts") == ""


def test_the_nearest_manifest_governs(tmp_path: Path) -> None:
    (tmp_path / "package.json").write_text(MANIFEST)
    (tmp_path / "old").mkdir()
    (tmp_path / "old/package.json").write_text('{"dependencies": {"bullmq": "1.91.1"}}')
    found = versions(tmp_path)
    assert found.of("bullmq", "old/a.ts") == "1.91.1"
    assert found.of("bullmq", "a.ts") == "^5.1.0"


@pytest.mark.parametrize(
    ("version", "expected"), [("^5.1.0", 5), ("6.7.0", 6), (">=4 <5", 4), ("latest", None), ("", None)]
)
def test_major(version: str, expected: int | None) -> None:
    assert major(version) == expected
