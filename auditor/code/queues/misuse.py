"""What the libraries ignore, refuse or are harmed by, as far as code alone shows it."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING

from auditor.code.evaluation.values import (
    FunctionValue,
    LibraryObject,
    Literal,
    Object,
    Template,
    is_nothing,
    options_of,
)
from auditor.code.model import Library, Misuse, OptionState, Producer, Queue, Worker
from auditor.code.sites.raw import RawProducer, RawQueue, RawWorker, Sites
from auditor.code.source.versions import Versions, major
from auditor.code.syntax.facts import Function, Module
from auditor.model import CodeSpan

if TYPE_CHECKING:
    from auditor.code.evaluation.evaluate import Evaluator


def find(
    ev: Evaluator, sites: Sites, queues: Sequence[Queue], producers: Sequence[Producer], workers: Sequence[Worker], versions: Versions,
    is_live: Callable[[Module, Function | None], bool], service_of: Callable[[str], str],
) -> tuple[Misuse, ...]:  # fmt: skip
    """All misuses of a program; each rule once per place."""
    found: dict[tuple[str, CodeSpan], Misuse] = {}
    for misuse in (
        *_of_queues(queues),
        *_of_producers(producers),
        *_spreads(ev, sites, is_live, service_of),
        *_schedulers(sites, workers, versions),
        *_libraries(queues, producers, workers),
        *_workers(workers),
        *_constructions(sites, is_live, service_of),
        *_colons(sites, versions, is_live, service_of),
    ):
        found.setdefault((misuse.rule, misuse.span), misuse)
    return tuple(found.values())


def _of_queues(queues: Sequence[Queue]) -> Iterator[Misuse]:
    for queue in queues:
        name = queue.name or ""
        if queue.library is not Library.BULL and "limiter" in queue.options:
            yield Misuse(
                "limiter_on_queue",
                queue.span,
                "BullMQ ignores a limiter on a Queue: it belongs to the Worker",
                queue.live,
                name,
                queue.service,
            )
        if queue.library is not Library.BULL and "settings" in queue.options:
            settings = queue.options["settings"].value
            if isinstance(settings, dict) and settings.keys() & {"lockDuration", "stalledInterval", "maxStalledCount"}:
                yield Misuse(
                    "settings_on_queue",
                    queue.span,
                    "BullMQ ignores Bull's settings on a Queue: they are the Worker's options",
                    queue.live,
                    name,
                    queue.service,
                )
        timeout = queue.options.get("defaultJobOptions.timeout")
        if queue.library is not Library.BULL and timeout is not None:
            yield Misuse(
                "timeout_ignored",
                timeout.origin or queue.span,
                "BullMQ ignores `timeout` in job options",
                queue.live,
                name,
                queue.service,
            )
        if queue.per_call:
            yield Misuse(
                "queue_per_call",
                queue.span,
                "a queue is built per call: each one opens connections that nobody closes",
                queue.live,
                name,
                queue.service,
            )


def _of_producers(producers: Sequence[Producer]) -> Iterator[Misuse]:
    for producer in producers:
        queue = "|".join(producer.queue)
        version = major(producer.version)
        if producer.library is Library.BULL:
            continue
        if "repeat" in producer.options and version is not None and version >= 6:
            yield Misuse(
                "repeat_removed",
                producer.span,
                "BullMQ 6 has no `repeat` on add: use upsertJobScheduler",
                producer.live,
                queue,
                producer.service,
            )
        removed = producer.options.get("removeOnComplete")
        if producer.job_id and producer.scheduler is None and removed is not None and removed.value is True:
            yield Misuse(
                "id_forgotten", producer.span, "removeOnComplete: true forgets the job id at once: a duplicate that comes later is accepted",
                producer.live, queue, producer.service,
            )  # fmt: skip


def _spreads(
    ev: Evaluator, sites: Sites, is_live: Callable[[Module, Function | None], bool], service_of: Callable[[str], str]
) -> Iterator[Misuse]:
    """`...options` where `options` is a function: nobody calls it, so nothing is spread."""
    for raw in sites.producers:
        module = raw.call.scope.module
        for node in raw.call.arguments():
            for child in node.named_children if node.type == "object" else ():
                if child.type == "spread_element" and child.named_children:
                    value = ev.eval(child.named_children[0], raw.call.scope)
                    if any(isinstance(one, FunctionValue) for one in options_of(value)):
                        line = int(child.start_point[0]) + 1
                        yield Misuse(
                            "spread_function", CodeSpan(module.path, line, line),
                            f"`...{module.text(child.named_children[0])}` spreads a function without calling it: it adds no option",
                            is_live(module, raw.call.scope.func), "", service_of(module.path),
                        )  # fmt: skip


def _schedulers(sites: Sites, workers: Sequence[Worker], versions: Versions) -> Iterator[Misuse]:
    """BullMQ 1 moves delayed and stalled jobs in a QueueScheduler alone."""
    schedulers = {text for raw in sites.queues for o in raw.objects if o.name == "QueueScheduler" for text in _texts(o)}
    del versions
    for worker in workers:
        if worker.library is Library.BULLMQ and major(worker.version) == 1 and not set(worker.queue) & schedulers:
            yield Misuse(
                "no_queue_scheduler", worker.span, "BullMQ 1 without a QueueScheduler: stalled and delayed jobs never move",
                worker.live, worker.queue[0] if worker.queue else "", worker.service,
            )  # fmt: skip


def _texts(target: LibraryObject) -> list[str]:
    return [str(o.value) for o in options_of(target.arguments[0]) if isinstance(o, Literal)] if target.arguments else []


def _libraries(queues: Sequence[Queue], producers: Sequence[Producer], workers: Sequence[Worker]) -> Iterator[Misuse]:
    """Bull and BullMQ on one queue name: their keys differ, so the jobs of one are invisible to the other."""
    by_name: dict[str, dict[Library, CodeSpan]] = {}
    for queue in queues:
        for name in (queue.name or "").split("|") if queue.live else ():
            by_name.setdefault(name, {}).setdefault(queue.library, queue.span)
    sites: list[Producer | Worker] = [*producers, *workers]
    for site in sites:
        for name in site.queue if site.live else ():
            by_name.setdefault(name, {}).setdefault(site.library, site.span)
    for name, found in by_name.items():
        if name and Library.BULL in found and (Library.BULLMQ in found or Library.BULLMQ_PRO in found):
            span = found.get(Library.BULLMQ) or found[Library.BULLMQ_PRO]
            yield Misuse(
                "two_libraries",
                span,
                f"queue {name} is used by Bull and BullMQ: neither sees the other's jobs",
                True,
                name,
            )


def _workers(workers: Sequence[Worker]) -> Iterator[Misuse]:
    for worker in workers:
        name = worker.queue[0] if worker.queue else ""
        lock, renew = worker.options.get("lockDuration"), worker.options.get("lockRenewTime")
        if renew is not None and isinstance(renew.value, int | float):
            limit = lock.value if lock is not None and isinstance(lock.value, int | float) else 30_000
            if renew.value >= limit:
                yield Misuse(
                    "lock_renew_late",
                    renew.origin or worker.span,
                    f"lockRenewTime {renew.value} is not below lockDuration {limit}: locks run out",
                    worker.live,
                    name,
                    worker.service,
                )
        for key, why in (
            ("timeout", "BullMQ's Worker has no timeout"),
            ("attempts", "attempts belong to jobs, not to the Worker"),
            ("defaultJobOptions", "defaultJobOptions belong to the Queue, not to the Worker"),
        ):
            if (
                worker.library is not Library.BULL
                and key in worker.options
                and worker.options[key].state is not OptionState.ABSENT
            ):
                yield Misuse(
                    "option_on_worker",
                    worker.options[key].origin or worker.span,
                    why,
                    worker.live,
                    name,
                    worker.service,
                )
        limiter = worker.options.get("limiter")
        if (
            limiter is not None
            and isinstance(limiter.value, dict)
            and "max" in limiter.value
            and "duration" not in limiter.value
        ):
            yield Misuse(
                "limiter_without_duration",
                limiter.origin or worker.span,
                "a limiter without duration limits nothing",
                worker.live,
                name,
                worker.service,
            )


def _constructions(
    sites: Sites, is_live: Callable[[Module, Function | None], bool], service_of: Callable[[str], str]
) -> Iterator[Misuse]:
    """Arguments beyond those that a constructor takes."""
    raws: list[RawQueue | RawWorker] = [*sites.queues, *sites.workers]
    for raw in raws:
        call = raw.call
        targets = raw.objects if isinstance(raw, RawQueue) else raw.targets
        if not call.is_new or not targets or targets[0].library == "bull" or targets[0].subclass is not None:
            continue
        most = {"Queue": 3, "Worker": 4}.get(targets[0].name, 3)
        extra = call.arguments()[most - 1 :] if targets[0].name == "Worker" else []
        if (
            any(
                isinstance(o, Object) and "limiter" in o.members
                for t in targets
                for v in t.arguments[most - 1 :]
                for o in options_of(v)
                if not is_nothing(o)
            )
            and extra
        ):
            module = call.scope.module
            yield Misuse(
                "extra_argument",
                CodeSpan(module.path, call.line, call.line),
                "a limiter in the fourth argument is ignored: it belongs to the options",
                is_live(module, call.scope.func),
                "",
                service_of(module.path),
            )


def _colons(
    sites: Sites,
    versions: Versions,
    is_live: Callable[[Module, Function | None], bool],
    service_of: Callable[[str], str],
) -> Iterator[Misuse]:
    """Names that the constructor throws on: `tenant:${id}`. BullMQ parts its keys by colons, and refuses them from 5.13 on."""
    raws: list[RawQueue | RawWorker] = [*sites.queues, *sites.workers]
    for raw in raws:
        module, targets = raw.call.scope.module, raw.objects if isinstance(raw, RawQueue) else raw.targets
        if not targets or targets[0].library == "bull" or targets[0].name not in ("Queue", "Worker", "QueueEvents"):
            continue
        named = [o for target in targets for v in target.arguments[:1] for o in options_of(v)]
        written = [part for o in named for part in (o.parts if isinstance(o, Template) else (o,))]
        colon = any(isinstance(part, Literal) and not part.env and ":" in str(part.value) for part in written)
        if colon and _refuses(versions.of("bullmq", module.path)):
            yield Misuse(
                "colon_in_name",
                CodeSpan(module.path, raw.call.line, raw.call.line),
                f"BullMQ throws on the name of this {targets[0].name}: it cannot contain a colon",
                is_live(module, raw.call.scope.func),
                "",
                service_of(module.path),
            )


def _refuses(version: str) -> bool:
    """Whether a version, or the newest that a range allows, refuses colons in names."""
    found = re.search(r"(\d+)(?:\.(\d+))?", version)
    if found is None:
        return True
    return (int(found[1]), int(found[2] or 99)) >= (5, 13) or (version.startswith(("^", ">")) and found[1] == "5")


def producers_by_span(sites: Sites) -> dict[CodeSpan, RawProducer]:
    """Raw producers by the place that the model gives them."""
    return {
        CodeSpan(raw.call.scope.module.path, raw.call.line, int(raw.call.node.end_point[0]) + 1): raw
        for raw in sites.producers
    }
