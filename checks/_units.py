"""Which deployments run workers: the join of infra's units with code's processes, and judging them unit by unit."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path, PurePosixPath

from auditor.code.model import CodeModel, Worker
from auditor.infra.model import Deployment, Environment, InfraModel, UnitKind
from auditor.model import Cause, Confidence, Evidence, Finding, Place, Severity, Status, Subject, SubjectType, Verdict
from auditor.probes import conclude, not_applicable, unverified

from ._subjects import NO_QUEUES, weakest

WORKER_WORDS = re.compile(
    r"(?<![a-z])(workers?|queues?|processors?|jobs?|consumers?|bull(mq)?|background|sidekiq)(?![a-z])", re.I
)
_ROLE = re.compile(r"worker|role|service|process_?type|mode$|queue", re.I)
_POOL = re.compile(
    r"--?(?:num-|max-|threads-)?workers?(?:-\w+)?(?:=\d+)?$|--?worker-(?:class|processes|connections|threads)"
)
"""Flags of servers that fork: `uvicorn --workers 2`, `gunicorn --worker-class …`."""
_INITS = frozenset(("tini", "dumb-init", "exec", "env", "catatonit"))
_OTHER_LANGUAGES = frozenset(
    (
        "python",
        "python3",
        "uvicorn",
        "gunicorn",
        "hypercorn",
        "flask",
        "django-admin",
        "celery",
        "rq",
        "poetry",
        "uv",
        "java",
        "php",
        "php-fpm",
        "apache2-foreground",
        "artisan",
        "ruby",
        "bundle",
        "rails",
        "puma",
        "sidekiq",
        "dotnet",
        "go",
        "cargo",
        "mix",
        "nginx",
        "caddy",
    )
)
"""Programs that run no JavaScript."""
_NOT_WORKERS = re.compile(r"(monitor|dashboard|board|exporter|admin|ui|listener|scheduler)(?![a-z])", re.I)
_RANK = {
    Environment.PRODUCTION: 0,
    Environment.STAGING: 1,
    Environment.UNKNOWN: 1,
    Environment.DEVELOPMENT: 2,
    Environment.TEST: 3,
}


@dataclass(frozen=True, slots=True)
class Workers:
    """The units that run workers."""

    units: tuple[Deployment, ...]
    """Of each program, those of its most productive environment: production decides where there is one."""
    others: tuple[Deployment, ...]
    """The same programs in other environments."""
    confidence: Confidence
    how: str
    """How they were told, for people."""


@dataclass(frozen=True, slots=True)
class UnitJudged:
    """What a rule says of one unit."""

    status: Status
    message: str
    observed: str
    place: Place
    expected: str = ""
    related: tuple[Place, ...] = ()
    confidence: Confidence = Confidence.CERTAIN
    severity: Severity | None = None
    fix: str = ""


def by_unit(
    infra: InfraModel | None, code: CodeModel | None, rule: Callable[[Deployment], UnitJudged], *, held: str
) -> Verdict:
    """Judge every unit that runs workers and sum up; `{n}` in `held` is their number."""
    early = without_units(infra, code)
    if early is not None or infra is None:
        return early or unverified("no infra files were read", Cause.SOURCE_NOT_GIVEN)
    found = worker_units(infra, code)
    if not found.units:
        return nothing_runs(infra)
    return judge(found, rule, held=held)


def judge(found: Workers, rule: Callable[[Deployment], UnitJudged], *, held: str) -> Verdict:
    """The verdict over the units; a failure in what is for development only proves nothing."""
    findings: list[Finding] = []
    evidence: list[Evidence] = []
    for unit in found.units:
        said = softened(rule(unit), unit)
        sure = weakest((said.confidence,), found.confidence)
        if said.status is Status.PASS:
            evidence.append(Evidence(said.place.label(), said.observed, said.expected, said.place, confidence=sure))
        else:
            findings.append(finding(unit, said, sure))
    return conclude(findings, held=held.format(n=len(found.units)), evidence=evidence, confidence=found.confidence)


def finding(unit: Deployment, said: UnitJudged, confidence: Confidence) -> Finding:
    """The finding that a judgement makes."""
    shown = Evidence(said.place.label(), said.observed, said.expected, said.place, confidence=confidence)
    related = tuple(p for p in dict.fromkeys((unit.place, *said.related)) if p != said.place)
    return Finding(
        said.message, subject(unit), said.place, related, (shown,), confidence, said.severity, said.status, unit.name, said.fix
    )  # fmt: skip


def subject(unit: Deployment) -> Subject:
    """The unit as a finding names it."""
    return Subject(SubjectType.DEPLOYMENT, name_of(unit), service=unit.name)


def name_of(unit: Deployment) -> str:
    """`compose service worker`, `Deployment worker`, `PM2 app worker`."""
    kind = {
        "compose": "compose service", "kubernetes": unit.controller or "Kubernetes", "pm2": "PM2 app", "systemd": "systemd unit",
        "dockerfile": "image", "procfile": "Procfile process", "render": "Render service", "docker run": "container",
    }.get(unit.kind.value, unit.kind.value)  # fmt: skip
    return f"{kind} {unit.name}"


def without_units(infra: InfraModel | None, code: CodeModel | None) -> Verdict | None:
    """The verdict where no unit needs to be looked at: no Bull in the code, no worker, no infra files."""
    if code is not None and code.empty:
        return not_applicable(NO_QUEUES)
    if code is not None and not code.workers:
        return not_applicable("no worker consumes a queue in the code: nothing is deployed that could be judged")
    if infra is None:
        return unverified("no infra files were read; give --infra PATH", Cause.SOURCE_NOT_GIVEN)
    return None


def nothing_runs(infra: InfraModel) -> Verdict:
    """No unit runs workers: said with what was looked at."""
    own = [u for u in infra.deployments if not u.backing]
    seen = f"{len(own)} units of other programs" if own else "no unit that runs the project's own code"
    return unverified(
        f"no unit in the infra files runs the workers ({seen}); give --infra the folder that deploys them, or attest",
        Cause.UNRESOLVED,
    )


def worker_units(infra: InfraModel, code: CodeModel | None) -> Workers:
    """The units that run workers: by entry point, else by package, else by name, else the only program that there is."""
    own = [u for u in infra.deployments if not u.backing and not _other_language(u)]
    if code is not None:
        exact, near = _by_entry(own, code), _by_package(own, infra, code)
        unread = [u for u in own if not u.entries and _sounds_like_worker(u) and _of_this_code(u, code)]
        if exact:
            how = "its command starts the file that starts the workers"
            return _chosen([*exact, *unread], Confidence.LIKELY if unread else Confidence.CERTAIN, how)
        if near:
            how = "its command starts a file of the package that holds the workers"
            return _chosen([*near, *unread], Confidence.LIKELY, how)
    named = [u for u in own if _sounds_like_worker(u) and _of_this_code(u, code)]
    if named:
        return _chosen(named, Confidence.LIKELY, "its name or command speaks of workers")
    if code is None:
        return Workers((), (), Confidence.LIKELY, "")
    alone = [u for u in own if _alone(u, own) and _of_this_code(u, code)]
    return _chosen(alone, Confidence.LIKELY, "it is the only program that its file deploys")


def _by_entry(own: Sequence[Deployment], code: CodeModel) -> list[Deployment]:
    starters = {p for process in code.processes if process.starts_workers for p in absolute(code, process.entry.path)}
    return by_role([u for u in own if any(real(e.path) in starters for e in u.entries)])


def by_role(units: Sequence[Deployment]) -> list[Deployment]:
    """Of units that start one program in several roles (`--services=worker`, `ROLE=worker`), those in the worker's."""
    kept = []
    for unit in units:
        same = [
            u for u in units if {e.path for e in u.entries} & {e.path for e in unit.entries} and u.kind is unit.kind
        ]
        roles = {(u.command, tuple(sorted((n, s.value) for n, s in u.env.items() if _ROLE.search(n)))) for u in same}
        workers = [u for u in same if _sounds_like_worker(u)]
        if len(roles) < 2 or not workers or len(workers) == len(same) or unit in workers:
            kept.append(unit)
    return kept


