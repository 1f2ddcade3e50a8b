"""What is data by its form or by its declared type, and so no function of the program: told at a look, without evaluation.

A handler's walk meets thousands of `ids.push(id)`, `name.trim()`, `log(message)`. Who passes `name` does not matter there.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from auditor.code.evaluation import plain_types
from auditor.code.evaluation.plain_types import DEEPEST, NATIVE_TYPES, Sort, item_type, member_type, of_type
from auditor.code.syntax.facts import Binding, Call, Class, Function, Scope, Step
from auditor.code.syntax.lexical import callee_of

if TYPE_CHECKING:
    from tree_sitter import Node

    from auditor.code.syntax.facts import Module


_STRINGS = frozenset(
    ("trim", "trimStart", "trimEnd", "toLowerCase", "toUpperCase", "toLocaleLowerCase", "toLocaleUpperCase", "charAt", "charCodeAt", "codePointAt",
     "startsWith", "endsWith", "padStart", "padEnd", "localeCompare", "substring", "substr", "replaceAll", "toFixed", "toPrecision", "toISOString",
     "toLocaleString", "toLocaleDateString", "toLocaleTimeString", "getTime", "getFullYear", "getMonth", "getDate", "getHours", "getMinutes", "getTimezoneOffset")
)  # fmt: skip
"""Methods of strings, numbers and dates that nobody else has, and that run nothing."""
_RUNNING = frozenset(
    ("every", "filter", "find", "findIndex", "findLast", "flatMap", "forEach", "map", "reduce", "reduceRight", "some", "sort", "toSorted", "replace")
)  # fmt: skip
_METHODS = _STRINGS | _RUNNING | frozenset(
    ("at", "concat", "copyWithin", "entries", "fill", "flat", "includes", "indexOf", "join", "keys", "lastIndexOf", "pop", "push", "reverse", "shift",
     "slice", "splice", "toReversed", "unshift", "values", "with", "add", "append", "clear", "delete", "get", "getAll", "has", "set", "size", "toString",
     "valueOf", "split", "match", "matchAll", "search", "repeat", "normalize", "test", "exec", "setTime", "toJSON", "hasOwnProperty")
)  # fmt: skip
_INERT = (_METHODS - _RUNNING) - frozenset(("push", "unshift", "add", "set", "splice", "fill", "concat"))
"""Methods of the language that neither run nor keep what they are given."""
_GIVES_DATA = _STRINGS | frozenset(
    ("concat", "entries", "every", "filter", "findIndex", "flat", "flatMap", "includes", "indexOf", "join", "keys", "lastIndexOf", "map", "push",
     "slice", "some", "sort", "splice", "reverse", "toString", "split", "match", "matchAll", "replace", "repeat", "normalize", "has", "values", "test")
)  # fmt: skip
"""Methods of the language that give a primitive or a collection."""
_GLOBALS = {
    "Object": frozenset(("keys", "entries", "values", "fromEntries", "getOwnPropertyNames")),
    "JSON": frozenset(("stringify",)),
    "Array": frozenset(("from", "isArray", "of")),
    "Number": frozenset(("parseInt", "parseFloat", "isInteger", "isFinite", "isNaN", "isSafeInteger")),
    "Date": frozenset(("now", "parse", "UTC")),
    "Buffer": frozenset(("from", "concat", "alloc", "byteLength")),
    "String": frozenset(("fromCharCode", "raw")),
    "performance": frozenset(("now",)),
    "crypto": frozenset(("randomUUID", "randomBytes")),
}
_CONVERSIONS = frozenset(
    (
        "String",
        "Number",
        "Boolean",
        "BigInt",
        "parseInt",
        "parseFloat",
        "encodeURIComponent",
        "decodeURIComponent",
        "isNaN",
    )
)
_RUN_NOTHING = frozenset(
    (
        "JSON",
        "Math",
        "Number",
        "String",
        "Boolean",
        "BigInt",
        "Symbol",
        "Date",
        "Buffer",
        "console",
        "performance",
        "crypto",
    )
)
"""Globals of which no method runs what it is given."""
_MADE = frozenset(("Error", "TypeError", "RangeError", "SyntaxError", "AggregateError", "Date", "Map", "Set", "WeakMap", "WeakSet", "URL", "URLSearchParams", "RegExp", "Headers"))  # fmt: skip
"""Classes whose constructors run nothing."""
_LITERALS = ("string", "template_string", "number", "true", "false", "null", "undefined", "update_expression", "unary_expression")  # fmt: skip
_KNOWN = {
    **dict.fromkeys(_LITERALS, Sort.PRIMITIVE),
    "array": Sort.NATIVE,
    "regex": Sort.NATIVE,
    "object": Sort.OBJECT,
}
"""Forms that say what they are."""
_WRAPPED = frozenset(("parenthesized_expression", "non_null_expression"))


def is_data(node: Node, scope: Scope) -> bool:
    """Whether an expression is surely no function."""
    return _sort(node, scope, 0) is not Sort.ANYTHING


def is_data_type(declared: Node | None, module: Module) -> bool:
    """Whether a declared type is surely none of functions."""
    return declared is not None and of_type(declared, module, 0) is not Sort.ANYTHING


def is_collection(node: Node, scope: Scope) -> bool:
    """Whether an expression is surely a primitive or an object of the language: a list, a Map, a Set."""
    return _sort(node, scope, 0) >= Sort.NATIVE


def is_primitive(node: Node, scope: Scope) -> bool:
    """Whether an expression is surely a string, a number or the like."""
    return _sort(node, scope, 0) is Sort.PRIMITIVE


def holds_nothing(node: Node, scope: Scope) -> bool:
    """Whether an expression surely is no function and holds none, by its form or its declared type."""
    if is_primitive(node, scope):
        return True
    declared = _declared(node, scope)
    return declared is not None and plain_types.holds_nothing(*declared)


def is_native(call: Call) -> bool:
    """Whether a call is surely one of the language's methods on data: `ids.push(id)`, `name.trim()`."""
    callee = call.callee
    if call.is_new or callee is None or callee.type != "member_expression" or call.name not in _METHODS:
        return False
    held = callee.child_by_field_name("object")
    return call.name in _STRINGS or (held is not None and _sort(held, call.scope, 0) >= Sort.NATIVE)


