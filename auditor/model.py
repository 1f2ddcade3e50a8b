"""The words of an audit: items, places, evidence, findings, verdicts, results.

Everything here is frozen and plain. Collectors produce snapshots, probes turn snapshots into verdicts,
renderers turn a report into text: all of them speak in these types.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import ClassVar


class Severity(StrEnum):
    """How much it hurts in production when an item fails; the first is the worst."""

    CRITICAL = "critical"
    HIGH = "high"
    MEDIUM = "medium"
    LOW = "low"

    @property
    def weight(self) -> int:
        """Share in the score: critical 10, high 5, medium 2, low 1."""
        return {"critical": 10, "high": 5, "medium": 2, "low": 1}[self.value]

    def at_least(self, other: Severity) -> bool:
        """Whether this is as bad as `other` or worse."""
        order = list(Severity)
        return order.index(self) <= order.index(other)


class Confidence(StrEnum):
    """How sure a statement is; the first is the surest."""

    CERTAIN = "certain"  # read off a literal, a config value or a reply
    LIKELY = "likely"  # resolved through code flow or a naming convention
    POSSIBLE = "possible"  # heuristic

    def at_least(self, other: Confidence) -> bool:
        """Whether this is as sure as `other` or surer."""
        order = list(Confidence)
        return order.index(self) <= order.index(other)


class Status(StrEnum):
    """What is known of an item, a finding or a subject."""

    PASS = "pass"
    FAIL = "fail"
    UNVERIFIED = "unverified"
    NOT_APPLICABLE = "not_applicable"
    ATTESTED = "attested"
    ERROR = "error"


class Cause(StrEnum):
    """Why an item is unverified."""

    SOURCE_NOT_GIVEN = "source_not_given"
    REFUSED = "refused"
    UNRESOLVED = "unresolved"
    NEEDS_PERSON = "needs_person"


class SubjectType(StrEnum):
    """What a finding is about."""

    PRODUCER = "producer"
    QUEUE = "queue"
    WORKER = "worker"
    HANDLER = "handler"
    PROCESS = "process"
    CONNECTION = "connection"
    CLIENT = "client"
    SERVER = "server"
    DEPLOYMENT = "deployment"
    METRIC = "metric"
    ALERT = "alert"
    DOCUMENT = "document"
    PROJECT = "project"


@dataclass(frozen=True, slots=True)
class Subject:
    """The one thing that a finding judges: `name` is what a reader would call it."""

    type: SubjectType
    name: str
    queue: str = ""
    """Name of the queue it belongs to, for filtering; empty where there is none."""
    service: str = ""
    """Name of the service it belongs to; empty where the scan has only one."""


@dataclass(frozen=True, slots=True)
class CodeSpan:
    """Lines of a source file: `start` to `end`, 1-based and inclusive."""

    path: str
    start: int
    end: int = 0

    def label(self) -> str:
        """`path:line`, as editors and terminals open it."""
        return f"{self.path}:{self.start}"

    def key(self) -> str:
        """The part that survives edits, for fingerprints: no line numbers."""
        return f"code:{self.path}"


@dataclass(frozen=True, slots=True)
class FilePlace:
    """A line of an infra file or document; line 0 is the whole file."""

    path: str
    line: int = 0

    def label(self) -> str:
        """`path:line`, or the path alone."""
        return f"{self.path}:{self.line}" if self.line else self.path

    def key(self) -> str:
        """The part that survives edits, for fingerprints."""
        return f"file:{self.path}"


@dataclass(frozen=True, slots=True)
class RedisPlace:
    """A key or a setting of a live Redis; `endpoint` is its URL without credentials."""

    endpoint: str
    subject: str

    def label(self) -> str:
        """`key @ endpoint`."""
        return f"{self.subject} @ {self.endpoint}" if self.subject else self.endpoint

    def key(self) -> str:
        """Endpoint and key: both outlive a scan."""
        return f"redis:{self.endpoint}:{self.subject}"


@dataclass(frozen=True, slots=True)
class MetricPlace:
    """A metric or rule; `source` is a Prometheus URL or a rule file."""

    source: str
    name: str

    def label(self) -> str:
        """`name @ source`."""
        return f"{self.name} @ {self.source}"

    def key(self) -> str:
        """Source and name."""
        return f"metric:{self.source}:{self.name}"


Place = CodeSpan | FilePlace | RedisPlace | MetricPlace


@dataclass(frozen=True, slots=True)
class Evidence:
    """One observation that a reader can repeat."""

    source: str
    """What to look at or re-run: `CONFIG GET maxmemory-policy`, `HGET bull:mail:1 opts`, `src/q.ts:40`."""
    observed: str
    expected: str = ""
    place: Place | None = None
    excerpt: str = ""
    """Lines of the source as they stand; secrets masked where they entered."""
    confidence: Confidence = Confidence.CERTAIN


@dataclass(frozen=True, slots=True)
class Finding:
    """The judgement of one subject: FAIL, UNVERIFIED, or PASS for a note that does not fail the item."""

    message: str
    subject: Subject
    place: Place | None = None
    related: tuple[Place, ...] = ()
    evidence: tuple[Evidence, ...] = ()
    confidence: Confidence = Confidence.CERTAIN
    severity: Severity | None = None
    """None: the item's."""
    status: Status = Status.FAIL
    symbol: str = ""
    """Enclosing class and function, or job name: part of the fingerprint, so that a baseline survives edits."""
    fix: str = ""
    """A remedy in the subject's own terms; empty: the item's."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a probe says of its item."""

    status: Status
    reason: str
    """One line for people: why it is so, or what would settle it."""
    confidence: Confidence = Confidence.CERTAIN
    cause: Cause | None = None
    """Set exactly when the status is UNVERIFIED."""
    findings: tuple[Finding, ...] = ()
    evidence: tuple[Evidence, ...] = ()


