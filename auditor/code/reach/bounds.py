"""How long one call may take: what it is given, what its client was built with or set to later, the SDK's own default."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import TYPE_CHECKING

from auditor.code.evaluation import callers
from auditor.code.evaluation.taint import text
from auditor.code.evaluation.values import (
    Array,
    External,
    FunctionValue,
    Literal,
    Object,
    Unknown,
    Value,
    is_nothing,
    options_of,
)
from auditor.code.model import ABSENT, Option, OptionState
from auditor.code.reach import deadlines, decides
from auditor.code.reach.catalogue import Meaning, TimeRule
from auditor.code.reach.commands import handed_to
from auditor.code.sites import options as options_
from auditor.code.source.versions import Versions, major
from auditor.code.syntax.facts import Call, Function, Module, Scope
from auditor.model import CodeSpan

if TYPE_CHECKING:
    from tree_sitter import Node

    from auditor.code.evaluation.evaluate import Evaluator

_MOST = 40
"""Values that are looked at behind one client."""
_FOR_EVER = 600_000
"""A default of ten minutes and more is as good as none."""
_WAITS = {"wait": 1, "waitForTransaction": 2}
_REGISTERS = ("register", "registerAsync", "forRoot", "forRootAsync")
_WORTH = (8_000, 24)
"""Steps and newly parsed files that the construction of a client is worth."""
_UNSEEN = "where its client is built is not seen"


class Bounds:
    """Answers for the calls of one program; `told` gives the bound of a call that has a meaning, None for others."""

    def __init__(self, ev: Evaluator, told: Callable[[Call], Option | None]) -> None:
        self.ev = ev
        self._told = told
        self._versions = Versions(ev.program.packages)
        self._depth = 0
        self._named: dict[tuple[str, str], list[str]] = {}

    def of(self, call: Call, meaning: Meaning, value: External | None) -> Option:
        """The bound in ms of a remote call; `value` is what it is called on. ABSENT: it may take for ever."""
        rule = self._current(meaning.package.time, value, call)
        ended = deadlines.around(self.ev, call.node, call.scope)
        if ended is not None:
            return _sure(ended, call)
        if call.name in (*_WAITS, "waitForTransactionReceipt"):
            return self._wait(call, rule)
        own = option_of(self.ev, self._given(call, rule.call), rule.call) or self._chained(call, rule)
        if own is not None:
            return own
        root = self._root(call)
        made, unclear = constructions(self.ev, root if root is not None and root.where is not None else value)
        clients = self._clients(root or value, made)
        made += [argument for one in clients for argument in self._made(one)]
        found = self._of_client(clients, made, rule)
        if found is not None:
            return _seconds(found, rule)
        unseen = (
            (rule.default is None or rule.default >= _FOR_EVER)
            and bool(rule.client or rule.through)
            and root is not None
            and root.where is None
        )
        if (unclear and rule.client) or unseen:
            return Option(
                OptionState.UNKNOWN, why=_UNSEEN if unseen else "how its client is built could not be resolved"
            )
        return Option(OptionState.KNOWN, rule.default) if rule.default is not None else ABSENT

    def _current(self, rule: TimeRule, value: External | None, call: Call) -> TimeRule:
        """The rule without options that the package's version no longer knows."""
        if not rule.gone or value is None:
            return rule
        version = major(self._versions.of(value.package, call.scope.module.path))
        lost = {name for name, since in rule.gone if version is not None and version >= since}
        return replace(rule, call=tuple(name for name in rule.call if name not in lost))

    def _of_client(self, clients: list[External], made: list[Value], rule: TimeRule) -> Option | None:
        """What the client's options say, what is assigned to it later, and what its own `fetch` does."""
        named = option_of(self.ev, made, rule.client) or self._registered(clients, rule)
        if named is not None:
            return named
        for one in clients:
            assigned = self._assigned(one, rule)
            if assigned is not None:
                return assigned
        return self._wrapped(made, rule)

    def _root(self, call: Call) -> External | None:
        """The client that a call is made on, as it was built; `where` None: only its type is known."""
        sender = handed_to(call)
        at = sender.callee if sender is not None else call.callee
        while at is not None and at.type == "member_expression":
            at = at.child_by_field_name("object")
            if at is None:
                return None
            for one in options_of(self.ev.eval(at, call.scope)):
                if isinstance(one, External) and one.path.endswith("()"):
                    return one if one.where is not None else self._passed(at, call.scope, one)
        return None

    def _passed(self, node: Node, scope: Scope, typed: External) -> External:
        """What the call sites hand in for a client that is a parameter with a declared type; the typed value where none is seen."""
        name = text(node).removeprefix("this.").removesuffix("!")
        owner = scope.cls.constructor if text(node).startswith("this.") and scope.cls is not None else None
        binding = scope.lookup(name) if owner is None else owner.scope.names.get(name)
        function = binding.fact if binding is not None and binding.kind == "param" else None
        if binding is None or not isinstance(function, Function):
            return typed
        joined = self.ev.within(lambda: callers.joined(self.ev, function, binding.index, None), *_WORTH)
        built = [one for one in options_of(joined) if isinstance(one, External)] if joined is not None else []
        return next((one for one in built if one.package == typed.package and one.where is not None), typed)

    def _clients(self, value: External | None, made: list[Value]) -> list[External]:
        """The receiver, what it was built with, and what that was built with: contract, signer, provider, request."""
        found: list[External] = [] if value is None else [value]
        pending = list(made)
        for at in range(_MOST):
            if at >= len(pending):
                break
            for one in options_of(pending[at]):
                if isinstance(one, External) and one.path.endswith("()") and one.package != "global":
                    found.append(one)
                    pending += self._made(one)
        return found

    def _made(self, value: External) -> list[Value]:
        return list(self.ev.forced(value.arguments))

    def _registered(self, clients: list[External], rule: TimeRule) -> Option | None:
        """The options that a Nest module makes its injected client with; ABSENT: it is registered without."""
        program, injected = self.ev.program, [one.package for one in clients if one.where is None]
        if not rule.module or not injected:
            return None
        for path in program.tree.paths:
            module = program.module(path) if program.mentions(path, (f"{rule.module}.".encode(),)) else None
            for call in (c for name in _REGISTERS for c in (module.calls_named(name) if module is not None else ())):
                if call.callee is None or not text(call.callee).startswith(f"{rule.module}."):
                    continue
                given = [self.ev.eval(node, call.scope) for node in call.arguments()]
                made = [self.ev.member(one, "useFactory") for value in given for one in options_of(value)]
                given += [self.ev.call(each, (), None) for each in made if isinstance(each, FunctionValue)]
                found = option_of(self.ev, given, rule.client)
                if found is not None:
                    return found
        return ABSENT

    def _assigned(self, client: External, rule: TimeRule) -> Option | None:
        """`request.timeout = 15_000`, `axios.defaults.timeout = …`, `sgMail.setTimeout(…)`."""
        for module in self._modules(client, rule):
            for name in rule.client:
                for change in module.member_assignments.get(name.rpartition(".")[2], ()):
                    holder = change.left.child_by_field_name("object")
                    if holder is not None and self._is_client(holder, module, change.scope, client):
                        return _bound(self.ev, self.ev.eval(change.right, change.scope))
            for call in module.calls_named(rule.setter) if rule.setter else ():
                holder = call.callee.child_by_field_name("object") if call.callee is not None else None
                if holder is not None and call.arguments() and self._is_client(holder, module, call.scope, client):
                    return _bound(self.ev, self.ev.eval(call.arguments()[0], call.scope))
        return None

    def _modules(self, client: External, rule: TimeRule) -> Iterator[Module]:
        """Files that may set something on a client: where it is built; for a package's one client those that name both."""
        program = self.ev.program
        paths = [client.where[0]] if client.where is not None and client.path.endswith("()") else []
        if "()" not in client.path:
            paths += self._naming(client.package, rule.setter or "defaults")
        for path in paths:
            module = program.module(path)
            if module is not None:
                yield module

    def _naming(self, package: str, word: str) -> list[str]:
        """Files that name a package and a word."""
        if (package, word) not in self._named:
            program, both = self.ev.program, (package.encode(), word.encode())
            self._named[package, word] = [
                path for path in program.tree.paths if all(program.mentions(path, (name,)) for name in both)
            ]
        return self._named[package, word]

    def _is_client(self, holder: Node, module: Module, scope: Scope, client: External) -> bool:
        if holder.type == "member_expression" and module.text(holder).endswith(".defaults"):
            holder = holder.child_by_field_name("object") or holder
        for one in options_of(self.ev.eval(holder, scope)):
            if isinstance(one, External) and one.package == client.package:
                built = client.path.endswith("()")
                if (built and one.where == client.where) or (not built and "()" not in one.path):
                    return True
        return False

    def _wrapped(self, made: list[Value], rule: TimeRule) -> Option | None:
        """The bound of the function that a client sends by: `fetch: (url, init) => fetch(url, { ...init, signal })`."""
        for value in made:
            for one in options_of(value):
                for name in rule.through if isinstance(one, Object) else ():
                    for held in options_of(_deep(self.ev, one, name)):
                        found = self._sending(held)
                        if found is not None:
                            return found
        return None

    def _sending(self, value: Value) -> Option | None:
        """The bound of a function that sends; None where nothing in it ends a call."""
        if isinstance(value, Unknown):
            return Option(OptionState.UNKNOWN, why="the function that its client sends by could not be resolved")
        if not isinstance(value, FunctionValue) or self._depth > 3:
            return None
        fact = value.fact
        inside = [c for c in fact.module.calls if fact.node.start_byte <= c.node.start_byte < fact.node.end_byte]
        self._depth += 1
        try:
            for call in inside:
                told = self._told(call)
                if told is None and call.callee is not None and not call.is_new:
                    callees = options_of(self.ev.eval(call.callee, call.scope))
                    told = next((found for one in callees if (found := self._sending(one)) is not None), None)
                if told is not None and told.state is not OptionState.ABSENT:
                    return told
        finally:
            self._depth -= 1
        return None

    def _given(self, call: Call, names: tuple[str, ...]) -> list[Value]:
        """Arguments that may carry one of these options: literals that name it, and a last one made elsewhere."""
        sender = handed_to(call)
        nodes = call.arguments() + (sender.arguments()[1:] if sender is not None else [])
        wanted = [
            node
            for at, node in enumerate(nodes)
            if (node.type == "object" and ("..." in text(node) or any(name in text(node) for name in names)))
            or (at and at == len(nodes) - 1 and node.type in ("identifier", "member_expression", "call_expression"))
        ]
        return [self.ev.eval(node, call.scope) for node in wanted] if names else []

    def _chained(self, call: Call, rule: TimeRule) -> Option | None:
        """A bound that a later link of the chain sets: `.timeout(5000)`, `.send({ abortSignal })`, `.pipe(timeout(5000))`."""
        for later in call.scope.module.calls_named(rule.setter) if rule.setter else ():
            held = later.callee.child_by_field_name("object") if later.callee is not None else None
            if held is not None and later.arguments() and text(held) in decides.result_names(call.node):
                return _bound(self.ev, self.ev.eval(later.arguments()[0], later.scope))
        for outer in _links(call):
            given = outer.arguments()
            if outer.name in rule.call and given:
                return _bound(self.ev, self.ev.eval(given[0], outer.scope))
            found = option_of(self.ev, self._given(outer, rule.call), rule.call)
            if found is not None:
                return found
            for node in given if outer.name == "pipe" else ():
                inner = outer.scope.module.call_at(node)
                if inner is not None and inner.name in ("timeout", "timeoutWith") and inner.arguments():
                    return _bound(self.ev, self.ev.eval(inner.arguments()[0], inner.scope))
        return None

    def _wait(self, call: Call, rule: TimeRule) -> Option:
        """tx.wait(confirmations, timeout), waitForTransaction(hash, confirmations, timeout), viem's option."""
        at, nodes = _WAITS.get(call.name), call.arguments()
        if at is None:
            given = option_of(self.ev, self._given(call, rule.call), rule.call)
            return given or Option(OptionState.KNOWN, 180_000)
        return options_.option([self.ev.eval(nodes[at], call.scope)]) if len(nodes) > at else ABSENT