def is_inert(call: Call) -> bool:
    """Whether a call is surely one of the language's that runs nothing it is given: `JSON.stringify(x)`, `new Error(m)`, `a.includes(b)`."""
    callee, scope = call.callee, call.scope
    if callee is None:
        return False
    if callee.type == "identifier":
        inert = call.name in (_MADE if call.is_new else _CONVERSIONS)
        return inert and scope.lookup(call.name) is None
    held = call.receiver if not call.is_new else None
    if held is None:
        return False
    root = scope.module.text(held) if held.type == "identifier" else ""
    if (root in _RUN_NOTHING or call.name in _GLOBALS.get(root, ())) and scope.lookup(root) is None:
        return call.name != "from" or len(call.arguments()) < 2
    return call.name in _INERT and is_native(call)


def _sort(node: Node, scope: Scope, depth: int) -> Sort:
    if depth > DEEPEST:
        return Sort.ANYTHING
    known = _KNOWN.get(node.type)
    if known is not None:
        return known
    read = _READ.get(node.type)
    return read(node, scope, depth) if read is not None else Sort.ANYTHING


def _within(node: Node, scope: Scope, depth: int) -> Sort:
    return _sort(node.named_children[0], scope, depth + 1) if node.named_children else Sort.ANYTHING


def _either(node: Node, scope: Scope, depth: int, names: tuple[str, str] = ("consequence", "alternative")) -> Sort:
    parts = [node.child_by_field_name(name) for name in names]
    return min(_sort(part, scope, depth + 1) if part is not None else Sort.ANYTHING for part in parts)


