"""systemd services and Procfiles."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import PurePosixPath

from auditor.infra import environment as environments
from auditor.infra.model import Deployment, Environment, Setting, UnitKind
from auditor.infra.reading import Reading
from auditor.infra.text import argv, env_file, heap_flag, mask, seconds, size
from auditor.model import FilePlace

SYSTEMD_GRACE = 90.0
"""Seconds (`DefaultTimeoutStopSec`)."""
HEROKU_GRACE = 30.0
"""Seconds that Heroku gives a dyno."""


def is_systemd(text: str) -> bool:
    """Whether a `.service` file starts a program."""
    return "[Service]" in text and "ExecStart" in text


def systemd(path: str, text: str, reading: Reading) -> Iterator[Deployment]:
    """The unit, if it runs JavaScript or a shell script; other daemons are none of ours."""
    found: dict[str, Setting] = {}
    env: dict[str, Setting] = {}
    for number, line in enumerate(text.splitlines(), 1):
        key, sign, value = line.strip().partition("=")
        if not sign or key.startswith(("#", ";")):
            continue
        place = FilePlace(path, number)
        if key == "Environment":
            for name, (val, _) in env_file("\n".join(argv(value))).items():
                env[name] = Setting(mask(name, val), place)
        else:
            found[key] = Setting(value.strip(), place)
    start = found.get("ExecStart")
    if start is None or not re.search(r"node|npm|yarn|pnpm|bun|deno|tsx|pm2|\.sh\b", start.value):
        return
    words = argv(start.value.lstrip("-@:+!"))
    memory = found.get("MemoryMax") or found.get("MemoryLimit")
    grace = found.get("TimeoutStopSec") or found.get("TimeoutSec")
    restart = found.get("Restart")
    heap = heap_flag(env, words, start.place)
    name = PurePosixPath(path).stem
    told = environments.of_path(path)
    home = found["WorkingDirectory"].value.rstrip("/") if "WorkingDirectory" in found else ""
    if home:
        words = tuple(w.removeprefix(f"{home}/") for w in words)
    folder = home.rpartition("/")[2] if reading.tree.has_folder(home.rpartition("/")[2]) else ""
    yield Deployment(
        kind=UnitKind.SYSTEMD, name=name, environment=Environment.PRODUCTION if told is Environment.UNKNOWN else told,
        place=start.place, root=reading.root, command=words, command_place=start.place,
        entries=reading.entries(name, words, start.place, context=folder, env=env), env=env, restart=restart,
        restarts=restart is not None and restart.value not in ("no", "on-success"), memory=memory,
        memory_bytes=size(memory.value) if memory else None, heap=heap, heap_bytes=size(heap.value + "m") if heap else None,
        grace=grace, grace_seconds=seconds(grace.value) if grace else SYSTEMD_GRACE, replicas=1, rolling=False,
        strategy=Setting("systemctl restart stops, then starts", start.place),
    )  # fmt: skip


def procfile(path: str, text: str, reading: Reading) -> Iterator[Deployment]:
    """One unit a line; the platform (Heroku, Dokku) restarts it and limits its memory by its size."""
    for number, line in enumerate(text.splitlines(), 1):
        match = re.match(r"^([A-Za-z0-9_-]+):\s*(.+)$", line)
        if not match or match[1] == "release":
            continue
        place = FilePlace(path, number)
        words = argv(match[2])
        heap = heap_flag({}, words, place)
        told = environments.of_path(path)
        yield Deployment(
            kind=UnitKind.PROCFILE, name=match[1], environment=Environment.PRODUCTION if told is Environment.UNKNOWN else told,
            place=place, root=reading.root, command=words, command_place=place, entries=reading.entries(match[1], words, place),
            restart=Setting("restarted by the platform", place), restarts=True, heap=heap,
            heap_bytes=size(heap.value + "m") if heap else None, grace_seconds=HEROKU_GRACE, rolling=None,
        )  # fmt: skip
