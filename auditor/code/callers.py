"""Who calls a function, and with what: call sites over the whole program, callbacks and constructors included."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from auditor.code import classes, collections_
from auditor.code.facts import Call, Class, Context, Function, Import, Module, Scope
from auditor.code.values import (
    CYCLE,
    UNDEFINED,
    Array,
    ClassValue,
    Frame,
    FunctionValue,
    Instance,
    Lazy,
    Namespace,
    Unknown,
    Value,
    join,
    options_of,
    truth,
)  # fmt: skip

if TYPE_CHECKING:
    from tree_sitter import Node

    from auditor.code.evaluate import Evaluator

MOST_TURNS = 80
_EFFORT = (6_000, 40)
"""Steps and newly parsed files that the search for a function's callers is worth, whoever asks first."""
MOST_CALLS = 120
"""Calls of one name that are looked at; a function with more is called from everywhere."""
_ELEMENT = frozenset(
    ("forEach", "map", "filter", "some", "every", "find", "flatMap", "findIndex", "mapSeries", "each", "eachSeries")
)
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
SPREAD = Unknown("arguments that are spread from a list that is not known")

OUTSIDE = Unknown("code outside of the repository passes it")


def forced_argument(ev: Evaluator, values: tuple[Value, ...], index: int, is_rest: bool = False) -> Value:
    """Argument number `index`, looked at."""
    value = argument(values, index, is_rest)
    return Array(ev.forced(value.items)) if is_rest and isinstance(value, Array) else ev.force(value)


class CallSite:
    """A call that reaches a function: directly, or by handing it over as argument number `position`."""

    __slots__ = ("call", "position")

    def __init__(self, call: Call, position: int | None = None) -> None:
        self.call = call
        self.position = position


def argument(values: tuple[Value, ...], index: int, is_rest: bool = False) -> Value:
    """Argument number `index` of those that a call passes."""
    if is_rest:
        return Array(values[index:])
    if index < len(values):
        return values[index]
    return values[-1] if values and values[-1] in (SPREAD, OUTSIDE) else UNDEFINED


PLAIN = frozenset(
    ("string", "number", "true", "false", "null", "undefined", "arrow_function", "function_expression", "this")
)


def lazily(ev: Evaluator, call: Call, frame: Frame | None) -> tuple[Value, ...]:
    """The arguments of a call, each to be looked at when it is asked for."""
    nodes = call.arguments()
    if any(node.type == "spread_element" for node in nodes):
        return given(ev, call, frame)
    return tuple(
        [ev.eval(node, call.scope, frame) if node.type in PLAIN else Lazy(node, call.scope, frame) for node in nodes]
    )


def given(ev: Evaluator, call: Call, frame: Frame | None) -> tuple[Value, ...]:
    """The arguments of a call, spreads resolved where that is possible."""
    found: list[Value] = []
    for node in call.arguments():
        value = ev.eval(node, call.scope, frame)
        if node.type != "spread_element":
            found.append(value)
        elif isinstance(value, Array) and value.rest is None:
            found.extend(value.items)
        else:
            found.append(SPREAD)
            break
    return tuple(found)


def joined(ev: Evaluator, function: Function, index: int, frame: Frame | None) -> Value:
    """Parameter number `index` over all call sites."""
    name, rest = function.parameters[index].name, function.parameters[index].is_rest
    given = ev.share(
        lambda: [forced_argument(ev, turn.arguments, index, rest) for turn in _turns_of(ev, function, frame, 0)]
    )
    if given is None:
        return Unknown("too much code passes it", name)
    if not given and id(function) in ev.searched:
        return CYCLE
    if not given and id(function) in ev.crowded:
        return Unknown("too much code may pass it", name)
    if not given:
        return Unknown(f"nothing is seen to call {function.symbol or 'this function'}()", name, uncalled=True)
    return join(given)


def turns(ev: Evaluator, scope: Scope, frame: Frame | None) -> list[Frame | None]:
    """`expansions`, as far as the question at hand can afford to tell them apart."""
    return ev.share(lambda: expansions(ev, scope, frame)) or [frame]


def expansions(ev: Evaluator, scope: Scope, frame: Frame | None, depth: int = 2) -> list[Frame | None]:
    """The calls and turns of loops in which code of `scope` runs, one frame each; `[frame]` where they can't be told apart."""
    from auditor.code.evaluate import frame_for

    base = frame_for(scope, frame)
    chain: list[Function | Scope] = []
    at: Scope | None = scope
    while at is not None and not (base is not None and base.owner is at):
        if any(binding.kind in ("each", "key") for binding in at.names.values()):
            chain.append(at)
        if at.func is not None and at is at.func.scope:
            if base is not None and base.owner is at.func:
                break
            chain.append(at.func)
        at = at.parent
    frames: list[Frame | None] = [base]
    for owner in reversed(chain):
        following: list[Frame | None] = []
        for outer in frames:
            turns = _turns_of(ev, owner, outer, depth) if isinstance(owner, Function) else _loop_turns(ev, owner, outer)
            following.extend(turns or [outer])
        if len(following) > MOST_TURNS:
            break
        frames = following
    return frames


