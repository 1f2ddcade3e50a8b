"""Declared types as a last resort, casts, and what Nest injects by decorator."""

from __future__ import annotations

from typing import TYPE_CHECKING

from auditor.code.evaluation import classes, containers, external, providers
from auditor.code.evaluation.values import (
    CYCLE,
    TYPED,
    Array,
    ClassValue,
    External,
    Frame,
    Instance,
    LibraryClass,
    LibraryObject,
    Literal,
    Object,
    Undefined,
    Unknown,
    Value,
    join,
    options_of,
)
from auditor.code.source.program import Exhausted
from auditor.code.syntax.facts import Class, Field, Function, Import, Module, Parameter, Scope
from auditor.code.syntax.lexical import key_text

if TYPE_CHECKING:
    from tree_sitter import Node

    from auditor.code.evaluation.evaluate import Evaluator

_DEEPEST = 4
_OBJECTS = frozenset(("Queue", "Worker", "QueueEvents", "FlowProducer", "QueueScheduler", "Job"))
_WRAPPERS = frozenset(("Promise", "Readonly", "Partial", "Required", "NonNullable", "Awaited", "Ref"))
_LISTS = frozenset(("Array", "ReadonlyArray", "Set", "Iterable"))
_TABLES = frozenset(("Map", "Record", "WeakMap", "ReadonlyMap"))
_NEST_QUEUES = {"InjectQueue": "Queue", "InjectFlowProducer": "FlowProducer"}
_NEST = ("@nestjs/bullmq", "@nestjs/bull")
_NEST_TOKENS = {"getQueueToken()": "Queue", "getFlowProducerToken()": "FlowProducer"}


def cast(ev: Evaluator, node: Node, scope: Scope, frame: Frame | None) -> Value:
    """`a as T`: the value, or what the type says where the value is not known."""
    value = ev.eval(node.named_children[0], scope, frame)
    if isinstance(value, Unknown) and len(node.named_children) > 1:
        return typed(ev, node.named_children[-1], scope.module) or value
    return value


def told(ev: Evaluator, parameter: Parameter, module: Module) -> Value | None:
    """An object of a concrete class, or of a package's: its declared type tells as much as its callers would."""
    if parameter.type_node is None:
        return None
    value = typed(ev, parameter.type_node, module, parameter.name)
    options = options_of(value) if value is not None else ()
    if options and all(
        isinstance(o, External) or (isinstance(o, Instance) and not _is_abstract(o.cls)) for o in options
    ):
        return value
    return None


def _is_abstract(cls: Class) -> bool:
    return cls.node.type == "abstract_class_declaration"


def settled(ev: Evaluator, value: Value, node: Node | None, module: Module, text: str = "") -> Value:
    """A value, or what its declared type says where the value alone tells less."""
    if node is None or not all(isinstance(option, Unknown | Undefined | External) for option in options_of(value)):
        return value
    declared = typed(ev, node, module, text)
    if declared is None:
        return value
    if all(isinstance(option, Unknown | Undefined) for option in options_of(value)):
        return declared
    return declared if any(isinstance(option, LibraryObject) for option in options_of(declared)) else value


def typed(ev: Evaluator, node: Node, module: Module, text: str = "", depth: int = 0) -> Value | None:
    """A value of a declared type; None where the type tells nothing that matters here."""
    if depth > _DEEPEST:
        return None
    key = (node.id, text, depth)
    if key in ev.types:
        return ev.types[key]
    ev.types[key] = None
    try:
        found = _typed(ev, node, module, text, depth)
    except Exhausted:  # the question was too dear, not the type unknown
        ev.types.pop(key, None)
        raise
    ev.types[key] = found
    return found


def _typed(ev: Evaluator, node: Node, module: Module, text: str, depth: int) -> Value | None:
    match node.type:
        case "type_annotation" | "parenthesized_type" | "readonly_type" | "flow_maybe_type":
            return typed(ev, node.named_children[0], module, text, depth) if node.named_children else None
        case "union_type" | "intersection_type":
            found = [
                value for child in node.named_children if (value := typed(ev, child, module, text, depth)) is not None
            ]
            return join(found) if found else None
        case "array_type":
            inner = typed(ev, node.named_children[0], module, text, depth + 1) if node.named_children else None
            return Array((), inner) if inner is not None else None
        case "generic_type":
            return _generic(ev, node, module, text, depth)
        case "type_identifier" | "identifier":
            return _named(ev, module.text(node), module, text, depth)
        case "nested_type_identifier" | "nested_identifier" | "member_expression":
            return _nested(ev, module.text(node), module, text)
        case "object_type":
            return _shape(ev, node, module, depth)
    return None


