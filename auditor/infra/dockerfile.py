"""Dockerfiles: what each stage would run, its health check, environment and copies."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, field

from auditor.infra.model import HealthCheck, Image, Setting
from auditor.infra.text import argv, mask
from auditor.model import FilePlace

_CANNOT_FAIL = re.compile(r"process\.exit\(0\)|^\s*(true|:|exit 0|echo\b[^&|;]*)\s*$|\|\|\s*(true|exit 0)\s*$")


@dataclass(slots=True)
class _Stage:
    name: str
    base: str
    line: int
    entrypoint: tuple[str, ...] = ()
    command: tuple[str, ...] = ()
    exec_form: bool = True
    run_line: int = 0
    workdir: str = ""
    health: HealthCheck | None = None
    env: dict[str, Setting] = field(default_factory=dict)
    copies: list[tuple[str, str]] = field(default_factory=list)


def read(text: str, path: str) -> dict[str, Image]:
    """Stages by name (and by number), the last one also under the empty name; inheritance between them applied."""
    stages: dict[str, _Stage] = {}
    current: _Stage | None = None
    for line, word, rest in _instructions(text):
        if word == "FROM":
            current = _from(rest, line, stages)
        elif current is not None:
            _apply(current, word, rest, FilePlace(path, line), stages)
    images = {key: _image(stage, path) for key, stage in stages.items()}
    if current is not None:
        images[""] = _image(current, path)
    return images


def health_check(test: str, place: FilePlace, *, kind: str = "healthcheck", from_image: bool = False) -> HealthCheck:
    """A command check; one that only prints, or always exits 0, cannot fail."""
    port = re.search(r"(?:localhost|127\.0\.0\.1|0\.0\.0\.0|\[::1\])\s*:\s*(\d{2,5})", test)
    return HealthCheck(kind, test, place, not cannot_fail(test), int(port[1]) if port else None, from_image)


def cannot_fail(test: str) -> bool:
    """Whether a check's command always succeeds: it looks at nothing."""
    if _CANNOT_FAIL.search(test):
        # `exit(0)` beside an `exit(1)`, a request or a require can still fail
        return not re.search(r"exit\(?\s*1|throw|require\(|fetch\(|http|curl|wget", test) or bool(
            re.search(r"\|\|\s*(true|exit 0)\s*$", test)
        )
    printed = re.fullmatch(r"(?:node\s+(?:-e|--eval)\s+)?['\"]?console\.log\([^()]*\);?['\"]?", test.strip())
    return printed is not None


def _instructions(text: str) -> Iterator[tuple[int, str, str]]:
    """(line, INSTRUCTION, rest) with continuations joined, comments and heredoc bodies left out."""
    lines = text.splitlines()
    index = 0
    while index < len(lines):
        start, whole = index, lines[index]
        index += 1
        if not whole.strip() or whole.lstrip().startswith("#"):
            continue
        while whole.rstrip().endswith("\\") and index < len(lines):
            following = lines[index]
            index += 1
            if not following.lstrip().startswith("#"):
                whole = whole.rstrip()[:-1] + " " + following
        word, _, rest = whole.strip().partition(" ")
        if word.upper() in ("RUN", "COPY"):
            for mark in re.findall(r"<<-?['\"]?(\w+)['\"]?", rest):
                while index < len(lines) and lines[index].strip() != mark:
                    index += 1
                index += 1
        yield start + 1, word.upper(), rest.strip()


def _from(rest: str, line: int, stages: dict[str, _Stage]) -> _Stage:
    words = [w for w in rest.split() if not w.startswith("--")]
    name = words[2] if len(words) > 2 and words[1].lower() == "as" else ""
    base = words[0] if words else ""
    parent = stages.get(base.lower())
    stage = _Stage(name.lower(), base, line)
    if parent is not None:
        stage = _Stage(
            name.lower(), parent.base, line, parent.entrypoint, parent.command, parent.exec_form, parent.run_line,
            parent.workdir, parent.health, dict(parent.env), list(parent.copies),
        )  # fmt: skip
    stages[str(len({id(s) for s in stages.values()}))] = stage
    if name:
        stages[name.lower()] = stage
    return stage