def constructions(ev: Evaluator, value: External | None) -> tuple[list[Value], bool]:
    """Arguments of every construction that the receiver came through, and whether one of them is not known."""
    found: list[Value] = []
    at: Value | None = value
    while isinstance(at, External):
        found.extend(ev.forced(at.arguments))
        at = at.base
    unclear = (
        value is None
        or (not found and "()" not in value.path and "." in value.path)
        or any(isinstance(v, Unknown) for v in found)
    )
    return found, unclear


def option_of(ev: Evaluator, values: list[Value], names: tuple[str, ...]) -> Option | None:
    """The first of these options that one of the values carries, as a bound in ms; dotted names lie deeper."""
    for value in values:
        for one in options_of(value):
            inner = one.element() if isinstance(one, Array) and one.items else one
            if not isinstance(inner, Object):
                continue
            for name in names:
                held = _deep(ev, inner, name)
                if is_nothing(held) or (isinstance(held, Unknown) and name.split(".")[0] not in inner.members):
                    continue
                found = _bound(ev, held)
                if found.state is not OptionState.ABSENT:
                    return found
    return None


def _deep(ev: Evaluator, value: Value, name: str) -> Value:
    """A member by its dotted name, through what is built with options of its own: `requestHandler.requestTimeout`."""
    for part in name.split("."):
        if isinstance(value, External):
            made = [one for each in ev.forced(value.arguments) for one in options_of(each) if isinstance(one, Object)]
            value = made[0] if made else Object({})
        value = ev.member(value, part)
    return value


