"""Manifests of smaller platforms: Railway, DigitalOcean's App Platform, AWS Copilot."""

from __future__ import annotations

from collections.abc import Iterator

from auditor.infra import environment as environments
from auditor.infra.dockerfile import health_check
from auditor.infra.model import Deployment, Environment, HealthCheck, Setting, UnitKind
from auditor.infra.reading import Reading
from auditor.infra.text import argv, heap_flag, mask, seconds, size
from auditor.infra.tree import join
from auditor.infra.yaml_tree import Node
from auditor.model import FilePlace

COPILOT_GRACE = 30.0


def is_railway(document: Node) -> bool:
    """railway.json or railway.toml's JSON form: a `deploy` with Railway's own keys."""
    keys = {k for k, _ in document["deploy"].items()}
    return bool(keys & {"startCommand", "restartPolicyType", "healthcheckPath", "numReplicas"})


def is_app_spec(document: Node) -> bool:
    """An App Platform spec: services or workers as a list, with `github`, `git`, `image` or `run_command`."""
    units = [*document["workers"].list(), *(document["services"].list())]
    return bool(document["name"].text) and any(
        u["name"] and (u["run_command"] or u["github"] or u["instance_size_slug"] or u["dockerfile_path"])
        for u in units
    )


def is_copilot(document: Node) -> bool:
    """A manifest of AWS Copilot, by the types that it has."""
    return bool(document["name"].text) and document["type"].text in (
        "Backend Service",
        "Worker Service",
        "Load Balanced Web Service",
        "Request-Driven Web Service",
    )


def deployments(document: Node, reading: Reading) -> Iterator[Deployment]:
    """The units of any of these files."""
    if is_railway(document):
        yield _railway(document, reading)
    elif is_copilot(document):
        yield _copilot(document, reading)
    elif is_app_spec(document):
        for kind in ("services", "workers"):
            for unit in document[kind].list():
                yield _app(unit, kind, reading)


def _environment(path: str, *names: str) -> Environment:
    told = environments.first(environments.of_path(path), *(environments.of_words(n) for n in names))
    return Environment.PRODUCTION if told is Environment.UNKNOWN else told


def _unit(
    reading: Reading, node: Node, name: str, *, kind: UnitKind, command: str, folder: str, dockerfile: str, env: dict[str, Setting],
    restart: Setting, restarts: bool, health: tuple[HealthCheck, ...], replicas: int | None, place: FilePlace,
    grace: Setting | None = None, memory: Setting | None = None, rolling: bool | None = True, default_grace: float | None = None,
) -> Deployment:  # fmt: skip
    image = reading.image(join(folder, dockerfile or "Dockerfile"))
    words = argv(command) or (image.command if image else ())
    heap = heap_flag(env, words, place)
    return Deployment(
        kind=kind, name=name, environment=_environment(node.path, name), place=place, root=reading.root, context=folder,
        dockerfile=image, command=words, command_place=place,
        entries=reading.entries(name, words, place, image=image, context=folder, env=env), env=env, restart=restart,
        restarts=restarts, memory=memory, memory_bytes=size(f"{memory.value}m") if memory else None, heap=heap,
        heap_bytes=size(heap.value + "m") if heap else None, grace=grace,
        grace_seconds=seconds(grace.value) if grace else default_grace,
        health=health or ((image.healthcheck,) if image and image.healthcheck else ()), replicas=replicas,
        strategy=Setting("the platform's own", place), rolling=rolling,
    )  # fmt: skip


def _railway(document: Node, reading: Reading) -> Deployment:
    deploy = document["deploy"]
    folder = document.path.rpartition("/")[0]
    policy = deploy["restartPolicyType"].setting
    check = deploy["healthcheckPath"].setting
    return _unit(
        reading, document, folder.rpartition("/")[2] or reading.tree.name(), kind=UnitKind.RAILWAY,
        command=deploy["startCommand"].text, folder=folder, dockerfile=document.at("build", "dockerfilePath").text, env={},
        restart=policy or Setting("restarted by Railway", deploy.place), restarts=policy is None or policy.value.upper() != "NEVER",
        health=(HealthCheck("http", check.value, check.place),) if check else (), replicas=deploy["numReplicas"].number,
        place=(deploy["startCommand"] or deploy).place, grace=deploy["drainingSeconds"].setting, default_grace=0.0,
    )  # fmt: skip


def _app(unit: Node, kind: str, reading: Reading) -> Deployment:
    env = {e["key"].text: Setting(mask(e["key"].text, e["value"].text), e.place) for e in unit["envs"].list()}
    check = unit["health_check"] or unit["liveness_health_check"]
    return _unit(
        reading, unit, unit["name"].text, kind=UnitKind.APP_PLATFORM, command=unit["run_command"].text,
        folder=join("", unit["source_dir"].text), dockerfile=unit["dockerfile_path"].text, env=env,
        restart=Setting("restarted by App Platform", unit.place), restarts=True,
        health=(HealthCheck("http", check["http_path"].text, check.place),) if check else (), replicas=unit["instance_count"].number,
        place=unit.place, grace=unit.at("termination", "grace_period_seconds").setting, default_grace=120.0 if kind == "workers" else None,
    )  # fmt: skip


def _copilot(document: Node, reading: Reading) -> Deployment:
    image = document["image"]
    build = image["build"]
    test = image.at("healthcheck", "command").texts()
    env = {k: Setting(mask(k, v.text), v.place) for k, v in document["variables"].items()}
    command = document["command"]
    return _unit(
        reading, document, document["name"].text, kind=UnitKind.ECS, command=command.text or " ".join(command.texts()),
        folder=join("", build["context"].text), dockerfile=build["dockerfile"].text or build.text, env=env,
        restart=Setting("ECS keeps the desired count", document.place), restarts=True,
        health=(health_check(" ".join(test[1:]), image["healthcheck"].place),) if test else (),
        replicas=document["count"].number, place=document["type"].place, memory=document["memory"].setting,
        rolling=document.at("deployment", "rolling").text != "recreate", default_grace=COPILOT_GRACE,
    )  # fmt: skip
