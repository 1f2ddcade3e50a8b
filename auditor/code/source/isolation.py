"""Where a fault of ours ends: it costs the fact or the file at hand, is noted with its place, and the rest goes on."""

from __future__ import annotations

from collections.abc import Callable
from types import TracebackType
from typing import TypeVar

from auditor.code.syntax.facts import Call, Class, Function, Module
from auditor.gaps import Gap

_T = TypeVar("_T")


class Gaps:
    """Collects what broke."""

    def __init__(self) -> None:
        self.found: list[Gap] = []

    def take(self, phase: str, facts: tuple[str, ...], work: Callable[[], _T], default: _T, path: str = "") -> _T:
        """What `work` gives; `default` where it breaks, and then `facts` can't be relied on."""
        try:
            return work()
        except Exception as error:
            self.note(phase, facts, error, path)
            return default

    def note(self, phase: str, facts: tuple[str, ...], error: Exception, path: str = "") -> str:
        """Remember that looking for something broke; gives the exception as one line."""
        text = " ".join(str(error).split())[:200]
        why = f"{type(error).__name__}: {text}" if text else type(error).__name__
        gap = Gap(phase, path or _looked_at(error.__traceback__), why, facts)
        if gap not in self.found:
            self.found.append(gap)
        return why


def _looked_at(trace: TracebackType | None) -> str:
    """The file whose code the innermost frame held that held any."""
    found = ""
    while trace is not None:
        for value in trace.tb_frame.f_locals.values():
            match value:
                case Module():
                    found = value.path
                case Call():
                    found = value.scope.module.path
                case Function() | Class():
                    found = value.module.path
        trace = trace.tb_next
    return found
