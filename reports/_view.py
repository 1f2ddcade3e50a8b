"""What all formats show: the report sorted, grouped, folded, and made harmless, once.

Formats lay out; they derive nothing and touch no raw text. All strings in here are `clean`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from auditor.model import Cause, Confidence, GateOutcome, Severity, Summary

from ._prose import Block
from ._words import CAUSES, MARKS, Mark, Shown


@dataclass(frozen=True, slots=True)
class PlaceView:
    """Where something is. `path` and `line` are set for files; `line` 0 is the whole file."""

    kind: str
    """`code`, `file`, `redis` or `metric`."""
    label: str
    path: str = ""
    line: int = 0
    end: int = 0


@dataclass(frozen=True, slots=True)
class EvidenceView:
    """One observation beside what was expected."""

    source: str
    observed: str
    expected: str
    place: PlaceView | None
    excerpt: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class FindingView:
    """One judged subject of an item."""

    status: Shown
    severity: Severity
    confidence: Confidence
    message: str
    subject_type: str
    subject: str
    queue: str
    service: str
    place: PlaceView | None
    related: tuple[PlaceView, ...]
    evidence: tuple[EvidenceView, ...]
    fix: tuple[Block, ...]
    """A remedy for this subject alone; empty: the item's."""
    fingerprint: str
    waiver: str
    """`reason (by, until date)`; empty where it is not waived."""

    @property
    def about(self) -> tuple[tuple[str, str], ...]:
        """Label and value of what the message has not said yet of its subject."""
        known = ((self.subject_type, self.subject), ("queue", self.queue), ("service", self.service))
        told = f"{self.message} {self.place.label if self.place and self.place.kind == 'redis' else ''}"
        unsaid = [(label, name) for label, name in known if name and name not in told]
        return tuple(("" if name.startswith(f"{label} ") else label, name) for label, name in unsaid)

    @property
    def places(self) -> tuple[PlaceView, ...]:
        """Its own place, then the related ones."""
        return (*([self.place] if self.place else []), *self.related)

    @property
    def waived(self) -> bool:
        """Whether the gate ignores it."""
        return bool(self.waiver)


@dataclass(frozen=True, slots=True)
class ItemView:
    """One line of the checklist, as shown."""

    id: str
    number: int | None
    section: str
    title: str
    severity: Severity
    """The item's own."""
    worst: Severity
    """Of its failing findings that are not waived; the item's where there is none."""
    status: Shown
    cause: Cause | None
    confidence: Confidence
    reason: str
    failing: tuple[FindingView, ...]
    open: tuple[FindingView, ...]
    notes: tuple[FindingView, ...]
    evidence: tuple[EvidenceView, ...]
    why: tuple[Block, ...]
    fix: tuple[Block, ...]
    references: tuple[str, ...]
    services: tuple[str, ...]
    queues: tuple[str, ...]
    seconds: float

    @property
    def mark(self) -> Mark:
        """Sign and word of its status."""
        return MARKS[self.status]

    @property
    def findings(self) -> tuple[FindingView, ...]:
        """Failures first, then what is open, then notes."""
        return (*self.failing, *self.open, *self.notes)

    @property
    def waived(self) -> int:
        """How many of its findings are waived."""
        return sum(finding.waived for finding in self.findings)

    @property
    def all_have_fixes(self) -> bool:
        """Whether each failing finding brings its own remedy, so that the item's is only background."""
        return bool(self.failing) and all(finding.fix for finding in self.failing)

    @property
    def all_waived(self) -> bool:
        """Whether it fails by waived findings alone."""
        return self.status is Shown.FAIL and bool(self.failing) and all(finding.waived for finding in self.failing)


@dataclass(frozen=True, slots=True)
class Fold:
    """Items told in one line: their source was not given, they were left out, or they are open or broke for one reason."""

    status: Shown
    items: tuple[ItemView, ...]
    ids: str
    """Their numbers with runs folded, or ids where they have no number."""
    reasons: tuple[str, ...]
    """Each different reason once."""

    @property
    def summary(self) -> str:
        """What the items have in common, without their number."""
        cause = self.items[0].cause if self.status is Shown.UNVERIFIED else None
        return f"unverified, {CAUSES[cause]}" if cause else MARKS[self.status].word


@dataclass(frozen=True, slots=True)
class SectionView:
    """A section of a checklist. Each item is either in `shown` or in one of `folds`."""

    title: str
    anchor: str
    items: tuple[ItemView, ...]
    shown: tuple[ItemView, ...]
    folds: tuple[Fold, ...]
    counts: Mapping[Shown, int]
    extra: bool
    """Of a further pack: not counted among the 102."""


@dataclass(frozen=True, slots=True)
class TargetView:
    """One thing that a source was pointed at."""

    label: str
    facts: tuple[str, ...]
    skipped: tuple[str, ...]
    """`path: why` of files that were not read."""


@dataclass(frozen=True, slots=True)
class SourceView:
    """A source with its targets and cost; `status` is None where it was not given."""

    name: str
    title: str
    status: str | None
    word: str
    why: str
    cost: tuple[str, ...]
    """`212 commands`, `1,204 keys scanned`."""
    commands: str
    """`HGETALL 70, INFO 1`: by number, then name."""
    targets: tuple[TargetView, ...]


@dataclass(frozen=True, slots=True)
class Cell:
    """A service in a section: how many items fail and are open there by findings about that service."""

    section: str
    anchor: str
    failing: int
    open: int
    worst: Severity | None


@dataclass(frozen=True, slots=True)
class ServiceView:
    """A service's summary with its row of the matrix."""

    name: str
    summary: Summary
    cells: tuple[Cell, ...]


@dataclass(frozen=True, slots=True)
class VerdictView:
    """The gate's word: a headline, the policy, and why."""

    tone: str
    """`good`, `bad` or `incomplete`."""
    headline: str
    policy: str
    because: tuple[str, ...]
    exit_code: int


@dataclass(frozen=True, slots=True)
class ReportView:
    """All that a format lays out."""

    version: str
    date: str
    seconds: str
    verdict: VerdictView
    gate: GateOutcome
    summary: Summary
    sources: tuple[SourceView, ...]
    sections: tuple[SectionView, ...]
    failures: tuple[ItemView, ...]
    """Items that fail by at least one finding that is not waived: worst first."""
    waived: tuple[ItemView, ...]
    """Items that fail by waived findings alone."""
    errors: tuple[ItemView, ...]
    open: tuple[ItemView, ...]
    """Unverified items whose source was given: worst first."""
    services: tuple[ServiceView, ...]
    queues: tuple[str, ...]
    limits: tuple[str, ...]
    checklist: str
    config: str

    @property
    def items(self) -> tuple[ItemView, ...]:
        """All items, those of further packs last."""
        return tuple(item for section in self.sections for item in section.items)
