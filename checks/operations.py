"""Where logs go, and what is written down for the day that Redis is lost: items 99 and 102."""

from __future__ import annotations

from auditor.code.model import CodeModel
from auditor.infra.model import Document, InfraModel, LogShipper
from auditor.model import Cause, Confidence, Evidence, Finding, Severity, Status, Subject, SubjectType, Verdict
from auditor.probes import passed, probe, unverified

from ._units import real, worker_packages


@probe("deployment.log_aggregation")
def log_aggregation(infra: InfraModel | None, code: CodeModel | None) -> Verdict:
    """Logs leave the machine: by a collector (Fluent Bit, Vector, ...), a logging driver that sends, or a logger's transport."""
    found = [s for s in infra.shippers if s.environment.decides and _sends_ours(s, infra, code)] if infra else []
    if found:
        shown = [Evidence(s.place.label(), s.kind, "logs collected away from the machine", s.place) for s in found]
        return passed(f"{found[0].kind} collects the logs", *shown, confidence=Confidence.LIKELY)
    other = (
        f" ({infra.shippers[0].kind} in {infra.shippers[0].place.path} is not for production)"
        if infra and infra.shippers
        else ""
    )
    cause = Cause.NEEDS_PERSON if infra is not None else Cause.SOURCE_NOT_GIVEN
    return unverified(
        f"no log collector and no logging driver that sends logs away in the files{other}; attest where logs go", cause
    )


def _sends_ours(shipper: LogShipper, infra: InfraModel, code: CodeModel | None) -> bool:
    """Whether a transport is one of the programs that run workers; a collector takes the logs of all."""
    return not shipper.packages or code is None or bool(set(shipper.packages) & worker_packages(infra, code))


@probe("document.disaster_recovery")
def disaster_recovery(infra: InfraModel | None, code: CodeModel | None) -> Verdict:
    """A document has RPO and RTO with figures, restore steps, and speaks of Redis.

    A document inside the folder of one service counts for that service alone.
    """
    if infra is None:
        return unverified("no documents were read; give --infra PATH, or attest", Cause.SOURCE_NOT_GIVEN)
    mine = [d for d in infra.documents if _concerns(d, infra, code)]
    whole = [d for d in mine if d.complete]
    if whole:
        return passed(
            f"{whole[0].path} has RPO, RTO, restore steps and Redis", *_evidence(whole[0]), confidence=Confidence.LIKELY
        )
    # without objectives it must at least restore Redis: `restore` alone is said of caches, windows and deleted rows
    partial = [d for d in mine if d.rpo or d.rto or (d.restore and d.redis)]
    partial = sorted(partial, key=lambda d: sum(p is None for p in (d.rpo, d.rto, d.restore, d.redis)))
    if not partial:
        others = len(infra.documents) - len(mine)
        beside = f" ({others} of other services)" if others else ""
        return unverified(
            f"no recovery document with RPO, RTO, restore steps and Redis{beside}; attest where it is",
            Cause.NEEDS_PERSON,
        )
    lacks = ", ".join(_lacking(partial[0]))
    return unverified(
        f"{partial[0].path} speaks of recovery but lacks {lacks}; complete it, or attest where the plan is",
        Cause.NEEDS_PERSON,
        [_note(d) for d in partial[:5]],
    )


def _concerns(document: Document, infra: InfraModel, code: CodeModel | None) -> bool:
    """Whether it is about what is scanned: not when it lies in the package of another service."""
    if code is None:
        return True
    roots = [real(t.path) for t in infra.trees]
    paths = [real(r, document.path) for r in roots]
    homes = {
        max((p for p in infra.packages if path.startswith(p.rstrip("/") + "/")), key=len, default=r)
        for path, r in zip(paths, roots, strict=True)
    }
    trees = [real(t.path) for t in code.trees]
    return any(_within(t, h) or _within(h, t) for t in trees for h in homes)


def _within(path: str, folder: str) -> bool:
    return path == folder or path.startswith(folder.rstrip("/") + "/")


def _evidence(document: Document) -> list[Evidence]:
    places = {"RPO": document.rpo, "RTO": document.rto, "restore steps": document.restore, "Redis": document.redis}
    return [Evidence(p.label(), what, place=p) for what, p in places.items() if p is not None]


def _lacking(document: Document) -> list[str]:
    places = {"RPO": document.rpo, "RTO": document.rto, "restore steps": document.restore, "Redis": document.redis}
    return [what for what, place in places.items() if place is None]


def _note(document: Document) -> Finding:
    shown = tuple(_evidence(document))
    return Finding(
        f"{document.path} lacks {', '.join(_lacking(document))}", Subject(SubjectType.DOCUMENT, document.path),
        shown[0].place if shown else None, (), shown, Confidence.LIKELY, Severity.LOW, Status.UNVERIFIED,
    )  # fmt: skip
