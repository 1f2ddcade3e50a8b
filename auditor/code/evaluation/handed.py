"""What a server hands to its procedures and resolvers as `ctx`: what the project's context factory returns (tRPC, GraphQL)."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from auditor.code.evaluation.values import CYCLE, FunctionValue, Object, Unknown, Value, is_nothing, join, options_of
from auditor.code.syntax.facts import Function

if TYPE_CHECKING:
    from auditor.code.evaluation.evaluate import Evaluator

CONTEXTS = frozenset(("ctx", "context", "contextValue"))
_SERVERS = (
    b"initTRPC", b"ApolloServer", b"createYoga", b"mercurius", b"graphql-yoga", b"createHandler", b"makeSchema", b"graphqlHTTP",
)  # fmt: skip
_WORDS = (b"Context",)
_FACTORY = re.compile(r"^(?:create|make|build|get)\w*Context(?:Inner)?$")
_MOST_FILES = 12


def member(ev: Evaluator, value: Unknown, name: str) -> Value | None:
    """`ctx.name` of a parameter that nothing else tells; None where no context factory returns such a member."""
    if value.text.rsplit(".", 1)[-1] not in CONTEXTS:
        return None
    if name not in ev.handed:
        ev.begin(ev.handed, name)
        found = [ev.member(made, name) for factory in _factories(ev) for made in _objects(ev, factory)]
        ev.done(ev.handed, name, join([one for one in found if not is_nothing(one)]) if found else CYCLE)
    known = ev.handed[name]
    return None if known is CYCLE or is_nothing(known) else known


def _factories(ev: Evaluator) -> list[Function]:
    """Functions of the program that make the context of a server's requests."""
    if ev.factories is None:
        ev.factories = ev.freely(lambda: _find(ev))
    return ev.factories


def _find(ev: Evaluator) -> list[Function]:
    program = ev.program
    if not any(program.mentions(path, _SERVERS) for path in program.tree.paths):
        return []
    found: list[Function] = []
    for path in program.tree.paths:
        data = program.tree.read(path) if program.mentions(path, _WORDS) else None
        if data is None or not re.search(rb"\b(?:create|make|build|get)\w*Context(?:Inner)?\b\s*(?:[=:(<])", data):
            continue
        module = program.module(path)
        functions = module.functions if module is not None else []
        found += [f for f in functions if any(_FACTORY.match(name) for name in program.names_of(f))]
        if len(found) >= _MOST_FILES:
            break
    return found


def _objects(ev: Evaluator, factory: Function) -> list[Object]:
    made = ev.call(FunctionValue(factory), (), None)
    return [one for one in options_of(made) if isinstance(one, Object)]
