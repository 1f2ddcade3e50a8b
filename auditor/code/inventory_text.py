"""The inventory for a terminal: queue by queue, who fills it, who consumes it, and what the handler touches."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence

from auditor.code.model import CodeModel, Effect, Json, Option, OptionState, Producer, Queue, Role, Worker
from auditor.code.text_page import Page
from auditor.reporting import RenderOptions

_JOB = (
    "attempts",
    "backoff",
    "removeOnComplete",
    "removeOnFail",
    "jobId",
    "priority",
    "delay",
    "timeout",
    "deduplication",
    "repeat",
)
_WORKER = (
    "concurrency",
    "lockDuration",
    "stalledInterval",
    "maxStalledCount",
    "limiter",
    "removeOnComplete",
    "removeOnFail",
)
_QUIET = frozenset((Role.LOG, Role.METRIC, Role.CLIENT))
_SHOWN_EFFECTS = 8


def render(model: CodeModel, options: RenderOptions) -> str:
    """The inventory as text of `options.width` columns."""
    page = Page(options)
    _head(page, model)
    names = _queue_names(model)
    for name in names:
        _queue(page, name, model)
    _unknown(page, model)
    _foot(page, model)
    return page.text()


def _count(number: int, word: str) -> str:
    return f"{number} {word}{'' if number == 1 else 's'}"


def _head(page: Page, model: CodeModel) -> None:
    files = sum(tree.files_read for tree in model.trees)
    skipped = sum(len(tree.files_skipped) for tree in model.trees)
    counts = page.dot.join(
        (
            _count(len(model.queues), "queue"),
            _count(len(model.producers), "producer"),
            _count(len(model.workers), "worker"),
        )
    )
    page.title(
        (counts, "bold"), (f"   in {_count(files, 'file')}" + (f", {skipped} not read" if skipped else ""), "dim")
    )
    if not model.empty and not model.entry_points_known:
        page.title(
            ("No start script, Dockerfile or deployment names an entry point: everything is taken to run.", "yellow")
        )
    if model.ended_early:
        page.title(
            ("The time was over before everything was followed: what is unknown may be so for that alone.", "yellow")
        )


def _queue_names(model: CodeModel) -> list[str]:
    found: dict[str, None] = {}
    for queue in model.queues:
        found.update(dict.fromkeys((queue.name or "").split("|")))
    sites: list[Producer | Worker] = [*model.producers, *model.workers]
    for site in sites:
        found.update(dict.fromkeys(site.queue))
    found.pop("", None)
    return sorted(found)


def _queue(page: Page, name: str, model: CodeModel) -> None:
    objects = [queue for queue in model.queues if name in (queue.name or "").split("|")]
    producers = [producer for producer in model.producers if name in producer.queue]
    workers = [worker for worker in model.workers if name in worker.queue]
    sites = [*objects, *producers, *workers]
    libraries = page.dot.join(dict.fromkeys(f"{site.library} {site.version}".strip() for site in sites))
    users: list[Producer | Worker] = [*workers, *producers]
    kinds = [kind for kind in dict.fromkeys(site.kind.value for site in users) if kind != "other"]
    page.blank()
    page.title((name, "bold cyan"), (f"   {libraries}", "dim"), (f"   {', '.join(kinds)}" if kinds else "", "magenta"))
    for queue in objects:
        page.line(2, "queue", *_placed(queue), *_defaults(page, queue))
    for producer in producers:
        _producer(page, producer)
    for worker in workers:
        _worker(page, worker)
    if not any(producer.live for producer in producers):
        page.line(2, "filled", ("by nobody that runs", "yellow"))
    if not any(worker.live for worker in workers):
        page.line(2, "consumed", ("by nobody that runs", "yellow"))


def _placed(site: Queue | Producer | Worker) -> list[tuple[str, str]]:
    parts = [(site.span.label(), "" if site.live else "strike dim")]
    if not site.live:
        parts.append(("  never reached", "red"))
    if site.service:
        parts.append((f"  [{site.service}]", "dim"))
    return parts


def _producer(page: Page, producer: Producer) -> None:
    job = f" {producer.job!r}" if producer.job and producer.job != "__default__" else ""
    parts = [*_placed(producer), (f"  {producer.method}{job}", "bold")]
    if producer.scheduler is not None:
        parts.append((f"  schedule {_value(producer.scheduler)}", ""))
    if producer.dead_letter:
        parts.append(("  dead letter", "magenta"))
    page.line(2, "filled", *parts)
    _options(page, producer.options, _JOB, producer.span.path)
    if producer.via:
        page.line(
            4,
            "via",
            (", ".join(span.label() for span in producer.via[:4]) + (" …" if len(producer.via) > 4 else ""), "dim"),
        )


def _worker(page: Page, worker: Worker) -> None:
    handler = f"  {worker.handler_name or 'handler'}" + (
        f" {worker.handler.label()}" if worker.handler is not None else ""
    )
    parts = [*_placed(worker), (handler, "bold")]
    if worker.sandboxed:
        parts.append(("  sandboxed", "magenta"))
    if worker.jobs:
        parts.append((f"  jobs {', '.join(worker.jobs)}", ""))
    page.line(2, "consumed", *parts)
    _options(page, worker.options, _WORKER, worker.span.path)
    heard = sorted(
        {listener.event for listener in worker.listeners if listener.event and (listener.live or not worker.live)}
    )
    closed = ", ".join(worker.closed_on) or "no signal"
    page.line(4, "listens", (", ".join(heard) if heard else "to nothing", "" if "error" in heard else "yellow"))
    page.line(4, "closes on", (closed, "" if {"SIGTERM", "SIGINT"} <= set(worker.closed_on) else "yellow"))
    _reach(page, worker.effects)


def _reach(page: Page, effects: Sequence[Effect]) -> None:
    counted: dict[tuple[str, str], list[Effect]] = {}
    for effect in effects:
        if effect.role not in _QUIET:
            counted.setdefault((effect.role.value, effect.call), []).append(effect)
    for index, ((role, call), found) in enumerate(counted.items()):
        if index == _SHOWN_EFFECTS:
            page.line(4, "", (f"… and {len(counted) - index} more", "dim"))
            break
        times = f" ×{len(found)}" if len(found) > 1 else ""
        page.line(
            4,
            "reaches" if index == 0 else "",
            (f"{role}  ", "green"),
            (f"{call}{times}", ""),
            (f"  {found[0].span.label()}", "dim"),
        )


def _options(page: Page, options: Mapping[str, Option], order: Iterable[str], here: str) -> None:
    parts: list[tuple[str, str]] = []
    names = [name for name in order if name in options]
    names += [
        name
        for name in options
        if name not in names and name not in ("connection", "prefix", "telemetry", "metrics", "skipVersionCheck")
    ]
    for name in names:
        option = options[name]
        if option.state is OptionState.ABSENT:
            continue
        if parts:
            parts.append((page.dot, "dim"))
        parts.append((f"{name} ", ""))
        parts.append(
            (_value(option), {OptionState.UNKNOWN: "yellow", OptionState.VARIES: "magenta"}.get(option.state, "bold"))
        )
        if option.origin is not None and option.origin.path != here:
            parts.append((f" {page.arrow} {option.origin.label()}", "dim"))
    page.line(4, "options", *(parts or [("none", "dim")]))


def _defaults(page: Page, queue: Queue) -> list[tuple[str, str]]:
    given = {
        name.removeprefix("defaultJobOptions."): option
        for name, option in queue.options.items()
        if name.startswith("defaultJobOptions.")
    }
    if not given:
        return []
    return [("  defaults ", "dim"), (page.dot.join(f"{name} {_value(option)}" for name, option in given.items()), "")]


def _value(option: Option) -> str:
    match option.state:
        case OptionState.KNOWN:
            return short(option.value)
        case OptionState.VARIES:
            return "varies: " + " | ".join("absent" if value is None else short(value) for value in option.values[:4])
        case OptionState.UNKNOWN:
            return f"unknown ({option.why})" if option.why else "unknown"
    return "absent"


def short(value: Json) -> str:
    """A value in a few characters."""
    if isinstance(value, Mapping):
        if "deterministic" in value:
            parts = value.get("parts")
            made = "+".join(str(part) for part in parts) if isinstance(parts, tuple | list) else ""
            return f"{'deterministic' if value['deterministic'] else 'random'} ({made})"
        return " ".join(
            f"{key} {short(inner)}" if key not in ("type",) else short(inner) for key, inner in value.items()
        )
    if isinstance(value, tuple | list):
        return "[" + ", ".join(short(inner) for inner in value[:6]) + (", …]" if len(value) > 6 else "]")
    text = value if isinstance(value, str) else json.dumps(value)
    return text if len(text) <= 60 else text[:57] + "..."


def _unknown(page: Page, model: CodeModel) -> None:
    producers = [producer for producer in model.producers if not producer.queue]
    workers = [worker for worker in model.workers if not worker.queue]
    objects = [queue for queue in model.queues if queue.name is None]
    if not (producers or workers or objects):
        return
    page.blank()
    page.title(("Queues whose name could not be resolved", "bold yellow"))
    for queue in objects:
        page.line(2, "queue", *_placed(queue), *_defaults(page, queue))
    for producer in producers:
        _producer(page, producer)
    for worker in workers:
        _worker(page, worker)


def _foot(page: Page, model: CodeModel) -> None:
    if model.empty:
        page.title(
            ("No Bull or BullMQ queue, producer or worker: no file imports one of the libraries and uses it.", "")
        )
    why: dict[str, int] = {}
    for tree in model.trees:
        for skipped in tree.files_skipped:
            why[skipped.why] = why.get(skipped.why, 0) + 1
    if why:
        page.blank()
        page.title(
            ("Not read: " + page.dot.join(f"{number} {reason}" for reason, number in sorted(why.items())), "dim")
        )
