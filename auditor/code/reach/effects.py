"""What handlers do: calls with a role in their reach, in order, with what stands around and before them.

The walk starts at the handler's functions and descends into every function of the program that a call runs, once each.
A call's own arguments come before it; `order` is the order in which the walk meets the calls.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from auditor.code.evaluation import classes, plain, taint
from auditor.code.evaluation.taint import NONE, Paths
from auditor.code.evaluation.values import (
    ClassValue,
    Frame,
    FunctionValue,
    Instance,
    Literal,
    Value,
    is_nothing,
    options_of,
    walk,
)
from auditor.code.model import Catch, Condition, Effect, Option, Role
from auditor.code.reach import chains, decides, margins, positions, transactions
from auditor.code.reach.branches import branches_of, choice_of
from auditor.code.reach.catalogue import Catalogue, Meaning
from auditor.code.reach.events import EMITS, Events
from auditor.code.reach.given import Given, passed_by
from auditor.code.reach.handling import catches_of, swallowing
from auditor.code.reach.meanings import Meanings, callee_text, unwrapped
from auditor.code.reach.runs import Known, Runs, whole
from auditor.code.reach.written import Written
from auditor.code.syntax.facts import Call, Function, Module
from auditor.model import CodeSpan

if TYPE_CHECKING:
    from tree_sitter import Node

    from auditor.code.evaluation.evaluate import Evaluator
    from auditor.code.evaluation.flow import Flow

MOST_FUNCTIONS = 1_000
"""Walked for one handler function; one worker may have dozens of handlers."""
MOST_AGAIN = 450
"""Visits after which no function is walked again: what was not seen yet comes first."""
MOST_VISITS = 2
"""Of one function in one handler: before and after a side effect are two different places."""
SMALL = 3
"""Functions that a walk of a small helper meets: `markPayment(orderId, 'PAID')` stands on many paths, and costs little."""
MOST_SMALL = 8
DEEPEST = 40
_KINDS = {
    "try": "try",
    "catch": "catch",
    "finally": "finally",
    "if": "if",
    "else": "if",
    "loop": "loop",
    "switch": "if",
}
_IN_CHAINS = frozenset((Role.DB_READ, Role.DB_WRITE, Role.DB_UPSERT, Role.DB_INCREMENT))
"""Calls whose key may stand in another step of their chain: `db('orders').where({ id }).update({ … })`."""
_RETRIES = re.compile(r"attempt|retr(?:y|ies)|tries", re.I)
_INLINE = frozenset(("arrow_function", "function_expression", "method_definition"))
_NAMED = frozenset(("identifier", "shorthand_property_identifier"))
_LOCKS = frozenset(("using", "runExclusive", "withLock", "lock", "acquire"))
_NOISE = frozenset(
    ("on", "then", "catch", "map", "filter", "forEach", "push", "toString", "json", "includes", "split", "join", "trim", "replace", "slice", "find",
     "next", "resolve", "reject", "done", "log", "get", "has", "keys", "values", "entries", "some", "every", "reduce", "sort", "concat", "toFixed", "text")
)  # fmt: skip


@dataclass(slots=True)
class Found:
    """What a walk met."""

    effects: list[Effect] = field(default_factory=list)
    catches: list[Catch] = field(default_factory=list)
    conditions: list[Condition] = field(default_factory=list)
    lost: list[CodeSpan] = field(default_factory=list)
    loops: bool = False
    bound: Option | None = None
    swallows: CodeSpan | None = None
    complete: bool = True

    def add(self, other: Found) -> None:
        """Append what another walk met, as if it came after."""
        at = len(self.effects)
        self.effects += [replace(effect, order=effect.order + at) for effect in other.effects]
        self.catches += [replace(one, around=tuple(order + at for order in one.around)) for one in other.catches]
        self.conditions += [replace(one, order=one.order + at) for one in other.conditions]
        self.lost += other.lost
        self.loops = self.loops or other.loops
        self.bound = self.bound or other.bound
        self.swallows = self.swallows or other.swallows
        self.complete = self.complete and other.complete

    def size(self) -> tuple[int, ...]:
        """How much was met so far."""
        return (len(self.effects), len(self.catches), len(self.conditions), len(self.lost), self.loops)


Target = tuple[Function, "Frame | None"]


@dataclass(frozen=True, slots=True)
class _Place:
    """Where a function is called: what stands around it, and the way there."""

    within: tuple[str, ...]
    path: tuple[CodeSpan, ...]
    steps: tuple[str, ...] = ()
    calls: tuple[CodeSpan, ...] = ()
    frame: Frame | None = None
    """The call that the function's parameters are bound by, where it is a wrapper's closure: `withLog(handler)`."""
    own: Frame | None = None
    """This very call, where it gives what decides what the function runs: `withDeadline(ms, () => sendMail(job))`."""
    ended: bool = False
    """Something around the call ends it after a time."""


@dataclass(slots=True)
class _Visit:
    """The walk's state within one function."""

    function: Function
    env: dict[str, Paths]
    within: tuple[str, ...]
    path: tuple[CodeSpan, ...]
    transactions: list[tuple[int, int]]
    place: _Place = _Place((), ())
    frame: Frame | None = None
    own: Frame | None = None
    returned: set[int] = field(default_factory=set)


