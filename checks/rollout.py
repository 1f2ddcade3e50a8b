"""How a new version replaces running workers: items 100 and 101."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath

from auditor.code.model import CodeModel, Worker
from auditor.infra.model import Deployment, InfraModel, Rollout, UnitKind
from auditor.live.model import LiveRedis
from auditor.model import Confidence, Evidence, Finding, Place, Severity, Status, Verdict
from auditor.probes import conclude, probe, unverified

from ._options import choices, number, option
from ._units import (
    UnitJudged,
    Workers,
    finding,
    judge,
    name_of,
    nothing_runs,
    softened,
    subject,
    without_units,
    worker_units,
    workers_of,
)
from ._versions import is_bull
from .processes import graceful_shutdown


@dataclass(frozen=True, slots=True)
class _Bound:
    """The longest that a job may run, in seconds, and where that is shown."""

    seconds: float
    place: Place
    said: str


@probe("deployment.grace_period")
def grace_period(infra: InfraModel | None, code: CodeModel | None, live: LiveRedis | None) -> Verdict:
    """The time between the stop signal and the kill is at least the longest job, and item 22 holds.

    The longest job is code's bound (Bull's `timeout`, the handler's own) or the longest run in Redis. With no bound
    known it is unverified, unless item 22 fails: then any stop cuts running jobs off. A deploy that kills (`docker rm
    -f`) fails whatever the bound.
    """
    early = without_units(infra, code)
    shutdown = _shutdown_failures(code)
    if early is not None and not (shutdown and infra is None):
        return early
    found = worker_units(infra, code) if infra is not None else Workers((), (), Confidence.LIKELY, "")
    kills = [_kill(r, found) for r in (infra.rollouts if infra else ()) if r.kills and _concerns(r, found)]
    findings = [*shutdown, *kills]
    evidence: list[Evidence] = []
    for unit in found.units:
        bound = longest_job(code, live, workers_of(unit, code, infra) if code is not None and infra is not None else ())
        said = softened(_grace(unit, bound, shut_down=not shutdown), unit)
        findings += _signal_note(unit)
        if said.status is Status.PASS:
            evidence.append(Evidence(said.place.label(), said.observed, said.expected, said.place))
        else:
            findings.append(finding(unit, said, found.confidence))
    if not findings and not evidence:
        return nothing_runs(infra) if infra is not None else unverified("give --infra PATH")
    return conclude(
        findings, held="every stop leaves the longest job its time", evidence=evidence, confidence=found.confidence
    )


@probe("deployment.rolling_update")
def rolling_update(infra: InfraModel | None, code: CodeModel | None) -> Verdict:
    """A new version comes up before, or part by part with, the old one going down.

    Kubernetes: RollingUpdate (a Deployment's default), `Recreate` fails. Compose: `deploy.update_config`. A script that
    stops or removes the only container and then starts the new one fails.
    """
    early = without_units(infra, code)
    if early is not None or infra is None:
        return early or unverified("give --infra PATH")
    found = worker_units(infra, code)
    stops = [_stop(r, found) for r in infra.rollouts if r.kind == "stop-first" and _concerns(r, found)]
    if stops:
        return conclude(stops, held="")
    rolled = [r for r in infra.rollouts if r.kind == "rolling" and _concerns(r, found)]
    if not found.units:
        return nothing_runs(infra)
    return judge(
        found, lambda unit: _rolling(unit, rolled), held="new versions of the workers roll out step by step ({n})"
    )


def longest_job(code: CodeModel | None, live: LiveRedis | None, workers: Sequence[Worker]) -> _Bound | None:
    """The longest bound on a job of these workers that code states, or the longest run seen in Redis if that is longer."""
    found: list[_Bound] = []
    queues = {name for worker in workers for name in worker.queue} if all(w.queue for w in workers) else set()
    for job in (j for j in (code.producers if code else ()) if not queues or not j.queue or queues & set(j.queue)):
        limit = option(job.options, "timeout")
        for value in choices(limit) if is_bull(job) and job.live else ():
            if (ms := number(value)) and ms > 0:
                place = limit.origin or job.span
                found.append(_Bound(ms / 1000, place, f"job timeout {ms / 1000:g} s at {place.label()}"))
    for worker in workers:
        for value in choices(worker.bound) if worker.bound and worker.live else ():
            if (ms := number(value)) and ms > 0:
                place = worker.bound.origin if worker.bound and worker.bound.origin else worker.span
                found.append(_Bound(ms / 1000, place, f"handler's bound {ms / 1000:g} s at {place.label()}"))
    found += _runs(live, queues)
    return max(found, key=lambda b: b.seconds, default=None)


def _runs(live: LiveRedis | None, queues: set[str]) -> list[_Bound]:
    found: list[_Bound] = []
    for queue in live.queues if live else ():
        if queue.durations is not None and (not queues or queue.name in queues):
            longest = queue.durations.max_ms / 1000
            place = queue.place(queue.durations.longest_job)
            found.append(_Bound(longest, place, f"longest run in {queue.name}: {longest:.1f} s"))
    return found


def _shutdown_failures(code: CodeModel | None) -> list[Finding]:
    """Failures of item 22, as they count here."""
    if code is None or code.empty or not code.workers:
        return []
    verdict: Verdict = graceful_shutdown.function(code)
    return [f for f in verdict.findings if f.status is Status.FAIL]


def _grace(unit: Deployment, bound: _Bound | None, *, shut_down: bool) -> UnitJudged:
    place = unit.grace.place if unit.grace else unit.place
    default = "" if unit.grace else " (the platform's default)"
    if unit.grace_seconds is None:
        said = unit.grace.value if unit.grace else "nothing"
        return UnitJudged(
            Status.UNVERIFIED, f"{name_of(unit)}: its grace period comes from outside the files ({said})", said, place
        )
    grace = f"{name_of(unit)}: grace period {unit.grace_seconds:g} s{default}"
    if bound is None:
        if not shut_down:
            message = (
                f"{grace}, and its workers are not closed on every stop signal (item 22): running jobs are cut off"
            )
            return UnitJudged(
                Status.FAIL, message, grace, place, "workers closed on SIGTERM, and time for the longest job"
            )
        message = f"{grace}; no bound on the longest job is known: give REDIS_URL for run times, or bound the handler"
        return UnitJudged(Status.UNVERIFIED, message, grace, place)
    if unit.grace_seconds < bound.seconds:
        message = f"{grace} is shorter than the longest job ({bound.said}): a deploy kills it"
        return UnitJudged(
            Status.FAIL, message, grace, place, f"at least {bound.seconds:g} s", (bound.place,), fix=_longer(unit, bound.seconds)
        )  # fmt: skip
    return UnitJudged(Status.PASS, "", f"{grace}, {bound.said}", place, f"at least {bound.seconds:g} s")


def _signal_note(unit: Deployment) -> list[Finding]:
    """A note where something stands between the stop signal and the program: a shell, or a package manager, as PID 1."""
    head = PurePosixPath(unit.command[0]).name if unit.command else ""
    shell = head == "sh" and unit.command[1:2] == ("-c",) and "exec " not in " ".join(unit.command)
    if unit.kind in (UnitKind.PM2, UnitKind.SYSTEMD, UnitKind.PROCFILE) or not (
        shell or head in ("npm", "yarn", "pnpm")
    ):
        return []
    place = unit.command_place or unit.place
    first = "a shell" if shell else head
    text = f"{name_of(unit)} runs {first} as its first process, which may not pass the stop signal on: start node itself, in the exec form"
    shown = (Evidence(place.label(), " ".join(unit.command)[:120], '["node", "dist/worker.js"]', place),)
    return [
        Finding(
            text, subject(unit), place, (unit.place,), shown, Confidence.LIKELY, Severity.LOW, Status.PASS, unit.name
        )
    ]


def _longer(unit: Deployment, seconds: float) -> str:
    want = int(seconds) + 10
    return {
        UnitKind.COMPOSE: f"stop_grace_period: {want}s",
        UnitKind.KUBERNETES: f"terminationGracePeriodSeconds: {want}",
        UnitKind.PM2: f"kill_timeout: {want * 1000}",
        UnitKind.SYSTEMD: f"TimeoutStopSec={want}",
        UnitKind.DOCKER_RUN: f"docker stop --time {want}",
    }.get(unit.kind, "")


def _concerns(rollout: Rollout, found: Workers) -> bool:
    """Whether a rollout is of a unit that runs workers; names may carry a version or an environment."""
    if not rollout.unit:
        return False
    named = rollout.unit.split("$", 1)[0].rstrip("-_")
    return any(
        u.name == rollout.unit or (named and (named in u.name or u.name in named))
        for u in (*found.units, *found.others)
    )


def _unit_of(rollout: Rollout, found: Workers) -> Deployment:
    return next((u for u in found.units if u.name == rollout.unit), found.units[0] if found.units else found.others[0])


def _kill(rollout: Rollout, found: Workers) -> Finding:
    unit = _unit_of(rollout, found)
    message = f"the deploy kills container {rollout.unit} without a grace period (docker rm -f, docker kill): running jobs are cut off"
    said = UnitJudged(
        Status.FAIL, message, "killed at once", rollout.place, "docker stop --time, then docker rm", (*rollout.related, unit.place)
    )  # fmt: skip
    return finding(unit, said, Confidence.CERTAIN)


def _stop(rollout: Rollout, found: Workers) -> Finding:
    unit = _unit_of(rollout, found)
    message = f"the deploy stops container {rollout.unit} and only then starts the new one: until it is up no job is processed"
    shown = Evidence(
        rollout.place.label(), "stopped or removed before the new one starts", "the new one up first", rollout.place
    )
    return Finding(message, subject(unit), rollout.place, (*rollout.related, unit.place), (shown,), symbol=unit.name)


def _rolling(unit: Deployment, rolled: list[Rollout]) -> UnitJudged:
    place = unit.strategy.place if unit.strategy else unit.place
    stated = unit.strategy.value if unit.strategy else "no strategy stated"
    if unit.rolling:
        said = f"{name_of(unit)}: {stated}" if unit.strategy else f"{name_of(unit)}: RollingUpdate by default"
        return UnitJudged(Status.PASS, "", said, place)
    if unit.rolling is False:
        message = f"{name_of(unit)}: {stated} stops every old worker before the first new one runs"
        return UnitJudged(Status.FAIL, message, stated, place, "RollingUpdate")
    if rolled:
        at = rolled[0].place
        return UnitJudged(
            Status.PASS, "", f"{at.label()} waits for {rolled[0].unit} to roll out", at, confidence=Confidence.LIKELY
        )
    message = f"{name_of(unit)}: nothing says how a new version replaces the old one"
    return UnitJudged(Status.UNVERIFIED, message, stated, place)
