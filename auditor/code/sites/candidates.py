"""Which files may use a queue library, by their text and by who imports whom."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from auditor.code.syntax.facts import Module

if TYPE_CHECKING:
    from auditor.code.source.program import Program


_USES = re.compile(
    rb"""\.\s*(?:add|addBulk|upsertJobScheduler|process|on|once|close|run|getInstance)\s*[(<]|new\s+[\w.]*(?:Worker|Queue|Bull|Flow|Scheduler|Events)\w*|extends\s"""
)


_WORDS = (b"ueue", b"QUEUE", b"orker", b"WORKER", b"bull", b"Bull", b"flow", b"Flow", b"roducer", b"job", b"Job")


_ADDS = (b".add(", b".add<", b".addBulk", b".upsertJobScheduler", b".process(")


_DECORATES = re.compile(rb"""\.decorate\w*\(\s*['"](\w+)['"]""")


_QUEUEISH = re.compile(
    rb"""(?i)\b\w*(?:queue|flow|producer|bull)\w*(?:\[[^\]\n]*\]|\(\))?\s*[!?]?\.\s*(?:add|addBulk|upsertJobScheduler|process)\s*[(<]"""
)


def candidates(program: Program) -> list[Module]:
    """Files that may hold a site: those that name a library, and those that use what these export."""
    seeds = program.seeds()
    paths = dict.fromkeys(seeds)
    hung = _decorated(program, seeds)
    near: set[str] = set()
    around: set[str] = set()
    for seed in seeds:
        around |= program.graph.all_importers(seed)
        for path in program.graph.importers(seed):
            near.add(path)
            near.update(program.graph.importers(path))
    for path in program.tree.paths if seeds else ():
        data = program.tree.read(path)
        if path in paths or data is None:
            continue
        if path in near:
            wanted = bool(_USES.search(data))
        elif path in around:
            wanted = any(word in data for word in _WORDS) and bool(_USES.search(data))
        elif hung and any(name in data for name in hung):
            wanted = True
        else:
            wanted = (
                any(word in data for word in _ADDS)
                and any(word in data for word in _WORDS)
                and bool(_QUEUEISH.search(data))
            )
        if wanted:
            paths[path] = None
    return [module for path in sorted(paths) if (module := program.module(path)) is not None]


def _decorated(program: Program, seeds: list[str]) -> list[bytes]:
    """`.name.add` for each name under which a seed hangs something on a framework's object."""
    names: dict[bytes, None] = {}
    for seed in seeds:
        data = program.tree.read(seed)
        if data is not None and b"decorate" in data:
            names.update(dict.fromkeys(_DECORATES.findall(data)))
    return [
        b"." + name + b"." + method
        for name in names
        for method in (b"add(", b"add<", b"addBulk", b"process(", b"upsertJob")
    ]
