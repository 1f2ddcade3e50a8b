"""Where workers run and how their number follows the queue: items 96 and 97."""

from __future__ import annotations

from auditor.code.model import CodeModel, Process
from auditor.infra.model import Autoscaler, Deployment, InfraModel, UnitKind
from auditor.live.model import LiveRedis
from auditor.model import Cause, Confidence, Evidence, Finding, Place, Status, Subject, SubjectType, Verdict
from auditor.probes import conclude, failed, not_applicable, passed, probe, unverified

from . import _live
from ._sources import corroborated
from ._subjects import NO_QUEUES
from ._units import Workers, absolute, by_role, name_of, subject, without_units, worker_units


@probe("deployment.separate_workers")
def separate_workers(infra: InfraModel | None, code: CodeModel | None, live: LiveRedis | None) -> Verdict:
    """Workers run apart from the web server.

    Fails when one entry point serves application routes and runs workers. Holds when the processes that start workers
    serve none, the surer with a unit of their own. Without code: a unit that is named a worker beside others. Redis
    shows the hosts that workers connect from.
    """
    seen = _separate(infra, code)
    return seen if live is None else corroborated(seen, _live.worker_hosts(live))


def _separate(infra: InfraModel | None, code: CodeModel | None) -> Verdict:
    if code is None:
        return _by_names(infra)
    if code.empty or not code.workers:
        return not_applicable(NO_QUEUES if code.empty else "no worker consumes a queue in the code")
    running = [p for p in code.processes if p.starts_workers]
    if not running:
        return unverified(
            "no entry point that starts the workers could be told; give --infra PATH with the start commands"
        )
    mixed = [_mixed(p, infra, code) for p in running if p.serves_http and not _in_roles(p, infra, code)]
    if mixed:
        return failed(
            mixed[0].message if len(mixed) == 1 else f"{len(mixed)} processes serve HTTP and run workers", *mixed
        )
    shown = [_apart(p, infra, code) for p in running]
    certain = all(e.confidence is Confidence.CERTAIN for e in shown)
    reason = f"the {len(running)} processes that start workers serve no application routes"
    if len(running) == 1:
        reason = "the process that starts the workers serves no application routes"
    if any(p.serves_http for p in running):
        reason = "the workers are started apart from the web server"
    return passed(reason, *shown, confidence=Confidence.CERTAIN if certain else Confidence.LIKELY)


@probe("deployment.autoscaling")
def autoscaling(infra: InfraModel | None, code: CodeModel | None) -> Verdict:
    """The number of workers follows the length of the queue: KEDA, or an HPA on a queue's metric; CPU alone fails."""
    early = without_units(infra, code)
    if early is not None or infra is None:
        return early or unverified("give --infra PATH", Cause.SOURCE_NOT_GIVEN)
    found = worker_units(infra, code)
    live = [s for s in infra.autoscalers if s.environment.decides] or list(infra.autoscalers)
    if not live:
        return unverified(
            "no autoscaler in the infra files; it may be set up outside of them: attest, or give its manifest"
        )
    mine = [s for s in live if any(_targets(s, u) for u in found.units)]
    if not mine:
        return _of_others(live, found)
    findings = [_blind(s, found, certain=True) for s in mine if not s.on_queue]
    findings += [_unscaled(u) for u in found.units if not any(_targets(s, u) for s in mine)]
    shown = [_shown(s) for s in mine if s.on_queue]
    held = (
        f"{mine[0].name} scales on {', '.join(mine[0].metrics)}"
        if len(mine) == 1
        else f"{len(shown)} autoscalers follow queues"
    )
    return conclude(findings, held=held, evidence=shown)


def _of_others(live: list[Autoscaler], found: Workers) -> Verdict:
    """No autoscaler names a unit that runs workers: what the others look at shows how scaling was meant."""
    on_queue = [s for s in live if s.on_queue]
    if on_queue:
        reason = f"{on_queue[0].name} scales on {', '.join(on_queue[0].metrics)}"
        return passed(reason, *(_shown(s) for s in on_queue), confidence=Confidence.LIKELY)
    findings = [_blind(s, found, certain=False) for s in live]
    return failed(findings[0].message, *findings)


