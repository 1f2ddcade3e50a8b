"""What an expression surely is in one call: a constant that is written there, or one that its caller wrote and handed on.

The evaluator says what a value may be over all that it can see; what rules out a branch must be more than that. So only
constants count, by text: literals, enum members, `const`, parameters that nothing changes and what a call gives them.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import Enum, auto
from typing import TYPE_CHECKING, TypeAlias

from auditor.code.evaluation.evaluate import frame_of
from auditor.code.evaluation.values import Array, Frame, FunctionValue, Lazy, Literal, Primitive, Undefined, Value
from auditor.code.syntax.facts import Binding, Function, Module, Scope, default_of
from auditor.code.syntax.lexical import WRAPPING, key_text

if TYPE_CHECKING:
    from tree_sitter import Node

    from auditor.code.evaluation.evaluate import Evaluator


class Sure(Enum):
    """What is known of a value that is no primitive."""

    UNDEFINED = auto()
    TRUTHY = auto()
    """A list, a function."""


@dataclass(frozen=True, slots=True)
class Written:
    """An object literal, with the call in which it is written."""

    node: Node
    scope: Scope
    frame: Frame | None


@dataclass(frozen=True, slots=True)
class Constant:
    """A primitive."""

    value: Primitive


Certain: TypeAlias = "Constant | Sure | Written | None"
"""None where it can't be told."""
_DEEPEST = 12
_TRUTHY = frozenset(("array", "arrow_function", "function_expression", "new_expression", "regex", "class"))
_NOTHING = (Sure.UNDEFINED, Constant(None))
_EQUALS = {"===": True, "==": True, "!==": False, "!=": False}


class Certainty:
    """Answers for one program."""

    def __init__(self, ev: Evaluator) -> None:
        self._ev = ev
        self._changed: dict[str, frozenset[str]] = {}

    def of(self, node: Node, scope: Scope, frame: Frame | None, depth: int = 0) -> Certain:  # one per kind
        """What `node` surely is in the calls of `frame`."""
        if depth > _DEEPEST:
            return None
        kind = node.type
        if kind in ("string", "number", "true", "false", "null"):
            return _constant(self._ev.eval(node, scope, frame))
        if kind in _TRUTHY:
            return Sure.TRUTHY
        if kind == "object":
            return Written(node, scope, frame)
        if kind == "undefined":
            return Sure.UNDEFINED
        if kind in WRAPPING and node.named_children:
            return self.of(node.named_children[0], scope, frame, depth + 1)
        if kind in ("identifier", "shorthand_property_identifier"):
            return self._named(scope.module.text(node), node, scope, frame, depth)
        if kind == "member_expression":
            return self._member(node, scope, frame, depth)
        if kind == "binary_expression" and _operator(node) in ("??", "||"):
            return self._default(node, scope, frame, depth)
        if kind in ("binary_expression", "unary_expression"):
            decided = self.decides(node, scope, frame, depth)
            return Constant(decided) if decided is not None else None
        return None

    def decides(self, node: Node, scope: Scope, frame: Frame | None, depth: int = 0) -> bool | None:
        """Whether a condition surely holds; None where it can't be told."""
        if depth > _DEEPEST:
            return None
        if node.type == "parenthesized_expression" and node.named_children:
            return self.decides(node.named_children[0], scope, frame, depth + 1)
        operator = _operator(node)
        if node.type == "unary_expression":
            argument = node.child_by_field_name("argument")
            held = self.decides(argument, scope, frame, depth + 1) if argument is not None and operator == "!" else None
            return not held if held is not None else None
        left, right = node.child_by_field_name("left"), node.child_by_field_name("right")
        if node.type != "binary_expression" or left is None or right is None or operator == "??":
            return truth(self.of(node, scope, frame, depth + 1))
        if operator in ("&&", "||"):
            ends = operator == "||"
            sides = [self.decides(side, scope, frame, depth + 1) for side in (left, right)]
            return ends if ends in sides else (not ends if None not in sides else None)
        if operator in _EQUALS:
            equal = same(*(self.of(side, scope, frame, depth + 1) for side in (left, right)), loose=len(operator) == 2)
            return equal is _EQUALS[operator] if equal is not None else None
        return None

    def argument(self, function: Function, index: int, frame: Frame) -> Certain:
        """What the call of `frame` gives for parameter number `index`, before its default."""
        if function.parameters[index].is_rest:
            return None
        if index >= len(frame.arguments):
            return Sure.UNDEFINED if all(isinstance(one, _TOLD) for one in frame.arguments) else None
        value = frame.arguments[index]
        return self.of(value.node, value.scope, value.frame, 1) if isinstance(value, Lazy) else _constant(value)

    def _named(self, name: str, node: Node, scope: Scope, frame: Frame | None, depth: int) -> Certain:
        binding = scope.lookup(name)
        if binding is None:
            return Sure.UNDEFINED if name == "undefined" else None
        if binding.kind == "param" and isinstance(binding.fact, Function):
            return self._parameter(binding, binding.fact, frame, depth)
        if binding.kind == "var" and binding.const and binding.node is not None:
            if name in self._changes(binding.scope.module):
                return None
            value = self.of(binding.node, binding.scope, frame, depth + 1)
            return self._taken(value, binding, binding.scope, frame, depth)
        return _lasting(self._ev.eval(node, scope, frame)) if binding.kind == "import" else None

    def _parameter(self, binding: Binding, function: Function, frame: Frame | None, depth: int) -> Certain:
        own = frame_of(function, frame)
        declared = function.parameters[binding.index]
        if own is None or binding.name in self._changes(function.module):
            return None
        value = self.argument(function, binding.index, own)
        if value is Sure.UNDEFINED and declared.default is not None:
            value = self.of(declared.default, function.scope, own, depth + 1)
        return self._taken(value, binding, function.scope, own, depth)

    def _taken(self, value: Certain, binding: Binding, scope: Scope, frame: Frame | None, depth: int) -> Certain:
        for step in binding.path:
            default = default_of(step)
            if step[0] == ".":
                value = self._of_object(value, str(step[1]), depth)
            elif step[0] != "=":
                return None
            elif default is not None and value is Sure.UNDEFINED:
                value = self.of(default, scope, frame, depth + 1)
        return value

    def _member(self, node: Node, scope: Scope, frame: Frame | None, depth: int) -> Certain:
        held, prop = node.child_by_field_name("object"), node.child_by_field_name("property")
        if held is None or prop is None:
            return None
        name = scope.module.text(prop)
        value = self.of(held, scope, frame, depth + 1)
        if value is not None:
            return self._of_object(value, name, depth) if name not in scope.module.member_assignments else None
        root = scope.lookup(scope.module.text(held)) if held.type == "identifier" else None
        named = root is not None and root.kind in ("import", "enum")
        return _lasting(self._ev.eval(node, scope, frame)) if named else None

    def _of_object(self, value: Certain, name: str, depth: int) -> Certain:
        if value is Sure.UNDEFINED:
            return Sure.UNDEFINED
        if not isinstance(value, Written):
            return None
        for child in reversed(value.node.named_children):
            if child.type == "spread_element":
                return None
            key, held = _pair(child, value.scope.module)
            if key is None:
                return None
            if key == name:
                return self.of(held, value.scope, value.frame, depth + 1) if held is not None else Sure.TRUTHY
        return Sure.UNDEFINED

    def _default(self, node: Node, scope: Scope, frame: Frame | None, depth: int) -> Certain:
        left, right = node.child_by_field_name("left"), node.child_by_field_name("right")
        if left is None or right is None:
            return None
        value = self.of(left, scope, frame, depth + 1)
        if value is None:
            return None
        falls = value in _NOTHING if _operator(node) == "??" else truth(value) is False
        return self.of(right, scope, frame, depth + 1) if falls else value

    def _changes(self, module: Module) -> frozenset[str]:
        """Names that a file assigns to, or to a member of, somewhere."""
        known = self._changed.get(module.path)
        if known is None:
            found = set(module.assignments)
            for table in (module.member_assignments, module.index_assignments):
                for assignments in table.values():
                    found.update(_root(one.left, module) for one in assignments)
            found.update(name.decode() for pair in _ALTERED.findall(module.source) for name in pair if name)
            known = self._changed[module.path] = frozenset(found)
        return known


