"""Sources with their targets and cost, as shown. A source that was not asked for is listed as not given."""

from __future__ import annotations

from collections import Counter

from auditor.model import RedisTarget, Report, SourceReport, SourceStatus, TreeTarget

from ._text import clean, counted
from ._view import SourceView, TargetView
from ._words import SOURCE_WORDS, SOURCES


def sources(report: Report) -> tuple[SourceView, ...]:
    """The four sources in their order, then any others by the report's order."""
    targets = {
        "live": tuple(_redis(target) for target in report.targets.redis),
        "code": tuple(_tree(target) for target in report.targets.code),
        "infra": tuple(_tree(target) for target in report.targets.infra),
        "prom": tuple(TargetView(clean(target.url), (), ()) for target in report.targets.prometheus),
    }
    found = {source.name: source for source in report.sources}
    return tuple(_source(name, found.get(name), targets.get(name, ())) for name in dict.fromkeys([*SOURCES, *found]))


def _source(name: str, source: SourceReport | None, targets: tuple[TargetView, ...]) -> SourceView:
    title = SOURCES.get(name, clean(name))
    if source is None:
        return SourceView(name, title, None, "read" if targets else "not given", "", (), "", targets)
    by_number = sorted(source.commands.items(), key=lambda pair: (-pair[1], pair[0]))
    cost = []
    if source.commands:
        cost.append(f"{counted(sum(source.commands.values()), 'command')} sent")
    if source.keys_scanned:
        cost.append(f"{counted(source.keys_scanned, 'key')} scanned")
    if source.server_seconds is not None:
        cost.append(f"{_took(source.server_seconds)} of Redis' time")
    cut = source.ended_early and source.status is not SourceStatus.UNAVAILABLE
    word = SOURCE_WORDS[source.status] + (", ended early" if cut else "")
    if name == "prom" and not targets and source.status is SourceStatus.OK:
        word += " from files"
    commands = ", ".join(f"{clean(command)} {sent:,}" for command, sent in by_number)
    return SourceView(clean(name), title, source.status.value, word, clean(source.why), tuple(cost), commands, targets)


def _took(seconds: float) -> str:
    return (
        f"{seconds:.1f} s"
        if seconds >= 1
        else f"{seconds * 1000:.1f} ms"
        if seconds < 0.01
        else f"{seconds * 1000:.0f} ms"
    )


def _redis(target: RedisTarget) -> TargetView:
    facts = [f"version {clean(target.version)}"] if target.version else []
    facts += [clean(target.role)] if target.role else []
    facts.append(f"db {', '.join(map(str, target.dbs or (target.db,)))}")
    if target.other_dbs:
        facts.append(f"db {', '.join(map(str, target.other_dbs))} with keys not read (--all-dbs)")
    return TargetView(clean(target.url), tuple(facts), ())


def _tree(target: TreeTarget) -> TargetView:
    facts = []
    if target.commit:
        facts.append(f"commit {clean(target.commit[:10])}{', with changes' if target.dirty else ''}")
    facts.append(f"{counted(target.files_read, 'file')} read")
    if target.files_skipped:
        facts.append(f"{len(target.files_skipped):,} skipped ({_reasons(target)})")
    return TargetView(
        clean(target.path),
        tuple(facts),
        tuple(f"{clean(file.path)}: {clean(file.why)}" for file in target.files_skipped),
    )


def _reasons(target: TreeTarget) -> str:
    """`1,640 test, 2 binary`: the commonest three."""
    found = Counter(clean(file.why) for file in target.files_skipped).most_common()
    more = sum(number for _, number in found[3:])
    return ", ".join([*(f"{number:,} {why}" for why, number in found[:3]), *([f"{more:,} others"] if more else [])])