def _of_name(node: Node, scope: Scope, depth: int) -> Sort:
    binding = scope.lookup(scope.module.text(node))
    return _of_binding(binding, depth) if binding is not None else Sort.ANYTHING


def _of_new(node: Node, scope: Scope, depth: int) -> Sort:
    del depth
    made = node.child_by_field_name("constructor")
    return Sort.NATIVE if made is not None and scope.module.text(made) in NATIVE_TYPES else Sort.OBJECT


def _of_binary(node: Node, scope: Scope, depth: int) -> Sort:
    operator = node.child_by_field_name("operator")
    if operator is not None and operator.type not in ("&&", "||", "??"):
        return Sort.PRIMITIVE
    return _either(node, scope, depth, ("left", "right"))


def _of_cast(node: Node, scope: Scope, depth: int) -> Sort:
    given = node.named_children
    declared = of_type(given[-1], scope.module, depth + 1) if len(given) > 1 else Sort.ANYTHING
    return max(declared, _sort(given[0], scope, depth + 1)) if given else Sort.ANYTHING


def _awaited(node: Node, scope: Scope, depth: int) -> Sort:
    """What a promise gives: no function, as a rule; more by the type that the called function declares."""
    inner = node.named_children[0] if node.named_children else None
    if inner is None or inner.type != "call_expression":
        return Sort.OBJECT
    function = _called(inner, scope)
    returned = _promised(function.type_node) if function is not None and function.type_node is not None else None
    return max(of_type(returned, scope.module, depth + 1) if returned is not None else Sort.ANYTHING, Sort.OBJECT)


def _promised(declared: Node) -> Node | None:
    """`T` of `: Promise<T>`."""
    inner = declared.named_children[0] if declared.type == "type_annotation" and declared.named_children else declared
    given = inner.child_by_field_name("type_arguments") if inner.type == "generic_type" else None
    return given.named_children[0] if given is not None and given.named_children else None


def _of_call(node: Node, scope: Scope, depth: int) -> Sort:
    callee, module = callee_of(node), scope.module
    if callee is None:
        return Sort.ANYTHING
    if callee.type == "identifier":
        name = module.text(callee)
        if name in _CONVERSIONS and scope.lookup(name) is None:
            return Sort.NATIVE
    elif callee.type == "member_expression":
        named, held = callee.child_by_field_name("property"), callee.child_by_field_name("object")
        name = module.text(named) if named is not None else ""
        if held is None or name in _STRINGS:
            return Sort.NATIVE if name in _STRINGS else Sort.ANYTHING
        root = module.text(held) if held.type == "identifier" else ""
        if (name in _GLOBALS.get(root, ()) or root == "Math") and scope.lookup(root) is None:
            return Sort.NATIVE
        if name in _GIVES_DATA and _sort(held, scope, depth + 1) >= Sort.NATIVE:
            return Sort.NATIVE
    function = _called(node, scope)
    if function is None:
        return Sort.ANYTHING
    if function.is_async:
        return Sort.NATIVE
    return of_type(function.type_node, function.module, depth + 1) if function.type_node is not None else Sort.ANYTHING


def _called(node: Node, scope: Scope) -> Function | None:
    """The function of the same file that a call plainly names: `load(id)`, `this.load(id)`."""
    callee = callee_of(node)
    if callee is None:
        return None
    if callee.type == "identifier":
        binding = scope.lookup(scope.module.text(callee))
        return (
            binding.fact
            if binding is not None and binding.kind == "func" and isinstance(binding.fact, Function)
            else None
        )
    held, named = callee.child_by_field_name("object"), callee.child_by_field_name("property")
    if held is None or held.type != "this" or named is None or scope.cls is None:
        return None
    return scope.cls.members.get(scope.module.text(named))


