"""Which signals a program handles, and what then runs: process.on, shutdown libraries, Nest's hooks, Fastify's onClose."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from auditor.code.evaluation import callers
from auditor.code.evaluation.external import package_of
from auditor.code.evaluation.flow import Flow, functions_of
from auditor.code.evaluation.values import Array, External, LibraryObject, Literal, Object, Value, options_of
from auditor.code.running import registered
from auditor.code.running.hooked import HOOKS, Hooked
from auditor.code.sites.targets import receiver
from auditor.code.syntax.facts import Binding, Call, Function, Import, Module

if TYPE_CHECKING:
    from auditor.code.evaluation.evaluate import Evaluator

_BOTH = ("SIGTERM", "SIGINT")
_LIBRARIES = {
    "close-with-grace": _BOTH,
    "exit-hook": _BOTH,
    "async-exit-hook": _BOTH,
    "node-graceful": _BOTH,
    "node-graceful-shutdown": _BOTH,
    "death": _BOTH,
    "http-graceful-shutdown": _BOTH,
    "@godaddy/terminus": ("SIGTERM",),
    "lightship": (*_BOTH, "SIGHUP"),
    "graceful-shutdown": _BOTH,
    "shutdown-cleanup": _BOTH,
    "fastify-graceful-shutdown": _BOTH,
    "@mgcrea/fastify-graceful-exit": _BOTH,
}
_SAYS = (b"SIGTERM", b"SIGINT", b"enableShutdownHooks")
_HINTS = (b"grace", b"exit-hook", b"death", b"terminus", b"lightship", b"shutdown-cleanup")
"""A library's name holds one: looked for first, since few files do."""
_IMPORTS = re.compile(rb"['\"`](?:" + b"|".join(re.escape(name.encode()) for name in _LIBRARIES) + rb")['\"`/]")
_NAMED = re.compile(rb"process\s*\??\.\s*(?:on|once|addListener|prependListener)\s*\(\s*[A-Za-z_$]")
"""A listener of the process for an event that a name holds, which another file may give it."""
SIGNALS = frozenset(("SIGTERM", "SIGINT", "SIGHUP", "SIGQUIT", "SIGUSR2", "SIGBREAK"))


@dataclass(slots=True)
class Signal:
    """One way in which a signal is handled: the call that installs it, and the functions that then run."""

    name: str
    call: Call
    reached: dict[int, Function]
    nest: bool = False
    apps: list[Call] = field(default_factory=list)
    """Where the handler closes a Nest application, which closes its workers."""


