"""render.yaml: services, and Render's key-value stores (managed Redis)."""

from __future__ import annotations

from collections.abc import Iterator

from auditor.infra import environment as environments
from auditor.infra.dockerfile import health_check
from auditor.infra.model import Deployment, Environment, HealthCheck, PasswordState, RedisUnit, Setting, Tls, UnitKind
from auditor.infra.reading import Reading
from auditor.infra.text import argv, heap_flag, mask, size
from auditor.infra.tree import join
from auditor.infra.yaml_tree import Node

DEFAULT_GRACE = 30.0
"""Seconds (`maxShutdownDelaySeconds`)."""
_TYPES = {"web", "worker", "pserv", "cron", "redis", "keyvalue", "static"}


def is_blueprint(document: Node) -> bool:
    """Whether a YAML document is a Render blueprint."""
    return any(s["type"].text in _TYPES and s["name"] for s in document["services"].list())


def deployments(document: Node, reading: Reading) -> Iterator[Deployment]:
    """Web services, workers, private services; Render restarts them, rolls them and limits them by their plan."""
    for service in document["services"].list():
        if service["type"].text in ("web", "worker", "pserv"):
            yield _deployment(service, reading)


def redis_units(document: Node, reading: Reading) -> Iterator[RedisUnit]:
    """Key-value stores: reachable inside only when the allow list is empty; passwords and persistence go by the plan."""
    for service in document["services"].list():
        if service["type"].text not in ("redis", "keyvalue"):
            continue
        policy = service["maxmemoryPolicy"]
        allow = service["ipAllowList"]
        yield RedisUnit(
            name=service["name"].text, kind="render", environment=_environment(service), place=service.place, root=reading.root,
            managed="render", settings={"maxmemory-policy": Setting(policy.text, policy.place)} if policy.text else {},
            password=PasswordState.UNKNOWN if not allow.list() else PasswordState.FROM_ENV, password_place=allow.place if allow else None,
            tls=Tls.UNKNOWN, replicas=0, replicas_place=service.place, failover=False,
        )  # fmt: skip


def _environment(service: Node) -> Environment:
    told = environments.of_words(service["name"].text)
    return Environment.PRODUCTION if told is Environment.UNKNOWN else told


def _deployment(service: Node, reading: Reading) -> Deployment:
    folder = service["rootDir"].text
    env = {
        v["key"].text: Setting(mask(v["key"].text, v["value"].text), v.place)
        for v in service["envVars"].list()
        if v["key"]
    }
    file = service["dockerfilePath"].text
    image = reading.image(join("", file)) if file else None
    docker = service["dockerCommand"]
    words = argv(docker.text or service["startCommand"].text) or (image.command if image else ())
    place = (docker or service["startCommand"] or service["name"]).place
    health: tuple[HealthCheck, ...] = ()
    if path := service["healthCheckPath"].setting:
        health = (HealthCheck("http", path.value, path.place),)
    elif image and image.healthcheck:
        health = (health_check(image.healthcheck.test, image.healthcheck.place, from_image=True),)
    grace = service["maxShutdownDelaySeconds"].setting
    heap = heap_flag(env, words, place)
    name = service["name"].text
    return Deployment(
        kind=UnitKind.RENDER, name=name, environment=_environment(service), place=service.place, root=reading.root,
        context=join("", service["dockerContext"].text), dockerfile=image, command=words, command_place=place,
        entries=reading.entries(name, words, place, image=image, context=folder, env=env), env=env,
        restart=Setting("restarted by Render", service.place), restarts=True, memory=service["plan"].setting, heap=heap,
        heap_bytes=size(heap.value + "m") if heap else None, grace=grace,
        grace_seconds=float(grace.value) if grace and grace.value.isdigit() else DEFAULT_GRACE, health=health,
        replicas=service["numInstances"].number or 1, strategy=Setting("Render's own", service.place),
        rolling=None, controller=service["type"].text,
    )  # fmt: skip
