"""Which files an entry point reaches: by imports, by paths that it starts, by folders that it loads."""

from __future__ import annotations

from pathlib import Path

import pytest

from auditor.code.model import EntryPoint
from auditor.code.running.reachable import Reachable
from auditor.code.source.program import Program


def reached(root: Path, main: str) -> set[str]:
    """What `main.js` reaches, beside itself."""
    (root / "main.js").write_text(main)
    for name in ("a.js", "b.js"):
        (root / "jobs").mkdir(exist_ok=True)
        (root / "jobs" / name).write_text("module.exports = 1;\n")
    entry = EntryPoint("", str(root / "main.js"), 1, "a test")
    return Reachable(Program([root]), [entry], []).reached["main.js"] - {"main.js"}


@pytest.mark.parametrize(
    "main",
    [
        "for (const f of fs.readdirSync(path.join(__dirname, 'jobs'))) require(path.join(__dirname, 'jobs', f));",
        "for (const f of await glob('jobs/*.js')) await import(`./${f}`);",
        "app.register(AutoLoad, { dir: path.join(__dirname, 'jobs') });",
        "module.exports = requireDirectory(__dirname + '/jobs');",
        "loadAll(path.join(__dirname, 'jobs'));",
    ],
)
def test_folders_that_are_loaded_count(tmp_path: Path, main: str) -> None:
    assert reached(tmp_path, main) == {"jobs/a.js", "jobs/b.js"}


@pytest.mark.parametrize(
    "main",
    [
        "const key = fs.readFileSync(path.join(__dirname, 'key.pem'));",
        "const names = fs.readdirSync(exportPath); require('fs'); await import('./x.js');",
        "registerFont(path.join(__dirname, 'fonts/Roboto.ttf'));",
        "const settings = loadYaml(path.resolve(__dirname, 'settings.yaml'));",
    ],
)
def test_files_that_are_read_are_no_code(tmp_path: Path, main: str) -> None:
    assert reached(tmp_path, main) == set()


def test_only_the_file_that_is_started_counts(tmp_path: Path) -> None:
    assert reached(tmp_path, "fork('./jobs/a.js');") == {"jobs/a.js"}