@dataclass(frozen=True, slots=True)
class _Program:
    """What catch clauses ask of the program."""

    ev: Evaluator
    flow: Flow
    module: Module
    told: dict[int, tuple[str, ...]]

    def runs(self, node: Node) -> list[Function]:
        """Functions that a call node runs."""
        call = self.module.call_at(node)
        return self.flow.targets(call) if call is not None else []

    def lists(self, node: Node) -> list[str]:
        """Constant strings of the list or set that a method is called on."""
        call = self.module.call_at(node)
        held = call.callee.child_by_field_name("object") if call is not None and call.callee is not None else None
        if call is None or held is None:
            return []
        parts = [part for value in options_of(self.ev.eval(held, call.scope)) for part in walk(value)]
        return [part.value for part in parts[:40] if isinstance(part, Literal) and isinstance(part.value, str)]


_Key = tuple[object, ...]


def _key(function: Function, place: _Place) -> _Key:
    """One way of walking a function: `withMetrics(handlerA)` gives the same closure as `withMetrics(handlerB)`, and
    `traced(() => send())` runs the same helper as `traced(() => read())`, but each does something else."""
    return (id(function), id(place.frame), id(place.own))


class _Seen:
    """Functions that a walk has been in, with how often each may be walked again.

    A helper that does something is walked again where it is called again (the look before a send and the wait after it are
    different places), but never within itself; one that does nothing is walked once.
    """

    def __init__(self) -> None:
        self.visits = 0
        self.refused = 0
        """Times that a function was not walked again, though it may do something."""
        self._left: dict[_Key, int] = {}
        self._small: set[_Key] = set()

    def again(self, key: _Key) -> bool:
        """Whether to walk it (once more)."""
        if key not in self._left or (self._left[key] > 0 and self.visits < MOST_AGAIN):
            return True
        self.refused += 1
        return False

    def enter(self, key: _Key) -> int:
        """Note that it is being walked; gives how often it may still be."""
        left = self._left.get(key, MOST_VISITS) - 1
        self.visits += 1
        self._left[key] = 0
        return left

    def leave(self, key: _Key, left: int, *, useful: bool, spent: int) -> None:
        """Note that its walk is over, after so many visits."""
        if spent <= SMALL and left == MOST_VISITS - 1 and key not in self._small:
            self._small.add(key)
            left = MOST_SMALL - 1
        self._left[key] = left if useful else 0


