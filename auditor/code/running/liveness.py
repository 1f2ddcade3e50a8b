"""What runs: in files that an entry point reaches, the functions that living code calls.

A function counts as dead only where nothing that lives names it, or all its callers are dead. Where entry points can't
be told, everything lives.
"""

from __future__ import annotations

import re
from copy import copy
from typing import TYPE_CHECKING

from auditor.code.evaluation import call_sites, classes, types
from auditor.code.running.reachable import ROUTES, Reachable
from auditor.code.source.declarations import is_declaration, occurrences
from auditor.code.syntax.facts import Class, Function, Module

if TYPE_CHECKING:
    from auditor.code.evaluation.evaluate import Evaluator

_HOOKS = frozenset(
    ("onModuleInit", "onApplicationBootstrap", "onModuleDestroy", "beforeApplicationShutdown", "onApplicationShutdown", "configure", "process",
     "connectedCallback", "register", "boot", "onReady", "onClose", "handle", "execute", "run")
)  # fmt: skip
_CONVENTIONS = frozenset(
    ("GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS", "default", "register", "middleware", "handler", "loader", "action", "config", "getServerSideProps")
)  # fmt: skip
_DI = frozenset(
    ("Injectable", "Controller", "Processor", "Resolver", "WebSocketGateway", "Module", "Catch", "EventSubscriber", "QueueEventsListener", "Service", "Command", "Console")
)  # fmt: skip


class Liveness:
    """Answers whether code runs, and from which entry points a file is reached."""

    def __init__(self, ev: Evaluator, files: Reachable) -> None:
        self.ev = ev
        self.program = ev.program
        self.entries, self.guessed, self.known = files.entries, files.guessed, files.known
        self.reached, self.living, self.loaded = files.reached, files.living, files.loaded
        self._functions: dict[int, bool] = {}
        self._tables: dict[str, set[bytes]] = {}

    def within(self, files: set[str]) -> Liveness:
        """The same question for one process, which loads no other files than these."""
        made = copy(self)
        made.living, made._functions = files, {}
        return made

    def is_live(self, module: Module, function: Function | None) -> bool:
        """Whether code of a function (None: of the file's top level) runs."""
        if not self.known:
            return True
        if module.path not in self.living:
            return False
        outer = _outermost(function)
        if outer is None:
            return True
        return self.program.gaps.take("callers", (), lambda: self._called(outer), True, module.path)

    def _called(self, function: Function) -> bool:
        known = self._functions.get(id(function))
        if known is None:
            self._functions[id(function)] = False
            verdict = self.ev.within(lambda: self._find_caller(function), 40_000, 60)
            known = self._functions[id(function)] = True if verdict is None else verdict
        return known

    def _find_caller(self, function: Function) -> bool:
        if self._by_framework(function):
            return True
        found = call_sites.sites(self.ev, function)
        if any(self.is_live(site.call.scope.module, site.call.scope.func) for site in found):
            return True
        if self._loaded_by_folder(function):
            return True
        return not found and self._mentioned(function)

    def _loaded_by_folder(self, function: Function) -> bool:
        """Whether it, or the class whose public method it is, is exported by a file that is loaded with its folder."""
        path = function.module.path
        if path not in self.loaded or self.program.graph.importers(path):
            return False
        return bool(self.program.exported_as(function.cls if function.cls is not None else function))

    def _by_framework(self, function: Function) -> bool:
        """Whether something outside of the program calls it: decorated, a hook of an injected class, a route's export."""
        cls = function.cls
        if cls is not None and function.kind in ("method", "get", "set", "constructor"):
            if function.decorators and self._class_lives(cls):
                return True
            injected = types.decorator(cls.module, cls.decorators, _DI) is not None
            external = cls.base is not None and len(classes.ancestry(self.ev, cls)) == 1
            if (injected or external) and (function.name in _HOOKS or function.kind == "constructor"):
                return self._class_lives(cls)
            return False
        exported = self.program.exported_as(function)
        return bool(exported & _CONVENTIONS) and (
            bool(ROUTES.search(function.module.path)) or function.module.path in self.reached
        )

    def _class_lives(self, cls: Class) -> bool:
        """Whether anything that lives names a class: makes it, provides it or extends it."""
        names = self.program.names_of(cls) | (self.program.exported_as(cls) - {"default", "="})
        if not names:
            return True
        return (
            any(
                path != cls.module.path and self._names(path) & {name.encode() for name in names}
                for path in self.program.graph.all_importers(cls.module.path) & self.living
            )
            or cls.module.source.count(next(iter(names)).encode()) > 1
        )

    def _mentioned(self, function: Function) -> bool:
        """Whether some living file names it, beside where it is defined, imported and exported."""
        names = {name.removesuffix("[]") for name in self.program.names_of(function)} - {""}
        cls = function.cls
        if function.kind == "constructor" and cls is not None:
            names = self.program.names_of(cls)
        if not names:
            return True
        words = [name.encode() for name in names]
        exported = self.program.exported_as(function if function.kind != "constructor" or cls is None else cls)
        files = {function.module.path}
        if exported or cls is not None:
            files |= self.program.graph.all_importers(function.module.path) & self.living
        for path in files:
            data = self.program.tree.read(path) or b""
            for word in words:
                if any(not is_declaration(data, at, at + len(word)) for at in occurrences(data, word)):
                    return True
        return False

    def _names(self, path: str) -> set[bytes]:
        if path not in self._tables:
            self._tables[path] = set(re.findall(rb"[A-Za-z_$][\w$]*", self.program.tree.read(path) or b""))
        return self._tables[path]


def _outermost(function: Function | None) -> Function | None:
    """The function nearest to the module's or class's level around a place; None for code that runs as the file loads."""
    found: Function | None = None
    at = function
    while at is not None:
        found = at
        at = at.scope.parent.func if at.scope.parent is not None else None
    if found is not None and _is_nameless(found) and _runs_at_once(found):
        return None
    return found


def _is_nameless(function: Function) -> bool:
    """Whether nothing but the place where it is written leads to it: `(job) => …`, a method of an object that is handed on."""
    if function.kind == "method":
        return function.cls is None
    return function.kind in ("arrow", "function") and not function.name


def _runs_at_once(function: Function) -> bool:
    """Whether a nameless function is handed to a call, or called, where it is written."""
    parent = function.node.parent
    while parent is not None and parent.type in (
        "parenthesized_expression",
        "await_expression",
        "pair",
        "object",
        "array",
    ):
        parent = parent.parent
    return parent is not None and parent.type in ("arguments", "call_expression", "decorator")
