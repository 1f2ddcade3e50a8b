"""Whether one alert is about a quantity, in its direction, and can fire at all."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, field

from auditor.code.metrics.quantity import succeeded
from auditor.code.model import CodeModel, Quantity
from auditor.model import Confidence, FilePlace, Place, Severity, Status
from auditor.prom.model import Condition, ExporterKind, Observability, Recording, Rule, RuleKind, Selector

from ._series import FROM_QUEUE_EXPORTER, Publication, State, of_code, publication, quantity_of

HOUR = 3600.0
LONGEST_HOLD = {Quantity.DEAD_LETTER: 24 * HOUR}
"""A `for` beyond this means that nobody hears of it in time; one hour where not said otherwise."""
_RATES = frozenset(["rate", "irate", "increase", "delta", "idelta", "changes", "deriv"])
_WINDOWS = frozenset(["avg_over_time", "min_over_time", "quantile_over_time", "sum_over_time"])
_WORKER_WORDS = re.compile(r"worker|consumer|processor", re.IGNORECASE)
_AGE = re.compile(r"(?:queue|job|bull).*(?:oldest|_age(?:_|$)|latency|wait_time|waiting_time)|oldest.*(?:queue|job)")
_REPLICAS = re.compile(r"^kube_(?:deployment|statefulset|replicaset|pod)_|^container_last_seen$")


@dataclass(frozen=True, slots=True)
class Judgement:
    """What becomes of an alert that is about the quantity."""

    rule: Rule
    condition: Condition
    status: Status
    message: str
    confidence: Confidence = Confidence.LIKELY
    severity: Severity | None = None
    related: tuple[Place, ...] = ()
    notes: tuple[str, ...] = field(default=())


@dataclass(frozen=True, slots=True)
class _Asked:
    rule: Rule
    quantity: Quantity
    code: CodeModel | None
    prom: Observability


def judge(rule: Rule, quantity: Quantity, code: CodeModel | None, prom: Observability) -> Judgement | None:
    """The best of the rule's alternatives that are about the quantity; None where none is."""
    found = [
        _judged(_Asked(rule, quantity, code, prom), alternative, condition)
        for alternative in rule.query.alternatives
        for condition in alternative
        if is_about(condition, quantity, code)
    ]
    order = (Status.PASS, Status.UNVERIFIED, Status.FAIL)
    return min(found, key=lambda judgement: order.index(judgement.status), default=None)


def is_about(condition: Condition, quantity: Quantity, code: CodeModel | None) -> bool:
    """Whether the condition watches the quantity in the direction that hurts."""
    above = [s for s in condition.selectors if not s.divisor]
    op = condition.comparison.op if condition.comparison else ""
    if quantity is Quantity.WORKERS:
        few = op in ("<", "<=") or (
            op == "==" and condition.comparison is not None and condition.comparison.threshold == 0
        )
        return (few or condition.absent) and any(_of_workers(s, code) for s in above)
    if condition.absent:
        return False
    if quantity is Quantity.FAILED and op in ("<", "<=") and condition.ratio:
        return any(succeeded(s.metric, [m.value for m in s.matchers]) for s in above)
    rises = op in (">", ">=", "!=") or not op
    if quantity is Quantity.DEPTH and rises and any(_AGE.search(s.metric) for s in above):
        return True  # how long the oldest job waits says as much as how many wait
    return rises and any(quantity_of(s, code) is quantity for s in above)


def _of_workers(selector: Selector, code: CodeModel | None) -> bool:
    if selector.metric == "up" or _REPLICAS.match(selector.metric):
        return any(_WORKER_WORDS.search(m.value) for m in selector.matchers if m.op in ("=", "=~"))
    return quantity_of(selector, code) is Quantity.WORKERS


def _judged(asked: _Asked, alternative: tuple[Condition, ...], condition: Condition) -> Judgement:
    rule, quantity, code, prom = asked.rule, asked.quantity, asked.code, asked.prom
    wrong = (
        unloaded(rule)
        or _refused(rule, prom)
        or never_right(rule, condition, quantity)
        or _running_total(condition, asked)
    )
    if wrong:
        return Judgement(rule, condition, Status.FAIL, f"{rule.name}: {wrong}")
    needed = [s for c in alternative if not (c.absent or c.defaulted) for s in c.all_selectors]
    watched = [s for s in condition.selectors if condition.absent]
    published = [_open_elsewhere(rule, publication(s, code, prom), s, code) for s in (*needed, *watched)]
    lacking = next((p for p in published if p.state is State.NO), None)
    if lacking:
        return Judgement(
            rule, condition, Status.FAIL, _cannot(rule, condition, lacking), lacking.confidence, related=lacking.places
        )
    unknown = next((p for p in published if p.state is State.UNKNOWN), None)
    if unknown:
        return Judgement(rule, condition, Status.UNVERIFIED, f"{rule.name}: {unknown.why}")
    late = _hold(rule, condition, quantity)
    if late:
        return Judgement(rule, condition, Status.FAIL, f"{rule.name}: {late[0]}", severity=late[1])
    sure = max((p.confidence for p in published), key=list(Confidence).index, default=Confidence.LIKELY)
    told = "; ".join(dict.fromkeys(p.why for p in published)) or "it needs no series"
    places = tuple(dict.fromkeys(place for p in published for place in p.places))
    return Judgement(
        rule, condition, Status.PASS, told, sure, related=places, notes=tuple(_notes(rule, condition, quantity))
    )