def _by_package(own: Sequence[Deployment], infra: InfraModel, code: CodeModel) -> list[Deployment]:
    """Units whose entry lies in the same package as a worker, where no process could be followed to it."""
    packages = worker_packages(infra, code)
    roots = {real(t.path) for t in infra.trees}
    inner = packages - roots or packages
    found = [u for u in own if any(_package(real(e.path), infra.packages) in inner for e in u.entries)]
    # of the programs of one package, those that are named for it run the workers
    named = {p for u in found if _sounds_like_worker(u) for p in _packages_of(u, infra)}
    return [u for u in found if _sounds_like_worker(u) or not named & _packages_of(u, infra)]


def worker_packages(infra: InfraModel, code: CodeModel) -> set[str]:
    """Absolute folders of the packages that hold workers."""
    workers = [w for w in code.workers if w.live] or list(code.workers)
    return {p for w in workers for path in absolute(code, w.span.path) if (p := _package(path, infra.packages))}


def _packages_of(unit: Deployment, infra: InfraModel) -> set[str]:
    return {p for e in unit.entries if (p := _package(real(e.path), infra.packages))}


@lru_cache(maxsize=10_000)
def real(*parts: str) -> str:
    """The path without links, as collectors give it."""
    return Path(*parts).resolve().as_posix()


