"""Methods of a queue that code replaces: `queue.add = function (name, data, opts) { … }`."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from auditor.code.evaluation import callers
from auditor.code.evaluation.values import Frame, FunctionValue, LibraryObject, Value, is_nothing, options_of
from auditor.code.syntax.facts import Function, Module

if TYPE_CHECKING:
    from auditor.code.evaluation.evaluate import Evaluator
    from auditor.code.sites.raw import Variant

_METHODS = ("add", "addBulk")


@dataclass(slots=True)
class Patch:
    """`function` stands in for `method` of these queue objects."""

    method: str
    targets: list[LibraryObject]
    function: Function


def find(ev: Evaluator, modules: Iterable[Module]) -> list[Patch]:
    """All replaced methods in these modules."""
    found: list[Patch] = []
    for module in modules:
        for method in _METHODS:
            for change in module.member_assignments.get(method, ()):
                held = change.left.child_by_field_name("object")
                if held is None:
                    continue
                targets = [
                    o
                    for o in options_of(ev.eval(held, change.scope))
                    if isinstance(o, LibraryObject) and o.name == "Queue"
                ]
                functions = [
                    o.fact for o in options_of(ev.eval(change.right, change.scope)) if isinstance(o, FunctionValue)
                ]
                if targets and functions:
                    found.append(Patch(method, targets, functions[0]))
    return found


def applied(ev: Evaluator, method: str, variants: list[Variant], patches: list[Patch]) -> list[Variant]:
    """Variants as they pass through the functions that stand in for the method."""
    for variant in variants:
        for patch in patches:
            if patch.method == method and any(
                t.node == variant.target.node and t.node is not None for t in patch.targets
            ):
                _rewrite(ev, variant, patch)
    return variants


def _rewrite(ev: Evaluator, variant: Variant, patch: Patch) -> None:
    given: tuple[Value, ...] = (variant.job, variant.data, *variant.options[-1:])
    frame = Frame(patch.function, given, None, None, 2)
    first = patch.function.parameters[0].name if patch.function.parameters else ""
    for call in patch.function.module.calls:
        nodes = call.arguments()
        inside = call.scope.func is patch.function
        if inside and len(nodes) > 2 and nodes[0].type == "identifier" and call.scope.module.text(nodes[0]) == first:
            options = ev.within(lambda call=call: callers.given(ev, call, frame), 20_000, 20)  # type: ignore[misc]  # mypy cannot type a default in a lambda
            if options is not None and not is_nothing(options[2]):
                variant.options = [options[2]]
            return
