"""`collect`: rules and dashboards from infra files, and a live Prometheus → Observability."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path

from auditor.errors import SourceError
from auditor.model import FilePlace, MetricPlace, SourceReport, SourceStatus
from auditor.opening import Disk

from . import promql
from .address import PrometheusAddress
from .from_files import gather
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
    return with_live(of_files(infra_roots, exclude=exclude, deadline=deadline), prometheus, deadline)


def of_files(
    roots: Sequence[Path], *, exclude: Sequence[str] = (), deadline: float | None = None, disk: Disk | None = None
) -> Observability:
    """Everything that files show. Raises SourceError for a path that does not exist."""
    for root in roots:
        if not root.exists():
            raise SourceError(
                f"no such file or folder: {root}", "give --infra the folder of the infra files, or --no-infra"
            )
    found = gather(roots, exclude, deadline, disk)
    return Observability(
        _report(found.ended_early, found.notes, "", ()),
        files_given=bool(roots),
        rules=tuple(found.rules),
        recordings=tuple(found.recordings),
        configs=tuple(found.configs),
        jobs=tuple(found.jobs),
        exporters=tuple(found.exporters),
        dashboards=tuple(found.dashboards),
        notes=tuple(found.notes),
        rule_files=tuple(dict.fromkeys(_files(found.rules))),
    )


def with_live(found: Observability, prometheus: PrometheusAddress | None, deadline: float | None) -> Observability:
    """The same with what a live Prometheus says. Raises SourceError where it says nothing and no files were given."""
    if prometheus is None:
        return found
    from . import api

    live: LivePrometheus | None = None
    problems: list[str] = []
    unreached = ""
    try:
        live, problems = api.read(prometheus, _selectors(found.rules), deadline)
    except SourceError as error:
        if not found.files_given:
            raise
        unreached = error.message
    return replace(
        found,
        report=_report(found.report.ended_early, found.notes, unreached, problems),
        rules=found.rules if live is None else tuple(_with_live(found.rules, live)),
        live=live,
        unreached=unreached,
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


def _report(ended_early: bool, notes: Sequence[Note], unreached: str, problems: Sequence[str]) -> SourceReport:
    if unreached:
        return SourceReport(
            "prom", SourceStatus.PARTIAL, f"{unreached}; the files were read all the same", ended_early=True
        )
    if ended_early:
        return SourceReport(
            "prom", SourceStatus.PARTIAL, "the deadline passed before all files were read (--timeout)", ended_early=True
        )
    unread = _unread(notes)
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
