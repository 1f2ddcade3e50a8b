"""Deploy scripts, CI workflows and user data: `docker run` lines as deployments, and in which order they roll out."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import PurePosixPath

from auditor.infra import environment as environments
from auditor.infra.dockerfile import health_check
from auditor.infra.images import SHIPPING_DRIVERS, is_backing, is_redis, repository
from auditor.infra.model import (
    Deployment,
    Environment,
    HealthCheck,
    LogShipper,
    Port,
    RedisUnit,
    Rollout,
    Setting,
    UnitKind,
)
from auditor.infra.reading import Reading
from auditor.infra.redis_unit import Container, build
from auditor.infra.shell import Command, commands
from auditor.infra.text import heap_flag, mask, seconds, size
from auditor.infra.tree import join
from auditor.infra.yaml_tree import Node
from auditor.model import FilePlace

DEFAULT_GRACE = 10.0
_VALUED = frozenset(
    [
        "--name",
        "-p",
        "--publish",
        "-v",
        "--volume",
        "-e",
        "--env",
        "--env-file",
        "--network",
        "--net",
        "--restart",
        "-m",
        "--memory",
        "--memory-swap",
        "--cpus",
        "--health-cmd",
        "--health-interval",
        "--health-retries",
        "--health-timeout",
        "--health-start-period",
        "--log-driver",
        "--log-opt",
        "--stop-timeout",
        "--entrypoint",
        "-u",
        "--user",
        "-w",
        "--workdir",
        "--mount",
        "--label",
        "-l",
        "--add-host",
        "--link",
        "--hostname",
        "-h",
        "--ulimit",
        "--platform",
        "--pull",
        "--gpus",
        "--device",
        "--expose",
        "--network-alias",
        "--stop-signal",
        "--cap-add",
        "--cap-drop",
        "--security-opt",
        "--tmpfs",
        "--shm-size",
        "--pid",
        "--ipc",
        "--cpuset-cpus",
        "--cidfile",
    ]
)
Flags = dict[str, list[Setting]]


@dataclass(frozen=True, slots=True)
class Script:
    """A shell text within a file: a script, a `run:` step, Terraform's user data."""

    path: str
    text: str
    first: int
    """Line of the file on which the text begins."""

    def place(self, line: int) -> FilePlace:
        """A line of the text as a line of the file."""
        return FilePlace(self.path, self.first + line - 1)


def of_workflow(document: Node, path: str) -> Iterator[Script]:
    """`run` and ssh `script` steps of the jobs of a CI workflow (GitHub, GitLab)."""
    for key, node in document.walk(5000):
        if key in ("run", "script") and node.kind == "scalar" and "docker" in node.text + "kubectl":
            lines = node._node.start_mark.line + 1  # a block scalar's text begins on the line after its mark
            block = node._node.style in ("|", ">")
            yield Script(path, _plain(node.text), lines + (1 if block else 0))
        elif key in ("script", "before_script", "after_script") and node.kind == "sequence":
            yield Script(path, _plain("\n".join(n.text for n in node.list())), node.line + 1)


def _plain(text: str) -> str:
    """A step's text with the workflow's own expressions as shell variables, so that they stay one word."""
    return re.sub(r"\$\{\{\s*(.*?)\s*\}\}", lambda m: "${" + re.sub(r"\W+", "_", m[1]) + "}", text)


def builds(script: Script) -> Iterator[tuple[str, str, str]]:
    """(image's last name, Dockerfile, target) of `docker build` lines."""
    for command in commands(script.text):
        at = _docker(command, "build") or _docker(command, "buildx")
        if at is None:
            continue
        words = [w for w in command.words[at:] if w != "build"]
        options: dict[str, str] = {}
        rest: list[str] = []
        while words:
            key, sign, value = words.pop(0).partition("=")
            if key in (
                "-t",
                "--tag",
                "-f",
                "--file",
                "--target",
                "--build-arg",
                "--platform",
                "--label",
                "--cache-from",
            ):
                options[key] = value if sign else (words.pop(0) if words else "")
            elif not key.startswith("-"):
                rest.append(key)
        folder = rest[-1] if rest else ""
        file = options.get("-f") or options.get("--file") or join(folder, "Dockerfile")
        for name in (options.get("-t"), options.get("--tag")):
            if name:
                yield repository(name).rpartition("/")[2], join("", file), options.get("--target", "")


def of_text(path: str, text: str) -> Iterator[Script]:
    """A shell script, with what it hands to another machine in a heredoc."""
    yield Script(path, text, 1)


def deployments(script: Script, reading: Reading) -> Iterator[Deployment | RedisUnit]:
    """Containers that the text starts with `docker run -d`."""
    environment = environments.of_path(script.path)
    for command in commands(script.text):
        run = _docker(command, "run")
        if run is None:
            continue
        flags, rest, image_at = _split(command, run, script)
        if image_at is None or ("-d" not in flags and "--detach" not in flags and "--restart" not in flags):
            continue
        unit = _unit(script, command, flags, rest, image_at, environment, reading)
        if is_redis(image_at.value):
            yield _redis(unit, flags)
        else:
            yield unit


