"""What metrics are asked of the program that they are in: what lives, whose service it is, which process loads what."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from auditor.code.metrics.declared import Declared
from auditor.code.metrics.feeds import Feed
from auditor.code.metrics.served import Outlet
from auditor.code.syntax.facts import Function, Module
from auditor.model import CodeSpan

if TYPE_CHECKING:
    from auditor.code.evaluation.evaluate import Evaluator

IsLive = Callable[[Module, "Function | None"], bool]


@dataclass(slots=True, eq=False)
class Program:
    """What is asked of the program while metrics are put together."""

    ev: Evaluator
    is_live: IsLive
    service_of: Callable[[str], str]
    outlets: list[Outlet]
    entries: Mapping[str, Collection[str]]
    """Entry point -> files that it reaches; empty where they can't be told."""
    within: Callable[[set[str]], IsLive] | None = None
    """What lives in a process that loads certain files; None where it can't be told."""
    _inside: dict[str, IsLive] = field(default_factory=dict)

    def lives(self, module: Module, function: Function | None) -> bool:
        """Whether something started reaches the function."""
        return self.is_live(module, function)

    def given_out(self, outlet: Outlet | None) -> tuple[CodeSpan | None, bool]:
        """The outlet's place, and whether it lives."""
        if outlet is None:
            return None, False
        return CodeSpan(outlet.module.path, outlet.line, outlet.line), self.is_live(outlet.module, outlet.scope.func)

    def together(self, outlet: Outlet, metric: Declared) -> bool:
        """Whether some process may load both the page and the metric's file; by packages where processes can't be told."""
        page = {entry for entry, files in self.entries.items() if outlet.module.path in files}
        metrics = {entry for entry, files in self.entries.items() if metric.module.path in files}
        if page and metrics:
            return bool(page & metrics)
        return bool(users_of(self.ev, outlet.module.path) & users_of(self.ev, metric.module.path))

    def one_process(self, outlet: Outlet, fed: list[Feed]) -> bool:
        """Whether some process may hold both the outlet and a feed; so where processes can't be told, or no feed is known."""
        page = {entry for entry in self.entries if self._runs_in(entry, outlet.module, outlet.scope.func)}
        feeders = {entry for entry in self.entries for feed in fed if self._runs_in(entry, feed.module, feed.function)}
        return not page or not feeders or bool(page & feeders)

    def _runs_in(self, entry: str, module: Module, function: Function | None) -> bool:
        """Whether the process of an entry point loads a file, and calls the function of it (None: its top level)."""
        files = self.entries[entry]
        if module.path not in files or self.within is None or function is None:
            return module.path in files
        if entry not in self._inside:
            self._inside[entry] = self.within(set(files))
        return self._inside[entry](module, function)


def package_of(ev: Evaluator, path: str) -> str:
    """The folder of the package.json that governs a file."""
    tree = ev.program.tree
    return next((up for up in tree.up(path) if tree.is_file(f"{up}/package.json" if up else "package.json")), "")


def users_of(ev: Evaluator, path: str) -> frozenset[str]:
    """Packages whose files import a file, its own among them."""
    return frozenset(
        (package_of(ev, path), *(package_of(ev, importer) for importer in ev.program.graph.all_importers(path)))
    )