class Signals:
    """Finds the signal handling of a program; `relevant` are the files in which something may be closed.

    `reached` gives the files that each entry point reaches: plugins that a server loads with their folder, too. `run` are
    the plugins that fastify-cli starts: it closes the server around them on both signals.
    """

    def __init__(
        self,
        ev: Evaluator,
        flow: Flow,
        modules: list[Module],
        relevant: frozenset[str],
        reached: Mapping[str, Collection[str]],
        hooked: Hooked,
        run: Collection[str] = (),
    ) -> None:
        self.ev = ev
        self.run = run
        self.flow = flow
        self.modules = modules
        self.relevant = relevant
        self.reached = reached
        self.hooked = hooked
        self.handlers = self._handlers()

    def _handlers(self) -> list[Module]:
        program = self.ev.program
        return [
            module
            for path in program.tree.paths
            if may_handle(program.tree.read(path) or b"") and (module := program.module(path)) is not None
        ]

    def all(self) -> Iterator[Signal]:
        """Each way in which a signal is handled."""
        for signal in self._handled():
            further = self.hooked.called(signal.reached.values())
            if further:
                signal.reached = self.flow.reach([*signal.reached.values(), *further], 150, self.relevant)
            yield signal

    def _handled(self) -> Iterator[Signal]:
        for module in self.handlers:
            for call in module.calls:
                if call.name in ("on", "once", "addListener"):
                    yield from self._of_process(call)
                elif call.name == "enableShutdownHooks":
                    yield from self._of_nest(call)
                elif call.callee is not None and call.name not in ("close", "exit"):
                    yield from self._of_library(call)

        for plugin in self.run:
            yield from self._of_plugin(plugin)

    def _of_plugin(self, plugin: str) -> Iterator[Signal]:
        for hook, starts in self._server_hooks(plugin):
            reached = self.flow.reach(starts, 150, self.relevant)
            yield from (Signal(name, hook, reached) for name in _BOTH)

    def _of_process(self, call: Call) -> Iterator[Signal]:
        node = call.callee.child_by_field_name("object") if call.callee is not None else None
        if node is None or b"rocess" not in call.scope.module.source[node.start_byte : node.end_byte][-40:]:
            return
        held = receiver(self.ev, call, None)
        if not any(
            isinstance(o, External) and (o.package, o.path) in (("global", "process"), ("process", ""))
            for o in options_of(held)
        ):
            return
        for turn in callers.expansions(self.ev, call.scope, None):
            given = callers.given(self.ev, call, turn)
            if len(given) < 2:
                continue
            starts = functions_of(given[1])
            for event in options_of(given[0]):
                if isinstance(event, Literal) and event.value in SIGNALS:
                    reached = self._with_hooks(call, self._reached(starts))
                    yield Signal(str(event.value), call, reached, apps=self._closed_apps(reached))

    def _reached(self, starts: list[Function]) -> dict[int, Function]:
        """What the handler runs, with what was registered for it to run: `onShutdown(() => worker.close())`."""
        reached = self.flow.reach(starts, 150, self.relevant)
        kept = registered.kept_for(self.ev, reached.values())
        return self.flow.reach([*reached.values(), *kept], 150, self.relevant) if kept else reached

    def _closed_apps(self, reached: dict[int, Function]) -> list[Call]:
        calls = (call for function in reached.values() for call in self.flow.calls(function) if call.name == "close")
        return [call for call in calls if self._is_nest_app(call)]

    def _is_nest_app(self, call: Call) -> bool:
        value = self.ev.within(lambda: receiver(self.ev, call, None), 500, 2)
        held = options_of(value) if value is not None else ()
        return any(isinstance(o, External) and o.package == "@nestjs/core" and "NestFactory" in o.path for o in held)

    def _of_library(self, call: Call) -> Iterator[Signal]:
        if call.callee is None or call.callee.type not in ("identifier", "member_expression"):
            return
        root = call.callee
        while root.type == "member_expression" and (inner := root.child_by_field_name("object")) is not None:
            root = inner
        binding = call.scope.lookup(call.scope.module.text(root)) if root.type == "identifier" else None
        if binding is None or not self._is_shutdown_library(binding):
            return
        packages = {
            o.package for o in options_of(self.ev.eval(call.callee, call.scope)) if isinstance(o, External)
        } & _LIBRARIES.keys()
        for package in packages:
            starts: list[Function] = []
            signals = _LIBRARIES[package]
            for value in callers.given(self.ev, call, None):
                starts.extend(functions_of(value))
                if isinstance(value, Object):
                    for key in ("onSignal", "onShutdown", "beforeShutdown", "preShutdown", "finally"):
                        if key in value.members:
                            starts.extend(functions_of(value.members[key]))
                    signals = _named_signals(value) or signals
            if starts:
                reached = self._with_hooks(call, self.flow.reach(starts, 150, self.relevant))
                yield from (Signal(name, call, reached) for name in signals)

    def _of_nest(self, call: Call) -> Iterator[Signal]:
        given = callers.given(self.ev, call, None)
        names: tuple[str, ...] = ("SIGTERM", "SIGINT", "SIGHUP")
        if given and isinstance(given[0], Array):
            listed = [
                o.value if isinstance(o, Literal) else o.path.rsplit(".", 1)[-1]
                for i in given[0].items
                for o in options_of(i)
                if isinstance(o, Literal | External)
            ]
            names = tuple(str(name) for name in listed) or names
        starts: list[Function] = []
        for module in self._served_by(call.scope.module.path):
            for cls in module.classes:
                starts.extend(cls.members[name] for name in HOOKS if name in cls.members)
        starts.extend(self.hooked.hooks(call.scope.module.path))
        reached = self.flow.reach(starts, 150, self.relevant) if starts else {}
        yield from (Signal(name, call, reached, nest=True) for name in names)

    def _served_by(self, main: str) -> list[Module]:
        """Modules with sites that a main file imports, in any number of steps, or loads with their folder."""
        loaded = self.reached.get(main, ())
        return [
            module
            for module in self.modules
            if module.path == main or module.path in loaded or main in self.ev.program.graph.all_importers(module.path)
        ]

    def _with_hooks(self, call: Call, reached: dict[int, Function]) -> dict[int, Function]:
        """Handlers that close an HTTP server also run its onClose hooks, and Nest's destroy hooks."""
        closes = [c for f in reached.values() for c in self.flow.calls(f) if c.name in ("close", "server.close")]
        if not any(not self._is_library(c) for c in closes):
            return reached
        starts = list(reached.values())
        for _, run in self._server_hooks(call.scope.module.path):
            starts.extend(run)
        for module in self._served_by(call.scope.module.path):
            for cls in module.classes:
                if "nestjs" in module.source.decode("utf-8", "replace")[:4000]:
                    starts.extend(cls.members[name] for name in HOOKS if name in cls.members)
        return self.flow.reach(starts, 150, self.relevant) if len(starts) > len(reached) else reached

    def _server_hooks(self, main: str) -> Iterator[tuple[Call, list[Function]]]:
        """Hooks that a Fastify server runs when it is closed: where they are added, and what they run."""
        for module in self._served_by(main):
            for name in ("addHook", "onClose"):
                for hook in module.calls_named(name):
                    given = callers.given(self.ev, hook, None)
                    if name == "onClose" or (
                        len(given) > 1 and isinstance(given[0], Literal) and given[0].value in ("onClose", "preClose")
                    ):
                        yield hook, [function for value in given for function in functions_of(value)]

    def _is_shutdown_library(self, binding: Binding) -> bool:
        if isinstance(binding.fact, Import):
            return package_of(binding.fact.spec) in _LIBRARIES
        if binding.kind != "var" or binding.node is None:
            return False
        text = binding.scope.module.text(binding.node)[:200]
        return any(name in text for name in _LIBRARIES)

    def _is_library(self, call: Call) -> bool:
        value = self.ev.within(lambda: receiver(self.ev, call, None), 500, 2)
        if value is None:
            return False
        return any(isinstance(option, LibraryObject) for option in options_of(value))


def may_handle(data: bytes) -> bool:
    """Whether a file handles signals, or has a library do it, by its text."""
    return (
        any(word in data for word in _SAYS)
        or (b"process" in data and _NAMED.search(data) is not None)
        or (any(word in data for word in _HINTS) and _IMPORTS.search(data) is not None)
    )


def _named_signals(value: Object) -> tuple[str, ...]:
    found: list[str] = []
    for key in ("signals", "signal"):
        member = value.members.get(key)
        if member is None:
            continue
        items: tuple[Value, ...] = member.items if isinstance(member, Array) else (member,)
        found.extend(
            name
            for item in items
            if isinstance(item, Literal) and isinstance(item.value, str)
            for name in item.value.split()
            if name in SIGNALS
        )
    return tuple(found)