_ALTERED = re.compile(
    rb"(?:\bdelete\s+|\+\+|--|\b(?:Object\.assign|assign|defaults|merge|extend|set)\(\s*)([A-Za-z_$][\w$]*)"
    rb"|\b([A-Za-z_$][\w$]*)(?:\+\+|--)"
)
"""What changes a value without an assignment."""
_TOLD = (Lazy, Literal, Undefined, FunctionValue, Array)


def truth(value: Certain) -> bool | None:
    """Whether it counts as true."""
    match value:
        case None:
            return None
        case Sure.UNDEFINED:
            return False
        case Constant(constant):
            return bool(constant)
    return True


def same(left: Certain, right: Certain, *, loose: bool = False) -> bool | None:
    """Whether two values are equal; None where it can't be told."""
    if left is None or right is None:
        return None
    if loose and (left in _NOTHING or right in _NOTHING):
        return left in _NOTHING and right in _NOTHING
    if isinstance(left, Constant) and isinstance(right, Constant):
        kinds = (
            [isinstance(one.value, str) for one in (left, right)],
            [isinstance(one.value, bool) for one in (left, right)],
        )
        unlike = any(one != other for one, other in kinds)
        return None if unlike and loose else not unlike and left.value == right.value
    plain = isinstance(left, Constant) or left is Sure.UNDEFINED, isinstance(right, Constant) or right is Sure.UNDEFINED
    return left == right if any(plain) else None


def _constant(value: Value) -> Certain:
    match value:
        case Literal(constant, _, ""):
            return Constant(constant)
        case Undefined():
            return Sure.UNDEFINED
        case FunctionValue():
            return Sure.TRUTHY
    return None


def _lasting(value: Value) -> Certain:
    """A constant of a file's top level: its words and numbers stand for kinds, its flags may be set."""
    told = _constant(value)
    return told if isinstance(told, Constant) and not isinstance(told.value, bool) and told.value is not None else None


def _pair(child: Node, module: Module) -> tuple[str | None, Node | None]:
    """The key of a member of an object literal, None where it is computed, and its value, None for a method."""
    if child.type == "shorthand_property_identifier":
        return module.text(child), child
    key = child.child_by_field_name("key") or child.child_by_field_name("name")
    if key is None or key.type == "computed_property_name":
        return None, None
    return key_text(module, key), child.child_by_field_name("value")


def _operator(node: Node) -> str:
    operator = node.child_by_field_name("operator")
    return operator.type if operator is not None else ""


def _root(node: Node, module: Module) -> str:
    at: Node | None = node
    while at is not None and at.type in ("member_expression", "subscript_expression", "non_null_expression"):
        at = at.child_by_field_name("object") or (at.named_children[0] if at.named_children else None)
    return module.text(at) if at is not None and at.type == "identifier" else ""
