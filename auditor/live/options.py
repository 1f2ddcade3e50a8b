"""A job's stored `opts` → JobOptions: long and short forms of every version, Bull's and BullMQ's."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from typing import TypeAlias

from .jobs_model import Backoff, JobOptions, Retention

Raw: TypeAlias = Mapping[str, object]

_KNOWN = frozenset(
    # what some version of Bull or BullMQ stores or reads, short forms included
    (
        *(
            "attempts",
            "backoff",
            "delay",
            "priority",
            "lifo",
            "jobId",
            "removeOnComplete",
            "removeOnFail",
            "timeout",
            "repeat",
        ),
        *(
            "prevMillis",
            "repeatJobKey",
            "parent",
            "stackTraceLimit",
            "sizeLimit",
            "timestamp",
            "rate",
            "limiter",
            "group",
        ),
        *("debounce", "deduplication", "telemetry", "keepLogs", "failParentOnFailure", "removeDependencyOnFailure"),
        *("ignoreDependencyOnFailure", "continueParentOnFailure", "preventParsingData", "preserveOrder", "parentKey"),
        *("jobName", "fpof", "kl", "rdof", "idof", "cpof", "de", "tm", "omc", "waitChildrenKey", "queue", "ttl"),
    )
)


def decode(text: str | None) -> Raw | None:
    """The JSON object in `opts`; an absent field is an empty one, None is no JSON object."""
    if text is None:
        return {}
    try:
        value = json.loads(text)
    except (ValueError, RecursionError):
        return None
    return value if isinstance(value, dict) else None


def options(raw: Raw) -> JobOptions:
    """Read the options that items are judged by; values of a wrong type count as absent."""
    dedup = raw.get("de") or raw.get("deduplication") or raw.get("debounce")
    job_id = raw.get("jobId")
    return JobOptions(
        attempts=_number(raw.get("attempts")),
        backoff=_backoff(raw.get("backoff")),
        priority=_number(raw.get("priority")),
        delay_ms=_number(raw.get("delay")),
        timeout_ms=_number(raw.get("timeout")),
        remove_on_complete=_retention(raw.get("removeOnComplete")),
        remove_on_fail=_retention(raw.get("removeOnFail")),
        # a repeatable's jobs carry an id that the library made
        job_id=None if job_id is None or str(job_id).startswith("repeat:") else str(job_id),
        deduplication_id=str(dedup["id"]) if isinstance(dedup, dict) and dedup.get("id") else None,
        lifo=raw.get("lifo") is True,
        size_limit=_number(raw.get("sizeLimit")),
        repeat=isinstance(raw.get("repeat"), dict),
        unknown=tuple(sorted(set(raw) - _KNOWN)),
    )


def _backoff(value: object) -> Backoff | None:
    match value:
        case bool() | None:
            return None
        case int() | float():
            return Backoff("fixed", float(value))
        case dict():
            return Backoff(str(value.get("type", "fixed")), _number(value.get("delay")), _number(value.get("jitter")))
        case str():
            return Backoff(value, None)
    return None


def _retention(value: object) -> Retention | None:
    match value:
        case True:
            return Retention(count=0)
        case False:
            return Retention(keep_all=True)
        case int() | float():
            return Retention(keep_all=value < 0, count=None if value < 0 else int(value))
        case dict():
            count, age = _number(value.get("count")), _number(value.get("age"))
            unbounded = (count is None or count < 0) and age is None
            return Retention(unbounded, None if count is None or count < 0 else int(count), age)
    return None


def _number(value: object) -> float | None:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    try:
        number = float(value)
    except OverflowError:
        return None
    return None if math.isnan(number) else number
