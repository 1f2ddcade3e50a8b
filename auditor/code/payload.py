"""What a producer's data argument holds: its keys, what JSON loses of it, what is encrypted, what is bulky."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from auditor.code.facts import Import, Module
from auditor.code.sites import RawProducer
from auditor.code.syntax import key_text
from auditor.code.values import (
    Array,
    External,
    FunctionValue,
    Instance,
    Literal,
    Object,
    Template,
    Unknown,
    Value,
    is_nothing,
    options_of,
    text_of,
)  # fmt: skip
from auditor.model import CodeSpan

if TYPE_CHECKING:
    from tree_sitter import Node

    from auditor.code.evaluate import Evaluator

_DEEPEST = 5
_MOST = 120
_ENCRYPT = re.compile(r"(?i)encrypt|(?<![a-z])seal|createCipher|(?<![a-z])kms\.|compactEncrypt|(?<![a-z])jwe(?![a-z])")
_BULK = re.compile(
    r"(?i)readFile|toString\('base64'\)|base64|arrayBuffer\(\)|\bbuffer\b|file\.buffer|getBuffer|toBuffer|toDataURL|Buffer\.(?:from|concat|alloc)"
)
_LOST = {"Map": "a Map", "WeakMap": "a WeakMap", "Set": "a Set", "WeakSet": "a WeakSet"}
_REQUESTS = frozenset(("req", "request", "res", "response", "ctx.req", "ctx.request", "ctx.res"))


@dataclass(slots=True)
class Payload:
    """The facts about one data argument."""

    keys: dict[tuple[str, CodeSpan], None] = field(default_factory=dict)
    encrypted: dict[str, None] = field(default_factory=dict)
    lost: dict[tuple[str, str, CodeSpan], None] = field(default_factory=dict)
    bulky: dict[tuple[str, str, CodeSpan], None] = field(default_factory=dict)


def of(ev: Evaluator, raw: RawProducer) -> Payload:
    """The payload of a producing call over all of its variants."""
    found = Payload()
    call = raw.call
    here = CodeSpan(call.scope.module.path, call.line, call.line)
    for variant in raw.variants:
        _visit(ev, variant.data, "", here, found, 0)
    if not found.keys:
        _written(raw, found)
    if not found.keys:
        for name, place in _declared(ev, raw):
            found.keys[name, place] = None
    return found


def _written(raw: RawProducer, found: Payload) -> None:
    """The keys as the literal has them, where its values were too dear to resolve: at the call, or of a variable beside it."""
    for node in raw.call.arguments()[:2]:
        literal = node if node.type == "object" else _local_object(node, raw) if node.type == "identifier" else None
        if literal is not None:
            _written_object(raw.call.scope.module, literal, "", found, 0)


def _written_object(module: Module, literal: Node, path: str, found: Payload, depth: int) -> None:
    for child in literal.named_children:
        key = child.child_by_field_name("key") if child.type == "pair" else child
        if key is None or child.type not in ("pair", "shorthand_property_identifier"):
            continue
        name = f"{path}.{key_text(module, key)}" if path else key_text(module, key)
        here = CodeSpan(module.path, int(child.start_point[0]) + 1, int(child.start_point[0]) + 1)
        value = child.child_by_field_name("value")
        text = module.text(value) if value is not None else ""
        found.keys[name, here] = None
        if value is not None and value.type == "object" and depth < _DEEPEST:
            _written_object(module, value, name, found, depth + 1)
        elif _ENCRYPT.search(text):
            found.encrypted[name] = None
        elif _BULK.search(text):
            found.bulky[name, text[:60], here] = None
        lost = _lost_as_written(value.type if value is not None else "", text)
        if lost:
            found.lost[name, lost, here] = None


def _lost_as_written(kind: str, text: str) -> str:
    if kind in ("arrow_function", "function_expression"):
        return "a function"
    made = re.match(r"new\s+(Map|Set|WeakMap|WeakSet)\b", text)
    return _LOST[made[1]] if made else ""


def _local_object(node: Node, raw: RawProducer) -> Node | None:
    """The object literal that a `const` of the same function is."""
    at = node.parent
    while at is not None and at.type not in (
        "arrow_function",
        "function_expression",
        "function_declaration",
        "method_definition",
        "program",
    ):
        at = at.parent
    stack = [at] if at is not None else []
    while stack:
        one = stack.pop()
        name, value = one.child_by_field_name("name"), one.child_by_field_name("value")
        if one.type == "variable_declarator" and name is not None and name.text == node.text and value is not None:
            return value if value.type == "object" else None
        stack.extend(one.named_children)
    return None


def _visit(ev: Evaluator, value: Value, path: str, place: CodeSpan, found: Payload, depth: int) -> None:
    if depth > _DEEPEST or len(found.keys) > _MOST:
        return
    for one in options_of(value):
        lost = _lost(one)
        if lost:
            found.lost[path, lost, place] = None
            if lost in ("a Buffer", "a stream"):
                found.bulky[path, lost, place] = None
            continue
        text = _text(one)
        if text and _ENCRYPT.search(text) and path:
            found.encrypted[path] = None
        elif text and _BULK.search(text) and path:
            found.bulky[path, text[:60], place] = None
        if isinstance(one, Array):
            for item in (*one.items[:10], *([one.rest] if one.rest is not None else [])):
                _visit(ev, item, path, place, found, depth + 1)
        if isinstance(one, Object):
            places = _places(ev, one)
            for name, member in one.members.items():
                inner = f"{path}.{name}" if path else name
                at = places.get(name, place)
                if is_nothing(member) and not isinstance(member, Literal):
                    continue
                found.keys[inner, at] = None
                _visit(ev, member, inner, at, found, depth + 1)


def _lost(value: Value) -> str:
    """What JSON makes of a value that it can't hold; empty where it can."""
    match value:
        case Object(_, _, _, _, kind) if kind in _LOST:
            return _LOST[kind]
        case FunctionValue():
            return "a function"
        case Literal() if value.big:
            return "a BigInt"
        case Instance(cls):
            return (
                f"an object of class {cls.name}"
                if cls.members.keys() - {"constructor", "toJSON"} and "toJSON" not in cls.members
                else ""
            )
        case External("global" | "buffer" | "node:buffer", path) if (
            path.startswith("Buffer") and path.endswith("()") and "toString" not in path
        ):
            return "a Buffer"
        case External("global", path) if path.endswith("()") and path.removesuffix("()").endswith("Error"):
            return "an Error"
        case External("global", "Symbol()"):
            return "a symbol"
        case External("fs" | "node:fs" | "stream", path) if "Stream" in path:
            return "a stream"
        case External("fs" | "node:fs" | "fs/promises" | "fs-extra", path) if (
            "readFile" in path and "()" in path and not value.arguments[1:]
        ):
            return "a Buffer"
        case Unknown(_, text) if text in _REQUESTS:
            return "a request or response object"
    return ""


