"""What a scan of code costs on a given tree: CPU, wall, memory, cold and warm, beside what others need for the same tree.

    python bench/code.py PATH [PATH ...] [--ast-grep] [--semgrep] [--other "COMMAND"]

The parse floor is what tree-sitter alone needs for the files that the scan parsed; `ratio` is the scan's CPU over it. Cold and
warm are whole processes, `tt-audit inventory` without a cache entry and with it. `--ast-grep` and `--semgrep` run those with
the rules in bench/rules, which ask what a pattern can ask of the same things; `pip install ast-grep-cli semgrep` brings them.
All run one after another, since figures of one run alone mean anything beside each other.
"""

from __future__ import annotations

import argparse
import os
import shlex
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from auditor.cache.entries import VARIABLE
from auditor.code.collect import collect
from auditor.code.source import program
from auditor.code.syntax import parse as syntax
from auditor.infra.collect import entry_points_above

HERE = Path(__file__).resolve().parent
RULES = HERE / "rules"
OURS = (
    sys.executable,
    "-c",
    "from auditor.cli import main; main()",
    "inventory",
    "--format",
    "json",
    "--timeout",
    "600",
)
OTHERS: Mapping[str, Sequence[str]] = {
    "ast-grep": ("scan", "-c", str(RULES / "sgconfig.yml"), "--rule", str(RULES / "ast-grep.yml"), "--json=stream"),
    "semgrep": (
        "scan",
        "--metrics",
        "off",
        "--disable-version-check",
        "--config",
        str(RULES / "semgrep.yml"),
        "--json",
    ),
}


@dataclass(frozen=True, slots=True)
class Cost:
    """What a process and its children took: CPU and wall seconds, and the largest one's memory in MB."""

    cpu: float
    wall: float
    memory: int

    def line(self) -> str:
        """For people."""
        return f"{self.cpu:7.2f} s CPU  {self.wall:7.2f} s wall  {self.memory:5} MB"


def cost(command: Sequence[str], environment: Mapping[str, str] = os.environ) -> Cost:
    """Run a command and tell what it took. Exits where it could not run at all; findings are no failure."""
    started = time.perf_counter()
    with tempfile.TemporaryFile() as errors:
        process = subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL, stderr=errors)
        _, status, used = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        if process.returncode not in (0, 1):
            errors.seek(0)
            sys.exit(f"{shlex.join(command)} failed:\n{errors.read().decode('utf-8', 'replace')[-2000:]}")
    scale = 1 if sys.platform == "darwin" else 1024
    return Cost(used.ru_utime + used.ru_stime, time.perf_counter() - started, used.ru_maxrss * scale // 1_000_000)


def floor(root: Path) -> None:
    """Print what is found, and the CPU seconds of the code source beside those of parsing the same files alone."""
    parsed: list[tuple[str, bytes]] = []

    def noted(path: str, source: bytes) -> object:
        parsed.append((path, source))
        return syntax.parse(path, source)

    entries = entry_points_above(root)
    program.parse = noted  # type: ignore[assignment]  # the bench watches what is parsed
    started = time.process_time()
    model = collect([root], entry_points=entries)
    cpu, started = time.process_time() - started, time.process_time()
    for path, source in parsed:
        syntax.bare_parse(path, source)
    least = time.process_time() - started
    size, files = sum(len(source) for _, source in parsed), sum(tree.files_read for tree in model.trees)
    print(f"{root.name}: {files} files, {len(parsed)} parsed ({size / 1e6:.1f} MB)")
    print(f"  found    {len(model.queues)} queues, {len(model.producers)} producers, {len(model.workers)} workers")
    print(
        f"  parse    {least:7.2f} s CPU for the same files; the code source {cpu:.2f}, ratio {cpu / max(least, 0.01):.1f}"
    )


def ours(root: Path) -> tuple[Cost, Cost]:
    """A whole run with an empty cache, and the run after it."""
    with tempfile.TemporaryDirectory() as where:
        environment = {**os.environ, VARIABLE: where, "PYTHONPATH": str(HERE.parent)}
        command = (*OURS, "--code", str(root))
        return cost(command, environment), cost(command, environment)


def others(asked: Sequence[str], given: Sequence[str]) -> Iterator[tuple[str, Sequence[str]]]:
    """Names and commands of the tools to run. Exits where one is not installed."""
    for name in asked:
        found = shutil.which(name)
        if found is None:
            sys.exit(f"{name} is not on PATH: pip install ast-grep-cli semgrep")
        yield name, (found, *OTHERS[name])
    for command in given:
        words = shlex.split(command)
        yield words[0], words


def main() -> None:
    parse = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parse.add_argument("paths", nargs="+", type=Path)
    for name in OTHERS:
        parse.add_argument(f"--{name}", dest="tools", action="append_const", const=name, help=f"run {name} on it too")
    parse.add_argument("--floor", action="store_true", help="only what is found and what parsing costs, of one tree")
    parse.add_argument("--other", action="append", default=[], help="another tool's command; the path is added to it")
    args = parse.parse_args()
    if args.floor:
        floor(args.paths[0])
        return
    tools = list(others(args.tools or [], args.other))
    for root in (path.resolve() for path in args.paths):
        # in a process of its own: a child's memory counts from what its parent had when it was made
        subprocess.run([sys.executable, __file__, "--floor", str(root)], check=True)
        cold, warm = ours(root)
        print(f"  cold     {cold.line()}")
        print(f"  warm     {warm.line()}")
        for name, words in tools:
            took = cost([*words, str(root)])
            print(f"  {name:8} {took.line()}  {took.cpu / cold.cpu:.1f} × ours cold, {took.cpu / warm.cpu:.1f} × warm")


if __name__ == "__main__":
    main()