def _open_elsewhere(rule: Rule, found: Publication, selector: Selector, code: CodeModel | None) -> Publication:
    """A cloud's or Datadog's series may come from an agent or integration that no file shows."""
    if (
        found.state is not State.NO
        or rule.kind not in (RuleKind.DATADOG, RuleKind.CLOUDWATCH)
        or of_code(code, selector)
    ):
        return found
    return Publication(
        State.UNKNOWN, f"no code publishes {selector.metric}; whether an agent or integration does could not be told"
    )


def _cannot(rule: Rule, condition: Condition, lacking: Publication) -> str:
    if condition.absent:
        return f"{rule.name} fires for ever and says nothing: {lacking.why}"
    return f"{rule.name} can never fire: {lacking.why}"


def _refused(rule: Rule, prom: Observability) -> str:
    """A file with one expression that is no PromQL is refused whole; empty where the live Prometheus has the rule."""
    if rule.live is not None or rule.kind is not RuleKind.PROMETHEUS or not isinstance(rule.place, FilePlace):
        return ""
    others: list[Rule | Recording] = [*prom.rules, *prom.recordings]
    for other in others:
        same = isinstance(other.place, FilePlace) and other.place.path == rule.place.path
        if same and other.query.problem.startswith("not PromQL"):
            return f"Prometheus refuses its file, since {other.name} ({other.place.label()}) is {other.query.problem}"
    return ""


def unloaded(rule: Rule) -> str:
    """Why the rule is not evaluated at all; empty where it is, or where nothing tells."""
    if rule.live is not None and not rule.live.healthy:
        return f"the live Prometheus cannot evaluate it: {rule.live.error or 'its health is not ok'}"
    if rule.loaded is not False:
        return ""
    if rule.kind in (RuleKind.PROMETHEUS, RuleKind.KUBERNETES) and rule.loaded_by is not None:
        return "the live Prometheus has not loaded it"
    return "it is written in a file that no Prometheus loads"


def never_right(rule: Rule, condition: Condition, quantity: Quantity) -> str:
    """A slip in the expression that keeps it from telling anything; empty where there is none."""
    functions = _functions(condition)
    compared = condition.comparison
    windows = [s.range_s for s in condition.selectors if s.range_s]
    single = quantity in (Quantity.STALLED, Quantity.DEAD_LETTER) and functions & {
        "increase",
        "rate",
        "irate",
        "changes",
    }
    none = compared is not None and compared.op in ("==", "<", "<=") and (compared.threshold or 0) <= 1
    slips: tuple[tuple[object, str], ...] = (
        (condition.boolean, "compared with `bool` it yields 0 or 1, and fires for both"),
        (compared is None and not condition.absent, "it compares with nothing, and fires as long as the series exists"),
        (condition.by_itself, "each series is divided by itself, so that the ratio is always 1"),
        (
            none and "count" in functions and not condition.defaulted,
            "count() of nothing is no series, not 0: it never fires (add `or vector(0)`, or use absent())",
        ),
        (
            single and windows and rule.hold_s and rule.hold_s >= max(windows),
            f"its `for` ({rule.hold_s or 0:g} s) is no shorter than its window: a single event never fires it",
        ),
    )
    return next((why for holds, why in slips if holds), "")


def _running_total(condition: Condition, asked: _Asked) -> str:
    """A counter compared as it stands; exporters also call gauges `_total`, so code's own word on the kind wins."""
    if asked.quantity is not Quantity.FAILED or condition.ratio or _functions(condition) & _RATES:
        return ""
    exported = any(e.kind in (ExporterKind.BULLMQ, ExporterKind.BULL_MONITOR) for e in asked.prom.exporters)
    for selector in condition.selectors:
        kinds = {m.kind for m in of_code(asked.code, selector)}
        gauge = exported and FROM_QUEUE_EXPORTER.match(selector.metric)
        if "counter" in kinds or (not kinds and selector.metric.endswith("_total") and not gauge):
            return "it compares a counter's running total, not a rate: once above, it fires until the process restarts"
    return ""


def _functions(condition: Condition) -> frozenset[str]:
    return frozenset(name for s in condition.selectors for name in s.functions)


def _hold(rule: Rule, condition: Condition, quantity: Quantity) -> tuple[str, Severity | None] | None:
    longest = LONGEST_HOLD.get(quantity, HOUR)
    if rule.hold_s is not None and rule.hold_s > longest:
        return f"it waits {rule.hold_s / 60:g} minutes before it fires: too late to act", None
    functions = _functions(condition)
    smoothed = functions & (_WINDOWS | _RATES) or rule.kind in (RuleKind.DATADOG, RuleKind.CLOUDWATCH)
    if quantity is Quantity.DEPTH and not rule.hold_s and not smoothed:
        return "without a `for` it fires at each burst, and soon nobody listens", Severity.LOW
    return None


def _notes(rule: Rule, condition: Condition, quantity: Quantity) -> Iterable[str]:
    threshold = condition.comparison.threshold if condition.comparison else None
    functions = _functions(condition)
    if quantity in (Quantity.STALLED, Quantity.DEAD_LETTER) and threshold is not None and threshold > 0:
        yield f"{rule.name}: fires above {threshold:g}, but each one matters"
    if quantity is Quantity.STALLED and not functions & _RATES:
        yield f"{rule.name}: without increase() it keeps firing after the first stall"
    if quantity is Quantity.DEPTH and threshold == 0:
        yield f"{rule.name}: fires as soon as a job waits"
    if (
        quantity is Quantity.WORKERS
        and not condition.absent
        and not any(c.absent or c.defaulted for c in rule.query.conditions())
    ):
        yield f"{rule.name}: where the worker publishes the series itself, it vanishes with the worker: add `or absent(…)`"
