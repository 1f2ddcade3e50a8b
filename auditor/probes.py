"""`@probe`, and the verdict helpers: all that a check imports beside the model and the snapshots.

A probe is a plain function. Its signature is its declaration: parameters typed as a `Snapshot` are what it
needs (`Snapshot | None`: it can do without), at most one parameter is a dataclass of params from the checklist:

    @probe("redis.maxmemory_policy")
    def maxmemory_policy(live: LiveRedis | None, infra: InfraModel | None, want: PolicyIs) -> Verdict:
        \"\"\"The eviction policy is `noeviction`.\"\"\"

The decorator returns a `Probe` value and registers nothing: loading a folder collects the values.
"""

from __future__ import annotations

import inspect
import types
import typing
from collections.abc import Callable, Iterable
from dataclasses import dataclass, is_dataclass

from auditor.model import Cause, Confidence, Evidence, Finding, Snapshot, Status, Verdict


@dataclass(frozen=True, slots=True)
class Need:
    """A snapshot that a probe asks for; an optional one may be None when the source gave nothing."""

    parameter: str
    snapshot: type[Snapshot]
    optional: bool


@dataclass(frozen=True, slots=True)
class Probe:
    """A check's function with what it declares: its needs and the dataclass of its params."""

    name: str
    function: Callable[..., Verdict]
    needs: tuple[Need, ...]
    params: type | None
    params_parameter: str
    doc: str

    @property
    def sources(self) -> tuple[str, ...]:
        """Names of the sources it reads, in the order of its signature."""
        return tuple(need.snapshot.source for need in self.needs)


def probe(name: str) -> Callable[[Callable[..., Verdict]], Probe]:
    """Turn a function into the `Probe` of that name (`subject.property`).

    Raises TypeError for a parameter that is neither a snapshot nor a dataclass, and for a second dataclass.
    """

    def wrap(function: Callable[..., Verdict]) -> Probe:
        hints = typing.get_type_hints(function)
        needs: list[Need] = []
        params: tuple[type | None, str] = (None, "")
        for parameter in inspect.signature(function).parameters:
            wanted, optional = _without_none(hints[parameter])
            if isinstance(wanted, type) and issubclass(wanted, Snapshot):
                needs.append(Need(parameter, wanted, optional))
            elif isinstance(wanted, type) and is_dataclass(wanted) and params[0] is None:
                params = (wanted, parameter)
            else:
                raise TypeError(
                    f"probe {name}: parameter {parameter} is neither a snapshot nor the one dataclass of params"
                )
        return Probe(name, function, tuple(needs), params[0], params[1], inspect.getdoc(function) or "")

    return wrap


def _without_none(hint: object) -> tuple[object, bool]:
    if isinstance(hint, types.UnionType) or typing.get_origin(hint) is typing.Union:
        rest = [arm for arm in typing.get_args(hint) if arm is not type(None)]
        if len(rest) == 1:
            return rest[0], True
    return hint, False


def passed(
    reason: str, *evidence: Evidence, confidence: Confidence = Confidence.CERTAIN, notes: Iterable[Finding] = ()
) -> Verdict:
    """The item holds; give the evidence that shows it."""
    return Verdict(Status.PASS, reason, confidence, findings=tuple(notes), evidence=evidence)


def failed(reason: str, *findings: Finding, evidence: Iterable[Evidence] = ()) -> Verdict:
    """The item does not hold; its confidence is that of the strongest finding."""
    return Verdict(Status.FAIL, reason, strongest(findings), findings=findings, evidence=tuple(evidence))


def unverified(
    reason: str, cause: Cause = Cause.UNRESOLVED, findings: Iterable[Finding] = (), evidence: Iterable[Evidence] = ()
) -> Verdict:
    """It could not be shown; `reason` says what would settle it."""
    return Verdict(Status.UNVERIFIED, reason, Confidence.CERTAIN, cause, tuple(findings), tuple(evidence))


def not_applicable(reason: str, *evidence: Evidence) -> Verdict:
    """The sources were there and hold no such subject; `reason` says what was looked for."""
    return Verdict(Status.NOT_APPLICABLE, reason, evidence=evidence)


def conclude(
    findings: Iterable[Finding],
    *,
    held: str,
    evidence: Iterable[Evidence] = (),
    confidence: Confidence = Confidence.CERTAIN,
    cause: Cause = Cause.UNRESOLVED,
) -> Verdict:
    """Sum up the judgements of all subjects: fail if any fails, else unverified if any is, else pass.

    `held` is the reason of a pass; `confidence` caps a pass, which is no surer than its weakest finding or evidence.
    PASS findings stay as notes.
    """
    judged = tuple(findings)
    shown = tuple(evidence)
    failures = [f for f in judged if f.status is Status.FAIL]
    open_ones = [f for f in judged if f.status is Status.UNVERIFIED]
    if failures:
        return Verdict(Status.FAIL, _sum_up(failures), strongest(failures), findings=judged, evidence=shown)
    if open_ones:
        return Verdict(Status.UNVERIFIED, _sum_up(open_ones), Confidence.CERTAIN, cause, judged, shown)
    order = list(Confidence)
    weakest = max([confidence, *(f.confidence for f in judged), *(e.confidence for e in shown)], key=order.index)
    return Verdict(Status.PASS, held, weakest, findings=judged, evidence=shown)


def strongest(findings: Iterable[Finding]) -> Confidence:
    """The surest confidence among findings; CERTAIN when there are none."""
    order = list(Confidence)
    return min((f.confidence for f in findings), key=order.index, default=Confidence.CERTAIN)


def _sum_up(findings: list[Finding]) -> str:
    first = findings[0].message
    return first if len(findings) == 1 else f"{first} (and {len(findings) - 1} more)"
