"""What a producer's data argument holds: its keys, what JSON loses of it, what is encrypted, what is bulky."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from auditor.code.evaluation import call_sites, packed, shapes
from auditor.code.evaluation.values import (
    Array,
    Env,
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
)
from auditor.code.sites import bulk
from auditor.code.sites.raw import RawProducer
from auditor.code.syntax.facts import Function, Module
from auditor.code.syntax.lexical import key_text
from auditor.model import CodeSpan

if TYPE_CHECKING:
    from tree_sitter import Node

    from auditor.code.evaluation.evaluate import Evaluator

_DEEPEST = 5
_MOST = 120
_ENCRYPT = re.compile(r"(?i)encrypt|(?<![a-z])seal|createCipher|(?<![a-z])kms\.|compactEncrypt|(?<![a-z])jwe(?![a-z])")
_BUFFER = re.compile(r"Buffer(?:\.(?:from|alloc|allocUnsafe|concat|copyBytesFrom))?\(\)(?:\.(?:slice|subarray)\(\))?")
_DIGEST = re.compile(
    r"(?i)createHash|createHmac|\bdigest\(|(?<![a-z])(?:hash|hmac|mask|redact)(?:ed|s|sync|[A-Z_]\w*)?\("
)
_WORD = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+")
_PUBLIC = frozenset(("public", "publishable", "hash", "hashed", "masked", "redacted"))
_LOST = {"Map": "a Map", "WeakMap": "a WeakMap", "Set": "a Set", "WeakSet": "a WeakSet"}
_REQUESTS = frozenset(("req", "request", "res", "response", "ctx.req", "ctx.request", "ctx.res"))


@dataclass(slots=True)
class Payload:
    """The facts about one data argument."""

    keys: dict[tuple[str, CodeSpan], None] = field(default_factory=dict)
    encrypted: dict[str, None] = field(default_factory=dict)
    lost: dict[tuple[str, str, CodeSpan], None] = field(default_factory=dict)
    bulky: dict[tuple[str, str, CodeSpan], None] = field(default_factory=dict)
    sources: dict[str, set[str]] = field(default_factory=dict)
    """By key path, what its values are taken from, as written; values that say nothing of it are left out."""

    def public(self) -> tuple[str, ...]:
        """Key paths whose every value comes from what is public or a digest by its own name: `scope.publicKey`."""
        return tuple(path for path, texts in self.sources.items() if all(map(is_public, texts)))


def is_public(text: str) -> bool:
    """Whether a value that is taken from `text` is meant to be seen: a public key, a hash, a masked text."""
    if _DIGEST.search(text):
        return True
    words = {word.lower() for word in _WORD.findall(text.rsplit(".", 1)[-1])}
    return bool(words & _PUBLIC)


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
        _passed(ev, raw, found)
    if not found.keys:
        _declared(ev, raw, found)
    return found


def _passed(ev: Evaluator, raw: RawProducer, found: Payload) -> None:
    """What callers give a parameter that is the data, where each call that is seen stands in a branch that none seems to take."""
    for node in raw.call.arguments()[:2]:
        binding = raw.call.scope.lookup(raw.call.scope.module.text(node)) if node.type == "identifier" else None
        if binding is None or binding.kind != "param" or not isinstance(binding.fact, Function) or binding.path:
            continue
        for site in call_sites.sites(ev, binding.fact):
            given = site.call.arguments() if site.position is None else []
            if binding.index < len(given):
                here = CodeSpan(site.call.scope.module.path, site.call.line, site.call.line)
                _visit(ev, ev.eval(given[binding.index], site.call.scope), "", here, found, 0)


def _declared(ev: Evaluator, raw: RawProducer, found: Payload) -> None:
    """The keys of the data's declared type, else of the type that the queue is declared with."""
    nodes = raw.call.arguments()
    position = 0 if len(nodes) == 1 else 1
    if raw.call.name != "add" or position >= len(nodes):
        return
    node = nodes[position]
    shape = shapes.of_expression(ev, node, raw.call.scope)
    _keys_of(ev, shape, "", found)
    for variant in raw.variants if not found.keys and node.type not in ("object", "string") else ():
        _keys_of(ev, shapes.of_queue(ev, variant.target), "", found)


def _keys_of(ev: Evaluator, shape: shapes.Shape | None, path: str, found: Payload) -> None:
    for key in shapes.keys(ev, shape, path) if shape is not None else ():
        if len(found.keys) > _MOST:
            return
        found.keys[key.path, key.span] = None
        if key.lost:
            found.lost[key.path, key.lost, key.span] = None


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
        elif bulk.as_written(text):
            found.bulky[name, bulk.as_written(text), here] = None
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
    options = options_of(value)
    vague = any(isinstance(one, Unknown | External) and not _lost(one) for one in options)
    """One of several things that it may be, and which is not known: none of them is held against it."""
    for one in options:
        lost = _lost(one)
        if lost and vague:
            continue
        if lost:
            found.lost[path, lost, place] = None
            if lost in ("a Buffer", "a stream"):
                found.bulky[path, lost, place] = None
            continue
        text = _text(one)
        _note(found, path, one, text)
        if text and _ENCRYPT.search(text) and path:
            found.encrypted[path] = None
        elif path and (what := bulk.of_value(one)) and (len(options) == 1 or not vague):
            found.bulky[path, what, place] = None
        _unpack(ev, one, path, place, found, depth)
        shape = shapes.of_class(one.cls) if isinstance(one, Instance) else shapes.of_value(ev, one)
        _keys_of(ev, shape, path, found)
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


def _unpack(ev: Evaluator, value: Value, path: str, place: CodeSpan, found: Payload, depth: int) -> None:
    """Note the keys of what is serialized in a value; what JSON would lose of it is the serializer's care."""
    held = Payload()
    for inner in packed.inside(ev, value):
        _visit(ev, inner, path, place, held, depth + 1)
    found.keys |= held.keys
    found.encrypted |= held.encrypted
    for name, texts in held.sources.items():
        found.sources.setdefault(name, set()).update(texts)


def _note(found: Payload, path: str, value: Value, text: str) -> None:
    """Keep what a value is taken from; a constant is taken from nothing that could be public."""
    if path and (text or (isinstance(value, Literal) and value.value)):
        found.sources.setdefault(path, set()).add(text)


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
        case External("global" | "buffer" | "node:buffer", path) if _BUFFER.fullmatch(path):
            return "a Buffer"
        case External("global", path) if path.endswith("()") and path.removesuffix("()").endswith("Error"):
            return "an Error"
        case External("global", "Symbol()"):
            return "a symbol"
        case External("fs" | "node:fs" | "stream", path) if "Stream" in path:
            return "a stream"
        case External("fs" | "node:fs" | "fs/promises" | "fs-extra", path) if (
            path.endswith(("readFile()", "readFileSync()")) and not value.arguments[1:]
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
        case Env(name):
            return name
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
