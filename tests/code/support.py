"""Reads `// expect:` marks from TypeScript cases and says what a model shows at each place in the same words."""

from __future__ import annotations

import json
import re
import shutil
from pathlib import Path

from auditor.code.collect import collect
from auditor.code.model import CodeModel, EntryPoint, Option, OptionState, Producer, Worker

CASES = Path(__file__).parent / "cases"
MARK = re.compile(r"//\s*expect:\s*(producer|worker)\s*(.*?)\s*$")


def names() -> list[str]:
    """Every case: a file, or a folder of files."""
    return sorted(path.name for path in CASES.iterdir())


def model_of(case: str, folder: Path, entry_points: tuple[str, ...] = ()) -> tuple[Path, CodeModel]:
    """A copy of the case in `folder`, and what the collector makes of it."""
    source = CASES / case
    if source.is_dir():
        shutil.copytree(source, folder / "repo")
    else:
        (folder / "repo").mkdir()
        shutil.copy(source, folder / "repo" / case)
    root = folder / "repo"
    entries = [EntryPoint("", str(root / path), 1, "a test") for path in entry_points]
    return root, collect([root], entry_points=entries)


def marks(root: Path) -> dict[tuple[str, int], tuple[str, dict[str, str]]]:
    """(path, line) -> (what stands there, its attributes)."""
    found = {}
    for path in sorted(root.rglob("*")):
        if path.suffix not in (".ts", ".js", ".tsx"):
            continue
        for number, line in enumerate(path.read_text().splitlines(), 1):
            match = MARK.search(line)
            if match is not None:
                pairs = (pair.partition("=") for pair in match.group(2).split())
                found[path.relative_to(root).as_posix(), number] = (
                    match.group(1),
                    {key: value for key, _, value in pairs},
                )
    return found


def shown(model: CodeModel, site: Producer | Worker, key: str) -> str:
    """One attribute of a site, in the words of the marks."""
    match key:
        case "queue":
            return "|".join(sorted(site.queue)) or "?"
        case "library" | "live" | "kind":
            return str(getattr(site, key)).lower()
        case "misuse":
            near = [
                misuse.rule
                for misuse in model.misuses
                if misuse.span.path == site.span.path and misuse.span.start == site.span.start
            ]
            return ",".join(near)
    if isinstance(site, Producer):
        return _producer(site, key)
    return _worker(site, key)


def _producer(site: Producer, key: str) -> str:
    match key:
        case "job" | "method":
            return str(getattr(site, key))
        case "children":
            return ",".join(name for child in site.children for name in child.queue)
        case "scheduler":
            return option_text(site.scheduler) if site.scheduler is not None else "none"
    return option_text(site.options.get(key), key)


def _worker(site: Worker, key: str) -> str:
    match key:
        case "listeners":
            return ",".join(sorted({listener.event for listener in site.listeners if listener.live or not site.live}))
        case "closed":
            return ",".join(site.closed_on)
        case "sandboxed":
            return str(site.sandboxed).lower()
        case "handler":
            return site.handler.label() if site.handler is not None else "none"
    return option_text(site.options.get(key), key)


def option_text(option: Option | None, key: str = "") -> str:
    """none, unknown, varies, or the value."""
    if option is None or option.state is OptionState.ABSENT:
        return "none"
    if option.state is not OptionState.KNOWN:
        return option.state.value
    value = option.value
    if key == "jobId" and isinstance(value, dict):
        return "deterministic" if value["deterministic"] else "random"
    if key == "backoff":
        return str(value["type"]) if isinstance(value, dict) else "fixed"
    return value if isinstance(value, str) else json.dumps(value, separators=(",", ":"))
