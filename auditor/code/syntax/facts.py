"""Plain facts about one parsed file: scopes and what they bind, functions, classes, calls, assignments, exports.

Nodes of the syntax tree are kept for lazy evaluation, but never leave `auditor.code`.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, TypeAlias, cast

if TYPE_CHECKING:
    from tree_sitter import Node, Tree

Step: TypeAlias = "tuple[str, object]"
"""One step from a value to a destructured name: ('.', key) · ('[', index) · ('...', keys taken) · ('=', default node)."""


def default_of(step: Step) -> Node | None:
    """The node of the default that a step stands for; None for any other step."""
    return cast("Node | None", step[1]) if step[0] == "=" else None


class Binding:
    """What a name means in a scope.

    `kind`: var, param, func, class, enum, import, catch, each (for-of), key (for-in), type.
    """

    __slots__ = ("const", "default", "fact", "index", "kind", "name", "node", "path", "scope", "type_node")

    def __init__(self, kind: str, name: str, node: Node | None, scope: Scope, path: tuple[Step, ...] = ()) -> None:
        self.kind = kind
        self.name = name
        self.node = node
        self.scope = scope
        self.path = path
        self.type_node: Node | None = None
        self.default: Node | None = None
        self.index = 0
        self.fact: Function | Class | Import | None = None
        self.const = False


class Import:
    """`name` of module `spec`: a name, `default`, or `*` for the whole namespace."""

    __slots__ = ("name", "spec")

    def __init__(self, spec: str, name: str) -> None:
        self.spec = spec
        self.name = name


_NOBODY: frozenset[int] = frozenset()
LOOPED = frozenset(("each", "key"))
"""Kinds of names that have one value for each turn of a loop."""


class Scope:
    """A lexical scope; `func` is the function it belongs to, None at module level."""

    __slots__ = ("_loops", "_owners", "cls", "func", "module", "names", "parent")

    def __init__(self, module: Module, parent: Scope | None, func: Function | None, cls: Class | None) -> None:
        self.module = module
        self.parent = parent
        self.func = func
        self.cls = cls
        self.names: dict[str, Binding] = {}
        self._owners: frozenset[int] | None = None
        self._loops: bool | None = None

    @property
    def loops(self) -> bool:
        """Whether it binds what a `for…of` or `for…in` goes over; asked once its names are complete."""
        if self._loops is None:
            self._loops = any(binding.kind in LOOPED for binding in self.names.values())
        return self._loops

    def owners(self) -> frozenset[int]:
        """Identities of what frames are of around this place: functions, classes, and the scopes of loops."""
        if self._owners is None:
            around = self.parent.owners() if self.parent is not None else _NOBODY
            own = {id(fact) for fact in (self.func, self.cls) if fact is not None}
            if self.loops:
                own.add(id(self))
            self._owners = around if own <= around else around | own
        return self._owners

    @property
    def method(self) -> Function | None:
        """The function whose call gives `this` here: the nearest one that is no arrow."""
        function = self.func
        while function is not None and function.kind == "arrow":
            function = function.scope.parent.func if function.scope.parent is not None else None
        return function

    def lookup(self, name: str) -> Binding | None:
        """The binding that `name` has here."""
        scope: Scope | None = self
        while scope is not None:
            found = scope.names.get(name)
            if found is not None:
                return found
            scope = scope.parent
        return None


class Context:
    """What encloses a call, innermost first: `kind` is try, catch, finally, if, else, loop, switch, function."""

    __slots__ = ("kind", "node", "parent")

    def __init__(self, kind: str, node: Node, parent: Context | None) -> None:
        self.kind = kind
        self.node = node
        self.parent = parent


class Call:
    """A call or `new`: `name` is the last name of the callee."""

    __slots__ = ("_arguments", "callee", "context", "is_new", "name", "name_node", "node", "scope")

    def __init__(
        self,
        node: Node,
        callee: Node | None,
        name: str,
        name_node: Node,
        is_new: bool,
        scope: Scope,
        context: Context | None,
    ) -> None:
        self.node = node
        self.callee = callee
        self.name = name
        self.name_node = name_node
        self.is_new = is_new
        self.scope = scope
        self.context = context
        self._arguments: list[Node] | None = None

    @property
    def line(self) -> int:
        """The line on which the method name, or `new`, stands."""
        return int((self.node if self.is_new else self.name_node).start_point[0]) + 1

    @property
    def receiver(self) -> Node | None:
        """The expression that a method is called on: `a.b` of `a.b.c()`; None of a plain call."""
        callee = self.callee
        return (
            callee.child_by_field_name("object") if callee is not None and callee.type == "member_expression" else None
        )

    def arguments(self) -> list[Node]:
        """Argument nodes, spreads included."""
        if self._arguments is None:
            held = self.node.child_by_field_name("arguments")
            self._arguments = [c for c in held.named_children if c.type != "comment"] if held is not None else []
        return self._arguments


class Parameter:
    """A parameter: its pattern, default, declared type, and for constructors whether it is a property too."""

    __slots__ = ("default", "is_property", "is_rest", "name", "node", "pattern", "type_node")

    def __init__(self, node: Node, pattern: Node, name: str, default: Node | None, type_node: Node | None) -> None:
        self.node = node
        self.pattern = pattern
        self.name = name
        self.default = default
        self.type_node = type_node
        self.is_property = False
        self.is_rest = False


class Function:
    """A function, method or arrow; `kind`: function, arrow, method, get, set, constructor."""

    __slots__ = (
        "body", "cls", "context", "decorators", "is_async", "is_static", "kind", "module", "name", "node", "parameters",
        "returns", "scope", "thrown", "type_node",
    )  # fmt: skip

    def __init__(self, node: Node, module: Module, name: str, kind: str) -> None:
        self.node = node
        self.module = module
        self.name = name
        self.kind = kind
        self.parameters: list[Parameter] = []
        self.returns: list[tuple[Node, Scope, Context | None]] = []
        self.thrown: list[tuple[Node, Context | None]] = []
        self.decorators: list[Node] = []
        self.is_async = False
        self.is_static = False
        self.cls: Class | None = None
        self.body: Node | None = None
        self.scope: Scope
        self.context: Context | None = None
        self.type_node: Node | None = None

    @property
    def symbol(self) -> str:
        """Dotted name of the function with its class, as reports show it; a function without a name has its variable's."""
        if self.cls is not None and self.kind in ("method", "get", "set", "constructor"):
            return f"{self.cls.name}.{self.name}"
        return self.name or self._variable()

    def _variable(self) -> str:
        parent = self.node.parent
        if parent is None or parent.type not in ("variable_declarator", "public_field_definition", "pair"):
            return ""
        named = parent.child_by_field_name("name") or parent.child_by_field_name("key")
        return self.module.text(named) if named is not None and named.type != "object_pattern" else ""


