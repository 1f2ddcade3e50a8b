"""Where a function is called: over the whole program, callbacks and constructions included."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from auditor.code.evaluation import classes
from auditor.code.evaluation.values import CYCLE, ClassValue, FunctionValue, Unknown, Value, options_of
from auditor.code.source.declarations import occurrences
from auditor.code.syntax.facts import Call, Function, Import, Module, Scope

if TYPE_CHECKING:
    from tree_sitter import Node

    from auditor.code.evaluation.evaluate import Evaluator

_EFFORT = (6_000, 40)
"""Steps and newly parsed files that the search for a function's callers is worth, whoever asks first."""
MOST_CALLS = 120
"""Calls of one name that are looked at; a function with more is called from everywhere."""
NO_CALLERS = frozenset(
    ("Set", "Map", "WeakSet", "WeakMap", "Date", "URL", "Error", "Promise", "EventEmitter", "FormData", "Headers", "URLSearchParams", "AbortController")
)  # fmt: skip
"""Classes of the language and the web, whose methods are nobody's here."""
_BROAD = frozenset(
    [
        "add",
        "process",
        "get",
        "set",
        "run",
        "start",
        "init",
        "create",
        "update",
        "delete",
        "remove",
        "send",
        "execute",
        "handle",
        "close",
        "stop",
        "save",
        "find",
        "push",
        "on",
        "emit",
        "call",
        "apply",
        "then",
        "map",
    ]
)
_BEFORE = (b"{", b"[", b",", b":", b"=", b"(", b"?", b">", b"return")
_AFTER = (b"]", b"}", b",", b";", b")", b":", b".")


class CallSite:
    """A call that reaches a function: directly, or by handing it over as argument number `position`."""

    __slots__ = ("call", "position")

    def __init__(self, call: Call, position: int | None = None) -> None:
        self.call = call
        self.position = position


def sites(ev: Evaluator, function: Function) -> list[CallSite]:
    """All call sites of a function that the program shows."""
    known = ev.sites.get(id(function))
    if known is None:
        ev.sites[id(function)] = []
        ev.searched.add(id(function))
        found = ev.apart(lambda: list(_find(ev, function)), *_EFFORT)
        ev.searched.discard(id(function))
        if found is None:
            ev.crowded.add(id(function))
        known = ev.sites[id(function)] = found or []
    return known


def _find(ev: Evaluator, function: Function) -> Iterator[CallSite]:
    inline = _inline(function)
    if inline is not None:
        yield inline
        return
    if function.kind == "constructor" and function.cls is not None:
        yield from _constructions(ev, function)
        return
    names = ev.program.names_of(function)
    if not names and not ev.program.exported_as(function):
        return
    looked = 0
    for module, local in _modules(ev, function, names):
        seen: set[int] = set()
        for name in local:
            for call in module.calls_named(name):
                if _is_foreign(ev, call):
                    continue
                looked += 1
                if looked > MOST_CALLS:
                    return
                if call.node.id not in seen and not call.is_new and _calls(ev, call, function):
                    seen.add(call.node.id)
                    yield CallSite(call)
            for call in module.calls_given(name):
                for position, node in enumerate(call.arguments()):
                    if call.node.id not in seen and _hands_over(ev, node, call.scope, function):
                        seen.add(call.node.id)
                        yield CallSite(call, position)


def _modules(ev: Evaluator, function: Function, names: set[str]) -> Iterator[tuple[Module, set[str]]]:
    program, home = ev.program, function.module
    exported = program.exported_as(function)
    words = names | (exported - {"default", "="})
    if not exported and not _is_carried(function, names):
        yield home, words
        return
    if function.is_static and function.cls is not None and not function.cls.decorators:
        for module in ev.program.users(function.cls):
            if words & module.names_called():
                yield module, words
        return
    plain = {word.removesuffix("[]") for word in words}
    carried = function.kind in ("method", "get", "set") or any(name.endswith("[]") for name in names) or not exported
    if program.frugal:
        seen = program.calling(home.path, plain | names)
    else:
        seen = program.mentioning(home.path, plain, carried=carried)
    for module in program.with_importers(seen, home.path, exported):
        yield module, words | _aliases(ev, module, home.path, exported)


def _is_foreign(ev: Evaluator, call: Call) -> bool:
    """Whether a method is at first sight called on an npm package, a global, a Set or the like."""
    held = call.receiver
    if held is None or held.type != "identifier":
        return False
    module = call.scope.module
    binding = call.scope.lookup(module.text(held))
    if binding is None:
        return module.text(held) not in ("module", "exports", "require")
    if isinstance(binding.fact, Import):
        return ev.program.target(module.path, binding.fact.spec) is None
    made = binding.node if binding.kind == "var" and binding.const and not binding.path else None
    if made is None or made.type != "new_expression":
        return False
    named = made.child_by_field_name("constructor")
    return named is not None and module.text(named) in NO_CALLERS


