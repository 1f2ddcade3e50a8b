"""Containers that scripts start with `docker run`: as deployments, or as Redis units."""

from __future__ import annotations

from collections.abc import Iterator

from auditor.infra import environment as environments
from auditor.infra.dockerfile import health_check
from auditor.infra.images import is_backing, is_redis
from auditor.infra.model import Deployment, Environment, HealthCheck, Image, Port, RedisUnit, Setting, UnitKind
from auditor.infra.reading import Reading
from auditor.infra.redis_unit import Container, build
from auditor.infra.scripts import Run, Script, runs
from auditor.infra.text import heap_flag, mask, seconds, size

DEFAULT_GRACE = 10.0
"""Seconds that Docker waits before it kills."""


def units(script: Script, reading: Reading) -> Iterator[Deployment | RedisUnit]:
    """Containers that the text starts to stay."""
    told = environments.of_path(script.path)
    environment = Environment.PRODUCTION if told is Environment.UNKNOWN else told
    for run in runs(script):
        if run.stays and is_redis(run.image.value):
            yield _redis(run, environment, reading)
        elif run.stays:
            yield _deployment(run, environment, reading)


def _deployment(run: Run, environment: Environment, reading: Reading) -> Deployment:
    image = reading.image_of(run.image.value, run.name)
    env = _env(run)
    words = _command(run, image)
    memory, restart = run.first("-m", "--memory"), run.first("--restart")
    grace = run.first("--stop-timeout")
    heap = heap_flag({**(dict(image.env) if image else {}), **env}, words, run.place)
    said = image.place if image and not run.words else run.place
    return Deployment(
        kind=UnitKind.DOCKER_RUN, name=run.name, environment=environment, place=run.place, root=reading.root, image=run.image,
        dockerfile=image, command=words, command_place=said,
        entries=reading.entries(run.name, words, said, image=image, context="", env=env), env=env, ports=_ports(run),
        restart=restart, restarts=restart is not None and restart.value != "no", memory=memory,
        memory_bytes=size(memory.value) if memory else None, heap=heap, heap_bytes=size(heap.value + "m") if heap else None,
        grace=grace, grace_seconds=seconds(grace.value) if grace else DEFAULT_GRACE, health=_health(run, image), replicas=1,
        logging=run.first("--log-driver"), backing=is_backing(run.image.value),
    )  # fmt: skip


def _command(run: Run, image: Image | None) -> tuple[str, ...]:
    entry = run.first("--entrypoint")
    if entry is not None:
        return (entry.value, *run.words)
    if run.words:
        return (*(image.entrypoint if image else ()), *run.words)
    return image.command if image else ()


def _env(run: Run) -> dict[str, Setting]:
    pairs = [(*s.value.partition("="), s.place) for s in run.every("-e", "--env")]
    return {name: Setting(mask(name, value), place) for name, _, value, place in pairs}


def _health(run: Run, image: Image | None) -> tuple[HealthCheck, ...]:
    check = run.first("--health-cmd")
    if check is not None:
        return (health_check(check.value, check.place),)
    inherited = image.healthcheck if image and "--no-healthcheck" not in run.flags else None
    return (inherited,) if inherited else ()


def _ports(run: Run) -> tuple[Port, ...]:
    found = []
    for setting in run.every("-p", "--publish"):
        parts = setting.value.split("/")[0].split(":")
        if parts[-1].isdigit():
            published = int(parts[-2]) if len(parts) > 1 and parts[-2].isdigit() else None
            found.append(Port(int(parts[-1]), published, parts[0] if len(parts) > 2 else "", setting.place))
    return tuple(found)


def _redis(run: Run, environment: Environment, reading: Reading) -> RedisUnit:
    memory = run.first("-m", "--memory")
    return build(
        Container(
            name=run.name, kind="docker run", place=run.place, environment=environment, root=reading.root, image=run.image,
            command=run.words, command_place=run.place, env=_env(run), ports=_ports(run), health=_health(run, None),
            memory=memory, memory_bytes=size(memory.value) if memory else None,
        )
    )  # fmt: skip
