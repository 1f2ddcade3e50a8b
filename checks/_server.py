"""One live Redis server while it is judged, and figures as people say them."""

from __future__ import annotations

from dataclasses import dataclass, field

from auditor.live.model import Refused, Server
from auditor.model import Confidence, Evidence, Finding, Severity, Status, Subject, SubjectType


@dataclass(slots=True)
class Judged:
    """A server while it is judged."""

    server: Server
    findings: list[Finding] = field(default_factory=list)
    evidence: list[Evidence] = field(default_factory=list)

    def shown(
        self, source: str, observed: str, expected: str = "", *, confidence: Confidence = Confidence.CERTAIN
    ) -> Evidence:
        """One observation on this server."""
        return Evidence(source, observed, expected, self.server.place(source), confidence=confidence)

    def fail(
        self, message: str, *evidence: Evidence, severity: Severity | None = None, fix: str = "", symbol: str = ""
    ) -> None:
        """The server fails; as sure as its weakest evidence."""
        self._add(message, Status.FAIL, evidence, severity, fix=fix, symbol=symbol)

    def open(self, message: str, *evidence: Evidence) -> None:
        """It can't be told."""
        self._add(message, Status.UNVERIFIED, evidence)

    def note(self, message: str, *evidence: Evidence) -> None:
        """Worth a reader's while, and no failure."""
        self._add(message, Status.PASS, evidence, Severity.LOW)

    def hold(self, *evidence: Evidence) -> None:
        """What shows that it holds."""
        self.evidence += evidence

    def refused(self, fact: Refused) -> None:
        """The server would not tell."""
        managed = f"; {self.server.managed}: see the provider's console" if self.server.managed else ""
        self.open(f"Redis would not tell: {fact.label()}{managed}", self.shown(fact.command, fact.why))

    def _add(
        self,
        message: str,
        status: Status,
        evidence: tuple[Evidence, ...],
        severity: Severity | None = None,
        *,
        fix: str = "",
        symbol: str = "",
    ) -> None:
        order = list(Confidence)
        weakest = max((e.confidence for e in evidence), key=order.index, default=Confidence.CERTAIN)
        place = evidence[0].place if evidence else self.server.place()
        subject = Subject(SubjectType.SERVER, self.server.endpoint)
        made = Finding(message, subject, place, (), evidence, weakest, severity, status, symbol=symbol, fix=fix)
        self.findings.append(made)


def size(count: int) -> str:
    """Bytes as people say them: `1.5 GB`."""
    left = float(count)
    for unit in ("B", "KB", "MB"):
        if left < 1024:
            return f"{left:.0f} {unit}" if unit != "MB" else f"{left:.1f} MB"
        left /= 1024
    return f"{left:.1f} GB"


def age(seconds: int) -> str:
    """Seconds as people say them: `3 h`."""
    for unit, length in (("d", 86_400), ("h", 3600), ("min", 60)):
        if seconds >= 2 * length:
            return f"{seconds // length} {unit}"
    return f"{seconds} s"
