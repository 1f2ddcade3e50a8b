"""Classes and their objects: members along the inheritance, `this`, fields set by constructors, subclasses, singletons."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from auditor.code.evaluation import callers, collections_, types
from auditor.code.evaluation.values import (
    UNDEFINED,
    ClassValue,
    External,
    Frame,
    FunctionValue,
    Instance,
    LibraryClass,
    Literal,
    Undefined,
    Unknown,
    Value,
    is_nothing,
    join,
    options_of,
)
from auditor.code.syntax.facts import Class, Field, Function, Scope

if TYPE_CHECKING:
    from tree_sitter import Node

    from auditor.code.evaluation.evaluate import Evaluator

_DEEPEST = 8


def any_of(ev: Evaluator, cls: Class) -> Instance:
    """Any object of a class; always the same one, so that answers are kept."""
    known = ev.objects.get(("any", id(cls)))
    if not isinstance(known, Instance):
        known = Instance(cls, where=(cls.module.path, int(cls.node.start_point[0]) + 1))
        ev.objects["any", id(cls)] = known
    return known


def run_on(ev: Evaluator, own: Instance, method: Function) -> Frame | None:
    """The call of a method that a base class wrote, on an object of `own`'s class: there `this.step()` is that class's step.

    None where its own class wrote it: `this` tells as much then. One frame per object, so that what it evaluates is kept.
    """
    if method.cls is own.cls or method.cls is None:
        return None
    key = ("run on", id(own), id(method))
    known = ev.frames.get(key)
    if known is None:
        given = tuple(Unknown("nobody is seen to pass it", parameter.name) for parameter in method.parameters)
        known = ev.frames[key] = Frame(method, given, own, None, 0)
    return known


def this(ev: Evaluator, scope: Scope, frame: Frame | None) -> Value:
    """What `this` is in `scope`."""
    function = scope.method
    at = frame
    while at is not None:
        if at.this is not None and (at.owner is function or (function is None and at.owner is scope.cls)):
            return at.this
        at = at.parent
    cls = scope.cls
    if cls is None:
        return Unknown("`this` outside of a class", "this")
    if function is not None and (function.is_static or function.cls is not cls):
        return ClassValue(cls)
    if function is None and _in_static(scope):
        return ClassValue(cls)
    return any_of(ev, cls)


def _in_static(scope: Scope) -> bool:
    return scope.cls is not None and scope is not scope.cls.scope


def base_of(ev: Evaluator, cls: Class) -> Value | None:
    """What a class extends."""
    return ev.eval(cls.base, cls.outer) if cls.base is not None else None


def ancestry(ev: Evaluator, cls: Class) -> list[Class]:
    """A class and the classes of the program that it extends, nearest first."""
    chain: list[Class] = []
    at: Class | None = cls
    while at is not None and at not in chain and len(chain) < _DEEPEST:
        chain.append(at)
        base = base_of(ev, at)
        at = (
            next((option.fact for option in options_of(base) if isinstance(option, ClassValue)), None)
            if base is not None
            else None
        )
    return chain


def library_base(ev: Evaluator, cls: Class) -> LibraryClass | None:
    """The library class that a class extends, in any number of steps."""
    for step in ancestry(ev, cls):
        base = base_of(ev, step)
        if base is not None:
            found = next((option for option in options_of(base) if isinstance(option, LibraryClass)), None)
            if found is not None:
                return found
    return None


def external_base(ev: Evaluator, cls: Class) -> External | None:
    """The class of an npm package that a class extends, in any number of steps: `PrismaService extends PrismaClient`."""
    base = base_of(ev, ancestry(ev, cls)[-1])
    if base is None:
        return None
    return next(
        (v for v in options_of(base) if isinstance(v, External) and v.package not in ("global", "events")), None
    )


def constructor_of(ev: Evaluator, cls: Class) -> Function | None:
    """The constructor that `new` runs first: its own, or the nearest inherited one."""
    return next((step.constructor for step in ancestry(ev, cls) if step.constructor is not None), None)


def find(ev: Evaluator, cls: Class, name: str) -> Function | None:
    """The method or getter that an object of `cls` has."""
    return next((step.members[name] for step in ancestry(ev, cls) if name in step.members), None)


def subclasses(ev: Evaluator, cls: Class) -> list[Class]:
    """Classes of the program that extend `cls`, in any number of steps."""
    known = ev.children.get(id(cls))
    if known is not None:
        return known
    known = []
    ev.begin(ev.children, id(cls))
    ev.children[id(cls)] = known
    for module in ev.program.users(cls):
        for other in module.classes:
            if other is not cls and other.base is not None:
                base = base_of(ev, other)
                if base is not None and any(
                    isinstance(option, ClassValue) and option.fact is cls for option in options_of(base)
                ):
                    known.append(other)
    for child in list(known):
        known.extend(inner for inner in subclasses(ev, child) if inner not in known)
    ev.done(ev.children, id(cls), known)
    return known


def construct(
    ev: Evaluator,
    cls: Class,
    arguments: tuple[Value, ...],
    frame: Frame | None,
    key: tuple[int, int],
    where: tuple[str, int] | None,
) -> Instance:
    """`new cls(...arguments)`; one construction is one object."""
    known = ev.objects.get(key)
    if isinstance(known, Instance):
        return known
    made = Instance(cls, arguments, frame, where, hash(key))
    ev.objects[key] = made
    return made


def constructor_frame(ev: Evaluator, instance: Instance, step: Class) -> Frame | None:
    """The frame in which the constructor of `step`, a class in the object's ancestry, runs.

    None for any object of a class that is constructed itself: then all constructions count. What a subclass hands to
    `super` is known even so.
    """
    key = ("constructor", id(instance), id(step))
    if key in ev.frames:
        return ev.frames[key]
    arguments = instance.arguments
    for at in ancestry(ev, instance.cls):
        constructor = at.constructor
        if at is step:
            if arguments is None:
                return None
            owner: Function | Class = constructor if constructor is not None else at
            ev.frames[key] = Frame(owner, arguments, instance, instance.frame if at is instance.cls else None, 2)
            return ev.frames[key]
        if constructor is None:
            continue
        frame = constructor_frame(ev, instance, at)
        call = next((c for c in at.module.calls_named("super") if c.scope.func is constructor), None)
        arguments = callers.lazily(ev, call, frame) if call is not None else ()
    return None


def instance_member(ev: Evaluator, instance: Instance, name: str) -> Value:
    """`object.name`."""
    key = ("member", id(instance), name)
    known = ev.fields.get(key)
    if known is None:
        ev.begin(ev.fields, key)
        known = _instance_member(ev, instance, name)
        ev.done(ev.fields, key, known)
    return known


def _instance_member(ev: Evaluator, instance: Instance, name: str) -> Value:
    if name == "constructor":
        return (
            ClassValue(instance.cls)
            if instance.arguments is not None
            else Unknown("which class it is", "this.constructor")
        )
    found: list[Value] = []
    for step in ancestry(ev, instance.cls):
        value = _own_member(ev, instance, step, name)
        if value is not None:
            found.append(value)
            if not isinstance(value, Undefined | Unknown):
                break
    if instance.arguments is None:
        own = len(found)
        for child in subclasses(ev, instance.cls):
            if name in child.members or name in child.fields or _assigns(child, name):
                value = _own_member(ev, any_of(ev, child), child, name)
                if value is not None:
                    found.append(value)
        if len(found) > own and all(isinstance(v, Literal) and v.value == "" for v in found[:own]):
            del found[:own]  # `name = ''` in a base class: a place for what its subclasses fill in
    real = [value for value in found if not isinstance(value, Undefined)]
    if real:
        sure = [value for value in real if not isinstance(value, Unknown)]
        return join(sure or real)
    if found:
        return found[0]
    outside = external_base(ev, instance.cls)
    if outside is not None:
        return External(outside.package, f"{outside.path}().{name}", where=instance.where)
    return Unknown(f"{instance.cls.name} has no member `{name}` that is seen", f"this.{name}")


def _assigns(cls: Class, name: str) -> bool:
    return any(
        change.scope.cls is cls and change.left.child_by_field_name("object") is not None
        for change in cls.module.member_assignments.get(name, ())
    )


def _own_member(ev: Evaluator, instance: Instance, step: Class, name: str) -> Value | None:
    method = step.members.get(name)
    if method is not None and name != "constructor":
        bound = FunctionValue(method, None, instance)
        return ev.call(bound, (), None) if method.kind == "get" else bound
    field = step.fields.get(name)
    values: list[Value] = []
    if field is not None and not field.is_static:
        values.append(_field_value(ev, instance, step, field))
    constructor = step.constructor
    if constructor is not None:
        for index, parameter in enumerate(constructor.parameters):
            if parameter.is_property and parameter.name == name:
                binding = constructor.scope.names[name]
                from auditor.code.evaluation import names as names_

                del index
                values.append(names_.parameter(ev, binding, constructor_frame(ev, instance, step)))
    values.extend(_assigned(ev, instance, step, name))
    if not values:
        return None
    kept = [value for value in values if not is_nothing(value)] or values[:1]
    value = join(kept)
    value = collections_.mutated(
        ev,
        value,
        step.module,
        name,
        lambda node, scope: _on_this(step, node, scope, name),
        constructor_frame(ev, instance, step),
    )
    return types.settled(ev, value, field.type_node, step.module, name) if field is not None else value


def _field_value(ev: Evaluator, instance: Instance, step: Class, field: Field) -> Value:
    injected = types.injected_field(ev, step, field)
    if injected is not None:
        return injected
    if field.value is None:
        return UNDEFINED
    frame = None
    if instance.arguments is not None:
        key = ("fields", id(instance), id(step))
        frame = ev.frames.get(key)
        if frame is None:
            frame = ev.frames[key] = Frame(step, (), instance, instance.frame, 2)
    return ev.eval(field.value, step.scope, frame)


def _assigned(ev: Evaluator, instance: Instance, step: Class, name: str) -> list[Value]:
    found: list[Value] = []
    for change in step.module.member_assignments.get(name, ()):
        held = change.left.child_by_field_name("object")
        if held is None or held.type != "this" or change.scope.cls is not step or change.op in ("+=", "-="):
            continue
        function = change.scope.method
        if function is not None and function.is_static:
            continue
        if function is step.constructor:
            frame = constructor_frame(ev, instance, step)
        elif function is not None and (instance.arguments is not None or instance.cls is not step):
            frame = Frame(function, (), instance, None, 2) if not function.parameters else None
        else:
            frame = None
        for turn in callers.turns(ev, change.scope, frame):
            found.append(ev.eval(change.right, change.scope, turn))
    return found


def _on_this(cls: Class, node: Node, scope: Scope, name: str) -> bool:
    if node.type != "member_expression" or scope.cls is not cls:
        return False
    held = node.child_by_field_name("object")
    return held is not None and (held.type == "this" or scope.module.text(held) == cls.name)


def _on_class(cls: Class, name: str, node: Node, scope: Scope) -> bool:
    return _on_this(cls, node, scope, name)


def static_member(ev: Evaluator, value: ClassValue, name: str) -> Value:
    """`Class.name`."""
    key = ("static", id(value.fact), name)
    known = ev.fields.get(key)
    if known is None:
        ev.begin(ev.fields, key)
        known = _static_member(ev, value, name)
        ev.done(ev.fields, key, known)
    return known


def _static_member(ev: Evaluator, value: ClassValue, name: str) -> Value:
    for cls in ancestry(ev, value.fact):
        method = cls.statics.get(name)
        if method is not None:
            bound = FunctionValue(method, value.frame, ClassValue(value.fact))
            return ev.call(bound, (), None) if method.kind == "get" else bound
        values: list[Value] = []
        field = cls.fields.get(name)
        if field is not None and field.is_static:
            values.append(ev.eval(field.value, cls.scope) if field.value is not None else UNDEFINED)
        for change in cls.module.member_assignments.get(name, ()):
            held = change.left.child_by_field_name("object")
            if held is None or change.op in ("+=", "-="):
                continue
            function = change.scope.method
            mine = held.type == "this" and change.scope.cls is cls and (function is None or function.is_static)
            if mine or (held.type == "identifier" and cls.module.text(held) == cls.name):
                values.append(ev.eval(change.right, change.scope))
        if values:
            kept = [v for v in values if not is_nothing(v)] or values[:1]
            same = partial(_on_class, cls, name)
            joined = collections_.mutated(ev, join(kept), cls.module, name, same, None)
            if isinstance(joined, Unknown | Undefined) and field is not None and field.type_node is not None:
                return types.typed(ev, field.type_node, cls.module, name) or joined
            return joined
    if name == "name":
        return Literal(value.fact.name)
    outside = external_base(ev, value.fact)
    if outside is not None:
        return External(outside.package, f"{outside.path}.{name}" if outside.path else name)
    return Unknown(f"{value.fact.name}.{name} is not defined", f"{value.fact.name}.{name}")


def super_member(ev: Evaluator, name: str, scope: Scope, frame: Frame | None) -> Value:
    """`super.name`."""
    cls = scope.cls
    if cls is None:
        return Unknown("`super` outside of a class")
    bound = this(ev, scope, frame)
    for step in ancestry(ev, cls)[1:]:
        method = step.members.get(name) or step.statics.get(name)
        if method is not None:
            return FunctionValue(method, None, bound)
    return Unknown(f"super.{name} is not in the repository", f"super.{name}")
