"""Evaluation by kind of expression: literals, objects, arrays, templates, operators, access."""

from __future__ import annotations

from typing import TYPE_CHECKING

from auditor.code.evaluation import access, arithmetic, classes, invoke, literals, names, templates, types
from auditor.code.evaluation.values import (
    UNDEFINED,
    Array,
    ClassValue,
    Env,
    Frame,
    FunctionValue,
    Literal,
    Undefined,
    Unknown,
    Value,
    is_nothing,
    join,
    options_of,
    short,
    truth,
)
from auditor.code.syntax.facts import Scope
from auditor.code.syntax.lexical import unquote

if TYPE_CHECKING:
    from tree_sitter import Node

    from auditor.code.evaluation.evaluate import Evaluator

_WRAPPERS = frozenset(
    ("parenthesized_expression", "non_null_expression", "await_expression", "instantiation_expression")
)
_FUNCTIONS = frozenset(("arrow_function", "function_expression", "generator_function", "function_declaration", "generator_function_declaration"))  # fmt: skip


def evaluate(ev: Evaluator, node: Node, scope: Scope, frame: Frame | None) -> Value:
    """What a node may be."""
    kind = _KINDS.get(node.type)
    if kind is not None:
        return kind(ev, node, scope, frame)
    text = short(scope.module.text(node))
    return Unknown(f"`{text}` can't be evaluated", text)


def _string(ev: Evaluator, node: Node, scope: Scope, frame: Frame | None) -> Value:
    return Literal(unquote(scope.module.text(node)), ev.where(scope.module, node))


def _number(ev: Evaluator, node: Node, scope: Scope, frame: Frame | None) -> Value:
    return arithmetic.number(scope.module.text(node), ev.where(scope.module, node))


def _boolean(ev: Evaluator, node: Node, scope: Scope, frame: Frame | None) -> Value:
    return Literal(node.type == "true", ev.where(scope.module, node))


def _null(ev: Evaluator, node: Node, scope: Scope, frame: Frame | None) -> Value:
    return Literal(None, ev.where(scope.module, node))


def _undefined(ev: Evaluator, node: Node, scope: Scope, frame: Frame | None) -> Value:
    return Undefined(ev.where(scope.module, node))


def _identifier(ev: Evaluator, node: Node, scope: Scope, frame: Frame | None) -> Value:
    return names.identifier(ev, scope.module.text(node), node, scope, frame)


def _this(ev: Evaluator, node: Node, scope: Scope, frame: Frame | None) -> Value:
    return classes.this(ev, scope, frame)


def _array(ev: Evaluator, node: Node, scope: Scope, frame: Frame | None) -> Value:
    return Array(*literals.items(ev, node, scope, frame), ev.where(scope.module, node))


def _function(ev: Evaluator, node: Node, scope: Scope, frame: Frame | None) -> Value:
    fact = scope.module.function_at.get(node.id)
    return FunctionValue(fact, frame) if fact is not None else Unknown("a function")


def _class(ev: Evaluator, node: Node, scope: Scope, frame: Frame | None) -> Value:
    fact = scope.module.class_at.get(node.id)
    return ClassValue(fact, frame) if fact is not None else Unknown("a class")


def _call(ev: Evaluator, node: Node, scope: Scope, frame: Frame | None) -> Value:
    return invoke.call_expression(ev, node, scope, frame)


def _new(ev: Evaluator, node: Node, scope: Scope, frame: Frame | None) -> Value:
    return invoke.new_expression(ev, node, scope, frame)


def _cast(ev: Evaluator, node: Node, scope: Scope, frame: Frame | None) -> Value:
    return types.cast(ev, node, scope, frame)


def _unary(ev: Evaluator, node: Node, scope: Scope, frame: Frame | None) -> Value:
    return arithmetic.unary(ev, node, scope, frame)


def _first(ev: Evaluator, node: Node, scope: Scope, frame: Frame | None) -> Value:
    return ev.eval(node.named_children[0], scope, frame) if node.named_children else UNDEFINED


