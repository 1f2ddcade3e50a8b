"""Facts of expressions and statements: calls, assignments, declarations, and what stands around them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from auditor.code.syntax.facts import Assignment, Binding, Call, Context, Scope
from auditor.code.syntax.lexical import callee_of, last_name
from auditor.code.syntax.walk import Walk

if TYPE_CHECKING:
    from tree_sitter import Node


def call(walk: Walk, node: Node, scope: Scope, context: Context | None) -> None:
    """`f(x)`, `o.m(x)`, `new C(x)`."""
    is_new = node.type == "new_expression"
    callee = callee_of(node)
    name, name_node = "", node
    if callee is not None:
        kind = callee.type
        if kind == "member_expression":
            prop = callee.child_by_field_name("property")
            if prop is not None:
                name, name_node = walk.text(prop), prop
        elif kind in ("identifier", "super", "import"):
            name, name_node = walk.text(callee), callee
        elif kind == "subscript_expression":
            held = callee.child_by_field_name("object")
            name, name_node = (f"{last_name(walk.module, held)}[]" if held is not None else ""), callee
    walk.module.calls.append(Call(node, callee, name, name_node, is_new, scope, context))
    walk.later(node, scope, context)


def assign(walk: Walk, node: Node, scope: Scope, context: Context | None) -> None:
    """`x = y`, `o.m = y`, `o[k] += y`."""
    left, right = node.child_by_field_name("left"), node.child_by_field_name("right")
    if left is None or right is None:
        return
    operator = node.child_by_field_name("operator")
    op = walk.text(operator) if operator is not None else "="
    fact = Assignment(left, right, op, scope, context)
    if left.type == "identifier":
        walk.module.assignments.setdefault(walk.text(left), []).append(fact)
    elif left.type == "member_expression":
        prop = left.child_by_field_name("property")
        if prop is not None:
            walk.module.member_assignments.setdefault(walk.text(prop), []).append(fact)
            _commonjs(walk, left, prop, right, scope)
    elif left.type == "subscript_expression":
        held = left.child_by_field_name("object")
        if held is not None:
            walk.module.index_assignments.setdefault(last_name(walk.module, held), []).append(fact)
    elif left.type in ("object_pattern", "array_pattern"):
        for name, path in walk.pattern(left):
            walk.module.assignments.setdefault(name, []).append(Assignment(left, right, op, scope, context, path))
    walk.stack.append((right, scope, context))
    if left.type != "identifier":
        walk.stack.append((left, scope, context))


def _commonjs(walk: Walk, left: Node, prop: Node, right: Node, scope: Scope) -> None:
    held = left.child_by_field_name("object")
    if held is None:
        return
    owner, name = walk.text(held), walk.text(prop)
    if owner == "module" and name == "exports":
        walk.module.exports["="] = ("node", (right, scope))
    elif owner in ("exports", "module.exports"):
        walk.module.exports.setdefault(name, ("node", (right, scope)))


def ternary(walk: Walk, node: Node, scope: Scope, context: Context | None) -> None:
    """`a ? b : c`."""
    for child in reversed(node.named_children):
        condition = node.child_by_field_name("condition")
        kind = "if" if child == node.child_by_field_name("consequence") else "else"
        inner = context if child == condition else Context(kind, node, context)
        walk.stack.append((child, scope, inner))


def declaration(walk: Walk, node: Node, scope: Scope, context: Context | None) -> None:
    """`const`, `let` and `var`, patterns among them."""
    const = node.child_count > 0 and walk.module.source[node.start_byte : node.start_byte + 5] == b"const"
    holder = scope if node.type == "lexical_declaration" else _function_scope(scope)
    for child in reversed(node.named_children):
        if child.type != "variable_declarator":
            continue
        name, value = child.child_by_field_name("name"), child.child_by_field_name("value")
        if name is None:
            continue
        declared = child.child_by_field_name("type")
        for bound, path in walk.pattern(name):
            binding = Binding("var", bound, value, scope, path)
            binding.const = const
            binding.type_node = declared
            holder.names.setdefault(bound, binding)
        if name.type != "identifier":
            walk.stack.append((name, scope, context))
        if value is not None:
            walk.stack.append((value, scope, context))


def block(walk: Walk, node: Node, scope: Scope, context: Context | None) -> None:
    """`{ … }`, with a scope of its own."""
    walk.later(node, Scope(walk.module, scope, scope.func, scope.cls), context)


def return_(walk: Walk, node: Node, scope: Scope, context: Context | None) -> None:
    """`return x`."""
    for child in node.named_children:
        if child.type == "comment":
            continue
        if scope.func is not None:
            scope.func.returns.append((child, scope, context))
        walk.stack.append((child, scope, context))


def throw(walk: Walk, node: Node, scope: Scope, context: Context | None) -> None:
    """`throw x`."""
    if scope.func is not None:
        scope.func.thrown.append((node, context))
    walk.later(node, scope, context)


def try_(walk: Walk, node: Node, scope: Scope, context: Context | None) -> None:
    """`try`, `catch` and `finally`."""
    body, handler, final = (node.child_by_field_name(name) for name in ("body", "handler", "finalizer"))
    if final is not None:
        walk.later(final, scope, Context("finally", node, context))
    if handler is not None:
        inner = Scope(walk.module, scope, scope.func, scope.cls)
        named = handler.child_by_field_name("parameter")
        if named is not None:
            for bound, path in walk.pattern(named):
                inner.names[bound] = Binding("catch", bound, None, inner, path)
        walk.module.catches.append((node, inner, context))
        block = handler.child_by_field_name("body")
        if block is not None:
            walk.stack.append((block, inner, Context("catch", node, context)))
    if body is not None:
        walk.stack.append((body, scope, Context("try", node, context)))


def if_(walk: Walk, node: Node, scope: Scope, context: Context | None) -> None:
    """`if` and `else`."""
    condition, then, other = (node.child_by_field_name(name) for name in ("condition", "consequence", "alternative"))
    if other is not None:
        walk.stack.append((other, scope, Context("else", node, context)))
    if then is not None:
        walk.stack.append((then, scope, Context("if", node, context)))
    if condition is not None:
        walk.stack.append((condition, scope, context))


def loop(walk: Walk, node: Node, scope: Scope, context: Context | None) -> None:
    """`while` and `do`."""
    walk.later(node, scope, Context("loop", node, context))


def switch(walk: Walk, node: Node, scope: Scope, context: Context | None) -> None:
    """`switch`."""
    walk.later(node, Scope(walk.module, scope, scope.func, scope.cls), Context("switch", node, context))


def for_(walk: Walk, node: Node, scope: Scope, context: Context | None) -> None:
    """`for (;;)`."""
    walk.later(node, Scope(walk.module, scope, scope.func, scope.cls), Context("loop", node, context))


def for_in(walk: Walk, node: Node, scope: Scope, context: Context | None) -> None:
    """`for … of` and `for … in`."""
    left, right = node.child_by_field_name("left"), node.child_by_field_name("right")
    body, operator = node.child_by_field_name("body"), node.child_by_field_name("operator")
    inner = Scope(walk.module, scope, scope.func, scope.cls)
    if left is not None:
        kind = "each" if operator is None or walk.text(operator) == "of" else "key"
        for bound, path in walk.pattern(left):
            inner.names[bound] = Binding(kind, bound, right, inner, path)
    if body is not None:
        walk.stack.append((body, inner, Context("loop", node, context)))
    if right is not None:
        walk.stack.append((right, scope, context))


def enum(walk: Walk, node: Node, scope: Scope, context: Context | None) -> None:
    """TypeScript's `enum`."""
    name = node.child_by_field_name("name")
    if name is not None:
        scope.names[walk.text(name)] = Binding("enum", walk.text(name), node, scope)


def type_alias(walk: Walk, node: Node, scope: Scope, context: Context | None) -> None:
    """`type` and `interface`, by name."""
    name = node.child_by_field_name("name")
    if name is not None:
        walk.module.type_aliases.setdefault(walk.text(name), node)


def namespace(walk: Walk, node: Node, scope: Scope, context: Context | None) -> None:
    """TypeScript's `namespace`."""
    body = node.child_by_field_name("body")
    if body is not None:
        walk.later(body, scope, context)


def _function_scope(scope: Scope) -> Scope:
    """Where `var` declares."""
    while scope.parent is not None and scope.parent.func is scope.func and scope.parent.cls is scope.cls:
        scope = scope.parent
    return scope
