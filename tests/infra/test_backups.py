"""Scheduled backups that cover a Redis, in every form; others do not count."""

from __future__ import annotations

from pathlib import Path

import pytest

from .support import infra

STACK = """
services:
  redis: {{image: "redis:7", volumes: ["queue:/data"]}}
  keeper:
    image: offen/docker-volume-backup
    environment: {{BACKUP_CRON_EXPRESSION: "0 3 * * *"}}
    volumes: ["{volume}:/backup/data:ro"]
volumes: {{queue: {{}}}}
"""
WORKFLOW = """
on: {{schedule: [{{cron: "0 4 * * *"}}]}}
jobs: {{save: {{steps: [{{run: "{run}"}}]}}}}
"""
DUMP = "redis-cli --rdb dump.rdb && aws s3 cp dump.rdb s3://keep"


@pytest.mark.parametrize(
    ("path", "text", "kind"),
    [
        ("compose.yml", STACK.format(volume="queue"), "sidecar"),
        ("compose.yml", STACK.format(volume="postgres"), ""),
        ("ops/crontab", f"# nightly\n0 3 * * * {DUMP}\n", "cron"),
        ("ops/crontab", "0 3 * * * pg_dump shop | gzip > x\n", ""),
        (".github/workflows/save.yml", WORKFLOW.format(run=DUMP), "workflow"),
        (".github/workflows/save.yml", WORKFLOW.format(run="npm test"), ""),
    ],
)
def test_backups(tmp_path: Path, path: str, text: str, kind: str) -> None:
    assert [b.kind for b in infra(tmp_path, {path: text}).backups] == ([kind] if kind else [])
