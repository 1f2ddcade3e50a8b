"""Dependency injection by token: `{provide: TOKEN, useFactory | useValue | useClass}`, and who implements an interface."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from auditor.code.evaluation import classes
from auditor.code.evaluation.values import ClassValue, FunctionValue, Unknown, Value, join, options_of
from auditor.code.syntax.facts import Class, Module, Scope
from auditor.code.syntax.lexical import unquote

if TYPE_CHECKING:
    from tree_sitter import Node

    from auditor.code.evaluation.evaluate import Evaluator

_MOST_FILES = 60


def provided(ev: Evaluator, token: Node, scope: Scope) -> Value | None:
    """The value that some module provides for a token."""
    word = unquote(scope.module.text(token)).split(".")[-1]
    found: list[Value] = []
    for node, holder in _providers(ev, word):
        value = made(ev, node, holder)
        if value is not None:
            found.append(value)
    return join(found) if found else None


def _providers(ev: Evaluator, word: str) -> list[tuple[Node, Scope]]:
    known = ev.providers.get(word)
    if known is not None:
        return known
    known = []
    needle = word.encode()
    count = 0
    for path in ev.program.tree.paths:
        if not (ev.program.mentions(path, (needle,)) and ev.program.mentions(path, (b"provide",))):
            continue
        module = ev.program.module(path)
        count += 1
        if module is None or count > _MOST_FILES:
            continue
        known.extend(_pairs(module, word))
    ev.providers[word] = known
    return known


def _pairs(module: Module, word: str) -> list[tuple[Node, Scope]]:
    """Objects with `provide: word` among the arguments of calls and the values of variables."""
    found: list[tuple[Node, Scope]] = []
    pending = [module.tree.root_node]
    while pending:
        node = pending.pop()
        if node.type == "object":
            for child in node.named_children:
                key, value = child.child_by_field_name("key"), child.child_by_field_name("value")
                if (
                    key is not None
                    and value is not None
                    and module.text(key) == "provide"
                    and unquote(module.text(value)).split(".")[-1] == word
                ):
                    found.append((node, module.scope))
        if node.start_byte == node.end_byte or node.type in (
            "string",
            "comment",
            "type_annotation",
            "method_definition",
        ):
            continue
        pending.extend(node.named_children)
    return found


def made(ev: Evaluator, node: Node, scope: Scope) -> Value | None:
    """What `{ useValue | useClass | useExisting | useFactory }` provides; None where it is not known."""
    module = scope.module
    for child in node.named_children:
        key, value = child.child_by_field_name("key"), child.child_by_field_name("value")
        named = (
            key if key is not None else child.child_by_field_name("name") if child.type == "method_definition" else None
        )
        name = module.text(named) if named is not None else ""
        if name == "useValue" and value is not None:
            return ev.eval(value, scope)
        if name in ("useClass", "useExisting") and value is not None:
            found = [classes.any_of(ev, o.fact) for o in options_of(ev.eval(value, scope)) if isinstance(o, ClassValue)]
            return join(found) if found else None
        if name == "useFactory":
            made = (
                FunctionValue(module.function_at[child.id])
                if child.type == "method_definition"
                else ev.eval(value, scope)
                if value is not None
                else None
            )
            if made is not None:
                return ev.call(made, injected_into(made), None)
    return None


def injected_into(factory: Value) -> tuple[Value, ...]:
    """Arguments for a factory that the framework calls: not known, so that their declared types tell them."""
    if not isinstance(factory, FunctionValue):
        return ()
    return tuple(Unknown("what is injected", parameter.name) for parameter in factory.fact.parameters)


def implementers(ev: Evaluator, interface: str, module: Module) -> list[Class]:
    """Classes that say they implement an interface, among the modules that know it."""
    key = (module.path, interface)
    known = ev.interfaces.get(key)
    if known is not None:
        return known
    found: list[Class] = []
    program = ev.program
    named = interface.encode()
    word = re.compile(rb"implements\b[^{]*\b" + re.escape(named) + rb"\b")
    around = program.implementing() & program.graph.all_importers(module.path)
    for path in (module.path, *sorted(around)):
        data = program.tree.read(path)
        if data is None or named not in data or not word.search(data) or (other := program.module(path)) is None:
            continue
        for cls in other.classes:
            if any(other.text(node).split("<")[0] == interface for node in cls.implements):
                found.append(cls)
    ev.interfaces[key] = found[:6]
    return found[:6]


def unknown(token: str) -> Unknown:
    """What is injected by a token that nobody is seen to provide."""
    return Unknown(f"nobody is seen to provide {token}", token)