def _is_carried(function: Function, names: set[str]) -> bool:
    """Whether a function that its file does not export may leave it inside of something else."""
    if function.kind in ("method", "get", "set"):
        return True
    source = function.module.source
    return any(
        name.endswith("[]") or any(_handed(source, at, at + len(word)) for at in occurrences(source, word))
        for name, word in ((name, name.encode()) for name in names)
    )


def _handed(source: bytes, start: int, end: int) -> bool:
    """Whether what stands here is a value by itself: a member, an element, an argument, what is assigned or returned."""
    before, after = source[max(0, start - 40) : start].rstrip(), source[end : end + 40]
    rest = after.lstrip(b" \t\r")
    return before.endswith(_BEFORE) and (
        not rest or rest.startswith((b"\n", *_AFTER)) or rest.lstrip().startswith(_AFTER)
    )


def _aliases(ev: Evaluator, module: Module, home: str, exported: set[str]) -> set[str]:
    found: set[str] = set()
    for name, binding in module.scope.names.items():
        if (
            isinstance(binding.fact, Import)
            and binding.fact.name in exported | {"default", "="}
            and binding.fact.name != name
        ):
            if ev.program.target(module.path, binding.fact.spec) == home or binding.fact.name in exported - {
                "default",
                "=",
            }:
                found.add(name)
        elif binding.kind == "var" and binding.node is not None and "=" in exported and not binding.path:
            text = module.text(binding.node) if binding.node.end_byte - binding.node.start_byte < 200 else ""
            if text.startswith(("require(", "await import(")):
                found.add(name)
    return found


def _constructions(ev: Evaluator, function: Function) -> Iterator[CallSite]:
    cls = function.cls
    assert cls is not None
    names = ev.program.names_of(cls)
    exported = ev.program.exported_as(cls)
    words = names | (exported - {"default", "="})
    for module in ev.program.users(cls):
        local = words | _aliases(ev, module, cls.module.path, exported)
        for name in local:
            for call in module.calls_named(name):
                if call.is_new and call.callee is not None and _makes(ev, ev.eval(call.callee, call.scope), function):
                    yield CallSite(call)
        for inner in module.classes:
            if inner.base is not None and inner is not cls and inner.constructor is not None:
                for call in module.calls_named("super"):
                    if call.scope.cls is inner and call.callee is not None and call.callee.type == "super":
                        base = ev.eval(inner.base, inner.outer)
                        if _makes(ev, base, function):
                            yield CallSite(call)


def _makes(ev: Evaluator, value: Value, constructor: Function) -> bool:
    return any(
        isinstance(option, ClassValue) and classes.constructor_of(ev, option.fact) is constructor
        for option in options_of(value)
    )


def _inline(function: Function) -> CallSite | None:
    """The call to which a function literal is handed, or that calls it at once."""
    node = function.node
    parent = node.parent
    while parent is not None and parent.type in ("parenthesized_expression", "as_expression", "await_expression"):
        node, parent = parent, parent.parent
    if parent is None:
        return None
    if parent.type == "call_expression" and parent.child_by_field_name("function") == node:
        call = function.module.call_at(parent)
        return CallSite(call) if call is not None else None
    if parent.type != "arguments" or parent.parent is None:
        return None
    call = function.module.call_at(parent.parent)
    if call is None:
        return None
    position = next((i for i, argument_ in enumerate(call.arguments()) if argument_ == node), 0)
    return CallSite(call, position)


def _calls(ev: Evaluator, call: Call, function: Function) -> bool:
    """Whether a call with the right name really reaches the function."""
    callee = call.callee
    if callee is None:
        return False
    if callee.type == "identifier":
        binding = call.scope.lookup(call.name)
        if binding is not None and binding.fact is function:
            return True
    elif function.is_static and not _on_class(callee, call):
        return False
    value = ev.eval(callee, call.scope)
    options = options_of(value)
    if any(isinstance(option, FunctionValue) and option.fact is function for option in options):
        return True
    if (
        function.kind != "method"
        or function.cls is None
        or not all(isinstance(option, Unknown) for option in options)
        or value is CYCLE
    ):
        return False
    return call.name not in _BROAD and len(call.name) > 5 and _only(ev, function)


def _on_class(callee: Node, call: Call) -> bool:
    """Whether a method's receiver may be a class: a name, `this`, `super`, or a member with a capital."""
    held = callee.child_by_field_name("object")
    if held is not None and held.type == "member_expression":
        named = held.child_by_field_name("property")
        return named is not None and call.scope.module.text(named)[:1].isupper()
    return held is not None and held.type in ("identifier", "this", "super")


def _only(ev: Evaluator, function: Function) -> bool:
    """Whether no other class that is known has a method of this name."""
    return all(method is function for method in ev.program.methods_named(function.name))


def _hands_over(ev: Evaluator, node: Node, scope: Scope, function: Function) -> bool:
    if node.type not in ("identifier", "member_expression", "call_expression", "array", "object"):
        return False
    return any(isinstance(o, FunctionValue) and o.fact is function for o in options_of(ev.eval(node, scope)))