class Field:
    """A class field: its initial value, declared type and decorators."""

    __slots__ = ("decorators", "is_static", "name", "node", "scope", "type_node", "value")

    def __init__(self, node: Node, name: str, value: Node | None, scope: Scope) -> None:
        self.node = node
        self.name = name
        self.value = value
        self.scope = scope
        self.type_node: Node | None = None
        self.is_static = False
        self.decorators: list[Node] = []


class Class:
    """A class with its members; `base` is the expression after `extends`."""

    __slots__ = (
        "base",
        "decorators",
        "fields",
        "implements",
        "members",
        "module",
        "name",
        "node",
        "outer",
        "scope",
        "statics",
    )

    def __init__(self, node: Node, module: Module, name: str, outer: Scope) -> None:
        self.node = node
        self.module = module
        self.name = name
        self.outer = outer
        self.scope: Scope
        self.base: Node | None = None
        self.implements: list[Node] = []
        self.members: dict[str, Function] = {}
        self.statics: dict[str, Function] = {}
        self.fields: dict[str, Field] = {}
        self.decorators: list[Node] = []

    @property
    def constructor(self) -> Function | None:
        """Its own constructor."""
        return self.members.get("constructor")


class Assignment:
    """`left op right`, where it stands; `path` leads to the part of the right side that a pattern on the left takes."""

    __slots__ = ("context", "left", "op", "path", "right", "scope")

    def __init__(
        self, left: Node, right: Node, op: str, scope: Scope, context: Context | None, path: tuple[Step, ...] = ()
    ) -> None:
        self.left = left
        self.right = right
        self.op = op
        self.scope = scope
        self.context = context
        self.path = path