def rollouts(script: Script) -> Iterator[Rollout]:
    """Stop-then-start of one container, and `kubectl rollout`."""
    environment = environments.of_path(script.path)
    stops: dict[str, tuple[FilePlace, bool]] = {}
    for command in commands(script.text):
        words = command.words
        text = " ".join(words)
        place = script.place(command.line)
        if words[0] == "kubectl" and ("rollout" in words or "set image" in text):
            name = next((w.rpartition("/")[2] for w in words[2:] if "/" in w), "")
            yield Rollout(name, "rolling", False, place, (), environment)
        for verb in ("stop", "kill", "rm"):
            if (at := _docker(command, verb)) is not None:
                kills = verb == "kill" or (
                    verb == "rm" and any(w in ("-f", "--force", "-fv", "-vf") for w in words[at:])
                )
                for name in (w for w in words[at:] if not w.startswith("-") and w not in ("true", "||")):
                    stops.setdefault(name, (place, kills))
        run = _docker(command, "run")
        if run is not None:
            flags, _, _ = _split(command, run, script)
            name = flags["--name"][0].value if "--name" in flags else ""
            if name in stops:
                yield Rollout(name, "stop-first", stops[name][1], stops[name][0], (place,), environment)


def shippers(found: list[Deployment]) -> Iterator[LogShipper]:
    """Units whose logging driver sends logs away."""
    for unit in found:
        if unit.logging is not None and unit.logging.value in SHIPPING_DRIVERS:
            yield LogShipper(f"logging driver {unit.logging.value}", unit.logging.place, unit.environment)


def _docker(command: Command, verb: str) -> int | None:
    """Index of the word after `docker VERB` (or `docker container VERB`); None for another command."""
    words = [w for w in command.words]
    for index in range(len(words) - 1):
        if PurePosixPath(words[index]).name in ("docker", "podman"):
            rest = index + 1 + (words[index + 1] == "container")
            return rest + 1 if rest < len(words) and words[rest] == verb else None
    return None


def _split(command: Command, start: int, script: Script) -> tuple[Flags, list[str], Setting | None]:
    """Flags of a `docker run`, the words after the image, and the image."""
    flags: Flags = {}
    place = script.place(command.line)
    words = list(command.words[start:])
    while words:
        word = words.pop(0)
        if not word.startswith("-"):
            return flags, words, Setting(word, place)
        key, sign, value = word.partition("=")
        if not sign and key in _VALUED and words:
            value = words.pop(0)
        if not sign and re.fullmatch(r"-[a-z]{2,}", key) and not key.startswith("--"):  # -itd
            for letter in key[1:]:
                flags.setdefault(f"-{letter}", []).append(Setting("", place))
        flags.setdefault(key, []).append(Setting(value, place))
    return flags, [], None


def _first(flags: Flags, *names: str) -> Setting | None:
    return next((flags[n][0] for n in names if n in flags), None)


def _unit(
    script: Script,
    command: Command,
    flags: Flags,
    rest: list[str],
    image_at: Setting,
    environment: Environment,
    reading: Reading,
) -> Deployment:
    place = script.place(command.line)
    named = _first(flags, "--name")
    name = named.value if named else repository(image_at.value).rpartition("/")[2]
    env = {
        k: Setting(mask(k, v), s.place)
        for s in (*flags.get("-e", []), *flags.get("--env", []))
        for k, _, v in (s.value.partition("="),)
    }
    image = reading.image_of(image_at.value, name)
    entry = _first(flags, "--entrypoint")
    words = (
        (entry.value, *rest)
        if entry
        else ((*image.entrypoint, *rest) if image and rest else tuple(rest) or (image.command if image else ()))
    )
    memory, restart, grace = (
        _first(flags, "-m", "--memory"),
        _first(flags, "--restart"),
        _first(flags, "--stop-timeout"),
    )
    check = _first(flags, "--health-cmd")
    health: tuple[HealthCheck, ...] = (health_check(check.value, check.place),) if check else ()
    if not health and image and image.healthcheck and "--no-healthcheck" not in flags:
        health = (image.healthcheck,)
    heap = heap_flag({**(dict(image.env) if image else {}), **env}, tuple(words), place)
    return Deployment(
        kind=UnitKind.DOCKER_RUN, name=name, environment=environment if environment is not Environment.UNKNOWN else Environment.PRODUCTION,
        place=place, root=reading.root, image=image_at, dockerfile=image, command=tuple(words), command_place=place,
        entries=reading.entries(name, tuple(words), image.place if image and not rest else place, image, "", env), env=env,
        ports=tuple(p for s in (*flags.get("-p", []), *flags.get("--publish", [])) if (p := _port(s))),
        restart=restart, restarts=restart is not None and restart.value != "no", memory=memory,
        memory_bytes=size(memory.value) if memory else None, heap=heap, heap_bytes=size(heap.value + "m") if heap else None,
        grace=grace, grace_seconds=seconds(grace.value) if grace else DEFAULT_GRACE, health=health, replicas=1,
        logging=_first(flags, "--log-driver"), rolling=None, backing=is_backing(image_at.value),
    )  # fmt: skip


def _port(setting: Setting) -> Port | None:
    parts = setting.value.split("/")[0].split(":")
    if not parts[-1].isdigit():
        return None
    published = int(parts[-2]) if len(parts) > 1 and parts[-2].isdigit() else None
    return Port(int(parts[-1]), published, parts[0] if len(parts) > 2 else "", setting.place)


def _redis(unit: Deployment, flags: Flags) -> RedisUnit:
    built = build(
        Container(
            name=unit.name, kind="docker run", place=unit.place, environment=unit.environment, root=unit.root, image=unit.image,
            command=unit.command, command_place=unit.place, env=unit.env, ports=unit.ports, memory=unit.memory, memory_bytes=unit.memory_bytes,
        )
    )  # fmt: skip
    return replace(built, health=unit.health)
