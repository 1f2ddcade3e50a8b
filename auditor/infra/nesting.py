"""PM2 within a container: one unit, kept alive and in bounds by both."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from auditor.code.model import EntryPoint
from auditor.infra.model import Deployment, Setting, UnitKind


def fold(units: Sequence[Deployment], apps: Mapping[str, Sequence[Deployment]]) -> list[Deployment]:
    """The units with what PM2 runs in them put in; an app that a container starts is no unit of its own any more.

    `apps` are the apps of ecosystem files, by the files' absolute paths: a command that starts such a file has it as
    an entry point until it is replaced here by those of the apps.
    """
    inside = {app.place for unit in units for app in _within(unit, apps)}
    return [_folded(unit, apps) for unit in units if unit.kind is not UnitKind.PM2 or unit.place not in inside]


def unfolded(entries: Sequence[EntryPoint], apps: Mapping[str, Sequence[Deployment]]) -> list[EntryPoint]:
    """Entry points with ecosystem files replaced by what their apps start."""
    found: list[EntryPoint] = []
    for entry in entries:
        if entry.path in apps:
            found += [replace(e, why=f"{entry.why}, as {app.name}") for app in apps[entry.path] for e in app.entries]
        else:
            found.append(entry)
    return found


def _within(unit: Deployment, apps: Mapping[str, Sequence[Deployment]]) -> list[Deployment]:
    if unit.kind is UnitKind.PM2:
        return []
    chosen = [app for entry in unit.entries for app in apps.get(entry.path, ())]
    names = {w for i, w in enumerate(unit.command) if i and unit.command[i - 1] == "--only"}
    return [app for app in chosen if not names or app.name in names]


def _folded(unit: Deployment, apps: Mapping[str, Sequence[Deployment]]) -> Deployment:
    entries = tuple(unfolded(unit.entries, apps))
    inner = _within(unit, apps)
    by_pm2 = next((e for e in entries if ", by pm2" in e.why), None)
    if inner:
        app = min(inner, key=lambda a: a.grace_seconds if a.grace_seconds is not None else 0)
        known = [g for g in (unit.grace_seconds, app.grace_seconds) if g is not None]
        shorter = len(known) == 2 and known[1] < known[0]  # PM2 kills the program before the container is killed
        stopped = next((a for a in inner if a.restarts is False), None)  # said so: the program is meant to stay down
        restart = (stopped or app).restart if stopped or not unit.restarts else unit.restart
        unit = replace(
            unit, restart=restart, restarts=stopped is None,
            memory=unit.memory or app.memory, memory_bytes=unit.memory_bytes if unit.memory else app.memory_bytes,
            heap=unit.heap or app.heap, heap_bytes=unit.heap_bytes if unit.heap else app.heap_bytes,
            grace=(app.grace or Setting("PM2's default", app.place)) if shorter else unit.grace,
            grace_seconds=known[1] if shorter else unit.grace_seconds,
        )  # fmt: skip
    elif by_pm2 is not None and not unit.restarts:
        unit = replace(
            unit, restarts=True, restart=Setting("pm2 within the container", unit.command_place or unit.place)
        )
    return replace(unit, entries=entries)
