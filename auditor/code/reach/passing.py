"""How values of the job pass through calls and variables, and into attachments."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from auditor.code.evaluation import taint
from auditor.code.evaluation.taint import NONE, Paths
from auditor.code.reach import positions
from auditor.code.reach.events import EMITS
from auditor.code.reach.given import passed_by
from auditor.code.reach.wording import callee_text, unwrapped
from auditor.code.reach.written import Written
from auditor.code.syntax.facts import Call, Function

if TYPE_CHECKING:
    from tree_sitter import Node


def bind_variables(written: Written, function: Function, env: dict[str, Paths]) -> None:
    """Add what a function's variables depend on."""
    for name, value in written.declared(function):
        paths = taint.of(value, env)
        if paths:
            taint.bind(name, paths, env)


def arguments(call: Call, target: Function, env: Mapping[str, Paths]) -> dict[str, Paths]:
    """What the parameters of a called function depend on, by name."""
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


def attached(call: Call, env: Mapping[str, Paths]) -> tuple[str, ...]:
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