def _apply(stage: _Stage, word: str, rest: str, at: FilePlace, stages: dict[str, _Stage]) -> None:
    if word == "CMD":
        stage.command, stage.exec_form = _form(rest)
        stage.run_line = at.line
    elif word == "ENTRYPOINT":
        stage.entrypoint, stage.exec_form = _form(rest)
        stage.command, stage.run_line = (), at.line
    elif word == "WORKDIR":
        stage.workdir = rest if rest.startswith("/") else f"{stage.workdir.rstrip('/')}/{rest}"
    elif word == "HEALTHCHECK":
        test = re.sub(r"--\S+\s+", "", rest)
        if test.upper() == "NONE":
            stage.health = None
        else:
            words = _form(re.sub(r"^CMD\s+", "", test))[0]
            stage.health = health_check(" ".join(words), at, from_image=True)
    elif word == "ENV":
        for key, value in _pairs(rest):
            stage.env[key] = Setting(mask(key, value), at)
    elif word in ("COPY", "ADD"):
        _copy(stage, rest, stages)


def _copy(stage: _Stage, rest: str, stages: dict[str, _Stage]) -> None:
    source_stage = re.search(r"--from=(\S+)", rest)
    words = [w for w in rest.split() if not w.startswith("--")]
    if rest.lstrip().startswith("["):
        words = list(_form(rest)[0])
    if len(words) < 2:
        return
    *sources, target = words
    if not target.startswith("/"):
        target = f"{stage.workdir}/{target}"
    for source in sources:
        if source_stage is None:
            stage.copies.append((source, target))
        elif (origin := stages.get(source_stage[1].lower())) is not None:
            stage.copies += [(s, target) for s in _sources_of(origin, source)]


def _sources_of(stage: _Stage, path: str) -> list[str]:
    """What in the build context ends up at `path` of a stage: the way back through its own copies."""
    found: list[str] = []
    for source, target in stage.copies:
        base = _join(target)
        if path != base and not path.startswith(base.rstrip("/") + "/"):
            continue
        rest = path[len(base) :].strip("/")
        name = source.rstrip("/").rpartition("/")[2]
        if rest and ("*" in name or "." in name.lstrip(".")):  # a file, not a folder: only it is there
            found += [source] if name == rest else []
        else:
            found.append(f"{source.rstrip('/')}/{rest}" if rest else source)
    return list(dict.fromkeys(found))


def _join(path: str) -> str:
    return re.sub(r"/(?:\./)+|//+", "/", path).removesuffix("/.").rstrip("/") or "/"


def _form(rest: str) -> tuple[tuple[str, ...], bool]:
    """Words of a JSON (exec) form and True; a shell form is the words of `sh -c` and False."""
    if rest.startswith("["):
        try:
            words = json.loads(rest)
            if isinstance(words, list) and all(isinstance(w, str) for w in words):
                return tuple(words), True
        except (ValueError, RecursionError):
            pass  # Docker takes a broken JSON form as a shell form
    return ("sh", "-c", rest), False


def _pairs(rest: str) -> Iterator[tuple[str, str]]:
    """ENV's `K=V K=V`, and the old `K V`."""
    words = argv(rest)
    if words and "=" not in words[0]:
        yield words[0], " ".join(words[1:])
        return
    for word in words:
        key, sign, value = word.partition("=")
        if sign:
            yield key, value


def _image(stage: _Stage, path: str) -> Image:
    return Image(
        path=path,
        stage=stage.name,
        command=(*stage.entrypoint, *stage.command),
        entrypoint=stage.entrypoint,
        exec_form=stage.exec_form,
        place=FilePlace(path, stage.run_line or stage.line),
        base=stage.base,
        workdir=stage.workdir,
        healthcheck=stage.health,
        env=stage.env,
        copies=tuple(stage.copies),
    )
