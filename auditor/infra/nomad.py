"""Nomad jobs: tasks as deployments."""

from __future__ import annotations

from collections.abc import Iterator

from auditor.infra import environment as environments
from auditor.infra.hcl import read
from auditor.infra.images import is_backing, is_redis
from auditor.infra.model import Deployment, Environment, HealthCheck, RedisUnit, Setting, UnitKind
from auditor.infra.reading import Reading
from auditor.infra.redis_unit import Container, build
from auditor.infra.text import heap_flag, mask, seconds, size
from auditor.infra.yaml_tree import Node

DEFAULT_GRACE = 5.0
"""Seconds that Nomad waits before it kills (`kill_timeout`)."""


def is_job(text: str) -> bool:
    """Whether an HCL file is a Nomad job."""
    return "job " in text and "group " in text and "task " in text


def units(path: str, text: str, reading: Reading) -> Iterator[Deployment | RedisUnit]:
    """The tasks of every group of a job."""
    told = environments.of_path(path)
    environment = Environment.PRODUCTION if told is Environment.UNKNOWN else told
    for job in read(text, path)["job"].list():
        for group in job["group"].list():
            for task in group["task"].list():
                image = task_image(task)
                if image is not None and is_redis(image.value):
                    yield _redis(task, image, environment, reading)
                else:
                    yield _deployment(job, group, task, environment, reading)


def task_image(task: Node) -> Setting | None:
    """The image of a Docker task."""
    return next((s for c in task["config"].list() if (s := c["image"].setting)), None)


def _command(task: Node) -> tuple[str, ...]:
    return tuple(w for c in task["config"].list() for w in (*c["command"].texts(), *c["args"].texts()))


def _deployment(job: Node, group: Node, task: Node, environment: Environment, reading: Reading) -> Deployment:
    name = next(iter(task["labels"].texts()), "task")
    stated = task_image(task)
    image = reading.image_of(stated.value, name) if stated else None
    words = _command(task)
    command = ((*image.entrypoint, *words) if image else words) if words else (image.command if image else ())
    env = {k: Setting(mask(k, v.text), v.place) for b in task["env"].list() for k, v in b.items() if k != "labels"}
    resources = next(iter(task["resources"].list()), Node(None, task.path))
    memory = resources["memory_max"].setting or resources["memory"].setting
    kill = task["kill_timeout"].setting
    restart = next((b for b in (*group["restart"].list(), *task["restart"].list())), Node(None, task.path))
    never = restart["attempts"].text == "0" and restart["mode"].text == "fail"
    update = next((b for b in (*group["update"].list(), *job["update"].list())), None)
    heap = heap_flag(env, command, task.place)
    return Deployment(
        kind=UnitKind.NOMAD, name=name, environment=environment, place=task.place, root=reading.root, image=stated, dockerfile=image,
        command=command, command_place=task.place, entries=reading.entries(name, command, task.place, image=image, context="", env=env),
        env=env, restart=Setting("restart", restart.place) if restart else Setting("Nomad's default restart", task.place),
        restarts=not never, memory=memory, memory_bytes=size(f"{memory.value}m") if memory else None, heap=heap,
        heap_bytes=size(heap.value + "m") if heap else None, grace=kill,
        grace_seconds=seconds(kill.value) if kill else DEFAULT_GRACE, health=tuple(_checks(group, task)),
        replicas=group["count"].number, strategy=Setting("update", update.place) if update else None,
        rolling=True if update is not None else None, backing=bool(stated and is_backing(stated.value)),
    )  # fmt: skip


def _checks(group: Node, task: Node) -> Iterator[HealthCheck]:
    for service in (*task["service"].list(), *group["service"].list()):
        for check in service["check"].list():
            yield HealthCheck(check["type"].text or "check", check["path"].text or check["command"].text, check.place)


def _redis(task: Node, image: Setting, environment: Environment, reading: Reading) -> RedisUnit:
    memory = next((s for r in task["resources"].list() if (s := r["memory"].setting)), None)
    return build(
        Container(
            name=next(iter(task["labels"].texts()), "redis"), kind="nomad", place=task.place, environment=environment,
            root=reading.root, image=image, command=_command(task), command_place=task.place, memory=memory,
            memory_bytes=size(f"{memory.value}m") if memory else None,
        )
    )  # fmt: skip