def _bound(ev: Evaluator, value: Value) -> Option:
    """A timeout option as ms: a number, `AbortSignal.timeout(ms)`, got's `{ request }`; 1 where one is set that can't be told."""
    found = options_.option([value])
    if found.state is OptionState.ABSENT or (isinstance(value, Literal) and isinstance(value.value, int | float)):
        return found
    if isinstance(value, External) and value.path.endswith("AbortSignal.timeout()") and value.arguments:
        return _bound(ev, ev.force(value.arguments[0]))
    if isinstance(value, Object):
        numbers = [
            m.value for m in value.members.values() if isinstance(m, Literal) and isinstance(m.value, int | float)
        ]
        if numbers:
            return replace(found, state=OptionState.KNOWN, value=max(numbers))
    return replace(found, state=OptionState.KNOWN, value=1)


def _sure(ended: Option, call: Call) -> Option:
    """The bound of a deadline around a call; 1 where its time can't be told, for it ends."""
    if ended.state is OptionState.KNOWN and isinstance(ended.value, int | float):
        return ended
    here = CodeSpan(call.scope.module.path, call.line, call.line)
    return Option(OptionState.KNOWN, 1, origin=here, why="raced with a timer")


def _seconds(found: Option, rule: TimeRule) -> Option:
    if rule.seconds and isinstance(found.value, int | float) and found.value != 1:
        return replace(found, value=found.value * 1000)
    return found


def _links(call: Call) -> Iterator[Call]:
    """Later calls of the fluent chain that a call starts."""
    at = call.node
    while at.parent is not None and at.parent.type == "member_expression" and at.parent.parent is not None:
        outer = at.parent.parent
        if outer.type != "call_expression" or outer.child_by_field_name("function") != at.parent:
            return
        found = call.scope.module.call_at(outer)
        if found is not None:
            yield found
        at = outer