def _generic(ev: Evaluator, node: Node, module: Module, text: str, depth: int) -> Value | None:
    name = node.child_by_field_name("name")
    arguments = node.child_by_field_name("type_arguments")
    if name is None:
        return None
    given = arguments.named_children if arguments is not None else []
    word = module.text(name)
    if word in _WRAPPERS:
        return typed(ev, given[0], module, text, depth) if given else None
    if word in _LISTS | _TABLES and given:
        inner = typed(ev, given[-1], module, text, depth + 1)
        if inner is None:
            return None
        return (
            Array((), inner)
            if word in _LISTS - {"Set"}
            else Object({}, inner, type="Map" if "Map" in word else "Set" if word == "Set" else "object")
        )
    return typed(ev, name, module, text, depth)


def _named(ev: Evaluator, name: str, module: Module, text: str, depth: int) -> Value | None:
    alias = module.type_aliases.get(name)
    if alias is not None:
        return _aliased(ev, alias, module, text, depth)
    binding = module.scope.names.get(name)
    if binding is None:
        return None
    if isinstance(binding.fact, Class):
        return classes.any_of(ev, binding.fact)
    if isinstance(binding.fact, Import):
        target = ev.program.target(module.path, binding.fact.spec)
        if target is None:
            value = external.imported(binding.fact.spec, binding.fact.name)
            return of_library(value, text) if isinstance(value, LibraryClass) else _outside(binding.fact)
        return _exported_type(ev, target, binding.fact.name, text, depth + 1, frozenset())
    return None


def _outside(what: Import) -> Value | None:
    """An object of an npm package's class: `private readonly mailer: MailerService`."""
    package = external.package_of(what.spec)
    if (what.spec.startswith((".", "@/", "~/")) and package != external.PRISMA) or what.name in ("*",):
        return None
    name = "" if what.name == "default" else what.name
    return External(package, f"{name}()")


def _exported_type(ev: Evaluator, path: str, name: str, text: str, depth: int, seen: frozenset[str]) -> Value | None:
    module = ev.program.module(path)
    if module is None or path in seen or depth > _DEEPEST + 2:
        return None
    found = module.exports.get(name)
    if found is not None:
        kind, what = found
        if kind == "local" and isinstance(what, str):
            return _named(ev, what, module, text, depth)
        if kind == "from" and isinstance(what, Import):
            target = ev.program.target(path, what.spec)
            if target is None:
                return of_library(external.imported(what.spec, what.name), text)
            return _exported_type(ev, target, what.name, text, depth + 1, seen | {path})
        if kind == "node" and isinstance(what, tuple) and what[0].id in module.class_at:
            return classes.any_of(ev, module.class_at[what[0].id])
    for spec in module.stars:
        target = ev.program.target(path, spec)
        if target is not None and not ev.program.exported.may_pass_on(target, name):
            continue  # parsed only where it can be the one
        value = (
            _exported_type(ev, target, name, text, depth + 1, seen | {path})
            if target is not None
            else of_library(external.imported(spec, name), text)
        )
        if value is not None:
            return value
    return None


def _nested(ev: Evaluator, dotted: str, module: Module, text: str) -> Value | None:
    head, *rest = dotted.split(".")
    binding = module.scope.names.get(head)
    if binding is None or not isinstance(binding.fact, Import) or not rest:
        return None
    value = external.imported(binding.fact.spec, binding.fact.name)
    if isinstance(value, LibraryClass):
        inner = external.library_member(value.library, value.name, rest[-1])
        return of_library(inner, text) if inner is not None else None
    return None


def of_library(value: Value, text: str = "") -> Value | None:
    """An object of a library's class, known by type alone."""
    if isinstance(value, LibraryClass):
        if value.name == "Job":
            return Unknown("the job at run time", text or "job")
        if value.name in _OBJECTS:
            return LibraryObject(value.library, value.name, None, None)
    return None