class Effects:
    """Walks handlers of one program."""

    def __init__(
        self,
        ev: Evaluator,
        flow: Flow,
        catalogue: Catalogue,
        producers: Mapping[int, tuple[str, ...]],
        registering: frozenset[int] = frozenset(),
    ) -> None:
        self.ev = ev
        self.flow = flow
        self.registering = registering
        """Calls that only hand a handler over: `new Worker(name, handler)`, `queue.on('failed', …)`."""
        self.meanings = Meanings(ev, catalogue, producers)
        self.events = Events(ev)
        self.written = Written(ev)
        self.given = Given(ev, flow, self.written)
        self._barren: set[_Key] = set()
        """Ways of walking functions that show nothing at all: no other handler's walk needs them."""
        self._calls: dict[int, list[Call]] = {}
        self._around: dict[tuple[int, int], tuple[str, ...]] = {}
        self._local: dict[int, dict[int, Function]] = {}
        """Functions written in a function that calls them: walked where they are called, not where they are written."""
        self._decisions: dict[tuple[int, int, bool], decides.Decision | None] = {}
        self._run = 0
        self._told: dict[int, tuple[str, ...]] = {}
        """What catch clauses tell apart, by node."""
        self._envs: dict[int, dict[str, Paths]] = {}
        """Of functions walked in this handler: what a callback written inside of them sees."""
        self._frames: dict[int, Frame] = {}
        self._deadlines: Known = {}
        self._runs = Runs(ev, self._deadlines)
        self._owns: dict[int, Frame] = {}
        self._ran: dict[str, list[tuple[int, int]]] = {}
        """Callbacks that were walked where they are run, by file: not to be walked again where they are written."""

    def of(self, functions: Sequence[Function | FunctionValue], names: tuple[str, ...] = ("job",)) -> Found:
        """What the handler functions reach; `names` are what their parameters are: the job, for listeners the error too."""
        found = Found()
        bounds: list[Option | None] = []
        self._envs, self._frames, self._owns, self._ran = {}, {}, {}, {}
        for self._run, value in enumerate(functions):
            function, frame = (value.fact, value.frame) if isinstance(value, FunctionValue) else (value, None)
            env: dict[str, Paths] = {}
            seen = _Seen()
            for parameter, name in zip(function.parameters, names, strict=False):
                taint.bind(unwrapped(parameter.pattern), frozenset({name}), env)
            runs = Runs(self.ev, self._deadlines)
            self._runs = runs
            self._visit(
                function, env, _Place((), (positions.span_of(function),), (function.symbol,), (), frame), seen, found
            )
            bounds.append(runs.bound())
            found.swallows = found.swallows or swallowing(function, found.effects)
        found.bound = whole(bounds)
        transactions.mark(found.effects)
        found.effects = [effect for effect in found.effects if effect.text not in ("BEGIN", "COMMIT")]
        return found

    def _visit(self, function: Function, env: dict[str, Paths], place: _Place, seen: _Seen, found: Found) -> set[int]:
        """Walk one function; gives the positions of effects whose result it returns."""
        key = _key(function, place)
        if key in self._barren or not seen.again(key):
            return set()
        if seen.visits >= MOST_FUNCTIONS or len(place.path) > DEEPEST or self.ev.program.out_of_time():
            found.complete = False
            return set()
        visits, before = seen.visits, (found.size(), seen.refused)
        left = seen.enter(key)
        calls = self._calls_of(function)
        visit = _Visit(function, env, place.within, place.path, self.meanings.transactions(calls), place, place.frame)
        outer = positions.outer(function)
        visit.frame = visit.frame or _around(function, self._frames)
        if visit.frame is not None:
            self._frames[id(function)] = visit.frame
        visit.own = place.own or _around(function, self._owns)
        self._owns.pop(id(function), None)
        if visit.own is not None:
            self._owns[id(function)] = visit.own
        for name, paths in self._envs.get(id(outer), {}).items():
            env.setdefault(name, paths)
        self._bind_variables(function, env)
        self._envs[id(function)] = env
        first = len(found.effects)
        local = self._local[id(function)].values()
        conditions = [
            one
            for one in self.written.conditions(function)
            if not any(inner.node.start_byte < one[0] <= inner.node.end_byte for inner in local)
        ]
        for call in calls:
            if self._was_run(call, function):
                continue
            while conditions and conditions[0][0] < call.node.end_byte:
                found.conditions.append(replace(conditions.pop(0)[1], order=len(found.effects)))
            self._call(call, visit, seen, found)
        found.conditions += [replace(condition, order=len(found.effects)) for _, condition in conditions]
        spins = self.written.spins(function)
        found.effects += [self._spin(node, what, visit, len(found.effects)) for node, what in spins]
        caught = self.written.caught(function)
        catches = catches_of(
            function, caught, found.effects[first:], _Program(self.ev, self.flow, function.module, self._told)
        )
        for at in (at for one in catches if one.refuses for at in one.around):
            if found.effects[at].role in (Role.DB_WRITE, Role.DB_UPSERT):
                claimed = replace(found.effects[at], claims=True, guards=True, decides_in=positions.span_of(function))
                found.effects[at] = claimed
        found.catches += catches
        found.loops = found.loops or any(positions.endless(call) for call in calls)
        seen.leave(key, left, useful=len(found.effects) > first, spent=seen.visits - visits)
        if before == (found.size(), seen.refused) and found.complete:
            self._barren.add(key)
        return visit.returned

    def _decision(self, call: Call, function: Function, *, answer: bool) -> decides.Decision | None:
        key = (call.node.id, id(function), answer)
        if key not in self._decisions:
            self._decisions[key] = decides.decides(call.node, function.node, answer=answer)
        return self._decisions[key]

    def _calls_of(self, function: Function) -> list[Call]:
        known = self._calls.get(id(function))
        if known is None:
            every = self.flow.calls(function)
            handed = [(c.node.start_byte, c.node.end_byte) for c in every if c.node.id in self.registering]
            local = self._local[id(function)] = positions.called_inside(function, every)
            handed += [(one.node.start_byte, one.node.end_byte) for one in local.values()]
            calls = [c for c in every if not any(a <= c.node.start_byte and c.node.end_byte <= z for a, z in handed)]
            named = {positions.name_of(inner): inner.node for inner in self.flow.inner(function)}
            later = [held for call in calls for held in self._run_by(call, named)]
            known = sorted(calls, key=lambda call: positions.turn(call.node, later))
            self._calls[id(function)] = known
        return known

    def _run_by(self, call: Call, named: Mapping[str, Node]) -> list[tuple[int, int, int]]:
        """(start, end, turn) of functions of this function that a call gets and runs itself: `withLock(key, () => …)`."""
        inline = [
            node if node.type in _INLINE else named[taint.text(node)]
            for node in (one for argument in call.arguments() for one in _values_in(argument))
            if node.type in _INLINE or (node.type in _NAMED and taint.text(node) in named)
        ]
        if not inline or call.name in positions.LOOPING or call.name in ("on", "once", "then", "catch", "finally"):
            return []
        runs = call.name in _LOCKS or any(not positions.within_call(f, call) for f in self.flow.targets(call))
        return [(node.start_byte, node.end_byte, call.node.end_byte) for node in inline] if runs else []

    def _call(self, call: Call, visit: _Visit, seen: _Seen, found: Found) -> None:
        meaning = self.meanings.of(call, visit.transactions)
        around = visit.within + self._contexts(call, visit)
        ended = visit.place.ended or self._runs.ended(call, visit.frame)
        if meaning is not None:
            if not ended:
                self._runs.outside(call, meaning.role)
            made = self._effect(call, meaning, visit, around, len(found.effects))
            made = self._deciding(made, call, visit)
            if decides.handed_out(call.node, visit.function.node) or decides.answers(call.node):
                visit.returned.add(len(found.effects))
            found.effects.append(made)
            if meaning.role is not Role.DB_TRANSACTION:
                return
        bound = self._bound(call, visit)
        targets = [
            (f, frame)
            for f, frame in (self._targets(call, visit) if bound is None else bound)
            if not positions.inside(f, visit.function) or id(f) in self._local[id(visit.function)]
        ]
        if bound == ():
            return
        if not (targets or meaning or ended):
            self._runs.outside(call)
        if not targets and meaning is None and call.node.id in self.flow.lost and call.name not in _NOISE:
            found.lost.append(CodeSpan(call.scope.module.path, call.line, call.line))
        choice = len(targets) > 1 and not ("loop" in around or call.node.id in self.flow.handed or call.name in EMITS)
        for which, (target, frame) in enumerate(targets[:12]):
            if bound:
                self._ran.setdefault(target.module.path, []).append((target.node.start_byte, target.node.end_byte))
            env = self._arguments(call, target, visit.env)
            here = CodeSpan(call.scope.module.path, call.line, call.line)
            way = visit.place
            place = _Place(
                (*around, choice_of(call.scope.module.path, call.node, which)) if choice else around,
                (*way.path, positions.span_of(target)),
                (*way.steps, target.symbol),
                (*way.calls, here),
                frame,
                self.given.frame(call, target, frame, visit.own or visit.frame),
                ended or self._runs.ends(call, visit.frame),
            )
            given = self._visit(target, env, place, seen, found)
            for at in given:
                found.effects[at] = self._deciding(found.effects[at], call, visit, helper=True)
            if given and decides.handed_out(call.node, visit.function.node):
                visit.returned |= given

    def _was_run(self, call: Call, function: Function) -> bool:
        """Whether the call stands in a callback of this function that was walked where it is run."""
        ran = self._ran.get(function.module.path, ())
        own = (function.node.start_byte, function.node.end_byte)
        return any(
            start <= call.node.start_byte and call.node.end_byte <= end and own[0] < start and end <= own[1]
            for start, end in ran
        )

    def _bound(self, call: Call, visit: _Visit) -> tuple[Target, ...] | None:
        """What a call runs by what the call that is being followed gives; None where that does not tell."""
        if call.callee is None or not self.given.decides(call.callee, visit.own):
            return self._handed_on(call, visit)
        options = options_of(self.ev.eval(call.callee, call.scope, visit.own))
        found = self._functions(options, call)
        return found if found or all(is_nothing(option) for option in options) else self._handed_on(call, visit)

    def _functions(self, options: Sequence[Value], call: Call) -> tuple[Target, ...]:
        made = [one for one in options if isinstance(one, ClassValue)] if call.is_new else []
        built = [(classes.constructor_of(self.ev, one.fact), one.frame) for one in made]
        run = [(one.fact, one.frame or self._inherited(one)) for one in options if isinstance(one, FunctionValue)]
        return (*run, *((function, frame) for function, frame in built if function is not None))

    def _targets(self, call: Call, visit: _Visit) -> list[tuple[Function, Frame | None]]:
        """Functions that the call runs; within a wrapper's closure, the one that this wrapper was given."""
        callee = call.callee
        if plain.is_native(call):
            return [(function, None) for function in self.flow.targets(call)]
        if callee is not None and (
            callee.type in ("identifier", "member_expression") if visit.frame is not None else _is_own(callee)
        ):
            found = options_of(self.ev.eval(callee, call.scope, visit.frame))
            own = [(one.fact, one.frame or self._inherited(one)) for one in found if isinstance(one, FunctionValue)]
            if own:
                return own
        return [(function, None) for function in self.flow.targets(call) or self.events.heard_by(call)]

    def _handed_on(self, call: Call, visit: _Visit) -> tuple[Target, ...] | None:
        """Functions that outside code gets from this very way: `storage.run(store, fn)` in `withStore(fn)`."""
        named = [n for n in call.arguments() if n.type == "identifier" and self.given.decides(n, visit.own)]
        if not named or call.callee is None:
            return None
        passed = [option for node in named for option in options_of(self.ev.eval(node, call.scope, visit.own))]
        functions = self._functions([one for one in passed if isinstance(one, FunctionValue)], call)
        own = options_of(self.ev.eval(call.callee, call.scope)) if functions else ()
        return None if any(isinstance(one, FunctionValue | ClassValue) for one in own) else functions or None

    def _inherited(self, method: FunctionValue) -> Frame | None:
        return classes.run_on(self.ev, method.this, method.fact) if isinstance(method.this, Instance) else None

    def _spin(self, node: Node, what: str, visit: _Visit, order: int) -> Effect:
        """Work of the function itself that holds the event loop."""
        at = CodeSpan(visit.function.module.path, int(node.start_point[0]) + 1, int(node.end_point[0]) + 1)
        way = visit.place
        return Effect(
            Role.CPU, at, what, path=visit.path, steps=way.steps, calls=way.calls, order=order, within=visit.within,
            symbol=visit.function.symbol,
        )  # fmt: skip

    def _effect(self, call: Call, meaning: Meaning, visit: _Visit, around: tuple[str, ...], order: int) -> Effect:
        module: Module = call.scope.module
        paths: set[str] = set()
        for node in call.arguments():
            paths |= taint.of(node, visit.env)
        receiver = taint.of(call.callee, visit.env) if call.callee is not None else NONE
        made = self.meanings.effect(call, meaning)
        carries = {path.rstrip("~") for path in paths | receiver}
        if meaning.role in _IN_CHAINS:
            paths |= receiver | taint.of(chains.whole(call.node), visit.env)
        return replace(
            made,
            span=CodeSpan(module.path, call.line, int(call.node.end_point[0]) + 1),
            path=visit.path,
            steps=visit.place.steps,
            calls=visit.place.calls,
            order=order,
            run=self._run,
            awaited=positions.awaited(call.node),
            within=around,
            keyed_by=taint.shown(frozenset(paths)),
            job_id=made.role is Role.LOG and bool(carries & {"job.id", "job"}),
            symbol=visit.function.symbol,
            attached=_attached(call, visit.env) if made.role is Role.EMAIL_SEND else (),
            by_name=meaning.by_name,
            scaled=margins.scaled(call.node, visit.function.node) if _estimates(made) else None,
        )

    def _deciding(self, effect: Effect, call: Call, visit: _Visit, *, helper: bool = False) -> Effect:
        """The effect, if the result of `call` (itself, or a helper that returns it) decides whether this function goes on."""
        answer = effect.claims or (helper and not decides.gets(call.name))
        made = self._decision(call, visit.function, answer=answer)
        if made is None or (effect.guards and effect.decides_in is None and not effect.hangs):
            return effect
        hangs = tuple(CodeSpan(visit.function.module.path, first, last) for first, last in made.over)
        if effect.guards and not effect.hangs and hangs:
            return effect
        return replace(
            effect, guards=True, decides_in=None if made.throws else positions.span_of(visit.function), hangs=hangs
        )

    def _contexts(self, call: Call, visit: _Visit) -> tuple[str, ...]:
        """What stands around a call in its function, outermost first."""
        key = (call.node.id, id(visit.function))
        known = self._around.get(key)
        if known is None:
            known = self._around[key] = self._read_contexts(call, visit)
        return known

    def _read_contexts(self, call: Call, visit: _Visit) -> tuple[str, ...]:
        kinds: list[str] = []
        at = call.context
        limit = visit.function.node
        while at is not None and at.node.start_byte >= limit.start_byte and at.node.end_byte <= limit.end_byte:
            kind = _KINDS.get(at.kind)
            if kind == "loop" and _RETRIES.search(taint.text(at.node).split("{", 1)[0]):
                kind = "retry"
            if kind is not None:
                kinds.append(kind)
            at = at.parent
        kinds.reverse()
        kinds += branches_of(call.node, limit)
        if any(start <= call.node.start_byte < end for start, end in visit.transactions):
            kinds.append("transaction")
        callback = positions.in_callback(call.node, limit)
        if callback:
            kinds += ["loop", "parallel"] if callback in ("map", "flatMap") else ["loop"]
        return tuple(kinds)

    def _bind_variables(self, function: Function, env: dict[str, Paths]) -> None:
        for name, value in self.written.declared(function):
            paths = taint.of(value, env)
            if paths:
                taint.bind(name, paths, env)

    def _arguments(self, call: Call, target: Function, env: Mapping[str, Paths]) -> dict[str, Paths]:
        bound: dict[str, Paths] = {}
        given, rest = passed_by(call, target)
        given = given[1:] if call.name in EMITS and target.decorators else given
        spread = env.get(taint.text(rest), NONE) if rest is not None else NONE
        for index, parameter in enumerate(target.parameters):
            pattern = unwrapped(parameter.pattern)
            node = given[index] if index < len(given) else None
            paths = taint.of(node, env) if node is not None else spread
            if parameter.is_rest:
                paths = spread.union(*(taint.of(more, env) for more in given[index:]))
            if node is not None and node.type == "object":
                _bind_object(pattern, node, env, bound)
            if paths:
                taint.bind(pattern, paths, bound)
        if not (given or rest) or positions.within_call(target, call):
            bound.update({name: paths for name, paths in env.items() if name not in bound})
        return bound


