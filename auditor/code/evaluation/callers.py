"""With what a function is called: its arguments at each of its call sites, and the frames in which code runs."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from auditor.code.evaluation import call_sites, collections_
from auditor.code.evaluation.values import (
    CYCLE,
    UNDEFINED,
    Array,
    ClassValue,
    Frame,
    FunctionValue,
    Instance,
    Lazy,
    Unknown,
    Value,
    join,
    options_of,
    truth,
)
from auditor.code.syntax.facts import LOOPED, Call, Context, Function, Scope

if TYPE_CHECKING:
    from tree_sitter import Node

    from auditor.code.evaluation.evaluate import Evaluator

MOST_TURNS = 80
_ELEMENT = frozenset(
    ("forEach", "map", "filter", "some", "every", "find", "flatMap", "findIndex", "mapSeries", "each", "eachSeries")
)
SPREAD = Unknown("arguments that are spread from a list that is not known")

OUTSIDE = Unknown("code outside of the repository passes it")


def forced_argument(ev: Evaluator, values: tuple[Value, ...], index: int, is_rest: bool = False) -> Value:
    """Argument number `index`, looked at."""
    value = argument(values, index, is_rest)
    return Array(ev.forced(value.items)) if is_rest and isinstance(value, Array) else ev.force(value)


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
    return tuple([later(ev, node, call.scope, frame) for node in nodes])


def later(ev: Evaluator, node: Node, scope: Scope, frame: Frame | None) -> Value:
    """What `node` may be, to be looked at when it is asked for; what is told at once, at once."""
    if node.type in PLAIN:
        return ev.eval(node, scope, frame)
    return Lazy(node, scope, ev.dependence.frame(node, scope, frame))


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
    from auditor.code.evaluation.evaluate import frame_for

    base = frame_for(scope, frame)
    chain: list[Function | Scope] = []
    at: Scope | None = scope
    while at is not None and not (base is not None and base.owner is at):
        if at.loops:
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
            if condition is not None and _is_simple(ev, condition, scope, frame):
                decided = truth(ev.eval(condition, scope, frame))
                if decided is not None and decided is not (context.kind == "if"):
                    return False
        context = context.parent
    return True


def _is_simple(ev: Evaluator, condition: Node, scope: Scope, frame: Frame | None) -> bool:
    from auditor.code.evaluation.evaluate import frame_of

    if condition.id not in ev.conditions:
        ev.conditions[condition.id] = _parameters_of(condition, scope)
    owners = ev.conditions[condition.id]
    return owners is not None and all(frame_of(owner, frame) is not None for owner in owners)


def _parameters_of(condition: Node, scope: Scope) -> tuple[Function, ...] | None:
    """The functions whose parameters a condition asks for; None where it asks for more than these and constants."""
    if condition.end_byte - condition.start_byte > _LONGEST:
        return None
    found: dict[int, Function] = {}
    pending = [condition]
    while pending:
        node = pending.pop()
        if node.type not in _CONDITIONS:
            return None
        if node.type == "identifier":
            binding = scope.lookup(scope.module.text(node))
            if binding is None or binding.kind in ("import", "enum"):
                continue
            if binding.kind == "param" and isinstance(binding.fact, Function):
                found[id(binding.fact)] = binding.fact
            elif not (binding.kind == "var" and binding.node is not None and binding.node.type in _SETTLED):
                return None
        pending.extend(node.named_children)
    return tuple(found.values())


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
    binding = next(b for b in scope.names.values() if b.kind in LOOPED)
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
    for site in call_sites.sites(ev, function):
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


def passed(
    ev: Evaluator, site: call_sites.CallSite, frame: Frame | None
) -> Iterator[tuple[tuple[Value, ...], Value | None]]:
    """The arguments, and `this` where it is known, of each call that a site makes."""
    call = site.call
    if site.position is None:
        yield lazily(ev, call, frame), _receiver(ev, call, frame)
        return
    callee = call.callee
    held = call.receiver
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
