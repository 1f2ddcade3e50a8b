"""Facts of functions and classes: parameters, methods, fields."""

from __future__ import annotations

from typing import TYPE_CHECKING

from auditor.code.syntax.facts import Binding, Class, Context, Field, Function, Parameter, Scope
from auditor.code.syntax.lexical import key_text
from auditor.code.syntax.walk import Walk

if TYPE_CHECKING:
    from tree_sitter import Node


def function(walk: Walk, node: Node, scope: Scope, context: Context | None) -> None:
    """A function outside of a class body."""
    make_function(walk, node, scope, context, None)


def make_function(walk: Walk, node: Node, scope: Scope, context: Context | None, cls: Class | None) -> Function:
    """The facts of a function or method, noted in its module; its body is seen next."""
    kind = node.type
    named = node.child_by_field_name("name")
    name = key_text(walk.module, named) if named is not None else ""
    role = "arrow" if kind == "arrow_function" else "function"
    if kind == "method_definition":
        words = {child.type for child in node.children}
        role = (
            "get"
            if "get" in words
            else "set"
            if "set" in words
            else "constructor"
            if name == "constructor" and cls
            else "method"
        )
    fact = Function(node, walk.module, name, role)
    fact.cls = cls if cls is not None else scope.cls
    fact.is_async = any(child.type == "async" for child in node.children)
    fact.is_static = any(child.type == "static" for child in node.children)
    fact.type_node = node.child_by_field_name("return_type")
    inner = Scope(walk.module, scope, fact, fact.cls)
    fact.scope = inner
    fact.context = context
    walk.module.functions.append(fact)
    walk.module.function_at[node.id] = fact
    if kind.endswith("function_declaration"):
        binding = Binding("func", name, node, scope)
        binding.fact = fact
        scope.names[name] = binding
    elif kind in ("function_expression", "generator_function") and name:
        binding = Binding("func", name, node, inner)
        binding.fact = fact
        inner.names[name] = binding
    within = Context("function", node, context)
    body = node.child_by_field_name("body")
    fact.body = body
    if body is not None:
        if body.type != "statement_block":
            fact.returns.append((body, inner, within))
        walk.stack.append((body, inner, within))
    _parameters(walk, fact, inner, within)
    return fact


def _parameters(walk: Walk, fact: Function, inner: Scope, context: Context | None) -> None:
    single = fact.node.child_by_field_name("parameter")
    held = fact.node.child_by_field_name("parameters")
    nodes = (
        [single]
        if single is not None
        else [c for c in held.named_children if c.type != "comment"]
        if held is not None
        else []
    )
    index = 0
    for node in nodes:
        parameter = _parameter(walk, node)
        if parameter is None or parameter.name == "this":
            continue
        fact.parameters.append(parameter)
        for bound, path in walk.pattern(parameter.pattern):
            binding = Binding("param", bound, None, inner, path)
            binding.index = index
            binding.fact = fact
            binding.type_node = parameter.type_node
            inner.names[bound] = binding
        if parameter.default is not None:
            walk.stack.append((parameter.default, inner, context))
        for child in node.named_children:
            if child.type == "decorator":
                walk.stack.append((child, inner, context))
        index += 1


def _parameter(walk: Walk, node: Node) -> Parameter | None:
    pattern: Node | None = node
    default, declared = None, None
    if node.type in ("required_parameter", "optional_parameter"):
        pattern = node.child_by_field_name("pattern")
        default, declared = node.child_by_field_name("value"), node.child_by_field_name("type")
    elif node.type == "assignment_pattern":
        pattern, default = node.child_by_field_name("left"), node.child_by_field_name("right")
    if pattern is None:
        return None
    rest = pattern.type == "rest_pattern"
    target = pattern.named_children[0] if rest and pattern.named_children else pattern
    parameter = Parameter(
        node, target, walk.text(target) if target.type in ("identifier", "this") else "", default, declared
    )
    parameter.is_rest = rest
    parameter.is_property = any(
        child.type in ("accessibility_modifier", "readonly", "override_modifier") for child in node.children
    )
    return parameter


def class_(walk: Walk, node: Node, scope: Scope, context: Context | None) -> None:
    """A class, with its members."""
    named = node.child_by_field_name("name")
    name = walk.text(named) if named is not None else ""
    fact = Class(node, walk.module, name, scope)
    fact.scope = Scope(walk.module, scope, scope.func, fact)
    walk.module.classes.append(fact)
    walk.module.class_at[node.id] = fact
    if name:
        binding = Binding("class", name, node, scope)
        binding.fact = fact
        (scope if node.type != "class" else fact.scope).names[name] = binding
    fact.decorators = [child for child in node.named_children if child.type == "decorator"]
    parent = node.parent
    if parent is not None and parent.type == "export_statement":
        fact.decorators += [child for child in parent.named_children if child.type == "decorator"]
    for child in node.named_children:
        if child.type == "class_heritage":
            _heritage(walk, child, fact)
        elif child.type == "decorator":
            walk.stack.append((child, scope, context))
    body = node.child_by_field_name("body")
    if body is not None:
        _members(walk, body, fact, context)


def _heritage(walk: Walk, node: Node, fact: Class) -> None:
    for child in node.named_children:
        if child.type == "extends_clause":
            fact.base = child.child_by_field_name("value")
        elif child.type == "implements_clause":
            fact.implements = list(child.named_children)
        elif fact.base is None:
            fact.base = child


def _members(walk: Walk, body: Node, fact: Class, context: Context | None) -> None:
    waiting: list[Node] = []
    for child in body.named_children:
        if child.type == "decorator":
            waiting.append(child)
            walk.stack.append((child, fact.scope, context))
        elif child.type == "method_definition":
            method = make_function(walk, child, fact.scope, context, fact)
            method.decorators, waiting = waiting, []
            table = fact.statics if method.is_static else fact.members
            table[method.name if method.kind != "set" else f"set {method.name}"] = method
        elif child.type in ("public_field_definition", "field_definition"):
            _field(walk, child, fact, waiting)
            waiting = []
        elif child.type != "comment":
            walk.stack.append((child, fact.scope, context))
            waiting = []


def _field(walk: Walk, node: Node, fact: Class, decorators: list[Node]) -> None:
    named = node.child_by_field_name("name") or node.child_by_field_name("property")
    if named is None:
        return
    name, value = key_text(walk.module, named), node.child_by_field_name("value")
    field = Field(node, name, value, fact.scope)
    field.type_node = node.child_by_field_name("type")
    field.is_static = any(child.type == "static" for child in node.children)
    field.decorators = decorators + [child for child in node.named_children if child.type == "decorator"]
    fact.fields[name] = field
    for child in node.named_children:
        if child.type == "decorator":
            walk.stack.append((child, fact.scope, None))
    if value is not None:
        walk.stack.append((value, fact.scope, Context("field", node, None)))
