"""How the units that run workers are kept alive and in bounds: items 24, 27, 98."""

from __future__ import annotations

from auditor.code.model import CodeModel
from auditor.infra.model import Deployment, InfraModel, UnitKind
from auditor.model import Confidence, Status, Verdict
from auditor.probes import probe

from ._units import UnitJudged, by_unit, name_of

PLATFORMS = frozenset(
    (UnitKind.PROCFILE, UnitKind.RENDER, UnitKind.FLY, UnitKind.ECS, UnitKind.RAILWAY, UnitKind.APP_PLATFORM)
)
"""Platforms that run a unit in an instance of a fixed size and watch it themselves."""


@probe("deployment.restarts")
def restarts(infra: InfraModel | None, code: CodeModel | None) -> Verdict:
    """A worker that crashed is started again.

    By PM2 (unless `autorestart: false`), systemd's `Restart=`, compose's `restart` or `deploy.restart_policy`, a
    Kubernetes controller, an ECS service, a Procfile platform. Docker and compose start nothing again by default.
    """
    return by_unit(infra, code, _restarts, held="every unit that runs workers is started again after a crash ({n})")


@probe("deployment.memory_limit")
def memory_limit(infra: InfraModel | None, code: CodeModel | None) -> Verdict:
    """A worker's memory is bounded: a container limit, PM2's or systemd's, or V8's heap; the heap not above the limit."""
    return by_unit(infra, code, _memory, held="every unit that runs workers has a memory limit ({n})")


@probe("deployment.health_checks")
def health_checks(infra: InfraModel | None, code: CodeModel | None) -> Verdict:
    """The worker itself has a health check that can fail: a probe, or a healthcheck of its service or image."""
    return by_unit(infra, code, _health, held="every unit that runs workers has a health check ({n})")


def _restarts(unit: Deployment) -> UnitJudged:
    place = unit.restart.place if unit.restart else unit.place
    stated = unit.restart.value if unit.restart else "no restart policy"
    if unit.restarts:
        return UnitJudged(Status.PASS, "", f"{name_of(unit)}: {stated}", place)
    if unit.kind is UnitKind.DOCKERFILE:
        return _only_image(unit, "starts it again")
    if unit.restarts is None:
        return UnitJudged(
            Status.UNVERIFIED,
            f"whether {name_of(unit)} is restarted after a crash comes from outside the files",
            stated,
            place,
        )
    message = f"{name_of(unit)} is not started again after a crash: {stated}"
    fix = {
        UnitKind.COMPOSE: "restart: unless-stopped",
        UnitKind.DOCKER_RUN: "docker run --restart unless-stopped",
        UnitKind.PM2: "leave autorestart alone (its default is true)",
        UnitKind.SYSTEMD: "Restart=always",
        UnitKind.KUBERNETES: "run it by a Deployment, or set restartPolicy: Always",
    }.get(unit.kind, "")
    return UnitJudged(Status.FAIL, message, stated, place, "a restart policy", fix=fix)


def _memory(unit: Deployment) -> UnitJudged:
    name = name_of(unit)
    limit, heap = unit.memory, unit.heap
    if limit is not None and heap is not None and (unit.heap_bytes or 0) > (unit.memory_bytes or 1 << 62):
        message = (
            f"{name}: V8 may grow to {heap.value} MB, above the limit of {limit.value}: it is killed before it collects"
        )
        return UnitJudged(
                Status.FAIL, message, f"--max-old-space-size={heap.value}, limit {limit.value}", heap.place,
                "a heap of about three quarters of the limit", (limit.place,),
            )  # fmt: skip
    if limit is not None:
        beside = f", heap {heap.value} MB" if heap else ""
        return UnitJudged(Status.PASS, "", f"{name}: memory limit {limit.value}{beside}", limit.place)
    if heap is not None:
        said = f"{name}: heap bounded to {heap.value} MB, but nothing bounds the process"
        return UnitJudged(Status.PASS, "", said, heap.place, confidence=Confidence.LIKELY)
    if unit.kind is UnitKind.DOCKERFILE:
        return _only_image(unit, "limits its memory")
    if unit.kind in PLATFORMS:
        said = f"{name}: bounded by the size of the platform's instance"
        return UnitJudged(Status.PASS, "", said, unit.place, confidence=Confidence.LIKELY)
    fix = {
        UnitKind.COMPOSE: "deploy: {resources: {limits: {memory: 512M}}}",
        UnitKind.DOCKER_RUN: "docker run --memory 512m",
        UnitKind.PM2: "max_memory_restart: '512M'",
        UnitKind.SYSTEMD: "MemoryMax=512M",
        UnitKind.KUBERNETES: "resources: {limits: {memory: 512Mi}}",
    }.get(unit.kind, "")
    message = f"{name} has neither a memory limit nor a bounded heap: a leak takes the whole machine down"
    return UnitJudged(
        Status.FAIL, message, "no memory limit, no --max-old-space-size", unit.place, "a memory limit", fix=fix
    )


def _health(unit: Deployment) -> UnitJudged:
    name = name_of(unit)
    checks = [c for c in unit.health if c.kind != "startup"]
    working = [c for c in checks if c.can_fail]
    if working:
        check = working[0]
        by = "image's " if check.from_image else ""
        return UnitJudged(Status.PASS, "", f"{name}: {by}{check.kind} check {check.test}".strip(), check.place)
    if checks:
        message = f"{name}: its check cannot fail, it looks at nothing: {checks[0].test}"
        return UnitJudged(Status.FAIL, message, checks[0].test, checks[0].place, "a check that asks the worker")
    if unit.kind is UnitKind.DOCKERFILE:
        return _only_image(unit, "checks its health")
    if unit.kind in PLATFORMS and unit.kind is not UnitKind.ECS:  # ECS has its own check of the container
        said = f"{name} states no health check; its platform watches the process alone"
        return UnitJudged(Status.UNVERIFIED, said, "no health check", unit.place)
    if unit.dockerfile is None and unit.image is not None:
        beyond = "; its image may have one of its own" if unit.kind is not UnitKind.KUBERNETES else ""
    else:
        beyond = ""
    message = f"{name} has no health check{beyond}: a worker that hangs keeps running and takes no job"
    related = (unit.dockerfile.place,) if unit.dockerfile else ()
    return UnitJudged(
        Status.FAIL, message, "no health check", unit.place, "a check that asks the worker", related,
        Confidence.LIKELY if beyond else Confidence.CERTAIN,
    )  # fmt: skip


def _only_image(unit: Deployment, what: str) -> UnitJudged:
    message = f"nothing in the files runs {name_of(unit)}, so who {what} can't be told; give --infra the folder that deploys it, or attest"
    return UnitJudged(Status.UNVERIFIED, message, "an image alone", unit.place)
