"""What git knows of a scanned folder, asked so that the repository's own configuration can make git run nothing."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

_GIT = ("git", "-c", "core.fsmonitor=false", "-c", "core.hooksPath=/dev/null")
_SECONDS = 60


def inside(folder: Path) -> bool:
    """Whether a repository holds the folder."""
    return any((ancestor / ".git").exists() for ancestor in (folder, *folder.resolve().parents))


def files(folder: Path) -> list[str] | None:
    """Tracked and untracked files that git does not ignore, relative to `folder`; None where git cannot tell.

    A folder that git ignores as a whole lists nothing, but who names it means it: that is None too.
    """
    listed = _ask(folder, "ls-files", "-z", "--cached", "--others", "--exclude-standard")
    if listed is None:
        return None
    return list(dict.fromkeys(name for name in listed.split("\0") if name)) or None


def state(folder: Path) -> tuple[str, bool]:
    """The commit that is checked out, and whether tracked files differ from it; ("", False) outside of a repository.

    Where the repository defines filters, git would run them to compare: it is then not asked, and counts as unchanged.
    """
    if not _ask(folder, "ls-tree", "--name-only", "HEAD", "./"):
        return "", False  # a repository holds the folder, but not its files
    commit = (_ask(folder, "rev-parse", "--verify", "HEAD") or "").strip()
    if _ask(folder, "config", "--local", "--get-regexp", r"^filter\..*\.(clean|process)$"):
        return commit, False
    return commit, bool(_ask(folder, "status", "--porcelain", "--untracked-files=no", "--ignore-submodules", "--", "."))


def _ask(folder: Path, *words: str) -> str | None:
    if not inside(folder):
        return None
    environment = {**os.environ, "GIT_OPTIONAL_LOCKS": "0", "GIT_TERMINAL_PROMPT": "0"}
    at = folder if folder.is_dir() else folder.parent
    try:
        done = subprocess.run(
            [*_GIT, "-C", str(at), *words], capture_output=True, env=environment, timeout=_SECONDS, check=False
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    return done.stdout.decode("utf-8", "surrogateescape") if done.returncode == 0 else None
