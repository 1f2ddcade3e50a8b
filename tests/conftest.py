"""What all tests share: plugin folders mounted, no Redis and no cache of the person's own, colours off."""

from __future__ import annotations

import fcntl
import itertools
import os
import tempfile
from pathlib import Path

import pytest

from auditor import plugins
from auditor.cache.entries import VARIABLE

from .support import node

plugins.mount("checks")
plugins.mount("reports")

for name in ("REDIS_URL", "REDISCLI_AUTH", "PROMETHEUS_TOKEN", "FORCE_COLOR"):
    os.environ.pop(name, None)

os.environ[VARIABLE] = f"{tempfile.gettempdir()}/tt-audit-tests-{os.getpid()}"  # nobody's: what writes there is a test
_numbers = itertools.count()


@pytest.fixture(autouse=True)
def own_cache(monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of this test's own cache, not made yet: no test is served what another one left."""
    where = tmp_path_factory.getbasetemp() / f"cache-{next(_numbers)}"
    monkeypatch.setenv(VARIABLE, str(where))
    return where


@pytest.fixture(scope="session")
def npm() -> None:
    """Bull and BullMQ of tests/node are installed; skips where Node.js can't be had."""
    # workers of pytest-xdist must not install into the same folder at once
    with (Path(tempfile.gettempdir()) / f"tt-audit-npm-{os.getuid()}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        why = node.install()
    if why:
        pytest.skip(why)
