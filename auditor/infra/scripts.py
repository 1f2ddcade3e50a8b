"""Shell texts: deploy scripts, steps of CI workflows, user data; what they build and in which order they roll out."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import PurePosixPath

from auditor.infra import environment as environments
from auditor.infra.images import repository
from auditor.infra.model import Rollout, Setting
from auditor.infra.shell import Command, commands
from auditor.infra.tree import join
from auditor.infra.yaml_tree import Node
from auditor.model import FilePlace

_BUILD_OPTIONS = ("-t", "--tag", "-f", "--file", "--target", "--build-arg", "--platform", "--label", "--cache-from")
_RUN_OPTIONS = frozenset(
    ("--name", "-p", "--publish", "-v", "--volume", "-e", "--env", "--env-file", "--network", "--net", "--restart", "-m", "--memory",
     "--memory-swap", "--cpus", "--health-cmd", "--health-interval", "--health-retries", "--health-timeout", "--health-start-period",
     "--log-driver", "--log-opt", "--stop-timeout", "--entrypoint", "-u", "--user", "-w", "--workdir", "--mount", "--label", "-l",
     "--add-host", "--link", "--hostname", "-h", "--ulimit", "--platform", "--pull", "--gpus", "--device", "--expose",
     "--network-alias", "--stop-signal", "--cap-add", "--cap-drop", "--security-opt", "--tmpfs", "--shm-size", "--pid", "--ipc")
)  # fmt: skip
Flags = dict[str, list[Setting]]


@dataclass(frozen=True, slots=True)
class Script:
    """A shell text within a file."""

    path: str
    text: str
    first: int = 1
    """Line of the file on which the text begins."""
    deploys: bool = True
    """Whether it brings programs to where they serve; a `docker run` on a CI runner or a developer's machine does not."""

    def place(self, line: int) -> FilePlace:
        """A line of the text as a line of the file."""
        return FilePlace(self.path, self.first + line - 1)


@dataclass(frozen=True, slots=True)
class Run:
    """A `docker run`: its flags, image, and the words after the image."""

    image: Setting
    flags: Flags
    words: tuple[str, ...]
    place: FilePlace

    def first(self, *names: str) -> Setting | None:
        """The first of these flags that is given."""
        return next((self.flags[n][0] for n in names if n in self.flags), None)

    def every(self, *names: str) -> list[Setting]:
        """All of these flags."""
        return [s for n in names for s in self.flags.get(n, [])]

    @property
    def name(self) -> str:
        """`--name`, else the image's last name."""
        named = self.first("--name")
        return named.value if named else repository(self.image.value).rpartition("/")[2]

    @property
    def stays(self) -> bool:
        """Started to stay: detached, or with a restart policy."""
        return any(f in self.flags for f in ("-d", "--detach", "--restart"))


def of_workflow(document: Node, path: str) -> Iterator[Script]:
    """`run` and ssh `script` steps of the jobs of a CI workflow (GitHub, GitLab), its expressions as shell variables."""
    own_machine = any(k == "runs-on" and "self-hosted" in (v.text, *v.texts()) for k, v in document.walk(5000))
    for key, node in document.walk(5000):
        if key in ("run", "script") and node.kind == "scalar" and re.search("docker|podman|kubectl", node.text):
            there = key == "script" or own_machine or _reaches_out(node.text)
            yield Script(path, _plain(node.text), node.text_line, deploys=there)
        elif key in ("script", "before_script", "after_script") and node.kind == "sequence":
            text = "\n".join(n.text for n in node.list())
            yield Script(path, _plain(text), node.line + 1, deploys=_reaches_out(text))


def built_by(document: Node) -> Iterator[tuple[str, str, str]]:
    """(image's last name, Dockerfile, target) of the build actions of a workflow."""
    for key, node in document.walk(5000):
        if key == "with" and node["tags"] and (node["context"] or node["file"] or node["push"]):
            file = node["file"].text or join(node["context"].text or ".", "Dockerfile")
            for tag in "\n".join(node["tags"].texts()).replace(",", "\n").split("\n"):
                name = repository(_plain(tag.strip())).rpartition("/")[2]
                if name and "$" not in name + file:
                    yield name, join("", file), node["target"].text


