"""Which signals lead to which `close()` of a worker, and what ends the process before."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from auditor.code.evaluation.flow import Flow, covers
from auditor.code.evaluation.values import External, LibraryObject, options_of
from auditor.code.running.hooked import Hooked
from auditor.code.running.signals import SIGNALS, Signal, Signals
from auditor.code.sites.listeners import same_object
from auditor.code.sites.raw import Sites
from auditor.code.sites.targets import receiver
from auditor.code.source.versions import Versions, major
from auditor.code.syntax.facts import Call, Module
from auditor.model import CodeSpan

if TYPE_CHECKING:
    from auditor.code.evaluation.evaluate import Evaluator


@dataclass(slots=True)
class Closing:
    """How a worker is closed."""

    signals: list[str] = field(default_factory=list)
    forced: bool = False
    exits_first: CodeSpan | None = None


class Shutdown:
    """All signal handling of a program; `reached` gives the files that each entry point reaches, by folders that it loads too,
    and `run` the plugins that fastify-cli starts."""

    def __init__(
        self,
        ev: Evaluator,
        flow: Flow,
        sites: Sites,
        modules: list[Module],
        versions: Versions,
        reached: Mapping[str, Collection[str]] = {},
        run: Collection[str] = (),
    ) -> None:
        self.ev = ev
        self.flow = flow
        self.sites = sites
        self.versions = versions
        closing = {close.call.scope.module.path for close in sites.closes}
        relevant = set(closing)
        for path in closing:
            relevant |= ev.program.graph.all_importers(path)
            relevant.update(ev.program.graph.imports(path))  # a registry that is handed the closing, and runs it later
        hooked = Hooked(ev, flow, [close.call for close in sites.closes])
        self.signals = list(Signals(ev, flow, modules, frozenset(relevant), reached, hooked, run).all())

    def closing(self, targets: list[LibraryObject], module: Module, library: str, by_nest: bool) -> Closing:
        """Which signals close a worker with these objects."""
        found = Closing()
        names: dict[str, None] = {}
        closes = [
            close
            for close in self.sites.closes
            if any(same_object(t, target) for t in close.targets for target in targets)
        ]
        for signal in self.signals:
            if by_nest and (signal.nest or signal.apps) and self._nest_closes(library, module, signal):
                early = [self._exits_before(app) for app in signal.apps] if not signal.nest else [None]
                names.update({signal.name: None} if None in early else {})
                found.exits_first = found.exits_first or (early[0] if None not in early else None)
            for close in closes:
                if not covers(signal.reached, close.call):
                    continue
                exit_ = self._exits_before(close.call)
                if exit_ is not None:
                    found.exits_first = exit_
                    continue
                names[signal.name] = None
                found.forced = found.forced or close.forced
        found.signals = sorted(
            names, key=lambda name: ("SIGTERM", "SIGINT", *sorted(SIGNALS)).index(name) if name in SIGNALS else 99
        )
        return found

    def closes(self, signal: Signal) -> bool:
        """Whether a signal's handler leads to the close of any library object."""
        return any(covers(signal.reached, close.call) for close in self.sites.closes)

    def exits(self, signal: Signal) -> CodeSpan | None:
        """Where a signal's handler itself leaves the process, in no callback or timer."""
        for function in signal.reached.values():
            for call in self.flow.calls(function, nested=False):
                if call.name == "exit" and self._is_exit(call):
                    return CodeSpan(call.scope.module.path, call.line, call.line)
        return None

    def _nest_closes(self, library: str, module: Module, signal: Signal) -> bool:
        main = signal.call.scope.module.path
        if main not in self.ev.program.graph.all_importers(module.path) and main != module.path:
            return False
        version = self.versions.of(f"@nestjs/{library}", module.path)
        found = major(version)
        if found is None:
            return True
        return (
            found >= 10
            if library == "bullmq"
            else found >= 1 or not version.lstrip("^~>=v ").startswith(("0.1", "0.2", "0.3", "0.4", "0.5"))
        )

    def _exits_before(self, close: Call) -> CodeSpan | None:
        """A process.exit that comes before the close is done: earlier in its function, or after a close nobody waits for."""
        function = close.scope.func
        for call in self.flow.calls(function, nested=False) if function is not None else ():
            if call.name != "exit" or not self._is_exit(call):
                continue
            before = call.node.start_byte < close.node.start_byte and not _aside(call, close)
            unawaited = call.node.start_byte > close.node.end_byte and not _waited(close) and not _aside(call, close)
            if before or unawaited:
                return CodeSpan(call.scope.module.path, call.line, call.line)
        return None

    def _is_exit(self, call: Call) -> bool:
        value = receiver(self.ev, call, None)
        return any(
            isinstance(o, External) and o.package in ("global", "process") and o.path in ("process", "")
            for o in options_of(value)
        )


def _aside(call: Call, other: Call) -> bool:
    """Whether a call stands in a branch, catch or callback that the other is not in."""
    around = set()
    context = other.context
    while context is not None:
        around.add((context.kind, context.node.id))
        context = context.parent
    context = call.context
    while context is not None and context.kind != "function":
        if context.kind in ("if", "else", "catch", "switch", "loop") and (context.kind, context.node.id) not in around:
            return True
        context = context.parent
    return call.scope.func is not other.scope.func


def _waited(call: Call) -> bool:
    node = call.node.parent
    while node is not None:
        if node.type in (
            "await_expression",
            "return_statement",
            "arrow_function",
            "array",
            "arguments",
            "variable_declarator",
        ):
            return True
        if node.type in ("expression_statement", "statement_block"):
            return False
        node = node.parent
    return False
