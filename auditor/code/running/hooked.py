"""Closing that a shutdown reaches through an interface: `for (const strategy of this.strategies()) await strategy.destroy()`.

Which objects those are is told at run time (a configuration, plugins, a registry). A class whose method closes something
counts as one of them, where it implements an interface that declares the method, and the file that calls the method knows
that interface.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, NamedTuple

from auditor.code.evaluation import classes
from auditor.code.evaluation.values import FunctionValue, options_of
from auditor.code.syntax.facts import Call, Class, Function, Import, Module

if TYPE_CHECKING:
    from tree_sitter import Node

    from auditor.code.evaluation.evaluate import Evaluator
    from auditor.code.evaluation.flow import Flow

_DEEPEST = 8
HOOKS = ("onModuleDestroy", "beforeApplicationShutdown", "onApplicationShutdown")
"""Methods that Nest runs on shutdown."""
_WORDS = tuple(name.encode() for name in HOOKS)


class _Contract(NamedTuple):
    """A method that closes something, and the interfaces that declare it."""

    method: Function
    interfaces: tuple[bytes, ...]


class Hooked:
    """The closing methods of a program that are called through interfaces."""

    def __init__(self, ev: Evaluator, flow: Flow, closes: Iterable[Call]) -> None:
        self._ev = ev
        self._flow = flow
        self.contracts = [*self._contracts(closes)]

    def hooks(self, main: str) -> Iterator[Function]:
        """Nest's shutdown hooks in files that `main` imports, in any number of steps, where a contract may be called."""
        program = self._ev.program
        for path in program.tree.paths if self.contracts else ():
            if not program.mentions(path, _WORDS) or main not in program.graph.all_importers(path):
                continue
            module = program.module(path)
            for cls in module.classes if module is not None else ():
                yield from (cls.members[name] for name in HOOKS if name in cls.members)

    def called(self, reached: Iterable[Function]) -> list[Function]:
        """The closing methods that some call of these functions may run by the interface of its receiver."""
        if not self.contracts:
            return []
        found: dict[int, Function] = {}
        for function in reached:
            for call in self._flow.calls(function):
                for contract in self.contracts:
                    if id(contract.method) not in found and self._may_run(call, contract):
                        found[id(contract.method)] = contract.method
        return list(found.values())

    def _may_run(self, call: Call, contract: _Contract) -> bool:
        callee = call.callee
        if call.name != contract.method.name or callee is None or callee.type != "member_expression":
            return False
        if not self._ev.program.mentions(call.scope.module.path, contract.interfaces):
            return False
        value = self._ev.within(lambda: self._ev.eval(callee, call.scope), 2_000, 12)
        return value is None or not any(isinstance(option, FunctionValue) for option in options_of(value))

    def _contracts(self, closes: Iterable[Call]) -> Iterator[_Contract]:
        seen: set[int] = set()
        for close in closes:
            method = close.scope.method
            if method is None or method.cls is None or method.kind != "method" or id(method) in seen:
                continue
            seen.add(id(method))
            known = dict.fromkeys(
                name.encode()
                for step in classes.ancestry(self._ev, method.cls)
                for name in _declaring(self._ev, step, method.name)
            )
            if known:
                yield _Contract(method, tuple(known))


def _declaring(ev: Evaluator, cls: Class, method: str) -> Iterator[str]:
    """Names of interfaces of a class, and of those that they extend, by which the method may be known to a caller."""
    pending = [(cls.module.text(node).split("<")[0].strip(), cls.module, 0) for node in cls.implements]
    chain: list[tuple[str, bool]] = []
    while pending:
        name, module, depth = pending.pop()
        declared = _declaration(ev, name, module) if depth < _DEEPEST else None
        if declared is None:
            continue
        node, home = declared
        body = node.child_by_field_name("body")
        own = any(
            (named := child.child_by_field_name("name")) is not None and home.text(named) == method
            for child in (body.named_children if body is not None else ())
        )
        chain.append((name, own))
        for child in node.named_children:
            if child.type == "extends_type_clause":
                pending += [(home.text(base).split("<")[0].strip(), home, depth + 1) for base in child.named_children]
    if any(own for _, own in chain):
        yield from (name for name, _ in chain)


def _declaration(ev: Evaluator, name: str, module: Module) -> tuple[Node, Module] | None:
    """Where an interface is declared that a file knows by `name`, through imports, re-exports and barrels."""
    for _ in range(_DEEPEST):
        alias = module.type_aliases.get(name)
        if alias is not None:
            return (alias, module) if alias.type == "interface_declaration" else None
        binding = module.scope.names.get(name)
        what = binding.fact if binding is not None else None
        if not isinstance(what, Import):
            kind, held = module.exports.get(name, ("", None))
            what = held if kind == "from" and isinstance(held, Import) else None
        if what is not None:
            target, name = ev.program.target(module.path, what.spec), what.name
        else:
            target = _star(ev, module, name)
        further = ev.program.module(target) if target is not None else None
        if further is None:
            return None
        module = further
    return None


def _star(ev: Evaluator, module: Module, name: str) -> str | None:
    """The file that declares an interface, among those whose exports a barrel passes on."""
    word = f"interface {name}".encode()
    return next((path for path in ev.program.exported.starred(module.path) if ev.program.mentions(path, (word,))), None)
