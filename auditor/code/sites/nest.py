"""What `@nestjs/bullmq` and `@nestjs/bull` register: queues and roots, with the options that they are given."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from auditor.code.evaluation import callers, classes, literals, providers
from auditor.code.evaluation.values import (
    UNDEFINED,
    Array,
    FunctionValue,
    LibraryClass,
    Literal,
    Object,
    Undefined,
    Unknown,
    Value,
    join,
    options_of,
)
from auditor.code.sites.options import name_of
from auditor.code.syntax.facts import Call, Class, Module

if TYPE_CHECKING:
    from auditor.code.evaluation.evaluate import Evaluator

_REGISTER = ("registerQueue", "registerQueueAsync", "registerFlowProducer", "registerFlowProducerAsync")
_ROOT = ("forRoot", "forRootAsync", "registerSharedConfigAsync")
_MODULES = frozenset(("BullModule", "BullMqModule"))


@dataclass(slots=True)
class Registration:
    """One queue of a `registerQueue` call, with the options that it is given there."""

    module: Module
    call: Call
    library: str
    name: Value
    options: Value
    line: int
    flow: bool = False


@dataclass(slots=True)
class Nest:
    """All registrations of a program."""

    queues: list[Registration] = field(default_factory=list)
    roots: list[tuple[str, Value]] = field(default_factory=list)
    """(library, options) of each forRoot."""

    def options_for(self, ev: Evaluator, library: str, names: tuple[str, ...]) -> Value:
        """Effective queue options of registered queues: the root's, replaced key by key by the queue's own."""

        own = [r.options for r in self.queues if r.library == library and not r.flow and _named(r, names)]
        roots = [options for kind, options in self.roots if kind == library]
        root = join(roots) if roots else Object({})
        found: list[Value] = []
        for options in own or [Object({})]:
            for one in options_of(options):
                made: dict[str, Value] = {}
                rest: list[Value] = []
                reason = literals.merge(ev, made, rest, root)
                reason = literals.merge(ev, made, rest, one) or reason
                found.append(literals.made_of(ev, made, rest, reason))
        return join(found)


def _named(registration: Registration, names: tuple[str, ...]) -> bool:
    return any(name_of(option) in names for option in options_of(registration.name))


def collect(ev: Evaluator, modules: list[Module]) -> Nest:
    """All registrations in these modules."""
    found = Nest()
    for module in modules:
        try:
            _read(ev, module, found)
        except Exception as error:
            ev.program.gaps.note("registered queues", _BY_REGISTRATION, error, module.path)
    return found


_BY_REGISTRATION = ("queues", "connections", "producers.options", "workers.options")


def _read(ev: Evaluator, module: Module, found: Nest) -> None:
    for name in _ROOT:
        for call in module.calls_named(name):
            library = _of_bull_module(ev, call)
            if library is not None:
                found.roots.append((library, _root_options(ev, call, name)))
    for name in _REGISTER:
        for call in module.calls_named(name):
            library = _of_bull_module(ev, call)
            if library is not None:
                found.queues.extend(_registered(ev, call, library, "Flow" in name))


def _of_bull_module(ev: Evaluator, call: Call) -> str | None:
    held = call.callee.child_by_field_name("object") if call.callee is not None else None
    if held is None:
        return None
    for option in options_of(ev.eval(held, call.scope)):
        if isinstance(option, LibraryClass) and option.library.startswith("@nestjs/") and option.name in _MODULES:
            return option.library.removeprefix("@nestjs/")
    return None


def _root_options(ev: Evaluator, call: Call, name: str) -> Value:
    given = callers.given(ev, call, None)
    options = [value for value in given if not (isinstance(value, Literal) and isinstance(value.value, str))]
    value = options[0] if options else UNDEFINED
    return _from_factory(ev, value) if name != "forRoot" else value


def _from_factory(ev: Evaluator, value: Value) -> Value:
    """The options that `useFactory`, `useClass` or `useValue` makes."""
    found: list[Value] = []
    for one in options_of(value):
        if not isinstance(one, Object):
            found.append(one if isinstance(one, Undefined) else Unknown("options that are not known"))
            continue
        factory = one.members.get("useFactory")
        if isinstance(factory, FunctionValue):
            found.append(ev.call(factory, providers.injected_into(factory), None))
            continue
        cls = one.members.get("useClass") or one.members.get("useExisting")
        made = _from_class(ev, cls) if cls is not None else None
        if made is not None:
            found.append(made)
        elif "useValue" in one.members:
            found.append(one.members["useValue"])
        else:
            found.append(
                Object(
                    {k: v for k, v in one.members.items() if k not in ("imports", "inject", "useClass", "useFactory")},
                    one.rest,
                    one.open,
                    one.where,
                )
            )
    return join(found)


def _from_class(ev: Evaluator, value: Value) -> Value | None:
    for option in options_of(value):
        fact = getattr(option, "fact", None)
        if isinstance(fact, Class):
            for name in (
                "createBullOptions",
                "createSharedConfiguration",
                "createRegisterQueueOptions",
                "createBullQueueOptions",
                "createQueueOptions",
            ):
                method = classes.find(ev, fact, name)
                if method is not None:
                    return ev.call(FunctionValue(method, None, ev.this(fact)), (), None)
    return None


def _registered(ev: Evaluator, call: Call, library: str, flow: bool) -> Iterator[Registration]:
    module = call.scope.module
    for value in callers.given(ev, call, None):
        for one in _flat(value):
            options = (
                _from_factory(ev, one)
                if isinstance(one, Object) and ("useFactory" in one.members or "useClass" in one.members)
                else one
            )
            name = one.members.get("name") if isinstance(one, Object) else None
            if name is None and isinstance(options, Object):
                name = options.members.get("name")
            line = (
                one.where[1]
                if isinstance(one, Object) and one.where is not None and one.where[0] == module.path
                else call.line
            )
            yield Registration(
                module,
                call,
                library,
                name
                if name is not None
                else Literal("default")
                if isinstance(one, Object)
                else Unknown("a queue's name"),
                options,
                line,
                flow,
            )


def _flat(value: Value) -> Iterator[Value]:
    for option in options_of(value):
        if isinstance(option, Array):
            for item in (*option.items, *([option.rest] if option.rest is not None else [])):
                yield from _flat(item)
        else:
            yield option
