"""Redis clients and connection options that queues and workers use, and whether they come back after a loss."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from auditor.code.evaluation.values import (
    UNDEFINED,
    External,
    FunctionValue,
    LibraryObject,
    Literal,
    Object,
    Template,
    Undefined,
    Unknown,
    Value,
    is_nothing,
    options_of,
)
from auditor.code.model import Connection, Option, Retry
from auditor.code.queues.contexts import Contexts
from auditor.code.sites.nest import Nest
from auditor.code.sites.options import option, plain, span
from auditor.code.sites.raw import Sites
from auditor.code.syntax.facts import Function, Module
from auditor.model import CodeSpan

if TYPE_CHECKING:
    from auditor.code.evaluation.evaluate import Evaluator

_CLIENTS = frozenset(("ioredis", "redis", "@redis/client", "ioredis-mock", "@upstash/redis"))
_USED = {
    "Queue": "queue",
    "Worker": "worker",
    "QueueEvents": "events",
    "FlowProducer": "queue",
    "QueueScheduler": "worker",
}
_BULL_KEYS = ("redis", "createClient", "connection")


@dataclass(slots=True)
class _Found:
    value: Value
    used: dict[str, None] = field(default_factory=dict)
    live: bool = False
    service: str = ""


class Connections:
    """Collects the connections of a program."""

    def __init__(
        self, ev: Evaluator, sites: Sites, nest: Nest, contexts: Contexts, is_live: Callable[[Module, Function | None], bool],
        service_of: Callable[[str], str],
    ) -> None:  # fmt: skip
        self.ev = ev
        self.contexts = contexts
        self.is_live = is_live
        self.service_of = service_of
        self.found: dict[tuple[str, int], _Found] = {}
        self.built: list[Connection] = []
        for queue in sites.queues:
            live = is_live(queue.call.scope.module, queue.call.scope.func)
            for target in queue.objects:
                self._object(target, live, queue.call.scope.module.path, consumed=False)
            if queue.objects and queue.objects[0].name == "QueueEvents" and contexts.per_call(queue.call):
                # it blocks, so it opens a connection of its own, whatever it is given
                path, line = queue.call.scope.module.path, queue.call.line
                self.built.append(
                    Connection(CodeSpan(path, line, line), ("events",), False, live, service_of(path), per_call=True)
                )
        for worker in sites.workers:
            live = is_live(worker.call.scope.module, worker.call.scope.func)
            for target in worker.targets:
                self._object(target, live, worker.call.scope.module.path, consumed=worker.library == "bull")
        for library, options in nest.roots:
            for one in options_of(options):
                self._option(one, "queue", True, "")
                self._option(one, "worker", True, "")
            del library
        for registration in nest.queues:
            for one in options_of(registration.options):
                self._option(one, "queue", is_live(registration.module, None), registration.module.path)

    def _object(self, target: LibraryObject, live: bool, path: str, consumed: bool) -> None:
        used = "worker" if consumed else _USED.get(target.name, "queue")
        for value in target.arguments[1:] if target.name != "FlowProducer" else target.arguments:
            for one in options_of(value):
                if isinstance(one, Object):
                    self._option(one, used, live, path)
                elif isinstance(one, Literal | Template) and target.library == "bull" and value is target.arguments[1]:
                    self._note(one, used, live, path)

    def _option(self, value: Value, used: str, live: bool, path: str) -> None:
        if not isinstance(value, Object):
            return
        for key in _BULL_KEYS:
            member = self.ev.force(value.members.get(key, UNDEFINED))
            for one in options_of(member):
                if isinstance(one, FunctionValue) and key == "createClient":
                    for made in options_of(self.ev.call(one, (Unknown("which client is wanted", "type"),), None)):
                        self._note(made, used, live, path)
                elif not is_nothing(one):
                    self._note(one, used, live, path)

    def _note(self, value: Value, used: str, live: bool, path: str) -> None:
        if isinstance(value, External) and value.package not in _CLIENTS:
            return
        where = getattr(value, "where", None)
        if not isinstance(value, External | Object | Literal | Template) or where is None:
            return
        found = self.found.setdefault(where, _Found(value))
        found.used[used] = None
        found.live = found.live or live
        found.service = found.service or (self.service_of(path) if path else self.service_of(where[0]))

    def all(self) -> tuple[Connection, ...]:
        """The connections, in the order in which they were met."""
        return (*(self._connection(where, found) for where, found in self.found.items()), *self.built)

    def _connection(self, where: tuple[str, int], found: _Found) -> Connection:
        value = found.value
        client = isinstance(value, External)
        options = (
            self._client_options(value) if isinstance(value, External) else value if isinstance(value, Object) else None
        )
        retry, at = self._retry(options)
        return Connection(
            CodeSpan(where[0], where[1], where[1]), tuple(found.used), client, found.live, found.service,
            _shown(options), self._per_call(where) if client else False, retry, at,
        )  # fmt: skip

    def _client_options(self, value: External) -> Object | None:
        for argument in value.arguments:
            for one in options_of(argument):
                if isinstance(one, Object):
                    inner = one.members.get("redisOptions")
                    return inner if isinstance(inner, Object) else one
        return None

    def _per_call(self, where: tuple[str, int]) -> bool:
        module = self.ev.program.module(where[0])
        for call in module.calls if module is not None else ():
            if call.is_new and call.node.start_point[0] + 1 == where[1]:
                return self.contexts.per_call(call)
        return False

    def _retry(self, options: Object | None) -> tuple[Retry, CodeSpan | None]:
        if options is None:
            return Retry.DEFAULT, None
        for key in ("retryStrategy", "reconnectStrategy", "retry_strategy", "clusterRetryStrategy"):
            value = options.members.get(key)
            if value is not None:
                return self._strategy(value)
        socket = options.members.get("socket")
        if isinstance(socket, Object) and "reconnectStrategy" in socket.members:
            return self._strategy(socket.members["reconnectStrategy"])
        return (Retry.UNKNOWN if options.open else Retry.DEFAULT), None

    def _strategy(self, value: Value) -> tuple[Retry, CodeSpan | None]:
        if isinstance(value, Literal) and value.value in (False, None):
            return Retry.OFF, span(value.where)
        if isinstance(value, Literal):
            return Retry.BOUNDED, span(value.where)
        if not isinstance(value, FunctionValue):
            return (Retry.DEFAULT if isinstance(value, Undefined) else Retry.UNKNOWN), None
        fact = value.fact
        at = CodeSpan(fact.module.path, int(fact.node.start_point[0]) + 1, int(fact.node.end_point[0]) + 1)
        verdicts = {self._delay(node, fact) for node, _, _ in fact.returns}
        if not fact.returns:
            return Retry.OFF, at
        if verdicts <= {"stop"}:
            return Retry.OFF, at
        if "stop" in verdicts:
            return Retry.STOPS, at
        return (Retry.UNBOUNDED if "grows" in verdicts else Retry.BOUNDED), at

    def _delay(self, node: object, fact: Function) -> str:
        """What one return of a strategy gives: stop, bounded or grows."""
        module = fact.module
        text = module.text(node).strip()  # type: ignore[arg-type]  # a node of the function's tree
        if text in ("null", "undefined", "false", "void 0") or text.startswith(("new Error", "Error(")):
            return "stop"
        if "?" in text and any(
            word in text for word in (": null", "? null", ": undefined", "? undefined", ": false", "? false")
        ):
            return "stop"
        if "min(" in text.lower() or text.replace("_", "").isdigit():
            return "bounded"
        first = fact.parameters[0].name if fact.parameters else ""
        return "grows" if first and first in text and "min" not in module.text(fact.node).lower() else "bounded"


def _shown(options: Object | None) -> dict[str, Option]:
    if options is None:
        return {}
    kept = {
        k: option([v]) for k, v in options.members.items() if k not in ("password", "retryStrategy", "reconnectOnError")
    }
    if "password" in options.members and not is_nothing(options.members["password"]):
        kept["password"] = Option(option([options.members["password"]]).state, "***")
    return plain(kept)
