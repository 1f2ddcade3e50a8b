"""Dependency injection containers: what is registered under a name or token, and who is given it.

awilix (`container.register({ mails: asClass(Mails) })`, `cradle.mails`, `constructor({ mails })`), inversify
(`bind(TOKEN).toConstantValue(…)`), tsyringe (`container.register(TOKEN, { useValue })`) and typedi (`Container.set(TOKEN, …)`).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, NamedTuple

from auditor.code.evaluation import classes, providers
from auditor.code.evaluation.values import (
    CYCLE,
    ClassValue,
    External,
    FunctionValue,
    Literal,
    Unknown,
    Value,
    join,
    options_of,
)
from auditor.code.syntax.facts import Call, Function, Import, Module, Parameter, Scope
from auditor.code.syntax.lexical import unquote

if TYPE_CHECKING:
    from tree_sitter import Node

    from auditor.code.evaluation.evaluate import Evaluator

PACKAGES = frozenset(("awilix", "@fastify/awilix", "inversify", "tsyringe", "typedi"))
CRADLE = External("awilix", "cradle")
"""The object of which each member is what is registered under its name."""
_NAMED = tuple(package.encode() for package in sorted(PACKAGES))
ASKING = frozenset(("resolve", "get", "getAsync", "build"))
_HOLDERS = frozenset(("container", "dicontainer", "discope", "di", "ioc", "scope", "injector"))
_AWILIX = {"asClass": "class", "asFunction": "function", "asValue": "value", "aliasTo": "alias"}
_INVERSIFY = {"to": "class", "toConstantValue": "value", "toDynamicValue": "function", "toService": "alias"}
_TSYRINGE = {"registerInstance": "value", "registerSingleton": "class", "register": "provider"}
_MOST_FILES = 80


class Registered(NamedTuple):
    """One registration: `kind` is class, function, value, alias or provider, `node` what is registered."""

    kind: str
    node: Node
    scope: Scope


class Table:
    """What the files of a program register, by name or token; read off once."""

    def __init__(self, ev: Evaluator) -> None:
        self.held: dict[str, list[Registered]] = {}
        self.values: dict[str, Value] = {}
        tree, count = ev.program.tree, 0
        used = not tree.manifests or any(tree.holds(manifest, _NAMED) for manifest in tree.manifests)
        for path in tree.paths if used else ():
            if not ev.program.mentions(path, _NAMED):
                continue
            count += 1
            module = ev.program.module(path)
            if module is None or count > _MOST_FILES:
                continue
            for name, one in _registrations(ev, module):
                self.held.setdefault(name, []).append(one)
        awilix = [one for every in self.held.values() for one in every if one.kind in ("class", "function")]
        self.made = frozenset(one.scope.module.text(one.node) for one in awilix if one.node.type == "identifier")
        """Names of classes and functions that a container makes."""


def table(ev: Evaluator) -> Table:
    """The registrations of the program."""
    if ev.registered is None:
        ev.registered = ev.freely(lambda: Table(ev))
    return ev.registered


def registered(ev: Evaluator, name: str) -> Value | None:
    """What is registered under a name or token; None where nothing is."""
    known = table(ev)
    if name not in known.held:
        return None
    if name not in known.values:
        ev.begin(known.values, name)
        ev.done(known.values, name, join([_made(ev, one) for one in known.held[name]]))
    value = known.values[name]
    return None if value is CYCLE else value


def member(ev: Evaluator, value: Value, name: str) -> Value | None:
    """`container.cradle` and `cradle.name`; None where the value is no container's."""
    if isinstance(value, External) and value.package in PACKAGES:
        return registered(ev, name) if value.path.endswith("cradle") else CRADLE if name == "cradle" else None
    if isinstance(value, Unknown) and value.text.rsplit(".", 1)[-1] == "cradle":
        return registered(ev, name)
    return None


def asked(ev: Evaluator, receiver: Value, token: Value) -> Value | None:
    """`container.resolve(TOKEN)`, `Container.get(Service)`; None where it asks no container, or for nothing that is known."""
    if not _is_container(receiver) or not table(ev).held:
        return None
    if isinstance(token, ClassValue):
        return registered(ev, token.fact.name) or classes.any_of(ev, token.fact)
    word = word_of(token)
    return registered(ev, word) if word else None