_CONDITIONS = frozenset(
    (
        "identifier", "member_expression", "property_identifier", "unary_expression", "binary_expression", "parenthesized_expression", "string",
        "string_fragment", "optional_chain", "number", "true", "false", "null", "undefined", "non_null_expression", "this", "as_expression", "predefined_type",
    )
)  # fmt: skip
_LONGEST = 160


def feasible(ev: Evaluator, context: Context | None, scope: Scope, frame: Frame | None) -> bool:
    """Whether the branches around a place are not ruled out by constants in this frame.

    Only conditions over parameters of the call at hand and over constants are looked at.
    """
    while context is not None and context.kind != "function":
        if context.kind in ("if", "else"):
            condition = context.node.child_by_field_name("condition")
            if condition is not None and _is_simple(condition, scope, frame):
                decided = truth(ev.eval(condition, scope, frame))
                if decided is not None and decided is not (context.kind == "if"):
                    return False
        context = context.parent
    return True


def _is_simple(condition: Node, scope: Scope, frame: Frame | None) -> bool:
    if condition.end_byte - condition.start_byte > _LONGEST:
        return False
    from auditor.code.evaluate import frame_of

    pending = [condition]
    while pending:
        node = pending.pop()
        if node.type not in _CONDITIONS:
            return False
        if node.type == "identifier":
            binding = scope.lookup(scope.module.text(node))
            if binding is None or binding.kind in ("import", "enum"):
                continue
            if binding.kind == "param" and isinstance(binding.fact, Function):
                if frame_of(binding.fact, frame) is None:
                    return False
            elif not (binding.kind == "var" and binding.node is not None and binding.node.type in _SETTLED):
                return False
        pending.extend(node.named_children)
    return True


_SETTLED = frozenset(
    (
        "string",
        "number",
        "true",
        "false",
        "null",
        "identifier",
        "member_expression",
        "unary_expression",
        "binary_expression",
    )
)


def _loop_turns(ev: Evaluator, scope: Scope, outer: Frame | None) -> list[Frame]:
    binding = next(b for b in scope.names.values() if b.kind in ("each", "key"))
    key = ("loop", id(scope), id(outer))
    if binding.node is None:
        return []
    over = ev.eval(binding.node, scope.parent or scope, outer)
    elements = list(collections_.elements(over, binding.kind == "key"))
    if len(elements) > MOST_TURNS or all(isinstance(element, Unknown) for element in elements):
        return []
    return [_frame(ev, (key, index), scope, (element,), None, outer) for index, element in enumerate(elements)]


def _frame(
    ev: Evaluator,
    key: object,
    owner: Function | Scope,
    arguments: tuple[Value, ...],
    this: Value | None,
    outer: Frame | None,
) -> Frame:
    """Frames are kept, so that what is found in one is found again."""
    frame = ev.frames.get(key)
    if frame is None:
        frame = ev.frames[key] = Frame(owner, arguments, this, outer, (outer.depth + 1) if outer is not None else 1)
    return frame


def _turns_of(ev: Evaluator, function: Function, outer: Frame | None, depth: int) -> list[Frame]:
    """One frame for each call of a function that is seen."""
    if not function.parameters:
        return []
    found: list[Frame] = []
    for site in sites(ev, function):
        callers = expansions(ev, site.call.scope, outer, depth - 1) if depth > 0 else [outer]
        for turn in callers[:MOST_TURNS]:
            if not feasible(ev, site.call.context, site.call.scope, turn):
                continue
            for index, (arguments, this) in enumerate(passed(ev, site, turn)):
                where = (site.call.scope.module.path, site.call.line)
                frame = _frame(
                    ev,
                    (id(function), site.call.node.id, site.position, id(turn), index, id(outer)),
                    function,
                    arguments,
                    this,
                    outer,
                )
                frame.call = where
                found.append(frame)
        if len(found) > MOST_TURNS:
            break
    return found


def passed(ev: Evaluator, site: CallSite, frame: Frame | None) -> Iterator[tuple[tuple[Value, ...], Value | None]]:
    """The arguments, and `this` where it is known, of each call that a site makes."""
    call = site.call
    if site.position is None:
        yield lazily(ev, call, frame), _receiver(ev, call, frame)
        return
    callee = call.callee
    held = callee.child_by_field_name("object") if callee is not None and callee.type == "member_expression" else None
    if held is not None and call.name in _ELEMENT:
        over = ev.eval(held, call.scope, frame)
        for element in collections_.elements(over):
            yield (element, Unknown("an index"), over), None
        return
    if held is not None and call.name in ("then", "tap") and site.position == 0:
        yield (ev.eval(held, call.scope, frame),), None
        return
    if held is not None and call.name == "reduce":
        over = ev.eval(held, call.scope, frame)
        arguments = call.arguments()
        start = ev.eval(arguments[1], call.scope, frame) if len(arguments) > 1 else Unknown("what reduce builds up")
        for element in collections_.elements(over):
            yield (start, element), None
        return
    found = False
    if callee is not None:
        for option in options_of(ev.eval(callee, call.scope, frame)):
            if isinstance(option, FunctionValue):
                for arguments_ in _inner_calls(ev, option, call, site.position, frame):
                    found = True
                    yield arguments_, None
    if not found:
        yield (OUTSIDE,), None