def _values_in(node: Node) -> list[Node]:
    """An argument, or what the members of one that is an object literal are."""
    if node.type != "object":
        return [node]
    values = [child.child_by_field_name("value") if child.type == "pair" else child for child in node.named_children]
    return [value for value in values if value is not None]


def _around(function: Function, frames: Mapping[int, Frame]) -> Frame | None:
    """The frame of the nearest walked function that this one is written in: what a wrapper's inner callback closes over."""
    at = positions.outer(function)
    while at is not None:
        if id(at) in frames:
            return frames[id(at)]
        at = positions.outer(at)
    return None


def _attached(call: Call, env: Mapping[str, Paths]) -> tuple[str, ...]:
    """Values of the job that attachments carry as they are; what is made or read at the send is none."""
    found: set[str] = set()
    stack = [(node, False) for node in call.arguments()]
    while stack:
        at, inside = stack.pop()
        named, value = at.child_by_field_name("key"), at.child_by_field_name("value")
        key = taint.text(named).strip("'\"") if named is not None else ""
        if inside and key.lower() in ("content", "data", "raw", "contentbytes") and value is not None:
            found |= {path for path in taint.of(_decoded(value), env) if not path.endswith("~")}
        stack += [(child, inside or key.lower() in ("attachments", "attachment")) for child in at.named_children]
    return tuple(sorted(found))