class Module:
    """One parsed file."""

    __slots__ = (
        "_by_argument",
        "_by_name",
        "_by_node",
        "_outer",
        "assignments",
        "calls",
        "catches",
        "class_at",
        "classes",
        "errors",
        "exports",
        "function_at",
        "functions",
        "index_assignments",
        "member_assignments",
        "memo",
        "path",
        "scope",
        "source",
        "stars",
        "tables",
        "tree",
        "type_aliases",
    )  # fmt: skip

    def __init__(self, path: str, source: bytes, tree: Tree) -> None:
        self.path = path
        self.source = source
        self.tree = tree
        self.scope = Scope(self, None, None, None)
        self.exports: dict[str, tuple[str, object]] = {}
        """name -> ('local', name) · ('node', (node, scope)) · ('from', Import)."""
        self.stars: list[str] = []
        self.calls: list[Call] = []
        self.functions: list[Function] = []
        self.function_at: dict[int, Function] = {}
        self.classes: list[Class] = []
        self.class_at: dict[int, Class] = {}
        self.assignments: dict[str, list[Assignment]] = {}
        self.member_assignments: dict[str, list[Assignment]] = {}
        self.index_assignments: dict[str, list[Assignment]] = {}
        self.catches: list[tuple[Node, Scope, Context | None]] = []
        self.type_aliases: dict[str, Node] = {}
        self.memo: dict[int, object] = {}
        self.errors = 0
        self.tables: dict[int, dict[str, list[Any]]] = {}
        """Of functions, what `node_index` found in them."""
        self._by_name: dict[str, list[Call]] | None = None
        self._by_argument: dict[str, list[Call]] | None = None
        self._by_node: dict[int, Call] | None = None
        self._outer: dict[int, Call | None] | None = None

    def call_at(self, node: Node) -> Call | None:
        """The call that `node` is."""
        if self._by_node is None:
            self._by_node = {call.node.id: call for call in self.calls}
        return self._by_node.get(node.id)

    def call_around(self, call: Call) -> Call | None:
        """The nearest call among whose arguments a call stands, in whatever function."""
        if self._outer is None:
            self._outer = {}
            around: list[tuple[int, int, Call]] = []
            for start, end, inner in sorted(
                ((one.node.start_byte, one.node.end_byte, one) for one in self.calls), key=lambda one: (one[0], -one[1])
            ):
                while around and around[-1][1] <= start:
                    around.pop()
                self._outer[inner.node.id] = next(
                    (one for _, _, one in reversed(around) if one.callee is None or one.callee.end_byte <= start),
                    None,
                )
                around.append((start, end, inner))
        return self._outer[call.node.id]

    def text(self, node: Node) -> str:
        """The source of a node."""
        return self.source[node.start_byte : node.end_byte].decode("utf-8", "replace")

    def calls_named(self, name: str) -> list[Call]:
        """Calls whose callee's last name is `name`."""
        if self._by_name is None:
            self._by_name = {}
            for call in self.calls:
                self._by_name.setdefault(call.name, []).append(call)
                alias = self._picked(call)
                if alias:
                    self._by_name.setdefault(alias, []).append(call)
        return self._by_name.get(name, [])

    def names_called(self) -> set[str]:
        """Names that the module calls or hands over."""
        self.calls_named("")
        self.calls_given("")
        return {*(self._by_name or ()), *(self._by_argument or ())}

    def _picked(self, call: Call) -> str:
        """`handlers[]` where the callee is a variable that holds `handlers[x]`."""
        if call.callee is None or call.callee.type != "identifier":
            return ""
        binding = call.scope.lookup(call.name)
        node = binding.node if binding is not None and binding.kind == "var" else None
        if node is None or node.type != "subscript_expression":
            return ""
        held = node.child_by_field_name("object")
        if held is not None and held.type == "member_expression":
            held = held.child_by_field_name("property")
        return f"{self.text(held)}[]" if held is not None else ""

    def calls_given(self, name: str) -> list[Call]:
        """Calls that get `name` (`f`, `x.f`, `this.f.bind(this)`) as an argument, bare or as a value of an object."""
        if self._by_argument is None:
            self._by_argument = {}
            for call in self.calls:
                for argument in call.arguments():
                    for given in argument_names(self, argument):
                        self._by_argument.setdefault(given, []).append(call)
        return self._by_argument.get(name, [])


def argument_names(module: Module, node: Node) -> Iterator[str]:  # noqa: PLR0912  # one branch per kind
    """The last names that an argument hands over."""
    match node.type:
        case "identifier":
            yield module.text(node)
        case "member_expression":
            named = node.child_by_field_name("property")
            if named is not None:
                yield module.text(named)
        case "call_expression":
            callee = node.child_by_field_name("function")
            if callee is not None and callee.type == "member_expression":
                named, held = callee.child_by_field_name("property"), callee.child_by_field_name("object")
                if named is not None and held is not None and module.text(named) == "bind":
                    yield from argument_names(module, held)
        case "array":
            for child in node.named_children:
                if child.type in ("identifier", "member_expression"):
                    yield from argument_names(module, child)
        case "object":
            for child in node.named_children:
                value = child.child_by_field_name("value") if child.type == "pair" else None
                if child.type == "shorthand_property_identifier":
                    yield module.text(child)
                elif value is not None and value.type in ("identifier", "member_expression"):
                    yield from argument_names(module, value)


def line_of(node: Node) -> int:
    """1-based line on which a node starts."""
    return int(node.start_point[0]) + 1


def children_of(node: Node) -> list[Node]:
    """The named children of a node, which it forgets again: py-tree-sitter's nodes keep each child that they ever gave out,
    and a file's facts would hold its whole tree a second time."""
    held = node.walk().node
    return held.named_children if held is not None else []


def nodes_in(node: Node) -> Iterator[Node]:
    """A node and all named ones beneath it, in source order, without recursion."""
    pending = [node]
    while pending:
        at = pending.pop()
        yield at
        pending.extend(reversed(children_of(at)))