@dataclass(frozen=True, slots=True)
class Item:
    """One line of a checklist, with how it is decided and mended."""

    id: str
    number: int | None
    """1 to 102 for the audit document's items, None for others."""
    section: str
    title: str
    severity: Severity
    probe: str
    params: Mapping[str, object]
    why: str
    fix: str
    references: tuple[str, ...]
    line: int = 0
    """Line in the checklist file, for messages."""


@dataclass(frozen=True, slots=True)
class Waiver:
    """A dated decision to live with a finding; it hides the finding from the gate alone."""

    reason: str
    by: str
    expires: str
    """ISO date, UTC."""


@dataclass(frozen=True, slots=True)
class Recorded:
    """A finding as the report keeps it: fingerprinted, with its effective severity, maybe waived."""

    finding: Finding
    fingerprint: str
    severity: Severity
    waived: Waiver | None = None


@dataclass(frozen=True, slots=True)
class Result:
    """An item with its verdict. `findings` are those of the verdict, recorded."""

    item: Item
    verdict: Verdict
    findings: tuple[Recorded, ...] = ()
    seconds: float = 0.0
    selected: bool = True
    """False: left out by --only, --skip; listed, but not counted."""


class SourceStatus(StrEnum):
    """How far a source could be read."""

    OK = "ok"
    PARTIAL = "partial"
    UNAVAILABLE = "unavailable"


@dataclass(frozen=True, slots=True)
class SourceReport:
    """What was read of one source, and at what cost."""

    name: str
    status: SourceStatus
    why: str = ""
    commands: Mapping[str, int] = field(default_factory=dict)
    """Redis commands sent, by name."""
    keys_scanned: int = 0
    server_seconds: float | None = None
    """Time that Redis spent on these commands, by its own count; None where it does not tell."""
    ended_early: bool = False
    """A source asked for died, timed out or refused everything: exit code 3. Single refusals are not."""


@dataclass(frozen=True, slots=True)
class SkippedFile:
    """A file that was not read, and why."""

    path: str
    why: str
    meant: bool = False
    """Left out on purpose, as tests are; the source is no less complete for it."""


@dataclass(frozen=True, slots=True)
class TreeTarget:
    """A folder that was read: code or infra."""

    path: str
    commit: str = ""
    dirty: bool = False
    files_read: int = 0
    files_skipped: tuple[SkippedFile, ...] = ()


@dataclass(frozen=True, slots=True)
class RedisTarget:
    """A Redis that was read; `url` carries no credentials."""

    url: str
    version: str = ""
    run_id: str = ""
    db: int = 0
    role: str = ""
    dbs: tuple[int, ...] = ()
    """Logical databases that were read."""
    other_dbs: tuple[int, ...] = ()
    """Those that hold keys too and were not read."""


@dataclass(frozen=True, slots=True)
class PrometheusTarget:
    """A Prometheus that was read; `url` carries no credentials."""

    url: str


@dataclass(frozen=True, slots=True)
class Snapshot:
    """What one source showed, taken once. Probes declare the snapshots they need by parameter type."""

    source: ClassVar[str] = ""
    """Name of the source: `live`, `code`, `infra`, `prom`."""

    @property
    def lost(self) -> Mapping[str, str]:
        """Fields that can't be relied on, since a part of the collector broke, with the reason; dotted: of each element."""
        return {}

    @property
    def certain(self) -> Mapping[str, object]:
        """Properties that hold all the same, with their values."""
        return {}


@dataclass(frozen=True, slots=True)
class Unavailable:
    """In place of a snapshot: the source was not given, or gave nothing."""

    source: str
    cause: Cause
    why: str
    report: SourceReport | None = None
    """None where the source was not asked for."""


@dataclass(frozen=True, slots=True)
class FileDigest:
    """A file that shaped the report: its path, and sha256 of its bytes in hex."""

    path: str
    sha256: str


@dataclass(frozen=True, slots=True)
class Summary:
    """Counts over results."""

    by_status: Mapping[Status, int]
    by_severity: Mapping[Severity, Mapping[Status, int]]
    unverified_by_cause: Mapping[Cause, int]
    score: int | None
    """0 to 100 by weight; None where nothing is decided."""
    verified: int
    """pass + fail + not_applicable."""
    of: int
    waived: int


@dataclass(frozen=True, slots=True)
class Targets:
    """What the scan was pointed at."""

    redis: tuple[RedisTarget, ...] = ()
    code: tuple[TreeTarget, ...] = ()
    infra: tuple[TreeTarget, ...] = ()
    prometheus: tuple[PrometheusTarget, ...] = ()


@dataclass(frozen=True, slots=True)
class GateOutcome:
    """What the gate made of a report."""

    policy: str
    failed: bool
    exit_code: int
    because: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Report:
    """All that a renderer needs."""

    version: str
    """Of tt-audit."""
    started: str
    """ISO 8601, UTC."""
    seconds: float
    checklist: FileDigest
    config: FileDigest | None
    limits: Mapping[str, int | float | str | bool]
    targets: Targets
    sources: tuple[SourceReport, ...]
    results: tuple[Result, ...]
    """The audit document's 102 items, in order."""
    extra: tuple[Result, ...]
    """Items of further packs."""
    summary: Summary
    services: Mapping[str, Summary]
    gate: GateOutcome
