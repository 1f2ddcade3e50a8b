"""The whole: trees, exclusion, refusals, documents, clients, and that nothing of a repository is run."""

from __future__ import annotations

import os
import subprocess
import time
from pathlib import Path

import pytest

from auditor.errors import SourceError
from auditor.infra.collect import collect, entry_points_above
from auditor.infra.model import PasswordState, Tls
from auditor.infra.tree import repository_root

from .support import infra, tree

COMPOSE = "services:\n  worker:\n    image: acme/worker\n    command: node worker.js\n"


def test_a_missing_path_is_a_source_error(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match="no such file or folder"):
        collect([tmp_path / "nowhere"])


def test_an_empty_folder_is_an_empty_model(tmp_path: Path) -> None:
    model = collect([tmp_path])
    assert (model.deployments, model.redis, model.entry_points, model.notes) == ((), (), (), ())


def test_a_single_file_may_be_given(tmp_path: Path) -> None:
    root = tree(tmp_path, {"compose.yml": COMPOSE, "other/compose.yml": COMPOSE})
    assert len(collect([root / "compose.yml"]).deployments) == 1


def test_several_folders_are_merged(tmp_path: Path) -> None:
    a, b = tree(tmp_path / "a", {"compose.yml": COMPOSE}), tree(tmp_path / "b", {"compose.yml": COMPOSE})
    model = collect([a, b])
    assert [d.root for d in model.deployments] == [str(a), str(b)]
    assert len(model.trees) == 2


def test_excluded_files_are_not_read(tmp_path: Path) -> None:
    root = tree(tmp_path, {"compose.yml": COMPOSE, "old/compose.yml": COMPOSE})
    assert len(collect([root], exclude=["old/*"]).deployments) == 1


def test_what_cannot_be_read_is_listed_with_its_reason(tmp_path: Path) -> None:
    root = tree(tmp_path, {"compose.yml": COMPOSE})
    (root / "bin.yml").write_bytes(b"services:\n\0\0\0")
    (root / "huge.yaml").write_text("services:\n" + "# x\n" * 2_000_000)
    (root / "out.yml").symlink_to("/etc/hostname")
    model = collect([root])
    why = {s.path: s.why for s in model.trees[0].files_skipped}
    assert "binary" in why["bin.yml"]
    assert "larger than" in why["huge.yaml"]
    assert len(model.deployments) == 1


def test_time_running_out_is_said(tmp_path: Path) -> None:
    root = tree(tmp_path, {"compose.yml": COMPOSE})
    model = collect([root], deadline=time.monotonic() - 1)
    assert any("time ran out" in s.why for s in model.trees[0].files_skipped)


def test_a_repositorys_git_configuration_runs_nothing(tmp_path: Path) -> None:
    root = tree(tmp_path, {"compose.yml": COMPOSE, "evil.sh": f"#!/bin/sh\ntouch {tmp_path}/pwned\n"})
    (root / "evil.sh").chmod(0o755)
    env = {**os.environ, "GIT_CONFIG_GLOBAL": "/dev/null"}
    subprocess.run(["git", "init", "-q", str(root)], check=True, env=env)
    subprocess.run(["git", "-C", str(root), "config", "core.fsmonitor", str(root / "evil.sh")], check=True, env=env)
    assert len(collect([root]).deployments) == 1
    assert not (root / "pwned").exists()


def test_the_repositorys_root(tmp_path: Path) -> None:
    tree(tmp_path, {"repo/package.json": "{}", "repo/services/a/package.json": "{}", "repo/services/a/src/x.ts": ""})
    assert repository_root(tmp_path / "repo/services/a") == (tmp_path / "repo").resolve()
    (tmp_path / "repo/services/.git").mkdir()
    assert repository_root(tmp_path / "repo/services/a/src/x.ts") == (tmp_path / "repo/services").resolve()


def test_entry_points_above_the_code(tmp_path: Path) -> None:
    tree(
        tmp_path,
        {
            ".git/HEAD": "",
            "docker-compose.yml": "services:\n  mail:\n    build: ./services/mail\n    command: node dist/worker.js\n",
            "services/mail/package.json": "{}",
            "services/mail/src/worker.ts": "",
        },
    )
    (entry,) = entry_points_above(tmp_path / "services/mail")
    assert (entry.service, entry.path) == ("mail", (tmp_path / "services/mail/src/worker.ts").resolve().as_posix())
    assert entry.why.startswith('docker-compose.yml:4 runs "node dist/worker.js"')


def test_clients_and_their_passwords(tmp_path: Path) -> None:
    text = """
    services:
      a: {image: x/a, environment: {REDIS_URL: "rediss://user:pw@cache.example.com:6380/0"}}
      b: {image: x/b, environment: {REDIS_HOST: redis, REDIS_PASSWORD: "${REDIS_PASSWORD}"}}
      c: {image: x/c, environment: {QUEUE_URL: "redis://localhost"}}
    """
    model = infra(
        tmp_path, {"compose.yml": text, ".env.example": "REDIS_URL=redis://:redis@redis:6379\nOTHER=redis://x\n"}
    )
    found = {(c.unit or c.place.path): (c.host, c.tls, c.password, c.loopback) for c in model.clients}
    assert found == {
        "a": ("cache.example.com", Tls.ON, PasswordState.LITERAL, False),
        "b": ("redis", Tls.UNKNOWN, PasswordState.FROM_ENV, False),
        "c": ("localhost", Tls.OFF, PasswordState.NONE, True),
        ".env.example": ("redis", Tls.OFF, PasswordState.WEAK, False),
    }
    assert "pw@" not in repr(model)


PLAN = """
# Disaster recovery

| System | RTO | RPO |
|---|---|---|
| Queues (Redis) | 30 min | 5 min |

## Restore
Copy dump.rdb from the bucket and start Redis with it.
"""


def test_recovery_documents(tmp_path: Path) -> None:
    model = infra(
        tmp_path,
        {
            "docs/dr.md": PLAN,
            "docs/half.md": "# Runbook\nRestore Redis from last night's dump.\n",
            "docs/chat.md": "# Notes\nWe talked about lunch.\n",
            "docs/words.md": "# Audit\nThere is no RPO and no RTO for Redis, nobody can restore it.\n",
        },
    )
    found = {d.path: d.complete for d in model.documents}
    assert found == {"docs/dr.md": True, "docs/half.md": False, "docs/words.md": False}
