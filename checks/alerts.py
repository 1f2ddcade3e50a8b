"""What wakes somebody: alerts on queues and workers, and dashboards that show them (items 39 to 44)."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from auditor.code.model import CodeModel, Quantity
from auditor.model import (
    Cause,
    Confidence,
    Evidence,
    FilePlace,
    Finding,
    MetricPlace,
    Severity,
    Status,
    Subject,
    SubjectType,
    Verdict,
)
from auditor.probes import conclude, failed, not_applicable, passed, probe, unverified
from auditor.prom.model import Observability, Rule, RuleKind

from ._alerting import Judgement, judge
from ._boards import boards, panels
from ._published import WORDS, no_dead_letters, open_cause, what_settles
from ._subjects import NO_QUEUES

EXPECTED = {
    Quantity.DEPTH: "waiting jobs above a threshold, with a `for`",
    Quantity.STALLED: "any increase of stalled jobs",
    Quantity.FAILED: "a rate or ratio of failures above a threshold",
    Quantity.WORKERS: "workers == 0, or absent",
    Quantity.DEAD_LETTER: "jobs in the dead-letter queue > 0",
}


@dataclass(frozen=True, slots=True)
class About:
    """Which quantity an alert must watch."""

    quantity: str


@probe("alert.rule")
def rule(code: CodeModel | None, prom: Observability, want: About) -> Verdict:
    """An alert watches the quantity in the direction that hurts, and can fire.

    Expressions are read with a PromQL parser, not by name. It can fire only if living code, a known exporter of the
    infra files or the live Prometheus has its series with these labels, and if a Prometheus loads the rule. No rule files
    at all: unverified. Rules exist and none is about it, or its series is published by nobody: fails.
    """
    quantity = Quantity(want.quantity)
    if code is not None and code.empty:
        return not_applicable(NO_QUEUES)
    if code is not None and quantity is Quantity.DEAD_LETTER and no_dead_letters(code):
        return not_applicable("there is no dead-letter queue, and item 21 says so")
    deciding = [r for r in prom.rules if r.environment.decides]
    judged = [j for r in deciding if (j := judge(r, quantity, code, prom)) is not None]
    good = [j for j in judged if j.status is Status.PASS]
    if good:
        others = [_finding(j, Status.PASS) for j in judged if j.status is not Status.PASS]
        notes = [
            *others,
            *(_note(j, text) for j in good for text in (*j.notes, *_unheard(j.rule, prom))),
            *_uncovered(good, quantity, code),
        ]
        names = ", ".join(dict.fromkeys(j.rule.name for j in good))
        sure = min((j.confidence for j in good), key=list(Confidence).index)
        return passed(
            f"alerts on {WORDS[quantity]}: {names}",
            *map(_evidence, good),
            confidence=max(sure, _told(good), key=list(Confidence).index),
            notes=notes,
        )
    if judged:
        return conclude([_finding(j, j.status) for j in judged], held="")
    return _none(deciding, prom, quantity)


def _unheard(rule_: Rule, prom: Observability) -> Iterable[str]:
    """What keeps a firing alert from reaching a person, as far as Prometheus itself tells."""
    if rule_.live is not None and prom.live is not None and prom.live.alertmanagers == 0:
        yield f"{rule_.name}: {prom.live.endpoint} sends its alerts to no Alertmanager, so nobody is told"
    loads = [c for c in prom.configs if rule_.loaded_by is not None and c.place.path == rule_.loaded_by.path]
    if loads and not prom.live and not any(c.alertmanagers or c.discovers_alertmanagers for c in loads):
        yield f"{rule_.name}: {loads[0].place.path} names no Alertmanager, so nobody is told"
    if rule_.live is not None and rule_.live.state == "firing":
        yield f"{rule_.name} is firing now"


def _told(good: Sequence[Judgement]) -> Confidence:
    """A rule that a live Prometheus has loaded is certain; one that only a file states, likely."""
    return Confidence.CERTAIN if any(j.rule.live and j.rule.live.healthy for j in good) else Confidence.LIKELY


def _none(deciding: Sequence[Rule], prom: Observability, quantity: Quantity) -> Verdict:
    what = WORDS[quantity]
    if not deciding and not (prom.live and prom.live.rules_known):
        where = "the infra files hold no alert rules" if prom.files_given else "no rule files were given"
        where += " for production" if prom.rules else ""
        return unverified(
            f"{where}, so an alert on {what} may live elsewhere; {what_settles(prom)}, or attest", open_cause(prom)
        )
    near = [r for r in deciding if _sounds_like(r, quantity)][:6]
    unread = [
        r for r in near if r.query.problem and r.kind not in (RuleKind.PROMETHEUS, RuleKind.KUBERNETES, RuleKind.LIVE)
    ]
    if unread:
        shown = [Evidence(r.place.label(), f"{r.name}: {r.query.problem}", EXPECTED[quantity], r.place) for r in unread]
        return unverified(
            f"{unread[0].name} may be about {what}, but its query could not be read: look, and attest", evidence=shown
        )
    files = dict.fromkeys(r.place if isinstance(r.place, MetricPlace) else FilePlace(r.place.path, 1) for r in deciding)
    places: list[FilePlace | MetricPlace] = [*(r.place for r in near), *files]
    if not places and prom.live:
        places = [MetricPlace(prom.live.endpoint, "rules")]
    shown = [Evidence(r.place.label(), f"{_shown(r)}: something else", EXPECTED[quantity], r.place) for r in near]
    shown += [
        Evidence(p.label(), f"{_count(deciding, p)} alert rules, none on {what}", EXPECTED[quantity], p)
        for p in list(files)[:10]
    ]
    if not shown:
        shown = [Evidence(f"GET {places[0].label()}", "no alert rules at all", EXPECTED[quantity], places[0])]
    found = Finding(
        f"no alert watches {what}: none of {len(deciding)} rules does",
        Subject(SubjectType.ALERT, f"alert on {what}"),
        places[0],
        tuple(places[1:12]),
        tuple(shown),
        Confidence.LIKELY,
    )
    return failed(found.message, found)


_SOUNDS = {
    Quantity.DEPTH: re.compile(r"queue|backlog|lag\b|pending|waiting", re.IGNORECASE),
    Quantity.STALLED: re.compile(r"stall|stuck", re.IGNORECASE),
    Quantity.FAILED: re.compile(r"fail|error", re.IGNORECASE),
    Quantity.WORKERS: re.compile(r"worker|down\b|\bup\b|absent|== 0", re.IGNORECASE),
    Quantity.DEAD_LETTER: re.compile(r"dlq|dead.?letter", re.IGNORECASE),
}


def _sounds_like(rule_: Rule, quantity: Quantity) -> bool:
    """Whether a reader might take the rule for one about the quantity."""
    return _SOUNDS[quantity].search(f"{rule_.name} {rule_.query.text}") is not None


def _count(rules: Iterable[Rule], place: FilePlace | MetricPlace) -> int:
    return sum(
        1
        for r in rules
        if (
            r.place.path == place.path
            if isinstance(place, FilePlace) and isinstance(r.place, FilePlace)
            else r.place == place
        )
    )


def _evidence(judged: Judgement) -> Evidence:
    stated = f" for {judged.rule.hold_s:g} s" if judged.rule.hold_s else ""
    return Evidence(
        judged.rule.place.label(),
        f"{_shown(judged.rule)}{stated}; {judged.message}",
        place=judged.rule.place,
        confidence=judged.confidence,
    )


def _shown(rule_: Rule) -> str:
    return f"{rule_.name}: " + " ".join(rule_.query.text.split())[:300]


def _finding(judged: Judgement, status: Status) -> Finding:
    rule_ = judged.rule
    related = tuple(p for p in dict.fromkeys(judged.related) if p != rule_.place)
    shown = (Evidence(rule_.place.label(), _shown(rule_), "a condition that can come true", rule_.place),)
    severity = Severity.LOW if status is Status.PASS else judged.severity
    return Finding(
        judged.message,
        Subject(SubjectType.ALERT, rule_.name),
        rule_.place,
        related,
        shown,
        judged.confidence,
        severity,
        status,
        rule_.name,
    )


def _note(judged: Judgement, text: str) -> Finding:
    rule_ = judged.rule
    shown = (Evidence(rule_.place.label(), _shown(rule_), place=rule_.place),)
    return Finding(
        text,
        Subject(SubjectType.ALERT, rule_.name),
        rule_.place,
        (),
        shown,
        Confidence.LIKELY,
        Severity.LOW,
        Status.PASS,
        rule_.name,
    )


def _uncovered(good: Sequence[Judgement], quantity: Quantity, code: CodeModel | None) -> Iterable[Finding]:
    """Queues with living workers that none of the alerts selects."""
    if code is None or quantity in (Quantity.WORKERS, Quantity.DEAD_LETTER):
        return
    names = sorted({name for worker in code.workers if worker.live for name in worker.queue})
    picks = [[s for s in j.condition.selectors if not s.divisor] for j in good]
    left = [
        n
        for n in names
        if not any(
            all(s.allows(label, n) for label in ("queue", "queue_name", "queueName"))
            for chosen in picks
            for s in chosen
        )
    ]
    if left:
        yield _note(good[0], f"no alert on {WORDS[quantity]} covers the queues {', '.join(left[:8])}")


@probe("dashboard.queues")
def dashboard(code: CodeModel | None, prom: Observability | None) -> Verdict:
    """A board shows the queues: Bull Board or kin mounted by living code, a deployed one, or Grafana panels whose series
    somebody publishes.

    A board that nothing mounts, or panels whose every series nobody publishes, shows nothing: fails.
    """
    if code is not None and code.empty:
        return not_applicable(NO_QUEUES)
    shown, dead = boards(code, prom)
    with_series, without, open_ = panels(code, prom)
    evidence = [*shown, *with_series]
    if evidence:
        sure = max((e.confidence for e in evidence), key=list(Confidence).index)
        return passed(
            f"the queues are shown: {evidence[0].observed}",
            *evidence[:12],
            confidence=sure,
            notes=[_as_note(f) for f in dead],
        )
    if open_:
        return conclude([*open_, *map(_as_note, dead)], held="")
    if dead or without:
        return conclude([*dead, *without], held="")
    return unverified(
        "neither code nor infra files hold a board or dashboard of queues; one outside cannot be excluded: attest it",
        Cause.SOURCE_NOT_GIVEN,
    )


def _as_note(found: Finding) -> Finding:
    return replace(found, status=Status.PASS, severity=Severity.LOW)
