"""In what context code runs: once per process, per job, per request, or in a loop."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import TYPE_CHECKING

from auditor.code.evaluation import call_sites, types
from auditor.code.evaluation.flow import Flow, functions_of
from auditor.code.evaluation.values import Value
from auditor.code.sites.nest_classes import Processor
from auditor.code.sites.raw import Sites
from auditor.code.syntax.facts import Call, Context, Function
from auditor.code.syntax.lexical import last_name
from auditor.model import CodeSpan

if TYPE_CHECKING:
    from tree_sitter import Node

    from auditor.code.evaluation.evaluate import Evaluator

_ROUTES = frozenset(("get", "post", "put", "patch", "delete", "all", "route", "mutation", "query", "options", "head"))
_DECORATED = frozenset(
    (
        "Get",
        "Post",
        "Put",
        "Patch",
        "Delete",
        "All",
        "Query",
        "Mutation",
        "Process",
        "MessagePattern",
        "EventPattern",
        "SubscribeMessage",
        "GrpcMethod",
    )
)
_WRAPPED = frozenset(
    (
        "defineEventHandler",
        "eventHandler",
        "defineCachedEventHandler",
        "asyncHandler",
        "catchAsync",
        "wrapAsync",
        "expressAsyncHandler",
    )
)
_REQUESTS = (
    frozenset(("req", "request", "_req", "_request")),
    frozenset(("res", "response", "reply", "_res", "_reply")),
)
_CONVENTIONS = frozenset(("GET", "POST", "PUT", "PATCH", "DELETE"))
_KEEPING = re.compile(r"(?:push|unshift|set|add|decorate|register|store|track|keep|save|put|append|attach)(?![a-z])")
"""Calls that keep what they are given: `registry.registerQueue(config, queue)`."""
_UP = 4


class Contexts:
    """Answers by function; `handlers` are the functions that process jobs and listen to them."""

    def __init__(self, ev: Evaluator, flow: Flow, handlers: list[Function]) -> None:
        self.ev = ev
        self.flow = flow
        self.handlers = {id(function) for function in handlers}
        self.in_reach = flow.reach(handlers, 250) if handlers else {}
        self._per_call: dict[int, bool] = {}

    def in_handler(self, call: Call) -> bool:
        """Whether a call is in reach of a job handler or listener."""
        function = call.scope.func
        while function is not None:
            if id(function) in self.in_reach:
                return True
            function = function.scope.parent.func if function.scope.parent is not None else None
        return False

    def per_call(self, call: Call) -> bool:
        """Whether what a call builds is built anew per job or request, or in a loop, and not kept."""
        function = call.scope.func
        if function is None or function.kind == "constructor" or _kept(call):
            return False
        return _in_loop(call) or self.in_handler(call) or self._by_request(function, 0)

    def _by_request(self, function: Function, depth: int) -> bool:
        known = self._per_call.get(id(function))
        if known is not None:
            return known
        self._per_call[id(function)] = False
        verdict = self._is_route(function)
        if not verdict and depth < _UP:
            outer = function.scope.parent.func if function.scope.parent is not None else None
            if outer is not None:
                verdict = self._by_request(outer, depth + 1)
            if not verdict:
                found = self.ev.within(lambda: call_sites.sites(self.ev, function), 10_000, 20) or []
                verdict = any(
                    site.call.scope.func is not None and self._by_request(site.call.scope.func, depth + 1)
                    for site in found
                )
        self._per_call[id(function)] = verdict
        return verdict

    def _is_route(self, function: Function) -> bool:
        if types.decorator(function.module, function.decorators, _DECORATED) is not None:
            return True
        if function.name in _CONVENTIONS and self.ev.program.exported_as(function):
            return True
        taken = [parameter.name for parameter in function.parameters[:2]]
        if len(taken) == len(_REQUESTS) and all(name in known for name, known in zip(taken, _REQUESTS, strict=True)):
            return True
        parent = function.node.parent
        while parent is not None and parent.type in ("parenthesized_expression", "pair", "object"):
            parent = parent.parent
        if parent is None or parent.type != "arguments" or parent.parent is None:
            return False
        call = function.module.call_at(parent.parent)
        if call is not None and call.name in _WRAPPED:
            return True
        return call is not None and call.name in _ROUTES and bool(call.arguments()) and _is_route_call(call)


def _is_route_call(call: Call) -> bool:
    first = call.arguments()[0]
    return first.type in ("string", "template_string") or call.name in ("mutation", "query")


def _in_loop(call: Call) -> bool:
    """Whether each turn of a loop builds the same again: one object for each name in a list is no waste."""
    context: Context | None = call.context
    first = call.arguments()[0] if call.arguments() else None
    while context is not None and context.kind != "function":
        if context.kind == "loop" and not (first is not None and _turns(call, context.node) & _names_in(call, first)):
            return True
        context = context.parent
    return False


def _turns(call: Call, loop: Node) -> set[str]:
    """The variables of a loop."""
    held = loop.child_by_field_name("left") or loop.child_by_field_name("initializer")
    return _names_in(call, held) if held is not None else set()


def _names_in(call: Call, node: Node) -> set[str]:
    """The names in an expression, and in what its local constants are set to."""
    found, pending = set[str](), [node]
    while pending:
        one = pending.pop()
        if one.type in ("identifier", "shorthand_property_identifier_pattern"):
            name = call.scope.module.text(one)
            binding = call.scope.lookup(name) if name not in found else None
            if binding is not None and binding.const and binding.node is not None:
                pending.append(binding.node)
            found.add(name)
        pending.extend(one.named_children)
    return found


def _kept(call: Call) -> bool:
    """Whether what is built goes into a field, a module variable, a collection, or to whoever asked."""
    node: Node | None = call.node
    while node is not None:
        parent = node.parent
        if parent is None:
            return True
        match parent.type:
            case "variable_declarator":
                named = parent.child_by_field_name("name")
                return named is None or _leaves(call, call.scope.module.text(named))
            case "assignment_expression" | "augmented_assignment_expression":
                left = parent.child_by_field_name("left")
                if left is None or left.type != "identifier":
                    return True
                name = call.scope.module.text(left)
                binding = call.scope.lookup(name)
                return binding is None or binding.scope.func is not call.scope.func or _leaves(call, name)
            case "return_statement" | "arguments" | "pair" | "array" | "public_field_definition" | "arrow_function":
                return True
            case "expression_statement" | "statement_block":
                return False
        node = parent
    return True


def _leaves(call: Call, name: str) -> bool:
    """Whether a local variable is returned, stored or handed on."""
    function, module = call.scope.func, call.scope.module
    if function is None:
        return True
    for node, scope, _ in function.returns:
        if (
            scope.lookup(name) is call.scope.lookup(name)
            and name in module.text(node).replace(".", " ").replace(",", " ").split()
        ):
            return True
    for given in module.calls_given(name):
        if given.scope.func is function and _KEEPING.match(given.name):
            return True
    for changes in (*module.member_assignments.values(), *module.index_assignments.values()):
        if any(change.scope.func is function and last_name(module, change.right) == name for change in changes):
            return True
    return any(
        change.scope.func is function and last_name(module, change.right) == name
        for held in module.assignments.values()
        for change in held
    )


def handler_functions(
    sites: Sites, processors: list[Processor], heard: Mapping[tuple[str, CodeSpan], Value]
) -> list[Function]:
    """All functions that process jobs or listen to what becomes of them."""
    found: list[Function] = []
    for worker in sites.workers:
        for value in worker.handlers:
            found.extend(functions_of(value))
    for processor in processors:
        found.extend(function for function, _, _ in processor.handlers)
    for value in heard.values():
        found.extend(functions_of(value))
    for listener in sites.listeners:
        found.extend(functions_of(listener.handler))
    return list({id(function): function for function in found}.values())
