"""Calls and constructions: user functions by their returns, library classes, builtins, `require`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from auditor.code.evaluation import callers, classes, external, global_objects, schemas, types, unset, utilities
from auditor.code.evaluation.values import (
    CYCLE,
    UNDEFINED,
    ClassValue,
    External,
    Frame,
    FunctionValue,
    Instance,
    LibraryClass,
    LibraryObject,
    Literal,
    Object,
    Template,
    Undefined,
    Unknown,
    Value,
    Where,
    identity,
    is_nothing,
    join,
    options_of,
    text_of,
)
from auditor.code.syntax.facts import Call, Function, Scope
from auditor.code.syntax.lexical import callee_of, unquote

if TYPE_CHECKING:
    from tree_sitter import Node

    from auditor.code.evaluation.evaluate import Evaluator

_DEEPEST = 10
_RECURSIONS = 2
"""Times that a function may stand in its own evaluation; a third one tells no more."""
_FEW = 16
"""Calls of a function that are told apart by the places of their arguments, before these are looked at."""
_LIBRARY_OBJECTS = frozenset(("Queue", "Worker", "QueueEvents", "FlowProducer", "QueueScheduler", "Job"))


def call_expression(ev: Evaluator, node: Node, scope: Scope, frame: Frame | None) -> Value:
    """`f(x)`, `a.f(x)`, `require('x')`, `import('x')`."""
    module, callee = scope.module, callee_of(node)
    where = ev.where(module, node)
    call = module.call_at(node)
    if callee is None or call is None:
        return Unknown("a call that can't be read")
    if callee.type == "import" or (
        callee.type == "identifier" and call.name == "require" and scope.lookup("require") is None
    ):
        return _required(ev, call, scope, frame, "*" if callee.type == "import" else "=")
    if callee.type == "super":
        return UNDEFINED
    depth = frame.depth if frame is not None else 0
    if callee.type == "member_expression":
        held = callee.child_by_field_name("object")
        if held is not None and held.type != "super":
            receiver = ev.eval(held, scope, frame)
            return ev.method(receiver, call.name, callers.lazily(ev, call, frame), where, depth)
    function = ev.eval(callee, scope, frame)
    if isinstance(function, External) and function.path.endswith("createRequire()"):
        return _required(ev, call, scope, frame, "=")
    if isinstance(function, LibraryClass) and function.library in ("bull", "bullmq") and function.name == "Queue":
        return LibraryObject(
            function.library, "Queue", module, node, callers.lazily(ev, call, frame), where=where, frame=frame
        )
    if callee.type == "identifier" and isinstance(function, External) and function.package == "global":
        return global_objects.function(ev, call.name, callers.given(ev, call, frame), where)
    return ev.call(function, callers.lazily(ev, call, frame), where, depth)


def _required(ev: Evaluator, call: Call, scope: Scope, frame: Frame | None, name: str) -> Value:
    from auditor.code.evaluation import names

    given = call.arguments()
    if not given:
        return Unknown("an import of nothing")
    module = scope.module
    if given[0].type == "string":
        return names.imported(ev, module.path, unquote(module.text(given[0])), name)
    found: list[Value] = []
    for option in options_of(ev.eval(given[0], scope, frame)):
        if isinstance(option, Literal) and isinstance(option.value, str):
            spec = option.value
            found.append(names.imported(ev, module.path, spec if not spec.startswith("./file") else ".", name))
        elif isinstance(option, Template) and len(option.parts) == 2 and isinstance(option.parts[1], Literal):
            target = ev.program.graph.from_root(module.path, str(option.parts[1].value))
            found.append(ev.export(target, "=") if target is not None else Unknown("an import of a computed path"))
        else:
            found.append(Unknown("an import of a computed path", text_of(option)))
    return join(found)


def new_expression(ev: Evaluator, node: Node, scope: Scope, frame: Frame | None) -> Value:
    """`new C(x)`."""
    module, callee = scope.module, node.child_by_field_name("constructor")
    call = module.call_at(node)
    if callee is None or call is None:
        return Unknown("a construction that can't be read")
    where = ev.where(module, node)
    arguments = callers.lazily(ev, call, frame)
    return join(
        [
            _constructed(ev, option, arguments, node, scope, frame, where)
            for option in options_of(ev.eval(callee, scope, frame))
        ]
    )


def _constructed(
    ev: Evaluator, cls: Value, arguments: tuple[Value, ...], node: Node, scope: Scope, frame: Frame | None, where: Where
) -> Value:  # fmt: skip
    match cls:
        case LibraryClass(library, name):
            name = "Queue" if name == "*" else name
            return LibraryObject(library, name, scope.module, node, arguments, where=where, frame=frame)
        case ClassValue(fact):
            base = classes.library_base(ev, fact)
            if base is not None and base.name in _LIBRARY_OBJECTS:
                passed = super_arguments(ev, fact, arguments)
                return LibraryObject(
                    base.library, base.name, scope.module, node, passed, fact, where=where, frame=frame
                )
            return classes.construct(ev, fact, arguments, cls.frame, (node.id, id(frame)), where)
        case External(package, path):
            if package == "global":
                return global_objects.construct(ev, path, ev.forced(arguments), where)
            # a client's options are looked at when somebody asks for its timeout
            kept = ev.forced(arguments) if package in external.ARGUMENTS_MATTER else arguments
            return External(package, f"{path}()", kept, where)
        case FunctionValue(fact):
            return Unknown(f"an object that {fact.name}() makes", fact.name)
    return Unknown(f"an object of `{text_of(cls)}`", f"new {text_of(cls)}")


def super_arguments(ev: Evaluator, cls: object, arguments: tuple[Value, ...]) -> tuple[Value, ...]:
    """What reaches the library's constructor when a class that extends it is constructed with `arguments`."""
    from auditor.code.syntax.facts import Class

    assert isinstance(cls, Class)
    for step in classes.ancestry(ev, cls):
        constructor = step.constructor
        if constructor is None:
            continue
        call = next((c for c in step.module.calls_named("super") if c.scope.cls is step), None)
        if call is None:
            return ()
        frame = Frame(constructor, arguments, None, None, 2)
        arguments = callers.lazily(ev, call, frame)
    return arguments