def _decoded(value: Node) -> Node:
    """What `Buffer.from(contents, 'base64')` takes."""
    given = value.child_by_field_name("arguments")
    if given is not None and callee_text(value) == "Buffer.from" and given.named_children:
        return given.named_children[0]
    return value


def _bind_object(pattern: Node, given: Node, env: Mapping[str, Paths], bound: dict[str, Paths]) -> None:
    """`charge({ orderId: job.data.id })` into `charge({ orderId })`."""
    if pattern.type != "object_pattern":
        return
    values: dict[str, Paths] = {}
    for child in given.named_children:
        if child.type == "pair":
            key, value = child.child_by_field_name("key"), child.child_by_field_name("value")
            if key is not None and value is not None:
                values[taint.text(key).strip("'\"")] = taint.of(value, env)
        elif child.type == "shorthand_property_identifier":
            values[taint.text(child)] = taint.of(child, env)
    for child in pattern.named_children:
        name = taint.text(child) if child.type == "shorthand_property_identifier_pattern" else ""
        if values.get(name):
            bound[name] = values[name]


def _is_own(callee: Node) -> bool:
    """`this.step`."""
    held = callee.child_by_field_name("object") if callee.type == "member_expression" else None
    return held is not None and held.type == "this"


def _estimates(effect: Effect) -> bool:
    return effect.role is Role.CHAIN_GAS and "estimate" in effect.call.lower()
