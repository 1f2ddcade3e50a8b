"""What a declared type or a schema says of data: its keys, and which of their values JSON loses."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

from auditor.code.evaluation import classes, schemas
from auditor.code.evaluation.values import External, FunctionValue, LibraryObject, Object, Value, options_of, where_of
from auditor.code.syntax.facts import Class, Function, Import, Module, Scope
from auditor.code.syntax.lexical import key_text, unquote
from auditor.model import CodeSpan

if TYPE_CHECKING:
    from tree_sitter import Node

    from auditor.code.evaluation.evaluate import Evaluator

_DEEPEST = 5
_STEPS = 24
"""Aliases, imports and wrappers that are followed from one type to what it stands for."""
_SAME = frozenset(("Partial", "Required", "Readonly", "Array", "ReadonlyArray", "Promise", "NonNullable", "Awaited", "Omit", "Pick"))  # fmt: skip
_INFERRED = re.compile(
    r"(?:^|\.)(?:infer|input|output|TypeOf|Infer|InferType|InferInput|InferOutput|Static|StaticDecode|Asserts)$"
)
_LOST_TYPES = {
    "Map": "a Map",
    "Set": "a Set",
    "WeakMap": "a WeakMap",
    "Buffer": "a Buffer",
    "Uint8Array": "a Buffer",
    "bigint": "a BigInt",
    "symbol": "a symbol",
    "Function": "a function",
}


@dataclass(frozen=True, slots=True)
class Typed:
    """Data of a declared type, in the module that writes it."""

    node: Node
    module: Module


@dataclass(frozen=True, slots=True)
class Parsed:
    """Data that a schema let through."""

    schema: Value


Shape: TypeAlias = "Typed | Parsed"
Member: TypeAlias = "tuple[str, CodeSpan, Shape | None]"


@dataclass(frozen=True, slots=True)
class Key:
    """A key of data: its dotted path, where the type or schema has it, and what JSON loses of it, if anything."""

    path: str
    span: CodeSpan
    lost: str = ""


def keys(ev: Evaluator, shape: Shape, path: str = "", depth: int = 0) -> Iterator[Key]:
    """The keys of data of that shape, those of members after their own."""
    if depth > _DEEPEST:
        return
    for name, span, inner in members(ev, shape):
        full = f"{path}.{name}" if path else name
        yield Key(full, span, _lost(inner))
        if inner is not None:
            yield from keys(ev, inner, full, depth + 1)


def of_value(ev: Evaluator, value: Value) -> Shape | None:
    """The shape of a value that came out of a schema's parser."""
    schema = schemas.schema_of(value) if isinstance(value, External) else None
    return Parsed(schema) if schema is not None and schemas.fields(ev, schema) is not None else None


def of_class(cls: Class) -> Typed:
    """The shape of any object of a class."""
    return Typed(cls.node, cls.module)


def of_expression(ev: Evaluator, node: Node, scope: Scope, steps: int = 0) -> Shape | None:
    """The declared type of an expression: of a variable, a member of one, a call's result, a cast."""
    module = scope.module
    if steps > _STEPS:
        return None
    match node.type:
        case "identifier":
            binding = scope.lookup(module.text(node))
            if binding is None:
                return None
            if binding.type_node is not None and not binding.path:
                return Typed(binding.type_node, binding.scope.module)
            held = binding.node if binding.kind == "var" and not binding.path else None
            return of_expression(ev, held, binding.scope, steps + 1) if held is not None else None
        case "member_expression":
            owner, prop = node.child_by_field_name("object"), node.child_by_field_name("property")
            shape = of_expression(ev, owner, scope, steps + 1) if owner is not None else None
            if shape is None or prop is None:
                return None
            return next((inner for name, _, inner in members(ev, shape) if name == module.text(prop)), None)
        case "as_expression" | "satisfies_expression" if len(node.named_children) > 1:
            return Typed(node.named_children[1], module)
        case "await_expression" | "parenthesized_expression" | "non_null_expression" if node.named_children:
            return of_expression(ev, node.named_children[0], scope, steps + 1)
        case "call_expression":
            callee = node.child_by_field_name("function")
            for one in options_of(ev.eval(callee, scope)) if callee is not None else ():
                if isinstance(one, FunctionValue) and one.fact.type_node is not None:
                    return Typed(one.fact.type_node, one.fact.module)
    return None


def of_queue(ev: Evaluator, queue: LibraryObject) -> Shape | None:
    """The data type that a queue object is declared with: `new Queue<Mail>(…)`."""
    del ev
    given = queue.node.child_by_field_name("type_arguments") if queue.node is not None else None
    if given is None or queue.module is None or not given.named_children:
        return None
    return Typed(given.named_children[0], queue.module)


