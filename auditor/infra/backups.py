"""Scheduled backups of Redis in Kubernetes."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from auditor.infra.kubernetes import Resource, pod_of
from auditor.infra.model import Backup


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


def saves_redis(text: str) -> bool:
    """Whether a command takes a copy of a Redis away: a dump, or its files copied to a store."""
    return bool(
        re.search(
            r"redis-cli\b.*(--rdb\b|\bBGSAVE\b|\bSAVE\b)|\b(dump\.rdb|appendonly\w*)\b.*\b(s3|gs|rclone|restic|cp|tar)\b|(s3|rclone|restic|gsutil|tar|cp)\b.*dump\.rdb",
            text,
            re.I | re.S,
        )
    )