def _last(ev: Evaluator, node: Node, scope: Scope, frame: Frame | None) -> Value:
    return ev.eval(node.named_children[-1], scope, frame) if node.named_children else UNDEFINED


def _assigned(ev: Evaluator, node: Node, scope: Scope, frame: Frame | None) -> Value:
    right = node.child_by_field_name("right")
    return ev.eval(right, scope, frame) if right is not None else UNDEFINED


def _augmented(ev: Evaluator, node: Node, scope: Scope, frame: Frame | None) -> Value:
    return join([ev.eval(child, scope, frame) for child in node.named_children])


def ternary(ev: Evaluator, node: Node, scope: Scope, frame: Frame | None) -> Value:
    """`a ? b : c`: one branch where the condition is a constant, else both."""
    condition, then, other = (node.child_by_field_name(name) for name in ("condition", "consequence", "alternative"))
    if condition is None or then is None or other is None:
        return Unknown("a broken expression")
    decided = truth(ev.eval(condition, scope, frame))
    if decided is not None:
        return ev.eval(then if decided else other, scope, frame)
    return join([ev.eval(then, scope, frame), ev.eval(other, scope, frame)])


def binary(ev: Evaluator, node: Node, scope: Scope, frame: Frame | None) -> Value:
    """Operators; `||` and `??` fall back, `&&` may give nothing."""
    left_node, right_node, operator = (node.child_by_field_name(name) for name in ("left", "right", "operator"))
    if left_node is None or right_node is None or operator is None:
        return Unknown("a broken expression")
    op = operator.type
    left = ev.eval(left_node, scope, frame)
    if op in ("||", "??"):
        return fall_back(ev, left, lambda: ev.eval(right_node, scope, frame), op)
    if op == "&&":
        decided = truth(left)
        if decided is False:
            return left
        right = ev.eval(right_node, scope, frame)
        return right if decided else join([UNDEFINED, right])
    return arithmetic.operate(
        op, left, ev.eval(right_node, scope, frame), ev.where(scope.module, node), scope.module.text(node)
    )


def fall_back(ev: Evaluator, left: Value, right: object, op: str) -> Value:
    """`left || right`, `left ?? right`: an environment variable with a default is that default."""
    found: list[Value] = []
    needed = False
    env = ""
    for option in options_of(left):
        decided = truth(option)
        nothing = is_nothing(option) if op == "??" else decided is False
        if nothing or (isinstance(option, Unknown) and option.uncalled):
            needed = True
        elif isinstance(option, Env):
            needed, env = True, option.name
        elif isinstance(option, Literal):
            needed = needed or bool(option.env and option.value is None)
            found.append(option)
        else:
            found.append(option)
            needed = needed or (decided is None and not isinstance(option, Literal))
    if not needed and found:
        return join(found)
    value = right() if callable(right) else UNDEFINED
    if env:
        value = join([Literal(o.value, o.where, env) if isinstance(o, Literal) else o for o in options_of(value)])
    return join([*found, value])


_KINDS = {
    "string": _string,
    "number": _number,
    "true": _boolean,
    "false": _boolean,
    "null": _null,
    "undefined": _undefined,
    "template_string": templates.template,
    "identifier": _identifier,
    "shorthand_property_identifier": _identifier,
    "this": _this,
    "member_expression": access.member_expression,
    "subscript_expression": access.subscript,
    "call_expression": _call,
    "new_expression": _new,
    "object": literals.object_literal,
    "array": _array,
    **dict.fromkeys(_FUNCTIONS, _function),
    "class": _class,
    "class_declaration": _class,
    "abstract_class_declaration": _class,
    **dict.fromkeys(_WRAPPERS, _first),
    "as_expression": _cast,
    "satisfies_expression": _cast,
    "type_assertion": _last,
    "ternary_expression": ternary,
    "binary_expression": binary,
    "unary_expression": _unary,
    "assignment_expression": _assigned,
    "augmented_assignment_expression": _augmented,
    "sequence_expression": _last,
    "spread_element": _first,
}
"""How each kind of expression is evaluated."""
