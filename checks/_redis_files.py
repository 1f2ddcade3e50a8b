"""What the file side of items 88 to 95 is made of: sides, the units that decide, one directive judged for each."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from auditor.infra.model import Environment, InfraModel, RedisUnit, Setting
from auditor.infra.text import size, unresolved
from auditor.model import Confidence, Evidence, Finding, Place, Severity, Status, Subject, SubjectType

NO_REDIS = "no Redis in the infra files"
PROVIDER_DEFAULTS = {
    ("elasticache", "maxmemory-policy"): "volatile-lru, which evicts the locks of jobs",
    ("memorystore", "maxmemory-policy"): "volatile-lru, which evicts the locks of jobs",
    ("azure", "maxmemory-policy"): "volatile-lru, which evicts the locks of jobs",
    ("memorydb", "maxmemory-policy"): "noeviction",
}
"""What managed services do where nothing is stated, by their documentation."""
HEADROOM = 0.9
"""Share of the container's memory that `maxmemory` may take: fork and buffers need the rest."""


@dataclass(frozen=True, slots=True)
class FileSide:
    """What the files say on one item."""

    findings: tuple[Finding, ...] = ()
    """FAIL, UNVERIFIED ("relies on the server's default ..."), or PASS for notes (a conf that nothing mounts)."""
    evidence: tuple[Evidence, ...] = ()
    """What shows a pass: one for each deployed Redis unit that holds. Empty when no unit shows the item."""
    reason: str = ""
    """What to say where the files decide nothing: "no Redis in the infra files"; else the held sentence."""

    @property
    def silent(self) -> bool:
        """The files say nothing: no Redis is deployed by them, whatever notes there are."""
        return not self.evidence and all(f.status is Status.PASS for f in self.findings)


@dataclass(slots=True)
class Side:
    """A side while it is judged."""

    findings: list[Finding] = field(default_factory=list)
    evidence: list[Evidence] = field(default_factory=list)

    def fail(
        self, unit: RedisUnit, message: str, observed: str, place: Place, expected: str = "", *,
        related: Sequence[Place] = (), confidence: Confidence = Confidence.CERTAIN, fix: str = "",
    ) -> None:  # fmt: skip
        """The unit fails; for development only, it proves nothing."""
        status = Status.FAIL
        if not unit.environment.decides:
            status, message = Status.UNVERIFIED, f"{message}; {_not_production(unit)}"
        shown = Evidence(place.label(), observed, expected, place, confidence=confidence)
        others = tuple(p for p in dict.fromkeys((unit.place, *related)) if p != place)
        self.findings.append(
            Finding(
                message, _subject(unit), place, others, (shown,), confidence, status=status, symbol=unit.name, fix=fix
            )
        )

    def open(self, unit: RedisUnit, message: str, place: Place | None = None) -> None:
        """The unit could not be decided."""
        at = place or unit.place
        shown = Evidence(at.label(), message, place=at)
        self.findings.append(
            Finding(message, _subject(unit), at, (), (shown,), status=Status.UNVERIFIED, symbol=unit.name)
        )

    def hold(self, unit: RedisUnit, observed: str, place: Place, confidence: Confidence = Confidence.CERTAIN) -> None:
        """The unit holds; for development only, it proves nothing."""
        if not unit.environment.decides:
            self.open(unit, f"{unit.name}: {observed}; {_not_production(unit)}", place)
            return
        self.evidence.append(Evidence(place.label(), f"{unit.name}: {observed}", place=place, confidence=confidence))

    def side(self, infra: InfraModel, names: Sequence[str], held: str) -> FileSide:
        """The side, with notes on unmounted confs that state one of the directives."""
        notes = [
            _unmounted(c.path, n, c.settings[n])
            for c in infra.confs
            if not c.loaded_by
            for n in names
            if n in c.settings
        ]
        silent = not self.findings and not self.evidence
        return FileSide((*self.findings, *notes), tuple(self.evidence), NO_REDIS if silent else held)


def deciding(infra: InfraModel) -> tuple[RedisUnit, ...]:
    """Primaries of the environment that decides: production, else what nothing marks, else development."""
    primaries = [u for u in infra.redis if "replicaof" not in u.settings and "sentinel monitor" not in u.settings]
    for environments in (
        {Environment.PRODUCTION},
        {Environment.UNKNOWN, Environment.STAGING},
        {Environment.DEVELOPMENT},
        {Environment.TEST},
    ):
        found = tuple(u for u in primaries if u.environment in environments)
        if found:
            return found
    return ()


def _not_production(unit: RedisUnit) -> str:
    return f"but {unit.place.path} is for {unit.environment.value} only, and nothing shows production"


def redis_bytes(text: str) -> int | None:
    """Bytes of a Redis size: `1g` is 10^9, `1gb` 2^30; None for what comes from outside."""
    text = text.strip().lower()
    return size(text, decimal=not text.endswith("b"))


def _subject(unit: RedisUnit) -> Subject:
    return Subject(SubjectType.SERVER, f"{unit.name} ({unit.place.path})")


def note(unit: RedisUnit, text: str, place: Place) -> Finding:
    shown = (Evidence(place.label(), text, place=place),)
    return Finding(text, _subject(unit), place, (), shown, severity=Severity.LOW, status=Status.PASS, symbol=unit.name)


def _unmounted(path: str, name: str, stated: Setting) -> Finding:
    shown = (Evidence(stated.place.label(), f"{name} {stated.value}", place=stated.place),)
    text = f"{path} says {name} {stated.value}, but nothing in the files mounts it: it counts neither way"
    return Finding(
        text,
        Subject(SubjectType.SERVER, path),
        stated.place,
        (),
        shown,
        severity=Severity.LOW,
        status=Status.PASS,
        symbol=name,
    )


def stated_in(
    infra: InfraModel, name: str, default: str, judge: Callable[[RedisUnit, Setting, Side], None], held: str,
    *, provider: bool = False,
) -> FileSide:  # fmt: skip
    """Judge one directive of each unit; unstated, it is unverified, unless every cloud `provider` sets it by itself."""
    side = Side()
    for unit in deciding(infra):
        stated = unit.settings.get(name)
        if stated is None and provider and unit.kind == "terraform":
            side.hold(unit, f"{name} is set by {unit.managed}, by the size of its nodes", unit.place, Confidence.LIKELY)
        elif stated is None:
            known = PROVIDER_DEFAULTS.get((unit.managed, name), "")
            side.open(
                unit, f"{unit.name} relies on its provider's default ({known})" if known else f"{unit.name} {default}"
            )
        elif unresolved(stated.value):
            side.open(unit, f"{unit.name}: {name} comes from outside the files ({stated.value})", stated.place)
        else:
            judge(unit, stated, side)
    return side.side(infra, (name,), held)
