"""Stages of a handler: what it writes between two external calls (item 13)."""

from __future__ import annotations

from auditor.code.model import Effect, Worker

from ._roles import EXTERNAL, REMOTE, WRITES


def stages(worker: Worker) -> list[list[Effect]]:
    """Writes in order, cut at every external call and at the border of a catch: what a crash can tear apart."""
    cut: list[list[Effect]] = [[]]
    in_catch = False
    for effect in sorted(worker.effects, key=lambda e: e.order):
        if effect.role in EXTERNAL or effect.role in REMOTE:
            cut.append([])
        if effect.role not in WRITES:
            continue
        if ("catch" in effect.within) != in_catch:
            in_catch = not in_catch
            cut.append([])
        cut[-1].append(effect)
    return [stage for stage in cut if stage]


def loose_writes(worker: Worker) -> list[Effect]:
    """Writes of the first stage that has two or more of them outside a transaction; a transaction counts as one."""
    for stage in stages(worker):
        loose = [effect for effect in stage if "transaction" not in effect.within]
        if len(loose) + (len(loose) < len(stage)) >= 2:
            return loose
    return []
