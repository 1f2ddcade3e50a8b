"""Compose files: services as deployments or Redis units, overrides merged over the file that they change."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from pathlib import PurePosixPath

from auditor.infra import environment as environments
from auditor.infra.compose_service import Service, Stack, variables_of
from auditor.infra.images import is_backing
from auditor.infra.model import (
    Deployment,
    Environment,
    RedisUnit,
)
from auditor.infra.reading import Reading
from auditor.infra.text import env_file
from auditor.infra.tree import join
from auditor.infra.yaml_tree import Node

_WATCHES = re.compile(
    r"\b(npm|yarn|pnpm|bun)( run)? (\S+:)?(dev|watch)(:\S+)?\b|\bnodemon\b|\b(tsx|bun) watch\b|--watch\b|\bts-node-dev\b"
)


def is_compose(document: Node) -> bool:
    """Whether a YAML document is a compose file: services that are built, run or extended."""
    services = document["services"]
    if services.kind != "mapping" or document["apiVersion"]:
        return False
    keys = {
        "image",
        "build",
        "extends",
        "command",
        "ports",
        "environment",
        "volumes",
        "deploy",
        "restart",
        "depends_on",
        "env_file",
    }
    return any(key in keys for _, service in services.items() for key, _ in service.items())


def stacks(files: Mapping[str, Node], reading: Reading) -> list[Stack]:
    """The stacks of a tree. A file whose services lack image and build changes the base file beside (or above) it."""
    found = []
    for path, document in files.items():
        base = _base(path, document, files)
        services: dict[str, tuple[Node, ...]] = {}
        for name, service in document["services"].items():
            layers = _layers(service, path, files)
            if base and not any(layer["image"] or layer["build"] for layer in layers):
                layers += _layers(files[base]["services"][name], base, files)
            services[name] = layers
        if base and PurePosixPath(base).parent == PurePosixPath(path).parent:
            for name, service in files[base]["services"].items():
                services.setdefault(name, _layers(service, base, files))
        variables = {
            k: v for k, (v, _) in env_file(reading.tree.text(join(str(PurePosixPath(path).parent), ".env"))).items()
        }
        found.append(
            Stack(path, document["name"].text, _environment(path, document, services, reading), services, variables)
        )
    return found


def _base(path: str, document: Node, files: Mapping[str, Node]) -> str:
    bare = [n for n, s in document["services"].items() if not (s["image"] or s["build"] or s["extends"])]
    if not bare:
        return ""
    for folder in PurePosixPath(path).parents:
        for name in (
            "docker-compose.yml",
            "docker-compose.yaml",
            "compose.yml",
            "compose.yaml",
            "docker-compose.base.yml",
        ):
            other = join(str(folder), name)
            if other != path and other in files and any(files[other]["services"][n] for n in bare):
                return other
    return ""


def _layers(service: Node, path: str, files: Mapping[str, Node], depth: int = 0) -> tuple[Node, ...]:
    """The service and what it extends."""
    extends = service["extends"]
    if not extends or depth > 5:
        return (service,)
    file = extends["file"].text
    other = join(str(PurePosixPath(path).parent), file) if file else path
    name = extends["service"].text or extends.text
    if other not in files or (target := files[other]["services"][name]).kind != "mapping":
        return (service,)
    return (service, *_layers(target, other, files, depth + 1))


def _environment(path: str, document: Node, services: Mapping[str, tuple[Node, ...]], reading: Reading) -> Environment:
    told = environments.first(
        environments.of_path(path),
        environments.of_words(document["name"].text),
        environments.of_header(reading.tree.text(path)),
    )
    if told is not Environment.UNKNOWN:
        return told
    layers = [layer for layer_set in services.values() for layer in layer_set]
    if any(environments.of_words(layer.at("build", "target").text) is Environment.DEVELOPMENT for layer in layers):
        return Environment.DEVELOPMENT
    if _all_watch([Service(name, found, Stack(path, "", told, services), reading) for name, found in services.items()]):
        return Environment.DEVELOPMENT
    modes = [
        s.value
        for layer in layers
        for n, s in variables_of(layer, {}).items()
        if n in ("NODE_ENV", "APP_ENV", "ENVIRONMENT", "RAILS_ENV")
    ]
    if (found := environments.of_variables(modes)) is not Environment.UNKNOWN:
        return found
    # nothing but published datastores: what a developer starts beside an app that runs outside of containers
    if layers and all(is_backing(layer["image"].text) and not layer["build"] for layer in layers):
        return Environment.DEVELOPMENT
    return Environment.UNKNOWN


def _all_watch(services: list[Service]) -> bool:
    """Whether every program of the project's own runs by a development script: `npm run dev`, a watcher."""
    own = [s.command()[0] for s in services if not is_backing(s.text(s.at("image"))) or s.at("build")]
    stated = [" ".join(words) for words in own if words]
    return bool(stated) and all(_WATCHES.search(text) for text in stated)


def deployments(stack: Stack, reading: Reading) -> Iterator[Deployment]:
    """The services that are not Redis."""
    for name, layers in stack.services.items():
        service = Service(name, layers, stack, reading)
        if not service.redis:
            yield service.deployment()


def redis_units(stack: Stack, reading: Reading) -> list[RedisUnit]:
    """The Redis services."""
    services = [Service(name, layers, stack, reading) for name, layers in stack.services.items()]
    return [s.redis_unit() for s in services if s.redis]