def _by_names(infra: InfraModel | None) -> Verdict:
    if infra is None:
        return unverified("give --code PATH, or --infra PATH", Cause.SOURCE_NOT_GIVEN)
    found = worker_units(infra, None)
    running = [u for u in infra.deployments if not u.backing and u.kind is not UnitKind.DOCKERFILE]
    others = [u for u in running if u not in found.units and u not in found.others]
    if not found.units:
        return unverified("no unit is recognisable as a worker; give --code PATH")
    if not others:
        return unverified(
            f"{name_of(found.units[0])} is the only program; whether it serves HTTP too takes --code PATH"
        )
    shown = [_unit_evidence(u, Confidence.LIKELY) for u in found.units]
    return passed(
        f"{name_of(found.units[0])} is deployed apart from {len(others)} others", *shown, confidence=Confidence.LIKELY
    )


def _mixed(process: Process, infra: InfraModel | None, code: CodeModel) -> Finding:
    units = _units_of(process, infra, code)
    place = process.serves_at or process.entry
    related: tuple[Place, ...] = (process.entry, *(u.place for u in units), *process.workers[:3])
    shown = Evidence(
        place.label(), f"{process.entry.path} starts workers and listens here", "an entry point of its own", place
    )
    return Finding(
        f"{process.entry.path} serves HTTP and runs workers: a heavy job slows every request, and a restart of either stops both",
        Subject(SubjectType.PROCESS, process.entry.path, service=process.service),
        place, tuple(p for p in dict.fromkeys(related) if p != place), (shown,),
        Confidence.CERTAIN if process.known else Confidence.LIKELY, symbol=process.entry.path,
    )  # fmt: skip


def _in_roles(process: Process, infra: InfraModel | None, code: CodeModel) -> bool:
    """Whether the files start this one program apart as worker and as web server, by argument or variable."""
    units = _units_of(process, infra, code)
    return len(by_role(units)) < len(units)


def _apart(process: Process, infra: InfraModel | None, code: CodeModel) -> Evidence:
    units = _units_of(process, infra, code)
    if process.serves_http:  # one program in several roles: its units tell them apart
        worker = by_role(units)[0]
        said = f"{process.entry.path} is started apart as worker by {name_of(worker)}: {' '.join(worker.command)}"
        return Evidence(worker.place.label(), said, place=worker.place, confidence=Confidence.LIKELY)
    where = f", deployed by {name_of(units[0])}" if units else ""
    sure = Confidence.CERTAIN if units and process.known else Confidence.LIKELY
    place: Place = units[0].place if units else process.entry
    return Evidence(
        place.label(),
        f"{process.entry.path} starts workers and serves no application routes{where}",
        place=place,
        confidence=sure,
    )


def _units_of(process: Process, infra: InfraModel | None, code: CodeModel) -> list[Deployment]:
    paths = set(absolute(code, process.entry.path))
    units = [u for u in (infra.deployments if infra else ()) if any(e.path in paths for e in u.entries)]
    return [u for u in units if u.environment.decides] or units


def _targets(scaler: Autoscaler, unit: Deployment) -> bool:
    return scaler.target in (unit.name, unit.name.split("/")[0])


def _unscaled(unit: Deployment) -> Finding:
    message = f"no autoscaler in the files changes the number of {name_of(unit)}"
    shown = Evidence(unit.place.label(), "no autoscaler", place=unit.place)
    return Finding(message, subject(unit), unit.place, (), (shown,), status=Status.UNVERIFIED, symbol=unit.name)


def _shown(scaler: Autoscaler) -> Evidence:
    return Evidence(
        scaler.place.label(),
        f"{scaler.kind} {scaler.name} scales {scaler.target} on {', '.join(scaler.metrics)}",
        place=scaler.place,
    )


def _blind(scaler: Autoscaler, found: Workers, *, certain: bool) -> Finding:
    """An autoscaler that looks at no queue; of another program it shows at least that none looks at the queue."""
    metrics = ", ".join(scaler.metrics) or "no metric"
    of = "" if certain else "; it scales another program, and none scales the workers"
    about = subject(found.units[0]) if certain and found.units else Subject(SubjectType.DEPLOYMENT, scaler.target)
    shown = Evidence(
        scaler.place.label(), f"{scaler.kind} {scaler.name} on {metrics}", "a queue's length", scaler.place
    )
    return Finding(
        f"{scaler.kind} {scaler.name} scales on {metrics}, not on the length of a queue{of}",
        about, scaler.place, (), (shown,), Confidence.CERTAIN if certain else Confidence.LIKELY,
    )  # fmt: skip


def _unit_evidence(unit: Deployment, confidence: Confidence) -> Evidence:
    return Evidence(unit.place.label(), f"{name_of(unit)} runs apart", place=unit.place, confidence=confidence)