def members(ev: Evaluator, shape: Shape, steps: int = 0) -> Iterator[Member]:  # noqa: PLR0912  # one branch per kind
    """Names of the shape's own members, with their places and shapes."""
    if isinstance(shape, Parsed):
        yield from _schema_members(ev, shape)
        return
    node, module = shape.node, shape.module
    if steps > _STEPS:
        return
    match node.type:
        case "type_annotation" | "parenthesized_type" | "readonly_type" | "intersection_type" | "union_type" | "array_type" | "extends_type_clause":  # fmt: skip
            for child in node.named_children:
                yield from members(ev, Typed(child, module), steps + 1)
        case "object_type" | "interface_body":
            for child in node.named_children:
                name, declared = child.child_by_field_name("name"), child.child_by_field_name("type")
                if child.type == "property_signature" and name is not None:
                    inner = Typed(declared, module) if declared is not None else None
                    yield key_text(module, name), _span(module, child), inner
        case "generic_type":
            yield from _generic(ev, node, module, steps)
        case "type_identifier" | "identifier":
            yield from _named(ev, module.text(node), module, steps)
        case "type_alias_declaration" | "interface_declaration":
            for field in ("value", "body"):
                inner_node = node.child_by_field_name(field)
                if inner_node is not None:
                    yield from members(ev, Typed(inner_node, module), steps + 1)
            for child in node.named_children:
                if child.type == "extends_type_clause":
                    yield from members(ev, Typed(child, module), steps + 1)
        case _ if node.id in module.class_at:
            yield from _fields(ev, module.class_at[node.id])


def _fields(ev: Evaluator, cls: Class) -> Iterator[Member]:
    """Fields and parameter properties of a class and of what it extends."""
    for step in classes.ancestry(ev, cls):
        for field in step.fields.values():
            if not field.is_static:
                inner = Typed(field.type_node, step.module) if field.type_node is not None else None
                yield field.name, _span(step.module, field.node), inner
        for parameter in step.constructor.parameters if isinstance(step.constructor, Function) else ():
            if parameter.is_property:
                inner = Typed(parameter.type_node, step.module) if parameter.type_node is not None else None
                yield parameter.name, _span(step.module, parameter.node), inner


def _generic(ev: Evaluator, node: Node, module: Module, steps: int) -> Iterator[Member]:
    name, held = node.child_by_field_name("name"), node.child_by_field_name("type_arguments")
    given = held.named_children if held is not None else []
    word = module.text(name) if name is not None else ""
    if given and _INFERRED.search(word):
        schema = _queried(ev, given[0], module)
        if schema is not None:
            yield from _schema_members(ev, Parsed(schema))
    elif given and word in _SAME:
        picked = {unquote(text) for text in re.findall(r"'[^']*'|\"[^\"]*\"", " ".join(map(module.text, given[1:])))}
        for member in members(ev, Typed(given[0], module), steps + 1):
            if word not in ("Omit", "Pick") or not picked or (member[0] in picked) == (word == "Pick"):
                yield member
    elif name is not None:
        yield from members(ev, Typed(name, module), steps + 1)


def _queried(ev: Evaluator, node: Node, module: Module) -> Value | None:
    """The schema of `typeof Schema`."""
    if node.type != "type_query" or not node.named_children:
        return None
    found = ev.eval(node.named_children[0], module.scope)
    return next((one for one in options_of(found) if isinstance(one, External)), None)


def _named(ev: Evaluator, name: str, module: Module, steps: int) -> Iterator[Member]:
    alias = module.type_aliases.get(name)
    if alias is not None:
        yield from members(ev, Typed(alias, module), steps + 1)
        return
    binding = module.scope.names.get(name)
    if binding is None:
        return
    if isinstance(binding.fact, Class):
        yield from _fields(ev, binding.fact)
    if not isinstance(binding.fact, Import):
        return
    yield from _imported(ev, binding.fact, module, steps)


def _imported(ev: Evaluator, what: Import, module: Module, steps: int) -> Iterator[Member]:
    """Members of a type that another file exports, through re-exports and barrels."""
    at: str | None = module.path
    spec, wanted = what.spec, what.name
    for _ in range(4):
        at = ev.program.target(at, spec) if at is not None else None
        target = ev.program.module(at) if at is not None else None
        if target is None:
            return
        kind, held = target.exports.get(wanted, ("", None))
        if wanted in target.type_aliases or (kind == "local" and isinstance(held, str)):
            yield from _named(ev, held if isinstance(held, str) else wanted, target, steps + 1)
            return
        if kind == "node" and isinstance(held, tuple) and held[0].id in target.class_at:
            yield from _fields(ev, target.class_at[held[0].id])
            return
        if kind == "from" and isinstance(held, Import):
            spec, wanted = held.spec, held.name
            continue
        further = _star(ev, target, wanted)
        if further is None:
            return
        spec = further


def _star(ev: Evaluator, module: Module, wanted: str) -> str | None:
    """The file that a barrel's `export *` has the name from; the first where none is seen to."""
    for spec in module.stars:
        path = ev.program.target(module.path, spec)
        if path is None or not ev.program.exported.may_export(path, wanted):
            continue
        target = ev.program.module(path)
        if target is not None and (wanted in target.type_aliases or wanted in target.exports):
            return spec
    return module.stars[0] if module.stars else None


def _schema_members(ev: Evaluator, shape: Parsed) -> Iterator[Member]:
    fields = schemas.fields(ev, shape.schema)
    for name, field in fields.members.items() if fields is not None else ():
        where = where_of(field) or (fields.where if fields is not None else None)
        if where is not None:
            inner = Parsed(field) if isinstance(field, External | Object) else None
            yield name, CodeSpan(where[0], where[1], where[1]), inner


def _lost(shape: Shape | None) -> str:
    match shape:
        case Parsed(schema):
            return schemas.lost(schema)
        case Typed(node, module):
            written = re.sub(r"^[:\s]+|<.*$|\s", "", module.text(node), flags=re.S)
            return _LOST_TYPES.get(written, "")
    return ""


def _span(module: Module, node: Node) -> CodeSpan:
    line = int(node.start_point[0]) + 1
    return CodeSpan(module.path, line, line)