def of_file(path: str, text: str) -> Script:
    """A shell script. One that neither reaches another machine nor is named for a deploy is a helper of developers."""
    named = re.search(
        r"deploy|release|rollout|provision|production|(^|[-_./])prod([-_./]|$)|launch|remote|user-?data", path
    )
    return Script(path, text, deploys=bool(named) or _reaches_out(text))


def _reaches_out(text: str) -> bool:
    return re.search(r"(^|\s)(ssh|gcloud compute ssh|aws ssm send-command)\s", text) is not None


def builds(script: Script) -> Iterator[tuple[str, str, str]]:
    """(image's last name, Dockerfile, target) of `docker build` lines."""
    for command in commands(script.text):
        at = _docker(command, "build") or _docker(command, "buildx")
        if at is None:
            continue
        words = [w for w in command.words[at:] if w != "build"]
        options: dict[str, str] = {}
        folder = ""
        while words:
            key, sign, value = words.pop(0).partition("=")
            if key in _BUILD_OPTIONS:
                options[key] = value if sign else (words.pop(0) if words else "")
            elif not key.startswith("-"):
                folder = key
        file = options.get("-f") or options.get("--file") or join(folder, "Dockerfile")
        if name := options.get("-t") or options.get("--tag"):
            yield repository(name).rpartition("/")[2], join("", file), options.get("--target", "")


def runs(script: Script) -> Iterator[Run]:
    """The `docker run` commands of a text."""
    for command in commands(script.text):
        if (run := _run(command, script)) is not None:
            yield run


def rollouts(script: Script) -> Iterator[Rollout]:
    """Stop-then-start of one container, and `kubectl rollout`."""
    environment = environments.of_path(script.path)
    stops: dict[str, tuple[FilePlace, bool]] = {}
    for command in commands(script.text):
        words, place = command.words, script.place(command.line)
        if words[0] == "kubectl" and ("rollout" in words or words[1:3] == ("set", "image")):
            name = next((w.rpartition("/")[2] for w in words[2:] if "/" in w), "")
            yield Rollout(name, "rolling", False, place, (), environment)
        for verb in ("stop", "kill", "rm"):
            at = _docker(command, verb)
            rest = words[at:] if at is not None else ()
            kills = verb == "kill" or (verb == "rm" and any(w in ("-f", "--force", "-fv", "-vf") for w in rest))
            for name in (w for w in rest if not w.startswith("-")):
                stops.setdefault(name, (place, kills))
        run = _run(command, script) if script.deploys else None
        if run is not None and run.name in stops:
            stopped, kills = stops[run.name]
            yield Rollout(run.name, "stop-first", kills, stopped, (place,), environment)


def _plain(text: str) -> str:
    """A step's text with the workflow's own expressions as shell variables, so that they stay one word."""
    return re.sub(r"\$\{\{\s*(.*?)\s*\}\}", lambda m: "${" + re.sub(r"\W+", "_", m[1]) + "}", text)


def _docker(command: Command, verb: str) -> int | None:
    """Index of the word after `docker VERB` (or `docker container VERB`); None for another command."""
    words = command.words
    for index in range(len(words) - 1):
        if PurePosixPath(words[index]).name in ("docker", "podman"):
            rest = index + 1 + (words[index + 1] == "container")
            return rest + 1 if rest < len(words) and words[rest] == verb else None
    return None


def _run(command: Command, script: Script) -> Run | None:
    start = _docker(command, "run")
    flags: Flags = {}
    place = script.place(command.line)
    words = list(command.words[start:]) if start is not None else []
    while words:
        word = words.pop(0)
        if not word.startswith("-"):
            return Run(Setting(word, place), flags, tuple(words), place)
        key, sign, value = word.partition("=")
        if not sign and key in _RUN_OPTIONS and words:
            value = words.pop(0)
        if not sign and re.fullmatch(r"-[a-z]{2,}", key):  # -itd
            for letter in key[1:]:
                flags.setdefault(f"-{letter}", []).append(Setting("", place))
        flags.setdefault(key, []).append(Setting(value, place))
    return None
