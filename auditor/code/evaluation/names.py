"""What a name stands for: variables with all that is assigned to them, parameters over their call sites, imports, exports."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from auditor.code.evaluation import callers, collections_, containers, external, handed, types
from auditor.code.evaluation.collections_ import Mutation
from auditor.code.evaluation.lazy_members import without
from auditor.code.evaluation.values import (
    CYCLE,
    UNDEFINED,
    Array,
    ClassValue,
    External,
    Frame,
    FunctionValue,
    Literal,
    Namespace,
    Object,
    Undefined,
    Unknown,
    Value,
    is_nothing,
    join,
    options_of,
)
from auditor.code.syntax.facts import Binding, Class, Function, Import, Module, Scope, Step, default_of
from auditor.code.syntax.lexical import key_text, unquote

if TYPE_CHECKING:
    from tree_sitter import Node

    from auditor.code.evaluation.evaluate import Evaluator

__all__ = ["Mutation", "binding_value", "export", "follow", "identifier", "parameter"]


def identifier(ev: Evaluator, name: str, node: Node, scope: Scope, frame: Frame | None) -> Value:
    """The value of a name as seen from `scope`."""
    binding = scope.lookup(name)
    if binding is None:
        if name == "undefined":
            return UNDEFINED
        if name == "exports":
            return Namespace(scope.module.path)
        if name == "module":
            return Object({"exports": Namespace(scope.module.path)})
        return external.global_value(name, ev.where(scope.module, node))
    return binding_value(ev, binding, frame)


def binding_value(ev: Evaluator, binding: Binding, frame: Frame | None) -> Value:
    """The value of a binding in the calls that `frame` stands for."""
    match binding.kind:
        case "var":
            return _variable(ev, binding, ev.dependence.frame_of(binding, frame))
        case "param":
            return parameter(ev, binding, frame)
        case "func":
            assert isinstance(binding.fact, Function)
            return FunctionValue(binding.fact, ev.dependence.frame_of(binding, frame))
        case "class":
            assert isinstance(binding.fact, Class)
            return ClassValue(binding.fact, ev.dependence.frame_of(binding, frame))
        case "enum":
            return _enum(ev, binding)
        case "import":
            assert isinstance(binding.fact, Import)
            return imported(ev, binding.scope.module.path, binding.fact.spec, binding.fact.name)
        case "each" | "key":
            return _looped(ev, binding, frame)
    return Unknown("an error", binding.name)


def _variable(ev: Evaluator, binding: Binding, frame: Frame | None) -> Value:
    memo = frame.memo if frame is not None else binding.scope.module.memo
    known = memo.get(id(binding))
    if known is not None:
        return known  # type: ignore[return-value]  # what the memo holds is a Value
    ev.begin(memo, id(binding))
    value = _initial(ev, binding, frame)
    module = binding.scope.module
    if not binding.const:
        value = _reassigned(ev, binding, value, frame)
    value = collections_.mutated(ev, value, module, binding.name, lambda node, scope: _is(node, scope, binding), frame)
    value = types.settled(ev, value, binding.type_node, module)
    ev.done(memo, id(binding), value)
    return value


def _is(node: Node, scope: Scope, binding: Binding) -> bool:
    return node.type == "identifier" and scope.lookup(binding.name) is binding


def _initial(ev: Evaluator, binding: Binding, frame: Frame | None) -> Value:
    if binding.node is None:
        return UNDEFINED
    value = ev.eval(binding.node, binding.scope, frame)
    return follow(ev, value, binding.path, binding.scope, frame)


def _reassigned(ev: Evaluator, binding: Binding, value: Value, frame: Frame | None) -> Value:
    module, found = binding.scope.module, list[Value]()
    for assignment in module.assignments.get(binding.name, ()):
        if assignment.scope.lookup(binding.name) is not binding or assignment.op in ("-=", "*=", "/="):
            continue
        if assignment.op == "+=":
            found.append(
                Unknown(
                    "it is built up step by step",
                    binding.name,
                    parts=(ev.eval(assignment.right, assignment.scope, frame),),
                )
            )
        else:
            taken = ev.eval(assignment.right, assignment.scope, frame)
            found.append(follow(ev, taken, assignment.path, assignment.scope, frame))
    if not found:
        return value
    kept = [] if is_nothing(value) else [value]
    return (
        join([*kept, *(option for option in found if not is_nothing(option) or len(found) == 1)])
        if kept or found
        else value
    )


def follow(ev: Evaluator, value: Value, path: tuple[Step, ...], scope: Scope, frame: Frame | None) -> Value:
    """The part of a value that a destructuring pattern takes."""
    for step in path:
        op, what = step
        default = default_of(step)
        if op == ".":
            value = ev.member(value, str(what).strip("[]"))
        elif op == "[":
            value = join([_item(option, int(str(what))) for option in options_of(value)])
        elif op == "[...":
            value = join(
                [
                    Array(o.items[int(str(what)) :], o.rest)
                    if isinstance(o, Array)
                    else Array((), Unknown("an element"))
                    for o in options_of(value)
                ]
            )
        elif op == "...":
            value = join([_remaining(option, what if isinstance(what, tuple) else ()) for option in options_of(value)])
        elif default is not None:
            value = defaulted(ev, value, default, scope, frame)
    return value


def defaulted(ev: Evaluator, value: Value, default: Node, scope: Scope, frame: Frame | None) -> Value:
    """A value with the default that stands in where it is undefined or nobody passes it."""
    options = options_of(value)
    missing = [
        o for o in options if isinstance(o, Undefined) or (isinstance(o, Unknown) and (o.uncalled or o is CYCLE))
    ]
    if not missing:
        return value
    return join([*(o for o in options if o not in missing), ev.eval(default, scope, frame)])


def _item(value: Value, index: int) -> Value:
    if isinstance(value, Array):
        if index < len(value.items):
            return value.items[index]
        return value.rest if value.rest is not None else UNDEFINED
    return collections_.item_of(value) if not is_nothing(value) else UNDEFINED


def _remaining(value: Value, taken: tuple[object, ...]) -> Value:
    if isinstance(value, Object):
        return Object(
            without(value.members, taken),
            value.rest,
            value.open,
            value.where,
            value.type,
            value.via,
        )
    return value


def parameter(ev: Evaluator, binding: Binding, frame: Frame | None) -> Value:
    """A parameter in the call of `frame`, or over all call sites; by type or injection where nobody is seen to pass it."""
    from auditor.code.evaluation.evaluate import frame_of

    function = binding.fact
    assert isinstance(function, Function)
    own = frame_of(function, frame)
    memo = own.memo if own is not None else (frame.memo if frame is not None else function.module.memo)
    known = memo.get(id(binding))
    if known is not None:
        return known  # type: ignore[return-value]  # what the memo holds is a Value
    ev.begin(memo, id(binding))
    declared = function.parameters[binding.index]
    if own is not None:
        value = callers.forced_argument(ev, own.arguments, binding.index, declared.is_rest)
    else:
        value = (
            types.injected(ev, function, declared)
            or containers.injected(ev, function, declared)
            or types.told(ev, declared, function.module)
            or callers.joined(ev, function, binding.index, frame)
        )
    if declared.default is not None:
        value = defaulted(ev, value, declared.default, function.scope, frame)
    if isinstance(value, Unknown) and not value.text and declared.name:
        value = replace(value, text=declared.name)
    if not isinstance(value, Undefined):
        value = types.settled(ev, value, declared.type_node, function.module, declared.name)
    value = follow(ev, value, binding.path, function.scope, frame)
    if isinstance(value, Unknown) and not value.text and binding.name in handed.CONTEXTS:
        value = replace(value, text=binding.name)
    if not binding.path:
        value = _parameter_changes(ev, binding, value, frame)
    ev.done(memo, id(binding), value)
    return value


def _parameter_changes(ev: Evaluator, binding: Binding, value: Value, frame: Frame | None) -> Value:
    value = _reassigned(ev, binding, value, frame) if binding.name in binding.scope.module.assignments else value
    return collections_.mutated(
        ev, value, binding.scope.module, binding.name, lambda node, scope: _is(node, scope, binding), frame
    )


def _looped(ev: Evaluator, binding: Binding, frame: Frame | None) -> Value:
    from auditor.code.evaluation.evaluate import frame_of

    turn = frame_of(binding.scope, frame)
    if turn is not None:
        value = turn.arguments[0]
    elif binding.node is None:
        value = Unknown("a loop variable", binding.name)
    else:
        over = ev.eval(binding.node, binding.scope.parent or binding.scope, frame)
        value = (
            join([*collections_.elements(over, binding.kind == "key")])
            if not isinstance(over, Unknown)
            else Unknown(over.why, binding.name)
        )
    return follow(ev, value, binding.path, binding.scope, frame)


def _enum(ev: Evaluator, binding: Binding) -> Value:
    node, module = binding.node, binding.scope.module
    body = node.child_by_field_name("body") if node is not None else None
    made: dict[str, Value] = {}
    following = 0
    for child in body.named_children if body is not None else ():
        if child.type == "enum_assignment":
            name, value = child.child_by_field_name("name"), child.child_by_field_name("value")
            if name is not None and value is not None:
                worth = ev.eval(value, binding.scope)
                made[key_text(module, name)] = worth
                following = int(worth.value) + 1 if isinstance(worth, Literal) and isinstance(worth.value, int) else 0
        elif child.type in ("property_identifier", "string"):
            made[unquote(module.text(child)) if child.type == "string" else module.text(child)] = Literal(
                following, ev.where(module, child)
            )
            following += 1
    return Object(made, where=ev.where(module, node) if node is not None else None)


def imported(ev: Evaluator, importer: str, spec: str, name: str) -> Value:
    """What `import {name} from spec` gives in a file."""
    target = ev.program.target(importer, spec)
    if target is None:
        return external.imported(spec, name)
    if target.endswith(".json"):
        data = external.json_value(ev.program.tree.json(target), (target, 1))
        return data if name in ("*", "default", "=") else ev.member(data, name)
    if name == "*":
        return Namespace(target)
    return export(ev, target, "=" if name == "=" else name)


def export(ev: Evaluator, path: str, name: str) -> Value:
    """What a module exports as `name` (`=`: what `require` gives)."""
    key = (path, name)
    if key not in ev.exports:
        ev.begin(ev.exports, key)
        ev.done(ev.exports, key, _export(ev, path, name))
    return ev.exports[key]


def _export(ev: Evaluator, path: str, name: str) -> Value:
    module = ev.program.module(path)
    if module is None:
        return Unknown(f"{path} could not be read", name)
    if name == "=":
        return _required(ev, module)
    found = module.exports.get(name)
    if found is not None:
        return _exported(ev, module, found)
    if "=" in module.exports:
        whole = _exported(ev, module, module.exports["="])
        return whole if name == "default" else ev.member(whole, name)
    if name == "default" and module.exports and not module.stars:
        return Namespace(path)
    for target in ev.program.exported.starred(path):
        if not ev.program.exported.may_export(target, name):
            continue  # parsed only where it can be the one
        inner = ev.program.module(target)
        if inner is not None and (name in inner.exports or ("=" in inner.exports and name != "default")):
            value = export(ev, target, name)
            if not (isinstance(value, Unknown) and value.why.endswith("is not exported")):
                return value
    for spec in _outside_stars(ev, path):
        outside = external.imported(spec, name)
        if not isinstance(outside, External):
            return outside
    return Unknown(f"`{name}` is not exported", name)


def _outside_stars(ev: Evaluator, path: str) -> list[str]:
    """Packages whose exports a file passes on."""
    found: list[str] = []
    exported = ev.program.exported
    for target in (path, *exported.starred(path)):
        found.extend(spec for spec in exported.stars(target) if ev.program.target(target, spec) is None)
    return found


def _required(ev: Evaluator, module: Module) -> Value:
    if "=" in module.exports:
        whole = _exported(ev, module, module.exports["="])
        added = {
            k: v for k, v in module.exports.items() if k != "=" and isinstance(whole, Object) and k not in whole.members
        }
        if added and isinstance(whole, Object):
            return Object(
                {**whole.members, **{k: _exported(ev, module, v) for k, v in added.items()}},
                whole.rest,
                whole.open,
                whole.where,
            )
        return whole
    return Namespace(module.path)


def _exported(ev: Evaluator, module: Module, found: tuple[str, object]) -> Value:
    kind, what = found
    if kind == "local" and isinstance(what, str):
        binding = module.scope.names.get(what)
        return binding_value(ev, binding, None) if binding is not None else Unknown(f"`{what}` is not defined", what)
    if kind == "from" and isinstance(what, Import):
        return imported(ev, module.path, what.spec, what.name)
    if kind == "node" and isinstance(what, tuple):
        return ev.eval(what[0], what[1])
    return Unknown("an export that is not understood")
