"""Alerts and boards beyond the 102 items: dead alerts, alerts that reality contradicts, boards open to anybody (X013 to X015)."""

from __future__ import annotations

from auditor.code.model import CodeModel, Metric, Quantity
from auditor.live.jobs_model import State
from auditor.live.model import LiveQueue, LiveRedis
from auditor.model import Cause, Confidence, Evidence, Finding, Severity, Status, Subject, SubjectType, Verdict
from auditor.probes import conclude, not_applicable, passed, probe, unverified
from auditor.prom.model import Observability, Rule

from ._alerting import Judgement, judge
from ._live_side import count_of
from ._series import quantity_of
from ._subjects import NO_QUEUES

WATCHED = (Quantity.DEPTH, Quantity.STALLED, Quantity.FAILED, Quantity.WORKERS, Quantity.DEAD_LETTER)
_QUEUE_LABELS = ("queue", "queue_name", "queueName", "name")


@probe("board.guarded")
def guarded(code: CodeModel) -> Verdict:
    """Boards that living code mounts stand behind something that looks like authentication.

    Told by names: a middleware or hook called auth, guard, session, basicAuth and the like, on the mounting call, on the
    same path before it, or in the same plugin. So a failure is likely at the most.
    """
    boards = [m for m in code.metrics if m.kind == "board" and m.served_live]
    if not boards:
        return not_applicable("living code mounts no board of queues")
    found = [_open(board) for board in boards if board.guarded is not True]
    shown = [
        Evidence(_at(board), f"{board.name}: mounted behind a check of who comes", place=board.served)
        for board in boards
        if board.guarded
    ]
    return conclude(
        found, held="every board stands behind a check of who comes", evidence=shown, confidence=Confidence.LIKELY
    )


def _at(board: Metric) -> str:
    return (board.served or board.span).label()


def _open(board: Metric) -> Finding:
    known = board.guarded is False
    text = (
        "anybody who reaches it can read job data, and retry or delete jobs"
        if known
        else "what stands before it could not be told"
    )
    return Finding(
        f"{board.name} ({_at(board)}): {text}",
        Subject(SubjectType.PROJECT, board.name, service=board.service),
        board.served or board.span,
        (board.span,),
        (
            Evidence(
                _at(board),
                "no authentication seen before it" if known else "not told",
                "an authenticating middleware or hook before it",
                board.served,
            ),
        ),
        Confidence.LIKELY,
        status=Status.FAIL if known else Status.UNVERIFIED,
    )


@probe("alert.each_fires")
def each_fires(code: CodeModel | None, prom: Observability) -> Verdict:
    """Every alert on queues, jobs or workers can fire, not just one for each item: a dead alert is trusted and silent."""
    if code is not None and code.empty:
        return not_applicable(NO_QUEUES)
    judged = [
        j
        for rule in prom.rules
        if rule.environment.decides
        for q in WATCHED
        if (j := judge(rule, q, code, prom)) is not None
    ]
    if not judged:
        return not_applicable("no alert is about queues, jobs or workers")
    bad = [_dead(j) for j in judged if j.status is not Status.PASS]
    shown = [
        Evidence(j.rule.place.label(), f"{j.rule.name}: {j.message}", place=j.rule.place, confidence=j.confidence)
        for j in judged
        if j.status is Status.PASS
    ]
    return conclude(
        bad,
        held=f"all {len(judged)} alerts on queues, jobs and workers can fire",
        evidence=shown[:12],
        confidence=Confidence.LIKELY,
    )


def _dead(judged: Judgement) -> Finding:
    place = judged.rule.place
    text = " ".join(judged.rule.query.text.split())[:300]
    shown = (Evidence(place.label(), text, "a condition that can come true", place),)
    subject = Subject(SubjectType.ALERT, judged.rule.name)
    return Finding(
        judged.message,
        subject,
        place,
        judged.related,
        shown,
        judged.confidence,
        judged.severity,
        judged.status,
        judged.rule.name,
    )


@probe("alert.fits_reality")
def fits_reality(prom: Observability, live: LiveRedis) -> Verdict:
    """Alerts on depth agree with the queues as they are: a queue above an alert's threshold has it pending or firing.

    A backlog that Redis shows and no alert speaks of means a label, a prefix or an exporter that misses this queue. A
    queue far below every threshold is no sign of anything.
    """
    rules = [(rule, limit) for rule in prom.rules if rule.live is not None and (limit := _limit(rule)) is not None]
    if not rules:
        return not_applicable("the live Prometheus has no alert on queue depth with a constant threshold")
    if not live.queues:
        return unverified("no queue was found in Redis", Cause.UNRESOLVED)
    silent = [
        _silent(queue, rule, limit)
        for queue in live.queues
        if not queue.paused
        for rule, limit in rules
        if _contradicts(queue, rule, limit, rules)
    ]
    told = [
        Evidence(
            r.place.label(), f"{r.name} is {r.live.state if r.live else 'unknown'}; threshold {limit:g}", place=r.place
        )
        for r, limit in rules
    ]
    if not silent:
        deepest = max(live.queues, key=lambda queue: queue.counts.depth)
        return passed(
            f"no queue is above a threshold that stays silent; the deepest is {deepest.label} with {deepest.counts.depth}",
            *told[:12],
            confidence=Confidence.LIKELY,
        )
    return conclude(silent, held="", evidence=told[:12])


def _limit(rule: Rule) -> float | None:
    """The depth from which the alert should speak; None where it is not about depth."""
    for condition in rule.query.conditions():
        compared = condition.comparison
        about = any(quantity_of(s, None) is Quantity.DEPTH for s in condition.selectors) and not condition.ratio
        if about and compared and compared.threshold is not None and compared.op in (">", ">="):
            return compared.threshold
    return None


def _contradicts(queue: LiveQueue, rule: Rule, limit: float, rules: list[tuple[Rule, float]]) -> bool:
    """The queue has twice what the alert allows, the alert selects it, and neither this nor another alert speaks."""
    speaks = any(r.live is not None and r.live.state in ("pending", "firing") for r, _ in rules)
    picked = all(s.allows(label, queue.name) for s in rule.query.selectors() for label in _QUEUE_LABELS)
    return not speaks and picked and queue.counts.waiting + queue.counts.prioritized > max(2 * limit, limit + 10)


def _silent(queue: LiveQueue, rule: Rule, limit: float) -> Finding:
    depth = queue.counts.waiting + queue.counts.prioritized
    text = f"{queue.label} has {depth} jobs waiting, {rule.name} should speak above {limit:g}, and it is {rule.live.state if rule.live else 'silent'}"
    return Finding(
        text,
        Subject(SubjectType.ALERT, rule.name, queue=queue.name),
        rule.place,
        (queue.place("wait"),),
        (
            count_of(
                queue,
                (State.WAITING, State.PRIORITIZED),
                f"{depth} waiting",
                f"{rule.name} pending or firing above {limit:g}",
            ),
            Evidence(rule.place.label(), " ".join(rule.query.text.split())[:300], place=rule.place),
        ),
        Confidence.LIKELY,
        Severity.MEDIUM,
        symbol=f"{rule.name}/{queue.name}",
    )