def call(ev: Evaluator, function: Value, arguments: tuple[Value, ...], where: Where, depth: int) -> Value:
    """The result of calling a value."""
    options = options_of(function)
    if len(options) > 1:
        return join(
            [call(ev, option, arguments, where, depth) for option in options if not is_nothing(option)] or [UNDEFINED]
        )
    match function:
        case FunctionValue():
            return invoke(ev, function, arguments, depth)
        case LibraryClass("bull" | "bullmq" as library, "Queue"):
            return LibraryObject(library, "Queue", None, None, arguments, where=where)
        case LibraryClass(library, name):
            return External(library, f"{name}()", ev.forced(arguments), where)
        case External(package, path):
            if path == "promisify" and arguments:
                return ev.force(arguments[0])
            if package in utilities.PACKAGES and arguments:
                shaped = utilities.called(path.rsplit(".", 1)[-1], (ev.force(arguments[0]),))
                if shaped is not None:
                    return shaped
            if package in external.ARGUMENTS_MATTER:
                arguments = ev.forced(arguments)
            elif not path.rsplit(".", 1)[-1].startswith(external.KEPT):
                arguments = ()
            known = schemas.called(ev, function, arguments)
            return known if known is not None else External(package, f"{path}()", arguments, where)
        case Undefined():
            return UNDEFINED
    if function is CYCLE:
        return CYCLE
    text = text_of(function)
    parts = (
        ()
        if "." in text
        else tuple(a for a in ev.forced(arguments[:3]) if not isinstance(a, FunctionValue | Instance | Object))
    )
    return Unknown(
        function.why if isinstance(function, Unknown) else f"what {text}() gives is not known", f"{text}()", parts=parts, where=where,
        volatile=isinstance(function, Unknown) and function.volatile,
    )  # fmt: skip


def invoke(ev: Evaluator, value: FunctionValue, arguments: tuple[Value, ...], depth: int = 0) -> Value:
    """What a function of the program returns for these arguments."""
    fact = value.fact
    if depth > _DEEPEST:
        return Unknown("calls are nested too deeply", f"{fact.name}()")
    key = _call_key(value, arguments)
    known = ev.calls.get(key)
    if known is not None:
        return known
    calls = ev.called.setdefault(id(fact), CallCount())
    if calls.active >= _RECURSIONS:
        return CYCLE
    calls.made += 1
    if calls.made > _FEW:  # asked again and again: what it is called with tells more than where
        arguments = ev.forced(arguments)
        key = _call_key(value, arguments)
        known = ev.calls.get(key)
        if known is not None:
            return known
    ev.alive.append((value, arguments))
    ev.begin(ev.calls, key)
    calls.active += 1
    try:
        result = _returned(ev, fact, Frame(fact, arguments, value.this, value.frame, depth + 1))
    finally:
        calls.active -= 1
    ev.done(ev.calls, key, result)
    return result


def _call_key(value: FunctionValue, arguments: tuple[Value, ...]) -> tuple[object, ...]:
    this = identity(value.this) if value.this is not None else 0
    return (id(value.fact), id(value.frame), this, tuple([identity(argument) for argument in arguments]))


class CallCount:
    """How often a function was looked into, and how deep the evaluator is in it."""

    __slots__ = ("active", "made")

    def __init__(self) -> None:
        self.made = 0
        self.active = 0


def _returned(ev: Evaluator, fact: Function, frame: Frame) -> Value:
    if not fact.returns:
        return _typed_return(ev, fact) or UNDEFINED
    results: list[unset.Returned] = []
    for node, scope, context in fact.returns:
        if callers.feasible(ev, context, scope, frame):
            results.append((ev.eval(node, scope, frame), context, scope))
    result = join(unset.defaults(ev, results, frame) if len(results) > 1 else [value for value, _, _ in results])
    if isinstance(result, Unknown) and fact.type_node is not None:
        return _typed_return(ev, fact) or result
    return result


def _typed_return(ev: Evaluator, fact: Function) -> Value | None:
    return types.typed(ev, fact.type_node, fact.module) if fact.type_node is not None else None
