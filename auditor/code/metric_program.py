"""What metrics are asked of the program that they are in: what lives, whose service it is, which process loads what."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from auditor.code.facts import Function, Module
from auditor.code.metric_feeds import Feed
from auditor.code.metric_served import Outlet
from auditor.code.metric_sites import Declared
from auditor.model import CodeSpan

if TYPE_CHECKING:
    from auditor.code.evaluate import Evaluator

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
        page = {entry for entry, files in self.entries.items() if outlet.module.path in files}
        feeders = {entry for entry, files in self.entries.items() for feed in fed if feed.module.path in files}
        return not page or not feeders or bool(page & feeders)


def package_of(ev: Evaluator, path: str) -> str:
    """The folder of the package.json that governs a file."""
    tree = ev.program.tree
    return next((up for up in tree.up(path) if tree.is_file(f"{up}/package.json" if up else "package.json")), "")


def users_of(ev: Evaluator, path: str) -> frozenset[str]:
    """Packages whose files import a file, its own among them."""
    return frozenset(
        (package_of(ev, path), *(package_of(ev, importer) for importer in ev.program.graph.all_importers(path)))
    )