def injected(ev: Evaluator, function: Function, parameter: Parameter) -> Value | None:
    """What awilix gives a parameter of a class or function that it makes: the cradle, or what has the parameter's name."""
    named = function.cls.name if function.kind == "constructor" and function.cls is not None else function.symbol
    if named not in table(ev).made:
        return None
    if len(function.parameters) == 1 and registered(ev, parameter.name) is None:
        return CRADLE
    return registered(ev, parameter.name) if parameter.name else None


def word_of(token: Value) -> str:
    """The text that a token is told by: `'mails'`, `Symbol.for('mails')`, `Symbol('mails')`."""
    for option in options_of(token):
        match option:
            case Literal(str(text)):
                return text
            case ClassValue(fact):
                return fact.name
            case External("global", "Symbol.for()", given) if given:
                return word_of(given[0])
            case Unknown(_, "Symbol") if option.parts:
                return word_of(option.parts[0])
    return ""


def _is_container(value: Value) -> bool:
    if isinstance(value, External):
        return value.package in PACKAGES
    return isinstance(value, Unknown) and value.text.rsplit(".", 1)[-1].lower() in _HOLDERS


def _made(ev: Evaluator, one: Registered) -> Value:
    value = ev.eval(one.node, one.scope)
    if one.kind == "provider":
        return providers.made(ev, one.node, one.scope) or Unknown("what is provided is not understood")
    if one.kind == "alias":
        return registered(ev, word_of(value)) or Unknown("an alias of nothing that is registered")
    found: list[Value] = []
    for option in options_of(value):
        if one.kind == "class" and isinstance(option, ClassValue):
            found.append(classes.any_of(ev, option.fact))
        elif one.kind == "function" and isinstance(option, FunctionValue):
            parameters = option.fact.parameters
            alone = len(parameters) == 1 and registered(ev, parameters[0].name) is None
            given = [CRADLE if alone else registered(ev, p.name) or Unknown("injected", p.name) for p in parameters]
            found.append(ev.call(option, tuple(given), None))
        else:
            found.append(option)
    return join(found)


def _registrations(ev: Evaluator, module: Module) -> Iterator[tuple[str, Registered]]:
    for calls, kinds, named in (
        (_from(module, "awilix", _AWILIX), _AWILIX, lambda call: _key_around(module, call.node)),
        (_from(module, "inversify", _INVERSIFY), _INVERSIFY, lambda call: _bound_by(ev, call)),
        (_from(module, "tsyringe", _TSYRINGE), _TSYRINGE, lambda call: _token(ev, call)),
        (_from(module, "typedi", ("set",)), {"set": "value"}, lambda call: _token(ev, call)),
    ):
        yield from _named(calls, kinds, named)


def _named(
    calls: Iterator[Call], kinds: dict[str, str], named: Callable[[Call], str]
) -> Iterator[tuple[str, Registered]]:
    for call in calls:
        given = call.arguments()
        name = named(call) if given else ""
        if name:
            yield name, Registered(kinds[call.name], given[-1 if kinds is not _AWILIX else 0], call.scope)


def _from(module: Module, package: str, words: Iterator[str] | dict[str, str] | tuple[str, ...]) -> Iterator[Call]:
    """Calls of these names in a module that imports a package."""
    if any(isinstance(one.fact, Import) and one.fact.spec == package for one in module.scope.names.values()):
        for word in words:
            yield from module.calls_named(word)


def _key_around(module: Module, node: Node) -> str:
    """The name under which `asClass(Mails).singleton()` is registered: the member that it is the value of, or the argument before."""
    at, parent = node, node.parent
    while parent is not None and parent.type in ("member_expression", "call_expression", "as_expression"):
        at, parent = parent, parent.parent
    if parent is not None and parent.type == "pair":
        key = parent.child_by_field_name("key")
        return unquote(module.text(key)) if key is not None else ""
    if parent is not None and parent.type == "arguments" and parent.named_children[0] != at:
        return unquote(module.text(parent.named_children[0]))
    return ""


def _bound_by(ev: Evaluator, call: Call) -> str:
    """The token of `bind(TOKEN).to(…)`."""
    held = call.callee.child_by_field_name("object") if call.callee is not None else None
    outer = call.scope.module.call_at(held) if held is not None and held.type == "call_expression" else None
    return _token(ev, outer) if outer is not None and outer.name in ("bind", "rebind") else ""


def _token(ev: Evaluator, call: Call) -> str:
    given = call.arguments()
    return word_of(ev.eval(given[0], call.scope)) if given else ""
