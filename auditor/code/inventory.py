"""The inventory: everything the code model knows of queues, as JSON (`tt-audit.inventory/1`) or for a terminal."""

from __future__ import annotations

from auditor.code.model import CodeModel, Option, OptionState, Producer, Queue, Worker, is_setting
from auditor.model import CodeSpan
from auditor.reporting import RenderOptions

SCHEMA = "tt-audit.inventory/1"


def inventory(model: CodeModel) -> dict[str, object]:
    """The JSON contract of `tt-audit inventory --format json`."""
    return {
        "schema": SCHEMA,
        "queues": [_queue(queue) for queue in model.queues],
        "producers": [_producer(producer) for producer in model.producers],
        "workers": [_worker(worker) for worker in model.workers],
        "live": [],
    }


def _place(span: CodeSpan | None) -> str | None:
    return span.label() if span is not None else None


def _option(option: Option) -> dict[str, object]:
    shown: dict[str, object] = {"state": option.state.value}
    if option.state is OptionState.KNOWN:
        shown["value"] = option.value
    if option.state is OptionState.VARIES:
        shown["values"] = list(option.values)
    if option.origin is not None:
        shown["from"] = option.origin.label()
    if option.why:
        shown["why"] = option.why
    if option.via:
        shown["via"] = [span.label() for span in option.via]
    return shown


def _options(options: object) -> dict[str, object]:
    assert isinstance(options, dict)
    return {name: _option(option) for name, option in options.items() if option.state is not OptionState.ABSENT}


def _names(names: tuple[str, ...]) -> object:
    return None if not names or any(map(is_setting, names)) else names[0] if len(names) == 1 else list(names)


def _queue(queue: Queue) -> dict[str, object]:
    return {
        "name": _names((queue.name,) if queue.name else ()),
        "library": queue.library.value,
        "version": queue.version,
        "path": queue.span.path,
        "line": queue.span.start,
        "live": queue.live,
        "service": queue.service,
        "options": _options(dict(queue.options)),
    }


def _producer(producer: Producer) -> dict[str, object]:
    return {
        "path": producer.span.path,
        "line": producer.span.start,
        "method": producer.method,
        "library": producer.library.value,
        "version": producer.version,
        "queue": _names(producer.queue),
        "job": producer.job,
        "kind": producer.kind.value,
        "live": producer.live,
        "service": producer.service,
        "scheduler": _option(producer.scheduler) if producer.scheduler is not None else None,
        "repeats": producer.repeats,
        "options": _options(dict(producer.options)),
        "via": [span.label() for span in producer.via],
    }


def _worker(worker: Worker) -> dict[str, object]:
    return {
        "path": worker.span.path,
        "line": worker.span.start,
        "library": worker.library.value,
        "version": worker.version,
        "queue": _names(worker.queue),
        "jobs": list(worker.jobs),
        "options": _options(dict(worker.options)),
        "sandboxed": worker.sandboxed,
        "handler": _place(worker.handler),
        "listeners": sorted(
            {heard.event for heard in worker.listeners if heard.event and (heard.live or not worker.live)}
        ),
        "closed_on": list(worker.closed_on),
        "kind": worker.kind.value,
        "live": worker.live,
        "service": worker.service,
        "reaches": [
            {"role": role, "path": path, "line": line}
            for role, path, line in dict.fromkeys((e.role.value, e.span.path, e.span.start) for e in worker.effects)
        ],
    }


def render_inventory(model: CodeModel, options: RenderOptions) -> str:
    """The inventory for people: `tt-audit inventory`."""
    from auditor.code.inventory_text import render

    return render(model, options)