def _text(value: Value) -> str:
    match value:
        case Unknown(_, text):
            return text
        case External(package, path):
            return f"{package}.{path}"
        case Template():
            return text_of(value)
    return ""


def _places(ev: Evaluator, value: Object) -> dict[str, CodeSpan]:
    """Where each key of an object literal is written."""
    if value.node is None or value.where is None:
        return {}
    module = ev.program.module(value.where[0])
    found: dict[str, CodeSpan] = {}
    for child in value.node.named_children if module is not None else ():
        key = child.child_by_field_name("key") or (child if child.type == "shorthand_property_identifier" else None)
        if key is not None and module is not None:
            line = int(key.start_point[0]) + 1
            found[key_text(module, key)] = CodeSpan(module.path, line, line)
    return found


def _declared(ev: Evaluator, raw: RawProducer) -> Iterator[tuple[str, CodeSpan]]:
    """Key paths of the data's declared type, where the value itself shows none."""
    call = raw.call
    nodes = call.arguments()
    position = 0 if len(nodes) == 1 or call.name != "add" else 1
    if call.name not in ("add",) or position >= len(nodes) or nodes[position].type != "identifier":
        return
    module = call.scope.module
    binding = call.scope.lookup(module.text(nodes[position]))
    if binding is not None and binding.type_node is not None:
        yield from type_keys(ev, binding.type_node, module, "", 0)


def type_keys(ev: Evaluator, node: Node, module: Module, path: str, depth: int) -> Iterator[tuple[str, CodeSpan]]:  # noqa: PLR0912  # one branch per kind
    """Key paths of a declared type."""
    if depth > _DEEPEST:
        return
    match node.type:
        case (
            "type_annotation"
            | "parenthesized_type"
            | "readonly_type"
            | "intersection_type"
            | "union_type"
            | "extends_type_clause"
        ):
            for child in node.named_children:
                yield from type_keys(ev, child, module, path, depth + 1)
        case "array_type":
            yield from type_keys(ev, node.named_children[0], module, path, depth + 1)
        case "object_type" | "interface_body":
            for child in node.named_children:
                name, declared = child.child_by_field_name("name"), child.child_by_field_name("type")
                if child.type == "property_signature" and name is not None:
                    inner = f"{path}.{key_text(module, name)}" if path else key_text(module, name)
                    line = int(child.start_point[0]) + 1
                    yield inner, CodeSpan(module.path, line, line)
                    if declared is not None:
                        yield from type_keys(ev, declared, module, inner, depth + 1)
        case "generic_type":
            held = node.child_by_field_name("type_arguments")
            name = node.child_by_field_name("name")
            if name is not None and module.text(name) in (
                "Omit",
                "Pick",
                "Partial",
                "Required",
                "Readonly",
                "Array",
                "Promise",
            ):
                for child in held.named_children[:1] if held is not None else ():
                    yield from type_keys(ev, child, module, path, depth + 1)
            elif name is not None:
                yield from type_keys(ev, name, module, path, depth + 1)
        case "type_identifier" | "identifier":
            yield from _named_keys(ev, module.text(node), module, path, depth)


def _named_keys(ev: Evaluator, name: str, module: Module, path: str, depth: int) -> Iterator[tuple[str, CodeSpan]]:
    alias = module.type_aliases.get(name)
    if alias is not None:
        for field_ in ("value", "body"):
            inner = alias.child_by_field_name(field_)
            if inner is not None:
                yield from type_keys(ev, inner, module, path, depth + 1)
        for child in alias.named_children:
            if child.type == "extends_type_clause":
                yield from type_keys(ev, child, module, path, depth + 1)
        return
    binding = module.scope.names.get(name)
    if binding is None or not isinstance(binding.fact, Import):
        return
    at: str | None = module.path
    spec, wanted = binding.fact.spec, binding.fact.name
    for _ in range(4):
        at = ev.program.target(at, spec) if at is not None else None
        target = ev.program.module(at) if at is not None else None
        if target is None:
            return
        if wanted in target.type_aliases:
            yield from _named_keys(ev, wanted, target, path, depth + 1)
            return
        kind, what = target.exports.get(wanted, ("", None))
        if kind == "from" and isinstance(what, Import):
            spec, wanted = what.spec, what.name
        elif target.stars:
            spec = target.stars[0]
        else:
            return
