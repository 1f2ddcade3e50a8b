"""PM2 ecosystem files: JavaScript, JSON or YAML; each app is a deployment."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import PurePosixPath

from auditor.infra import environment as environments
from auditor.infra.model import Deployment, Environment, Setting, UnitKind
from auditor.infra.reading import Reading
from auditor.infra.text import argv, heap_flag, mask, size
from auditor.infra.tree import join
from auditor.infra.yaml_tree import Node, documents

DEFAULT_KILL = 1.6
"""Seconds that PM2 waits before it kills (`kill_timeout` is 1600 ms), unless told otherwise."""


def is_ecosystem(path: str, text: str) -> bool:
    """Whether a file may be an ecosystem file: an `apps` list whose members have a `script`."""
    name = PurePosixPath(path).name
    scripted = name.endswith((".js", ".cjs", ".mjs", ".ts")) and (
        "ecosystem" in name or "pm2" in name or ".config." in name
    )
    data = name.endswith((".json", ".yml", ".yaml")) and '"apps"' in text.replace("apps:", '"apps"')
    return (scripted or data) and "apps" in text and "script" in text


def deployments(path: str, text: str, reading: Reading) -> Iterator[Deployment]:
    """The apps of an ecosystem file."""
    if path.endswith((".json", ".yml", ".yaml")):
        found, notes = documents(text, path)
        reading.notes += notes
    else:
        from auditor.infra.script_literal import objects_with

        found = objects_with(text, path, "apps")
    for config in found:
        for app in config["apps"].list() or [config["apps"]]:
            if app["script"]:
                yield _app(app, path, reading)


def _app(app: Node, path: str, reading: Reading) -> Deployment:
    name = app["name"].text or PurePosixPath(app["script"].text).stem
    env = {k: Setting(mask(k, v.text), v.place) for block in ("env", "env_production") for k, v in app[block].items()}
    words = [
        *argv(app["interpreter"].text),
        *_flags(app["node_args"] or app["interpreter_args"]),
        *argv(app["script"].text),
    ]
    words += _flags(app["args"])
    if not app["interpreter"] and PurePosixPath(app["script"].text).name not in ("npm", "yarn", "pnpm", "bun"):
        words = ["node", *words]
    memory = app["max_memory_restart"].setting
    kill = app["kill_timeout"].setting
    restart = app["autorestart"].setting
    heap = heap_flag(env, tuple(words), (app["node_args"] or app["script"]).place)
    folder = join(str(PurePosixPath(path).parent), app["cwd"].text if not app["cwd"].text.startswith("/") else "")
    told = environments.first(
        environments.of_path(path), environments.of_variables(s.value for n, s in env.items() if n == "NODE_ENV")
    )
    instances = app["instances"].text
    place = app["name"].place if app["name"] else app.place
    return Deployment(
        kind=UnitKind.PM2, name=name, environment=told if told is not Environment.UNKNOWN else Environment.PRODUCTION,
        place=place, root=reading.root, command=tuple(words), command_place=app["script"].place,
        entries=reading.entries(name, tuple(words), app["script"].place, context=folder, env=env), env=env,
        restart=restart or Setting("autorestart (PM2's default)", place), restarts=app["autorestart"].truth is not False,
        memory=memory, memory_bytes=size(memory.value) if memory else None, heap=heap,
        heap_bytes=size(heap.value + "m") if heap else None, grace=kill,
        grace_seconds=int(kill.value) / 1000 if kill and kill.value.isdigit() else (None if kill else DEFAULT_KILL),
        replicas=int(instances) if instances.lstrip("-").isdigit() else None,
        strategy=app["exec_mode"].setting, rolling=None,
    )  # fmt: skip


def _flags(node: Node) -> tuple[str, ...]:
    return node.texts() if node.kind == "sequence" else argv(node.text)
