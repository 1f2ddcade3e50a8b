"""Amazon ECS: services of Terraform files and of task definitions kept as JSON."""

from __future__ import annotations

from collections.abc import Iterator

from auditor.infra.dockerfile import health_check
from auditor.infra.images import is_backing
from auditor.infra.model import Autoscaler, Deployment, Environment, HealthCheck, Setting, UnitKind
from auditor.infra.reading import Reading
from auditor.infra.terraform import Block, Scope
from auditor.infra.text import heap_flag, mask, size
from auditor.infra.yaml_tree import Node
from auditor.model import FilePlace

DEFAULT_GRACE = 30.0
"""Seconds that the agent waits before it kills (`stopTimeout`)."""


def deployments(scope: Scope, reading: Reading) -> Iterator[Deployment]:
    """The containers of each service's task."""
    for service in scope.of("aws_ecs_service"):
        task = scope.referred(service.get("task_definition"))
        for container in task.node["container_definitions"].list() if task else []:
            yield _deployment(container, service, task, reading)


def of_task_file(document: Node, reading: Reading) -> Iterator[Deployment]:
    """The containers of a task definition in JSON, as CI hands it to ECS; it runs as a service, as far as one can see."""
    for container in document["containerDefinitions"].list():
        if container["image"]:
            yield _deployment(container, None, None, reading)


def autoscalers(scope: Scope) -> Iterator[Autoscaler]:
    """Target tracking and step policies of ECS services."""
    from auditor.infra.scaling import measures_queue

    for policy in scope.of("aws_appautoscaling_policy"):
        names = [v.text for k, v in policy.node.walk(500) if k in ("metric_name", "predefined_metric_type") and v.text]
        target = policy.get("resource_id")
        on_queue = any(measures_queue(n) for n in names)
        yield Autoscaler(
            "ecs", policy.name, target.value if target else "", tuple(names), on_queue, policy.environment, policy.place
        )


def _deployment(container: Node, service: Block | None, task: Block | None, reading: Reading) -> Deployment:
    name = (service.name if service else "") or container["name"].text
    words = (*container["entryPoint"].texts(), *container["command"].texts())
    image = reading.image_of(container["image"].text, container["name"].text)
    command = words or (image.command if image else ())
    place = (container["command"] or container["entryPoint"] or container["name"] or container).place
    env = {
        e["name"].text: Setting(mask(e["name"].text, e["value"].text), e.place) for e in container["environment"].list()
    }
    memory = container["memory"].setting or (task.get("memory") if task else None)
    stop = container["stopTimeout"].setting
    heap = heap_flag(env, command, place)
    lowest = service.get("deployment_minimum_healthy_percent") if service else None
    count = service.number("desired_count") if service else None
    return Deployment(
        kind=UnitKind.ECS, name=name, environment=service.environment if service else Environment.PRODUCTION,
        place=service.place if service else container.place, root=reading.root, image=container["image"].setting, dockerfile=image,
        command=command, command_place=place, entries=reading.entries(name, command, place, image=image, context="", env=env), env=env,
        restart=Setting("ECS keeps the desired count", service.place if service else container.place), restarts=True, memory=memory,
        memory_bytes=size(f"{memory.value}m") if memory else None, heap=heap, heap_bytes=size(heap.value + "m") if heap else None,
        grace=stop, grace_seconds=float(stop.value) if stop and stop.value.isdigit() else (None if stop else DEFAULT_GRACE),
        health=_health(container, image.healthcheck if image else None), replicas=count,
        strategy=lowest or Setting("ECS rolls by default", service.place if service else container.place),
        rolling=lowest is None or lowest.value != "0", logging=container.at("logConfiguration", "logDriver").setting,
        backing=is_backing(container["image"].text),
    )  # fmt: skip


def _health(container: Node, inherited: HealthCheck | None) -> tuple[HealthCheck, ...]:
    words = container.at("healthCheck", "command").texts()
    if words:
        text = " ".join(words[1:] if words[0] in ("CMD", "CMD-SHELL") else words)
        place: FilePlace = container["healthCheck"].place
        return (health_check(text, place),)
    return (inherited,) if inherited else ()
