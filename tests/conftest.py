"""What all tests share: plugin folders mounted, no Redis of the person's own, colours off."""

from __future__ import annotations

import fcntl
import os
import tempfile
from pathlib import Path

import pytest

from auditor import plugins

from .support import node

plugins.mount("checks")
plugins.mount("reports")

for name in ("REDIS_URL", "REDISCLI_AUTH", "PROMETHEUS_TOKEN", "FORCE_COLOR"):
    os.environ.pop(name, None)


@pytest.fixture(scope="session")
def npm() -> None:
    """Bull and BullMQ of tests/node are installed; skips where Node.js can't be had."""
    # workers of pytest-xdist must not install into the same folder at once
    with (Path(tempfile.gettempdir()) / f"tt-audit-npm-{os.getuid()}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        why = node.install()
    if why:
        pytest.skip(why)
