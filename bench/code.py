"""What a scan of code costs on a given tree: CPU, wall, memory, beside the parse of the same relevant files.

    python bench/code.py PATH [PATH ...] [--other "ast-grep scan --rule rules.yml"]

The parse floor is what tree-sitter alone needs for the files that the scan parsed; `ratio` is the scan's CPU over it.
`--other` runs another tool on the same tree right after, since ratios of one run alone mean anything.
"""

from __future__ import annotations

import argparse
import resource
import shlex
import subprocess
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from auditor.code import program, syntax
from auditor.code.collect import collect
from auditor.code.model import CodeModel
from auditor.infra.collect import entry_points_above


def children_cpu() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def scan(root: Path) -> tuple[CodeModel, float, float, list[tuple[str, bytes]]]:
    """The model, CPU and wall seconds, and the files that were parsed."""
    parsed: list[tuple[str, bytes]] = []

    def noted(path: str, source: bytes) -> object:
        parsed.append((path, source))
        return syntax.parse(path, source)

    entries = entry_points_above(root)
    program.parse = noted  # type: ignore[assignment]  # the bench watches what is parsed
    wall, cpu = time.perf_counter(), time.process_time()
    model = collect([root], entry_points=entries)
    return model, time.process_time() - cpu, time.perf_counter() - wall, parsed


def floor(parsed: list[tuple[str, bytes]]) -> float:
    """CPU seconds that parsing the same files takes, with nothing done to the trees."""
    started = time.process_time()
    for path, source in parsed:
        syntax.bare_parse(path, source)
    return time.process_time() - started


def main() -> None:
    parse = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parse.add_argument("paths", nargs="+", type=Path)
    parse.add_argument("--other", action="append", default=[], help="another tool's command; the path is added to it")
    args = parse.parse_args()
    for root in args.paths:
        model, cpu, wall, parsed = scan(root)
        size = sum(len(source) for _, source in parsed)
        least = floor(parsed)
        memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
        print(
            f"{root.name}: {sum(tree.files_read for tree in model.trees)} files, {len(parsed)} parsed ({size / 1e6:.1f} MB)"
        )
        print(
            f"  found      {len(model.queues)} queues, {len(model.producers)} producers, {len(model.workers)} workers"
        )
        print(f"  scan       {cpu:.2f} s CPU, {wall:.2f} s wall, {memory} MB")
        print(f"  parse      {least:.2f} s CPU for the same files; ratio {cpu / max(least, 0.01):.1f}")
        for command in args.other:
            before, started = children_cpu(), time.perf_counter()
            subprocess.run([*shlex.split(command), str(root)], capture_output=True, check=False)
            print(
                f"  {command.split()[0]:10} {children_cpu() - before:.2f} s CPU, {time.perf_counter() - started:.2f} s wall"
            )


if __name__ == "__main__":
    main()
