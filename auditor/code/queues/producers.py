"""Raw enqueues to the model's producers: names, effective options, job ids, flow children."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

from auditor.code.evaluation.values import UNDEFINED, Object, Unknown, Value, is_nothing
from auditor.code.model import FlowChild, Option, OptionState, Producer
from auditor.code.queues.placing import Placing
from auditor.code.reach import chains
from auditor.code.sites.effective import OPEN_KEYS, job_options, unknown_names
from auditor.code.sites.nest import Nest
from auditor.code.sites.options import determinism, id_option, names, option, shapes
from auditor.code.sites.raw import RawProducer, Variant
from auditor.code.source.isolation import Gaps
from auditor.code.syntax.facts import Call
from auditor.model import CodeSpan

if TYPE_CHECKING:
    from auditor.code.evaluation.evaluate import Evaluator

_MOST_CASES = 40


class Producers:
    """Builds the model's producers; `defaulted` are the options for which some queue has a default."""

    def __init__(self, ev: Evaluator, nest: Nest, placing: Placing, defaulted: frozenset[str], gaps: Gaps) -> None:
        self.ev = ev
        self.nest = nest
        self.placing = placing
        self.defaulted = defaulted
        self.gaps = gaps

    def all(self, raws: list[RawProducer]) -> list[Producer]:
        """Calls that enqueue."""
        found: list[Producer] = []
        for raw in raws:
            path = raw.call.scope.module.path
            found += self.gaps.take("an enqueue", ("producers",), partial(self._producer, raw), [], path)
        return found

    def _options(self, variants: list[Variant], path: str) -> dict[str, Option]:
        try:
            return job_options(self.ev, self.nest, variants, self.defaulted)
        except Exception as error:
            why = self.gaps.note("the options of an enqueue", (), error, path)
            return dict.fromkeys(OPEN_KEYS, Option(OptionState.UNKNOWN, why=f"following it broke: {why}"))

    def _producer(self, raw: RawProducer) -> list[Producer]:
        whole = self._of(raw, raw.variants)
        groups = cases(raw.variants)
        return [replace(whole, cases=tuple(self._of(raw, variants) for variants in groups))]

    def _of(self, raw: RawProducer, variants: list[Variant]) -> Producer:
        ev = self.ev
        job_ids = [_job_id(ev, variant) for variant in variants]
        verdict, parts = determinism([value for value in job_ids if not is_nothing(value)])
        repeats = (
            any(not is_nothing(variant.repeat) and not isinstance(variant.repeat, Unknown) for variant in variants)
            or raw.call.name == "upsertJobScheduler"
        )
        schedulers = [variant.scheduler for variant in variants if variant.scheduler is not None]
        path = raw.call.scope.module.path
        return Producer(
            **self.placing.of_call(raw.call, variants[0].target.library if variants else "bullmq"),
            method=raw.call.name,
            queue=queue_names([variant.queue for variant in variants]),
            queue_shapes=shapes(variant.queue for variant in variants),
            job=_one_name([variant.job for variant in variants]),
            options=self._options(variants, path),
            job_id=verdict,
            scheduler=_id_or_name(schedulers) if schedulers else None,
            repeats=repeats,
            via=_via(variants),
            data=option([variant.data for variant in variants]),
            awaited=_is_awaited(raw.call),
            children=tuple(
                child for variant in variants[:1] for inner in variant.children for child in self._children(inner)
            ),
            unknown_options=tuple(
                (name, CodeSpan(*where, where[1])) for name, where in unknown_names(variants).items()
            ),
            job_id_parts=parts,
        )

    def _children(self, variant: Variant) -> list[FlowChild]:
        where = variant.where or ("", 0)
        own = FlowChild(
            CodeSpan(where[0], where[1], where[1]),
            names(variant.queue),
            _one_name([variant.job]),
            self._options([variant], where[0]),
            determinism([_job_id(self.ev, variant)])[0],
        )
        return [own, *(child for inner in variant.children for child in self._children(inner))]


def cases(variants: list[Variant]) -> list[list[Variant]]:
    """Variants by the queue and job that they enqueue; none where there is but one, or one that is not known."""
    groups: dict[tuple[tuple[str, ...], tuple[str, ...]], list[Variant]] = {}
    for variant in variants:
        queue = names(variant.queue)
        if not queue or variant.children:
            return []
        groups.setdefault((queue, names(variant.job)), []).append(variant)
    return list(groups.values()) if 1 < len(groups) <= _MOST_CASES else []


def queue_names(values: list[Value]) -> tuple[str, ...]:
    """The names that values may be; none as soon as one of them is not known."""
    found: dict[str, None] = {}
    for value in values:
        own = names(value)
        if not own:
            return ()
        found.update(dict.fromkeys(own))
    return tuple(found)


def _one_name(values: list[Value]) -> str | None:
    return "|".join(queue_names(values)) or None


def _job_id(ev: Evaluator, variant: Variant) -> Value:
    """The job id, else the deduplication id, of a variant."""
    for layer in reversed(variant.options):
        if is_nothing(layer):
            continue
        own = ev.member(layer, "jobId")
        if not is_nothing(own) and not (isinstance(own, Unknown) and own.why == getattr(layer, "open", None)):
            return own
        for key in ("deduplication", "debounce"):
            inner = ev.member(layer, key)
            if not is_nothing(inner) and isinstance(inner, Object):
                return ev.member(inner, "id")
    return UNDEFINED


def _id_or_name(values: list[Value]) -> Option:
    """A scheduler's own id: its text where it is constant."""
    shown = option(values)
    return shown if shown.state is OptionState.KNOWN else id_option(values)


def _via(variants: list[Variant]) -> tuple[CodeSpan, ...]:
    found: dict[CodeSpan, None] = {}
    for variant in variants:
        frame = variant.frame
        while frame is not None:
            if frame.call is not None:
                found[CodeSpan(frame.call[0], frame.call[1], frame.call[1])] = None
            frame = frame.parent
    return tuple(found)


def _is_awaited(call: Call) -> bool:
    """Whether somebody waits for a call: `await`, `return`, `.then`, or a list that is awaited."""
    if chains.waits(call.node):
        return True
    parent = call.node.parent
    while parent is not None:
        match parent.type:
            case (
                "await_expression"
                | "return_statement"
                | "arrow_function"
                | "array"
                | "arguments"
                | "variable_declarator"
                | "yield_expression"
            ):
                return True
            case "expression_statement" | "statement_block" | "program":
                return False
        parent = parent.parent
    return False
