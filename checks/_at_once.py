"""How many jobs of its queue one process runs at once."""

from __future__ import annotations

from auditor.code.model import CodeModel, OptionState, Worker

from ._options import numbers, option
from ._versions import is_bull


def at_once(code: CodeModel, worker: Worker) -> int | None:
    """Jobs of the worker's queue at once in one process; None where it could not be resolved.

    Bull adds up the processors of a queue, each of which takes jobs of every name; one that states no number counts 1.
    """
    mates = [w for w in code.workers if w.live and is_bull(w) and set(w.queue) & set(worker.queue)]
    each = [_own(w) for w in (mates if is_bull(worker) and worker.live else [worker]) if w.service == worker.service]
    return None if None in each else sum(n for n in each if n is not None)


def _own(worker: Worker) -> int | None:
    found = option(worker.options, "concurrency")
    if found.state is OptionState.ABSENT:
        return max(1, len(worker.jobs)) if worker.jobs_by == "process" else 1
    values = numbers(found)
    return int(max(values)) if values else None
