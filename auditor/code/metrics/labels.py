"""Which values code gives to a metric's labels: an alert that picks another one never fires."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING

from auditor.code.evaluation.values import Literal, options_of
from auditor.code.metrics.declared import Declared
from auditor.code.metrics.quantities import CHAINED
from auditor.code.metrics.quantity import words_of
from auditor.code.syntax.facts import Call, Scope

if TYPE_CHECKING:
    from tree_sitter import Node

    from auditor.code.evaluation.evaluate import Evaluator

Given = Mapping[str, tuple[str, ...]]
MOST_VALUES = 30
_WORTH = frozenset(("queue", "queues", "job", "jobs", "bull", "bullmq", "worker", "workers", "dlq", "backlog"))


def given_labels(ev: Evaluator, call: Call, metric: Declared) -> Given | None:
    """The labels of one setting call with the values that each may have; empty values: not told. None: not told at all.

    Only for metrics whose names speak of queues: to evaluate the labels of all others would cost more than it tells.
    """
    if not _WORTH & set(words_of(metric.name)) or "*" in metric.labels:
        return None
    inner = _chained(call)
    if inner is not None:
        call, arguments = inner, inner.arguments()
        if arguments and arguments[0].type != "object":
            return {
                label: _values(ev, node, inner.scope) for label, node in zip(metric.labels, arguments, strict=False)
            }
    objects = [node for node in call.arguments() if node.type == "object"]
    if len(objects) > 1:
        return None
    found: dict[str, tuple[str, ...]] = {}
    for child in objects[0].named_children if objects else ():
        if child.type == "pair":
            key, value = child.child_by_field_name("key"), child.child_by_field_name("value")
            if key is None or value is None:
                return None
            found[call.scope.module.text(key).strip("'\"`")] = _values(ev, value, call.scope)
        elif child.type == "shorthand_property_identifier":
            found[call.scope.module.text(child)] = _values(ev, child, call.scope)
        elif child.type != "comment":
            return None
    return found


def _chained(call: Call) -> Call | None:
    """`.labels(...)` before the setter."""
    held = call.callee.child_by_field_name("object") if call.callee is not None else None
    inner = call.scope.module.call_at(held) if held is not None and held.type == "call_expression" else None
    return inner if inner is not None and inner.name in CHAINED else None


def _values(ev: Evaluator, node: Node, scope: Scope) -> tuple[str, ...]:
    if node.type == "string":
        return (scope.module.text(node)[1:-1],)
    options = options_of(ev.eval(node, scope))
    texts = [one.value for one in options if isinstance(one, Literal) and isinstance(one.value, str) and not one.env]
    return tuple(dict.fromkeys(texts)) if len(texts) == len(options) <= MOST_VALUES else ()


def all_values(labels: Iterable[str], feeds: Iterable[Given | None]) -> tuple[tuple[str, tuple[str, ...]], ...]:
    """(label, every value) of the labels whose values all feeds tell."""
    given = list(feeds)
    found: list[tuple[str, tuple[str, ...]]] = []
    for label in labels:
        each = [one.get(label, ()) if one is not None else () for one in given]
        if each and all(each):
            found.append((label, tuple(dict.fromkeys(value for values in each for value in values))))
    return tuple(found)