def _aliased(ev: Evaluator, alias: Node, module: Module, text: str, depth: int) -> Value | None:
    if alias.type == "type_alias_declaration":
        node = alias.child_by_field_name("value")
        return typed(ev, node, module, text, depth + 1) if node is not None else None
    name = alias.child_by_field_name("name")
    implementers = providers.implementers(ev, module.text(name), module) if name is not None else []
    if implementers:
        return join([classes.any_of(ev, cls) for cls in implementers])
    for child in alias.named_children:
        if child.type == "extends_type_clause":
            for parent in child.named_children:
                value = typed(ev, parent, module, text, depth + 1)
                if isinstance(value, LibraryObject):
                    return value
    body = alias.child_by_field_name("body")
    return _shape(ev, body, module, depth) if body is not None else None


def _shape(ev: Evaluator, node: Node, module: Module, depth: int) -> Value | None:
    """An object type as far as its members are library objects, classes or collections of them."""
    made: dict[str, Value] = {}
    for child in node.named_children:
        if child.type != "property_signature":
            continue
        name, declared = child.child_by_field_name("name"), child.child_by_field_name("type")
        if name is not None and declared is not None:
            inner = typed(ev, declared, module, module.text(name), depth + 1)
            if inner is not None:
                made[key_text(module, name)] = inner
    return Object(made, open=TYPED) if made else None


def decorator(module: Module, nodes: list[Node], wanted: frozenset[str] | dict[str, str]) -> tuple[str, Node] | None:
    """The first decorator with one of the wanted names: its name and its node."""
    for node in nodes:
        inner = node.named_children[0] if node.named_children else None
        callee = (
            inner.child_by_field_name("function") if inner is not None and inner.type == "call_expression" else inner
        )
        if callee is None:
            continue
        name = module.text(callee).split(".")[-1]
        if name in wanted:
            return name, inner if inner is not None else node
    return None


def injected(ev: Evaluator, function: Function, parameter: Parameter) -> Value | None:
    """What a parameter's decorator injects."""
    nodes = [child for child in parameter.node.named_children if child.type == "decorator"]
    return _injected(ev, function.module, nodes, function.scope) if nodes else None


def injected_field(ev: Evaluator, cls: Class, field: Field) -> Value | None:
    """What a field's decorator injects."""
    return _injected(ev, cls.module, field.decorators, cls.scope) if field.decorators else None


def _injected(ev: Evaluator, module: Module, nodes: list[Node], scope: Scope) -> Value | None:
    found = decorator(module, nodes, _NEST_QUEUES)
    if found is not None:
        kind = of_nest(ev, module, found[0])
        held = found[1].child_by_field_name("arguments")
        given = [child for child in held.named_children if child.type != "comment"] if held is not None else []
        if kind is not None:
            named: tuple[Value, ...] = (ev.eval(given[0], scope),) if given else (Literal("default"),)
            return LibraryObject(kind, _NEST_QUEUES[found[0]], module, None, named, injected=True)
    found = decorator(module, nodes, frozenset(("Inject", "inject")))
    if found is not None:
        held = found[1].child_by_field_name("arguments")
        if held is not None and held.named_children:
            token = held.named_children[0]
            own = containers.registered(ev, containers.word_of(ev.eval(token, scope)))
            return own or of_token(ev, module, token, scope) or providers.provided(ev, token, scope)
    return None


def of_token(ev: Evaluator, module: Module, token: Node, scope: Scope) -> Value | None:
    """The queue or flow producer that Nest's token stands for: `getQueueToken('mail')`."""
    if token.type != "call_expression":
        return None
    for option in options_of(ev.eval(token, scope)):
        if isinstance(option, External) and option.package in _NEST and (name := _NEST_TOKENS.get(option.path)):
            named = option.arguments or (Literal("default"),)
            return LibraryObject(option.package.removeprefix("@nestjs/"), name, module, None, named, injected=True)
    return None


def of_nest(ev: Evaluator, module: Module, name: str) -> str | None:
    """`bullmq` or `bull` where `name` is imported from Nest's package for it."""
    binding = module.scope.names.get(name)
    if binding is None or not isinstance(binding.fact, Import):
        return None
    target = ev.program.target(module.path, binding.fact.spec)
    value = (
        external.imported(binding.fact.spec, binding.fact.name)
        if target is None
        else ev.export(target, binding.fact.name)
    )
    for option in options_of(value):
        if isinstance(option, LibraryClass) and option.library.startswith("@nestjs/"):
            return option.library.removeprefix("@nestjs/")
    return None


def nothing(value: Value) -> bool:
    """Whether a value says nothing at all."""
    return value is CYCLE or isinstance(value, Undefined) or (isinstance(value, ClassValue) and not value.fact.name)
