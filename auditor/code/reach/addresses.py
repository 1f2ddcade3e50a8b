"""Under which name an upload stores: an object store replaces what lies under the same key, so a second run leaves one object."""

from __future__ import annotations

from typing import TYPE_CHECKING

from auditor.code.evaluation.taint import text
from auditor.code.evaluation.values import Object, Unknown, Value, is_nothing, options_of
from auditor.code.model import ABSENT, Option, OptionState
from auditor.code.reach import chains, decides
from auditor.code.reach.catalogue import AddressRule
from auditor.code.sites import options as options_
from auditor.code.syntax.facts import Call
from auditor.model import CodeSpan

if TYPE_CHECKING:
    from tree_sitter import Node

    from auditor.code.evaluation.evaluate import Evaluator


def of(ev: Evaluator, call: Call, rule: AddressRule) -> Option:
    """Whether a retry stores under the same name, and what the name is made of; UNKNOWN where it is not seen."""
    made = _step(call, rule.step) if rule.step else call
    given = made.arguments() if made is not None else []
    if len(given) <= rule.argument:
        return Option(OptionState.UNKNOWN, why="the name is given elsewhere")
    values = options_of(ev.eval(given[rule.argument], call.scope))
    if rule.option:
        values = tuple(_member(ev, value, rule.option) for value in values)
    if all(is_nothing(value) for value in values):
        return ABSENT
    told, parts = options_.determinism(values)
    if told is None:
        return Option(OptionState.UNKNOWN, why="what the name is made of can't be told")
    return Option(
        OptionState.KNOWN,
        {"deterministic": told, "parts": parts},
        origin=CodeSpan(call.scope.module.path, call.line, call.line),
    )


def _member(ev: Evaluator, value: Value, name: str) -> Value:
    for part in name.split("."):
        value = ev.member(value, part) if isinstance(value, Object) else Unknown("the options are made elsewhere")
    return value


def _step(call: Call, name: str) -> Call | None:
    """The call of that name whose result the upload is called on: in its chain, or in the variable that the chain starts from."""
    nodes: list[Node] = list(chains.steps_before(call.node))
    root = call.callee
    while root is not None and root.type == "member_expression":
        root = root.child_by_field_name("object")
    if root is not None and root.type == "identifier":
        nodes += _calls_in(decides.declared(call.node, text(root)))
    found = next((node for node in nodes if chains.name_of(node) == name), None)
    return call.scope.module.call_at(found) if found is not None else None


def _calls_in(node: Node | None) -> list[Node]:
    found: list[Node] = []
    stack = [node] if node is not None else []
    while stack:
        at = stack.pop()
        if at.type == "call_expression":
            found.append(at)
        stack.extend(at.named_children)
    return found
