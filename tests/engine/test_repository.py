from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from auditor import repository


def git(folder: Path, *words: str) -> str:
    identity = ["-c", "user.name=a", "-c", "user.email=a@example.org", "-c", "commit.gpgsign=false"]
    return subprocess.run(
        ["git", *identity, "-C", str(folder), *words], check=True, capture_output=True, text=True
    ).stdout.strip()


@pytest.fixture
def repo(tmp_path: Path) -> Path:
    folder = tmp_path / "repo"
    (folder / "src").mkdir(parents=True)
    (folder / "src" / "a.ts").write_text("1")
    (folder / ".gitignore").write_text("built\n")
    (folder / "built").mkdir()
    (folder / "built" / "a.js").write_text("1")
    git(folder, "init", "-q")
    git(folder, "add", ".")
    git(folder, "commit", "-qm", "first")
    return folder


def test_it_lists_what_git_does_not_ignore(repo: Path) -> None:
    (repo / "src" / "new.ts").write_text("2")
    assert sorted(repository.files(repo) or []) == [".gitignore", "src/a.ts", "src/new.ts"]
    assert repository.files(repo / "src") is not None
    assert repository.files(repo / "built") is None, "who names an ignored folder means it"


def test_it_knows_the_commit_and_whether_files_differ(repo: Path) -> None:
    commit = git(repo, "rev-parse", "HEAD")
    assert repository.state(repo) == (commit, False)
    assert repository.state(repo / "src") == (commit, False)
    (repo / "src" / "a.ts").write_text("changed")
    assert repository.state(repo) == (commit, True)
    assert repository.state(repo / "built") == ("", False), "the repository does not hold its files"


def test_outside_of_a_repository_nothing_is_known(tmp_path: Path) -> None:
    assert repository.files(tmp_path) is None
    assert repository.state(tmp_path) == ("", False)


@pytest.mark.parametrize("setting", ["core.fsmonitor", "filter.x.clean", "filter.x.process"])
def test_the_repositorys_own_configuration_runs_nothing(repo: Path, tmp_path: Path, setting: str) -> None:
    trap, mark = tmp_path / "trap.sh", tmp_path / "ran"
    trap.write_text(f"#!/bin/sh\ntouch {mark}\ncat\n")
    trap.chmod(0o755)
    (repo / ".gitattributes").write_text("* filter=x\n")
    git(repo, "config", setting, str(trap))
    (repo / "src" / "a.ts").write_text("changed")
    repository.files(repo)
    repository.state(repo)
    assert not mark.exists()
