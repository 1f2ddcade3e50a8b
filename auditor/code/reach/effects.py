"""What handlers do: calls with a role in their reach, in order, with what stands around and before them.

The walk starts at the handler's functions and descends into every function of the program that a call runs, once each.
A call's own arguments come before it; `order` is the order in which the walk meets the calls.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from auditor.code.evaluation import taint
from auditor.code.evaluation.taint import NONE, Paths
from auditor.code.evaluation.values import (
    Frame,
    FunctionValue,
)
from auditor.code.model import Effect, Option, Role
from auditor.code.reach import chains, decides, margins, marks, passing, positions, transactions
from auditor.code.reach.branches import choice_of, goes_on
from auditor.code.reach.called import Called
from auditor.code.reach.catalogue import Catalogue, Meaning
from auditor.code.reach.events import EMITS
from auditor.code.reach.found import Found
from auditor.code.reach.given import Given
from auditor.code.reach.handling import Asked, catches_of, swallowing
from auditor.code.reach.idempotency import keyed_on
from auditor.code.reach.meanings import Meanings
from auditor.code.reach.runs import Known, Runs, whole
from auditor.code.reach.surroundings import Surroundings
from auditor.code.reach.turns import Turns
from auditor.code.reach.visits import DEEPEST, MOST_FUNCTIONS, Key, Place, Seen, Visit, Way, key_of
from auditor.code.reach.wording import unwrapped
from auditor.code.reach.written import Written
from auditor.code.syntax.facts import Call, Function, Module
from auditor.model import CodeSpan

if TYPE_CHECKING:
    from tree_sitter import Node

    from auditor.code.evaluation.evaluate import Evaluator
    from auditor.code.evaluation.flow import Flow

_IN_CHAINS = frozenset((Role.DB_READ, Role.DB_WRITE, Role.DB_UPSERT, Role.DB_INCREMENT))
"""Calls whose key may stand in another step of their chain: `db('orders').where({ id }).update({ … })`."""
_NOISE = frozenset(
    ("on", "then", "catch", "map", "filter", "forEach", "push", "toString", "json", "includes", "split", "join", "trim", "replace", "slice", "find",
     "next", "resolve", "reject", "done", "log", "get", "has", "keys", "values", "entries", "some", "every", "reduce", "sort", "concat", "toFixed", "text")
)  # fmt: skip


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
        self.meanings = Meanings(ev, catalogue, producers)
        self.written = Written(ev)
        self.given = Given(ev, flow, self.written)
        self.called = Called(ev, flow, self.given)
        self.turns = Turns(flow, registering)
        self.surroundings = Surroundings()
        self._barren: set[Key] = set()
        """Ways of walking functions that show nothing at all: no other handler's walk needs them."""
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
            seen = Seen()
            for parameter, name in zip(function.parameters, names, strict=False):
                taint.bind(unwrapped(parameter.pattern), frozenset({name}), env)
            runs, first = Runs(self.ev, self._deadlines), len(found.effects)
            self._runs = runs
            self._visit(
                function, env, Place((), (positions.span_of(function),), (function.symbol,), (), frame), seen, found
            )
            bounds.append(runs.bound())
            found.swallows = found.swallows or swallowing(function, found.effects[first:])
        found.bound = whole(bounds)
        transactions.mark(found.effects)
        found.effects = [effect for effect in found.effects if effect.text not in ("BEGIN", "COMMIT")]
        return found

    def _visit(self, function: Function, env: dict[str, Paths], place: Place, seen: Seen, found: Found) -> set[int]:
        """Walk one function; gives the positions of effects whose result it returns."""
        frame = place.frame or _around(function, self._frames)
        own = place.own or _around(function, self._owns)
        key = key_of(function, frame, own)
        if key in self._barren or not seen.again(key):
            return set()
        if seen.visits >= MOST_FUNCTIONS or len(place.path) > DEEPEST or self.ev.program.out_of_time():
            found.complete = False
            return set()
        visits, before = seen.visits, (found.size(), seen.refused)
        left = seen.enter(key)
        calls, ruled_out = self.turns.calls(function), self.given.ruled_out
        visit = Visit(function, env, place.within, place.path, self.meanings.transactions(calls), place, frame, own)
        outer = positions.outer(function)
        if frame is not None:
            self._frames[id(function)] = frame
        self._owns.pop(id(function), None)
        if own is not None:
            self._owns[id(function)] = own
        for name, paths in self._envs.get(id(outer), {}).items():
            env.setdefault(name, paths)
        passing.bind_variables(self.written, function, env)
        self._envs[id(function)] = env
        first, tested = len(found.effects), len(found.conditions)
        local = self.turns.local(function).values()
        conditions = [
            one
            for one in self.written.conditions(function)
            if not any(inner.node.start_byte < one[0] <= inner.node.end_byte for inner in local)
        ]
        for call in calls:
            if self._was_run(call, function) or ruled_out.has(call, function, own or frame):
                continue
            while conditions and conditions[0][0] < call.node.end_byte:
                found.conditions.append(replace(conditions.pop(0)[1], order=len(found.effects)))
            self._call(call, visit, seen, found)
        found.conditions += [replace(condition, order=len(found.effects)) for _, condition in conditions]
        marks.asked(found.effects, found.conditions[tested:], function)
        spins = self.written.spins(function)
        found.effects += [self._spin(node, what, visit, len(found.effects)) for node, what in spins]
        caught = self.written.caught(function)
        catches = catches_of(
            function,
            caught,
            found.effects[first:],
            len(place.path) - 1,
            Asked(self.ev, self.flow, function.module, self._told),
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
            self._decisions[key] = decides.decides(call.node, function, answer=answer)
        return self._decisions[key]

    def _call(self, call: Call, visit: Visit, seen: Seen, found: Found) -> None:
        meaning = self.meanings.of(call, visit.transactions)
        around = visit.within + self.surroundings.of(call, visit)
        ended = visit.place.ended or self._runs.ended(call, visit.frame)
        if meaning is not None:
            if not ended:
                self._runs.outside(call, meaning.role)
            made = self._effect(call, meaning, visit, around, len(found.effects))
            made = self._deciding(made, call, visit)
            if decides.handed_out(call.node, visit.function) or decides.answers(call.node):
                visit.returned.add(len(found.effects))
            found.effects.append(made)
            if meaning.role is not Role.DB_TRANSACTION:
                return
        bound = self.called.bound(call, visit)
        targets = [
            (f, frame)
            for f, frame in (self.called.targets(call, visit) if bound is None else bound)
            if not positions.inside(f, visit.function) or id(f) in self.turns.local(visit.function)
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
            env = passing.arguments(call, target, visit.env)
            here = CodeSpan(call.scope.module.path, call.line, call.line)
            way = visit.place
            place = Place(
                (*around, choice_of(call.scope.module.path, call.node, which)) if choice else around,
                (*way.path, positions.span_of(target)),
                (*way.steps, target.symbol),
                (*way.calls, here),
                frame,
                self.given.frame(call, target, frame, visit.own or visit.frame),
                goes_on(call.node),
                ended or self._runs.ends(call, visit.frame),
                Way(call, target, frame, way.via),
            )
            given = self._visit(target, env, place, seen, found)
            for at in given:
                found.effects[at] = self._deciding(found.effects[at], call, visit, helper=True)
            if given and decides.handed_out(call.node, visit.function):
                visit.returned |= given

    def _was_run(self, call: Call, function: Function) -> bool:
        """Whether the call stands in a callback of this function that was walked where it is run."""
        ran = self._ran.get(function.module.path)
        if ran is None:
            return False
        own = (function.node.start_byte, function.node.end_byte)
        return any(
            start <= call.node.start_byte and call.node.end_byte <= end and own[0] < start and end <= own[1]
            for start, end in ran
        )

    def _spin(self, node: Node, what: str, visit: Visit, order: int) -> Effect:
        """Work of the function itself that holds the event loop."""
        at = CodeSpan(visit.function.module.path, int(node.start_point[0]) + 1, int(node.end_point[0]) + 1)
        way = visit.place
        return Effect(
            Role.CPU, at, what, path=visit.path, steps=way.steps, calls=way.calls, order=order, within=visit.within,
            symbol=visit.function.symbol,
        )  # fmt: skip

    def _effect(self, call: Call, meaning: Meaning, visit: Visit, around: tuple[str, ...], order: int) -> Effect:
        module: Module = call.scope.module
        paths: set[str] = set()
        for node in call.arguments():
            paths |= taint.of(node, visit.env)
        receiver = taint.of(call.callee, visit.env) if call.callee is not None else NONE
        made = self.meanings.effect(call, meaning)
        if made.key is not None and visit.place.via is not None:
            made = replace(made, key=keyed_on(self.ev, call, meaning, made.key, visit.place.via))
        if meaning.role in _IN_CHAINS and self.meanings.in_multi(call):
            around = (*around, "transaction")
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
            within=(*around, "listener")
            if made.role is Role.LOG and positions.heard(call.node, visit.function.node)
            else around,
            keyed_by=taint.shown(frozenset(paths)),
            job_id=made.role is Role.LOG and bool(carries & {"job.id", "job"}),
            symbol=visit.function.symbol,
            attached=passing.attached(call, visit.env) if made.role is Role.EMAIL_SEND else (),
            by_name=meaning.by_name,
            scaled=margins.scaled(call.node, visit.function.node) if _estimates(made) else None,
        )

    def _deciding(self, effect: Effect, call: Call, visit: Visit, *, helper: bool = False) -> Effect:
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


def _around(function: Function, frames: Mapping[int, Frame]) -> Frame | None:
    """The frame of the nearest walked function that this one is written in: what a wrapper's inner callback closes over."""
    at = positions.outer(function)
    while at is not None:
        if id(at) in frames:
            return frames[id(at)]
        at = positions.outer(at)
    return None


def _estimates(effect: Effect) -> bool:
    return effect.role is Role.CHAIN_GAS and "estimate" in effect.call.lower()
