"""Uses of the libraries that they ignore or refuse: what counts, and what does not."""

from __future__ import annotations

from pathlib import Path

from .test_field import read

BULL = "import Bull from 'bull';\nexport const old = new Bull('payments', 'redis://x');\n"
NEW = "import { Worker } from 'bullmq';\nnew Worker('payments', async () => 1, { connection: {} });\n"


def broken(root: Path, **files: str) -> set[str]:
    """The rules that a project breaks."""
    return {one.rule for one in read(root, {"bull": "4.16.5", "bullmq": "5.61.0"}, **files).misuses}


def test_two_libraries_on_a_queue_count_where_both_live(tmp_path: Path) -> None:
    assert "two_libraries" in broken(tmp_path / "both", src__old=BULL, src__index=NEW + "import './old';\n")
    assert "two_libraries" not in broken(tmp_path / "dead", src__old=BULL, src__index=NEW)