def _inner_calls(
    ev: Evaluator, value: FunctionValue, call: Call, position: int, frame: Frame | None
) -> Iterator[tuple[Value, ...]]:
    """Calls of the parameter through which a callback is handed over."""
    fact = value.fact
    if position >= len(fact.parameters) or not fact.parameters[position].name:
        return
    name = fact.parameters[position].name
    inner = Frame(fact, lazily(ev, call, frame), value.this, value.frame, 3)
    for use in fact.module.calls_named(name):
        binding = use.scope.lookup(name)
        if use.callee is not None and use.callee.type == "identifier" and binding is not None and binding.fact is fact:
            yield lazily(ev, use, inner)


def _receiver(ev: Evaluator, call: Call, frame: Frame | None) -> Value | None:
    callee = call.callee
    if callee is None or callee.type != "member_expression" or call.is_new:
        return None
    held = callee.child_by_field_name("object")
    if held is None or held.type == "super":
        return None
    value = ev.eval(held, call.scope, frame)
    found = [option for option in options_of(value) if isinstance(option, Instance | ClassValue)]
    return found[0] if len(found) == 1 else None


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
        for module in _users(ev, function.cls):
            if words & module.names_called():
                yield module, words
        return
    plain = {word.removesuffix("[]") for word in words}
    carried = function.kind in ("method", "get", "set") or any(name.endswith("[]") for name in names) or not exported
    if program.frugal:
        seen = program.calling(home.path, plain | names)
    else:
        seen = program.mentioning(home.path, plain, carried=carried)
    modules = {module.path: module for module in seen}
    if exported & {"default", "="}:
        for path in program.graph.importers(home.path):
            if (importer := program.module(path)) is not None:
                modules.setdefault(path, importer)
    for module in modules.values():
        yield module, words | _aliases(ev, module, home.path, exported)


def _users(ev: Evaluator, cls: Class) -> list[Module]:
    """Modules that may name a class, its own among them."""
    program = ev.program
    exported = program.exported_as(cls)
    words = program.names_of(cls) | (exported - {"default", "="})
    modules = {module.path: module for module in program.mentioning(cls.module.path, words)}
    if exported & {"default", "="}:
        for path in program.graph.importers(cls.module.path):
            if (importer := program.module(path)) is not None:
                modules.setdefault(path, importer)
    return list(modules.values())


_NEVER = frozenset(("Set", "Map", "WeakSet", "WeakMap", "Date", "URL", "Error", "FormData", "Headers", "URLSearchParams", "AbortController"))  # fmt: skip


def _is_foreign(ev: Evaluator, call: Call) -> bool:
    """Whether a method is at first sight called on an npm package, a global, a Set or the like."""
    callee = call.callee
    held = callee.child_by_field_name("object") if callee is not None and callee.type == "member_expression" else None
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
    return named is not None and module.text(named) in _NEVER


_BEFORE = (b"{", b"[", b",", b":", b"=", b"(", b"?", b">", b"return")
_AFTER = (b"]", b"}", b",", b";", b")", b":", b".")


def _is_carried(function: Function, names: set[str]) -> bool:
    """Whether a function that its file does not export may leave it inside of something else."""
    if function.kind in ("method", "get", "set"):
        return True
    source = function.module.source
    return any(name.endswith("[]") or any(_handed(source, *at) for at in _places(source, name)) for name in names)


def _places(source: bytes, name: str) -> Iterator[tuple[int, int]]:
    word = name.encode()
    at = source.find(word)
    while at >= 0:
        yield at, at + len(word)
        at = source.find(word, at + len(word))


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
    for module in _users(ev, cls):
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
    """Whether a method's receiver may be a class: a name, `this`, or a member with a capital."""
    held = callee.child_by_field_name("object")
    if held is not None and held.type == "member_expression":
        named = held.child_by_field_name("property")
        return named is not None and call.scope.module.text(named)[:1].isupper()
    return held is not None and held.type in ("identifier", "this")


def _only(ev: Evaluator, function: Function) -> bool:
    """Whether no other class that is known has a method of this name."""
    return all(
        function.name not in cls.members or cls.members[function.name] is function
        for module in ev.program.loaded()
        for cls in module.classes
    )


def _hands_over(ev: Evaluator, node: Node, scope: Scope, function: Function) -> bool:
    if node.type not in ("identifier", "member_expression", "call_expression", "array", "object"):
        return False
    return any(isinstance(o, FunctionValue) and o.fact is function for o in options_of(ev.eval(node, scope)))


def is_namespace(value: Value) -> bool:
    """Whether a value is a module's namespace."""
    return isinstance(value, Namespace)
