"""What a metric measures, told by the words of its name and of the label values that pick its series."""

from __future__ import annotations

import re
from collections.abc import Iterable

from auditor.code.model import Quantity

_OF_QUEUES = frozenset(
    [
        "queue",
        "queues",
        "queued",
        "bull",
        "bullmq",
        "job",
        "jobs",
        "worker",
        "workers",
        "backlog",
        "processor",
        "consumer",
    ]
)
_OF_OTHERS = re.compile(
    r"^(?:prometheus|alertmanager|rabbitmq|kafka|nats|sqs|aws_sqs|node_(?!app)|go_|pg_|pgbouncer|mysql|mongodb|nginx|traefik|envoy|istio|"
    r"kube|container|cadvisor|coredns|etcd|loki|tempo|otelcol|http|nodejs|process_)"
)
_OF_JOBS = _OF_QUEUES - {"worker", "workers"}
_DEPTH = frozenset(
    ["depth", "size", "length", "waiting", "wait", "pending", "backlog", "queued", "lag", "prioritized", "paused"]
)
_STATES: dict[str, Quantity] = {
    "waiting": Quantity.DEPTH,
    "wait": Quantity.DEPTH,
    "prioritized": Quantity.DEPTH,
    "pending": Quantity.DEPTH,
    "queued": Quantity.DEPTH,
    "paused": Quantity.DEPTH,
    "active": Quantity.ACTIVE,
    "running": Quantity.ACTIVE,
    "processing": Quantity.ACTIVE,
    "failed": Quantity.FAILED,
    "failure": Quantity.FAILED,
    "error": Quantity.FAILED,
    "stalled": Quantity.STALLED,
    "delayed": Quantity.OTHER,
    "completed": Quantity.OTHER,
    "success": Quantity.OTHER,
}
_FAILED = frozenset(["failed", "failure", "failures", "fail", "errors", "error", "errored"])
_DURATION = frozenset(["duration", "seconds", "latency", "time", "milliseconds", "ms", "elapsed"])
_ALIVE = frozenset(
    [
        "count",
        "active",
        "up",
        "health",
        "healthy",
        "running",
        "alive",
        "available",
        "heartbeat",
        "total",
        "ready",
        "connected",
        "number",
        "online",
        "status",
    ]
)
_SUCCEEDED = frozenset(["completed", "succeeded", "success", "successful"])
_STALLED = frozenset(["stalled", "stall", "stalls"])
_SIZE_OF_MEMORY = frozenset(["memory", "mem"])


def words_of(name: str) -> tuple[str, ...]:
    """The words of a metric's name: `bullmq.queueDepth` → bullmq, queue, depth."""
    spaced = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name)
    return tuple(word for word in re.split(r"[^a-z0-9]+", spaced.lower()) if word)


def of_name(name: str, values: Iterable[str] = ()) -> Quantity:
    """The quantity; `values` are those of labels by which its series are picked (state, status, queue)."""
    words = words_of(name)
    have = frozenset(words)
    picked = tuple(value.lower() for value in values)
    if _is_dead_letter(name, picked):
        return Quantity.DEAD_LETTER
    if {"redis", "valkey"} & have and _SIZE_OF_MEMORY & have:
        return Quantity.REDIS_MEMORY
    if _OF_OTHERS.match(name.lower()) or not _OF_QUEUES & have:
        return Quantity.OTHER
    return _picked(have, picked) or _counted(words, have)


def _picked(have: frozenset[str], values: tuple[str, ...]) -> Quantity | None:
    """By the state that a label picks, where the name leaves it open."""
    if have & (_FAILED | _DURATION | _STALLED | _SUCCEEDED):
        return None
    states = {_STATES[word] for value in values for word in re.split(r"[^a-z]+", value) if word in _STATES}
    return min(states, key=list(Quantity).index, default=None)


def _counted(words: tuple[str, ...], have: frozenset[str]) -> Quantity:
    holds: tuple[tuple[object, Quantity], ...] = (
        (have & _STALLED, Quantity.STALLED),
        (have & _DURATION and have & _OF_JOBS and not have & (_DEPTH - {"waiting", "wait"}), Quantity.DURATION),
        (have & _FAILED, Quantity.FAILED),
        (have & _DEPTH and have & _OF_JOBS, Quantity.DEPTH),
        (_counts_workers(words), Quantity.WORKERS),
        (have & {"active", "running", "processing"}, Quantity.ACTIVE),
    )
    return next((quantity for held, quantity in holds if held), Quantity.OTHER)


def _counts_workers(words: tuple[str, ...]) -> bool:
    """`active_workers`, `worker_up`, but not `mail_worker_sent_total`, whose first words are a prefix."""
    for at, word in enumerate(words):
        if word in ("worker", "workers"):
            beside = words[at - 1 : at] + words[at + 1 : at + 2]
            if at == len(words) - 1 or (_ALIVE & set(beside) and at + 2 >= len(words) - 1):
                return True
    return False


def succeeded(name: str, values: Iterable[str] = ()) -> bool:
    """Whether it counts successes of jobs, so that a low ratio of it means failures."""
    have = frozenset(words_of(name))
    states = {word for value in values for word in re.split(r"[^a-z]+", value.lower())}
    return bool(have & _OF_QUEUES) and bool((have | states) & _SUCCEEDED)


def _is_dead_letter(name: str, values: tuple[str, ...]) -> bool:
    texts = (" ".join(words_of(name)), *(" ".join(words_of(value)) for value in values))
    return any(re.search(r"\bdlq\b|\bdead ?letters?\b|\bdeadletters?\b", text) for text in texts)