def _of_binding(binding: Binding, depth: int) -> Sort:
    match binding.kind:
        case "enum" | "catch" | "key":
            return Sort.OBJECT
        case "class" | "func" | "import":
            return Sort.ANYTHING
        case "each":
            return _element(binding, depth)
    if binding.type_node is not None:
        return _of_path(binding.type_node, binding.path, binding.scope.module, depth)
    if binding.kind == "var" and binding.const and not binding.path and binding.node is not None:
        return _sort(binding.node, binding.scope, depth + 1)
    return Sort.ANYTHING


def _element(binding: Binding, depth: int) -> Sort:
    """What a `for … of` over a list of a declared type gives."""
    if binding.node is None or binding.path:
        return Sort.ANYTHING
    declared = _declared(binding.node, binding.scope.parent or binding.scope)
    if declared is None:
        return Sort.ANYTHING
    listed, module = declared
    inner = item_type(listed)
    return of_type(inner, module, depth + 1) if inner is not None else Sort.ANYTHING


def _of_path(declared: Node, path: tuple[Step, ...], module: Module, depth: int) -> Sort:
    """What is destructured from a value of a declared type."""
    at: Node | None = declared
    for op, what in path:
        if op == "=":
            continue
        at = member_type(at, str(what), module) if op == "." and at is not None else None
        if at is None:
            return Sort.ANYTHING
    return of_type(at, module, depth + 1) if at is not None else Sort.ANYTHING


def _of_member(node: Node, scope: Scope, depth: int) -> Sort:
    held, named = node.child_by_field_name("object"), node.child_by_field_name("property")
    if held is None or named is None:
        return Sort.ANYTHING
    name = scope.module.text(named)
    if name == "length":
        return Sort.PRIMITIVE
    if held.type == "identifier":
        binding = scope.lookup(scope.module.text(held))
        if binding is not None and binding.kind in ("catch", "enum"):
            return Sort.OBJECT
    elif scope.module.text(held) == "process.env":
        return Sort.PRIMITIVE
    declared = _declared(node, scope)
    if declared is not None:
        return of_type(declared[0], declared[1], depth + 1)
    if held.type == "this" and scope.cls is not None:
        field = scope.cls.fields.get(name)
        if (
            field is not None
            and field.value is not None
            and field.type_node is None
            and field.value.type in ("array", "new_expression")
        ):
            return _sort(field.value, field.scope, depth + 1)
    return Sort.ANYTHING


def _declared(node: Node, scope: Scope) -> tuple[Node, Module] | None:
    """The declared type of a name, a field of `this`, or a member of either, where this file declares it."""
    module = scope.module
    if node.type in _WRAPPED and node.named_children:
        return _declared(node.named_children[0], scope)
    if node.type == "identifier":
        binding = scope.lookup(module.text(node))
        if binding is None or binding.type_node is None or binding.path:
            return None
        return binding.type_node, binding.scope.module
    if node.type != "member_expression":
        return None
    held, named = node.child_by_field_name("object"), node.child_by_field_name("property")
    if held is None or named is None:
        return None
    name = module.text(named)
    if held.type == "this":
        found = _field_type(scope.cls, name) if scope.cls is not None else None
        return (found, module) if found is not None else None
    outer = _declared(held, scope)
    inner = member_type(outer[0], name, outer[1]) if outer is not None else None
    return (inner, outer[1]) if inner is not None and outer is not None else None


def _field_type(cls: Class, name: str) -> Node | None:
    field = cls.fields.get(name)
    if field is not None:
        return field.type_node
    made = cls.members.get("constructor")
    properties = [one for one in made.parameters if one.is_property and one.name == name] if made is not None else []
    return properties[0].type_node if properties else None


_READ = {
    **dict.fromkeys(_WRAPPED, _within),
    "binary_expression": _of_binary,
    "ternary_expression": _either,
    "as_expression": _of_cast,
    "satisfies_expression": _of_cast,
    "new_expression": _of_new,
    "await_expression": _awaited,
    "call_expression": _of_call,
    "identifier": _of_name,
    "member_expression": _of_member,
}
"""What reads the other forms."""
