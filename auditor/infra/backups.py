"""Scheduled backups of Redis: CronJobs, Velero, crontabs, scheduled workflows, sidecars that save its volume."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from auditor.infra import environment as environments
from auditor.infra.kubernetes import Resource, pod_of
from auditor.infra.model import Backup, Deployment, RedisUnit
from auditor.infra.yaml_tree import Node
from auditor.model import FilePlace


def backups(found: Sequence[Resource]) -> Iterator[Backup]:
    """CronJobs that dump or copy Redis, and Velero schedules."""
    for resource in found:
        if resource.kind == "Schedule" and "velero" in resource.node["apiVersion"].text:
            yield Backup("velero", resource.node.at("spec", "schedule").text, resource.place, resource.environment)
        elif resource.kind == "CronJob":
            said = (
                " ".join(v.text for _, v in resource.node.walk(2000))
                + " "
                + " ".join(
                    t for c in pod_of(resource)["containers"].list() for k in ("command", "args") for t in c[k].texts()
                )
            )
            if saves_redis(said) or (re.search("backup|snapshot", resource.name) and re.search("redis|valkey", said)):
                yield Backup("cronjob", resource.node.at("spec", "schedule").text, resource.place, resource.environment)


def of_crontab(path: str, text: str) -> Iterator[Backup]:
    """Lines of a crontab that save a Redis."""
    for number, line in enumerate(text.splitlines(), 1):
        match = re.match(r"\s*((?:@\w+)|(?:[\d*/,-]+\s+){4}[\w*/,-]+)\s+(.+)$", line)
        if match and saves_redis(match[2]):
            yield Backup("cron", match[1], FilePlace(path, number), environments.of_path(path))


def of_workflow(document: Node, path: str) -> Iterator[Backup]:
    """A workflow on a schedule with a step that saves a Redis."""
    crons = [v for k, v in document.walk(3000) if k == "cron" and v.text]
    steps = [v for k, v in document.walk(3000) if k in ("run", "script") and saves_redis(v.text)]
    if crons and steps:
        yield Backup("workflow", crons[0].text, steps[0].place, environments.of_path(path))


def sidecars(units: Sequence[Deployment], servers: Sequence[RedisUnit]) -> Iterator[Backup]:
    """Units that exist to back up, and share a volume with a Redis or name it."""
    for unit in units:
        image = unit.image.value if unit.image else ""
        if not re.search(r"backup|restic|rclone|velero|kopia|borg", f"{image} {unit.name}", re.I):
            continue
        sources = {m.source for m in unit.volumes if m.source}
        near = [s for s in servers if s.stack == unit.stack and s.environment is unit.environment]
        if saves_redis(" ".join(unit.command)) or any(sources & {m.source for m in s.volumes} for s in near):
            schedule = next((v.value for k, v in unit.env.items() if re.search("CRON|SCHEDULE", k)), "")
            yield Backup("sidecar", schedule, unit.place, unit.environment)


def saves_redis(text: str) -> bool:
    """Whether a command takes a copy of a Redis away: a dump, or its files copied to a store."""
    return bool(
        re.search(
            r"redis-cli\b.*(--rdb\b|\bBGSAVE\b|\bSAVE\b)|\b(dump\.rdb|appendonly\w*)\b.*\b(s3|gs|rclone|restic|cp|tar)\b|(s3|rclone|restic|gsutil|tar|cp)\b.*dump\.rdb",
            text,
            re.I | re.S,
        )
    )