def workers_of(unit: Deployment, code: CodeModel, infra: InfraModel) -> tuple[Worker, ...]:
    """The workers that a unit's processes start, else those of its package; all of the code's where neither tells."""
    entries = {real(e.path) for e in unit.entries}
    own = [p for p in code.processes if p.starts_workers and entries.intersection(absolute(code, p.entry.path))]
    spans = {span for process in own for span in process.workers}
    started = tuple(w for w in code.workers if w.span in spans)
    near = _packages_of(unit, infra)
    beside = tuple(
        w for w in code.workers if any(_package(p, infra.packages) in near for p in absolute(code, w.span.path))
    )
    return started or beside or code.workers


def absolute(code: CodeModel, path: str) -> list[str]:
    """Absolute paths that a path relative to one of the code trees may be."""
    return [real(tree.path, path) for tree in code.trees]


def _package(path: str, packages: Iterable[str]) -> str:
    """The nearest package's folder above a file."""
    return max((p for p in packages if path.startswith(p.rstrip("/") + "/")), key=len, default="")


def _sounds_like_worker(unit: Deployment) -> bool:
    words = " ".join((unit.name, *(word for word in unit.command if not _POOL.match(word))))
    return bool(WORKER_WORDS.search(words)) and not _NOT_WORKERS.search(unit.name)


def _other_language(unit: Deployment) -> bool:
    """Whether the unit's command starts no JavaScript: `uvicorn main:app`, behind `dumb-init --` too."""
    words = (PurePosixPath(word).name for word in unit.command if not word.startswith("-"))
    return next((word for word in words if word not in _INITS), "") in _OTHER_LANGUAGES


def _of_this_code(unit: Deployment, code: CodeModel | None) -> bool:
    """Whether the unit may run the code given: not when its entry points all lie elsewhere."""
    if code is None or not unit.entries:
        return code is None or _context_fits(unit, code)
    roots = [real(tree.path) for tree in code.trees]
    return any(real(e.path).startswith(r.rstrip("/") + "/") for e in unit.entries for r in roots)


def _context_fits(unit: Deployment, code: CodeModel) -> bool:
    """A unit without a known entry point fits unless it is built from, or named like, another folder."""
    where = unit.dockerfile.path if unit.dockerfile else unit.context
    if not where:
        names = {Path(real(t.path)).name for t in code.trees}
        whole = any(real(t.path) == real(unit.root) for t in code.trees)
        return whole or unit.name in names
    folder = real(unit.root, str(PurePosixPath(where).parent if unit.dockerfile else where))
    return any(folder.startswith(real(t.path)) or real(t.path).startswith(folder) for t in code.trees)


def _alone(unit: Deployment, own: Sequence[Deployment]) -> bool:
    return not any(o is not unit and o.place.path == unit.place.path for o in own)


def _chosen(units: Sequence[Deployment], confidence: Confidence, how: str) -> Workers:
    """Of each program, the units of its most productive environment; programs are told by entry point, else by name."""
    running = [u for u in units if u.kind is not UnitKind.DOCKERFILE]
    units = running or units  # an image alone says less than what runs it
    groups: dict[tuple[str, ...], list[Deployment]] = {}
    for unit in units:
        key = tuple(sorted({e.path for e in unit.entries})) or (_plain_name(unit.name),)
        groups.setdefault(key, []).append(unit)
    if len(units) > 1 and confidence is not Confidence.CERTAIN:  # told by name: one program, as far as one can see
        merged: dict[str, list[Deployment]] = {}
        for unit in units:
            merged.setdefault(_plain_name(unit.name), []).append(unit)
        groups = {(name,): found for name, found in merged.items()}
    deciding: list[Deployment] = []
    for group in groups.values():
        best = min(_RANK[u.environment] for u in group)
        deciding += [u for u in group if _RANK[u.environment] == best]
    best = min((_RANK[u.environment] for u in deciding), default=0)
    # a program that exists in development only says nothing beside one that is in production
    kept = [u for u in deciding if _RANK[u.environment] < _RANK[Environment.DEVELOPMENT]] if best < 2 else deciding
    return Workers(tuple(kept), tuple(u for u in units if u not in kept), confidence, how)


def _plain_name(name: str) -> str:
    return re.sub(r"[-_]?(prod(uction)?|stag(e|ing)|dev(elopment)?|test|local)[-_]?", "", name.lower())


def softened(said: UnitJudged, unit: Deployment) -> UnitJudged:
    """The judgement, with a failure of what is for development only left open: it proves nothing of production."""
    if said.status is not Status.FAIL or unit.environment.decides:
        return said
    text = f"{said.message}; but {unit.place.path} is for {unit.environment.value} only, and nothing shows production"
    return replace(said, status=Status.UNVERIFIED, message=text)
