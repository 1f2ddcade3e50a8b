"""fly.toml: process groups of an app on Fly.io."""

from __future__ import annotations

import tomllib
from collections.abc import Iterator
from pathlib import PurePosixPath

from auditor.infra import environment as environments
from auditor.infra.model import Deployment, Environment, HealthCheck, Note, Setting, UnitKind
from auditor.infra.reading import Reading
from auditor.infra.text import argv, heap_flag, mask, seconds, size
from auditor.infra.tree import join
from auditor.model import FilePlace

DEFAULT_GRACE = 5.0
"""Seconds that Fly waits before it kills (`kill_timeout`)."""


def is_fly(text: str) -> bool:
    """Whether a TOML file is an app's configuration."""
    return "app" in text and any(
        mark in text for mark in ("[build]", "[[services]]", "[http_service]", "[processes]", "primary_region")
    )


def deployments(path: str, text: str, reading: Reading) -> Iterator[Deployment]:
    """One unit for each process group; without groups, the app itself."""
    try:
        config = tomllib.loads(text)
    except (tomllib.TOMLDecodeError, RecursionError) as error:
        reading.notes.append(Note(FilePlace(path), f"not valid TOML: {error}"))
        return
    app = _Toml(path, text, config)
    groups = config.get("processes")
    if isinstance(groups, dict) and groups:
        for name, command in groups.items():
            if isinstance(command, str):
                yield _deployment(app, str(name), argv(command), app.place(f"{name} ="), reading)
    else:
        yield _deployment(app, str(config.get("app", PurePosixPath(path).parent.name)), (), app.place("app"), reading)


class _Toml:
    """A parsed file with a rough sense of lines: tomllib gives none."""

    def __init__(self, path: str, text: str, config: dict[str, object]) -> None:
        self.path = path
        self.lines = text.splitlines()
        self.config = config

    def place(self, start: str) -> FilePlace:
        """The first line that begins so; line 1 where none does."""
        found = (n for n, line in enumerate(self.lines, 1) if line.strip().replace("  ", " ").startswith(start))
        return FilePlace(self.path, next(found, 1))

    def table(self, name: str) -> dict[str, object]:
        """A table, empty where there is none."""
        found = self.config.get(name)
        return found if isinstance(found, dict) else {}

    def tables(self, name: str) -> list[dict[str, object]]:
        """An array of tables, or one table."""
        found = self.config.get(name)
        return [t for t in (found if isinstance(found, list) else [found]) if isinstance(t, dict)]


def _deployment(app: _Toml, name: str, words: tuple[str, ...], place: FilePlace, reading: Reading) -> Deployment:
    folder = join(str(PurePosixPath(app.path).parent), "")
    build = app.table("build")
    image = reading.image(join(folder, str(build.get("dockerfile", "Dockerfile"))), str(build.get("build-target", "")))
    command = (*(image.entrypoint if image else ()), *words) if words else (image.command if image else ())
    env = {str(k): Setting(mask(str(k), str(v)), app.place(str(k))) for k, v in app.table("env").items()}
    kill = app.config.get("kill_timeout")
    grace = Setting(str(kill), app.place("kill_timeout")) if kill is not None else None
    vm = next((t for t in app.tables("vm") if t.get("memory") or t.get("memory_mb")), {})
    stated = vm.get("memory") or (f"{vm['memory_mb']}mb" if vm.get("memory_mb") else None)
    memory = Setting(str(stated), app.place("memory")) if stated else None
    heap = heap_flag(env, command, place)
    strategy = app.table("deploy").get("strategy")
    told = environments.first(environments.of_path(app.path), environments.of_words(str(app.config.get("app", ""))))
    return Deployment(
        kind=UnitKind.FLY, name=name, environment=Environment.PRODUCTION if told is Environment.UNKNOWN else told, place=place,
        root=reading.root, context=folder, dockerfile=image, command=command, command_place=place,
        entries=reading.entries(name, command, place, image=image, context=folder, env=env), env=env,
        restart=Setting("restarted by Fly", place), restarts=True, memory=memory, memory_bytes=size(memory.value) if memory else None,
        heap=heap, heap_bytes=size(heap.value + "m") if heap else None, grace=grace,
        grace_seconds=seconds(grace.value) if grace else DEFAULT_GRACE, health=tuple(_checks(app, name)),
        strategy=Setting(str(strategy), app.place("strategy")) if strategy else Setting("Fly rolls by default", place),
        rolling=strategy != "immediate", controller=name,
    )  # fmt: skip


def _checks(app: _Toml, group: str) -> Iterator[HealthCheck]:
    """Checks that concern a process group."""
    for table in (*app.tables("services"), *app.tables("http_service")):
        processes = table.get("processes")
        if isinstance(processes, list) and group not in processes:
            continue
        for key in ("http_checks", "tcp_checks", "checks"):
            found = table.get(key)
            for check in found if isinstance(found, list) else []:
                if isinstance(check, dict):
                    yield HealthCheck(
                        "http" if key != "tcp_checks" else "tcp",
                        str(check.get("path", key)),
                        app.place("[[services.")
                        if "[[services." in "\n".join(app.lines)
                        else app.place("[http_service"),
                    )
    for name, check in app.table("checks").items():
        if isinstance(check, dict) and (not check.get("processes") or group in str(check.get("processes"))):
            yield HealthCheck(
                str(check.get("type", "http")), str(check.get("path", name)), app.place(f"[checks.{name}")
            )
