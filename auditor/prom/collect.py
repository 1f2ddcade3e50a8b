"""`collect`: rules and dashboards from infra files, and a live Prometheus → Observability."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path

from auditor.errors import SourceError
from auditor.model import FilePlace, MetricPlace, SourceReport, SourceStatus

from . import promql
from .address import PrometheusAddress
from .from_files import Gathered, gather
from .model import LivePrometheus, LiveRule, Note, Observability, Rule, RuleKind


def collect(
    infra_roots: Sequence[Path],
    prometheus: PrometheusAddress | None,
    *,
    exclude: Sequence[str] = (),
    deadline: float | None = None,
) -> Observability:
    """Everything that the files under `infra_roots` and the live Prometheus show; `deadline` is `time.monotonic()` seconds.

    Raises SourceError where only a Prometheus was given and it gave nothing. Beside files, an unreachable Prometheus
    costs the live facts alone: the report is then partial and ended early.
    """
    for root in infra_roots:
        if not root.exists():
            raise SourceError(
                f"no such file or folder: {root}", "give --infra the folder of the infra files, or --no-infra"
            )
    found = gather(infra_roots, exclude, deadline)
    live: LivePrometheus | None = None
    problems: list[str] = []
    unreached = ""
    if prometheus is not None:
        from . import api

        try:
            live, problems = api.read(prometheus, _selectors(found.rules), deadline)
        except SourceError as error:
            if not infra_roots:
                raise
            unreached = error.message
    rules = tuple(found.rules) if live is None else tuple(_with_live(found.rules, live))
    return Observability(
        _report(found, unreached, problems),
        files_given=bool(infra_roots),
        rules=rules,
        recordings=tuple(found.recordings),
        configs=tuple(found.configs),
        jobs=tuple(found.jobs),
        exporters=tuple(found.exporters),
        dashboards=tuple(found.dashboards),
        notes=tuple(found.notes),
        live=live,
        unreached=unreached,
        rule_files=tuple(dict.fromkeys(_files(found.rules))),
    )


def _selectors(rules: Iterable[Rule]) -> Iterator[str]:
    for rule in rules:
        if rule.query.language == "promql":
            yield from (selector.text for selector in rule.query.selectors())


def _files(rules: Iterable[Rule]) -> Iterator[FilePlace]:
    for rule in rules:
        if isinstance(rule.place, FilePlace):
            yield FilePlace(rule.place.path)


def _with_live(rules: Sequence[Rule], live: LivePrometheus) -> Iterator[Rule]:
    """The files' rules with what the live Prometheus makes of them, then those that only it has."""
    by_name: dict[str, LiveRule] = {rule.name: rule for rule in live.rules}
    for rule in rules:
        if rule.kind not in (RuleKind.PROMETHEUS, RuleKind.KUBERNETES) or not live.rules_known:
            yield rule
        else:
            yield replace(rule, live=by_name.get(rule.name), loaded=rule.name in by_name)
    known = {rule.name for rule in rules}
    for found in live.rules:
        if found.name not in known:
            query = promql.read(found.expression)
            yield Rule(
                found.name,
                RuleKind.LIVE,
                query,
                MetricPlace(live.endpoint, found.name),
                found.hold_s,
                loaded=True,
                live=found,
            )


def _report(found: Gathered, unreached: str, problems: Sequence[str]) -> SourceReport:
    if unreached:
        return SourceReport(
            "prom", SourceStatus.PARTIAL, f"{unreached}; the files were read all the same", ended_early=True
        )
    if found.ended_early:
        return SourceReport(
            "prom", SourceStatus.PARTIAL, "the deadline passed before all files were read (--timeout)", ended_early=True
        )
    unread = _unread(found.notes)
    problems = [*problems, *(f"{note.place.label()}: {note.text}" for note in unread)]
    if problems:
        more = f" (and {len(problems) - 1} more)" if len(problems) > 1 else ""
        return SourceReport("prom", SourceStatus.PARTIAL, f"{problems[0]}{more}")
    return SourceReport("prom", SourceStatus.OK)


def _unread(notes: Sequence[Note]) -> list[Note]:
    """What was lost of the files: rules that are no PromQL, broken and oversized files; templates are read as far as they go."""
    templates = {note.place.path for note in notes if note.text.startswith("a template")}
    lost = ("rule ", "not valid", "larger", "nested")
    return [
        note
        for note in notes
        if note.place.path not in templates and (note.text.startswith(lost) or "larger than" in note.text)
    ]
