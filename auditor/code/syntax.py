"""Source bytes to facts: tree-sitter's tree and one pruned walk over it, without recursion.

JavaScript is read with the TSX grammar, so that there is one vocabulary of nodes. Syntax errors stay local: what the
parser could make sense of around them is used.
"""

from __future__ import annotations

import re
from functools import cache
from typing import TYPE_CHECKING, TypeAlias

from auditor.code.facts import (
    Assignment,
    Binding,
    Call,
    Class,
    Context,
    Field,
    Function,
    Import,
    Module,
    Parameter,
    Scope,
    Step,
    children_of,
)  # fmt: skip

if TYPE_CHECKING:
    from tree_sitter import Node, Parser, Tree

_FUNCTIONS = frozenset(
    ("function_declaration", "generator_function_declaration", "function_expression", "generator_function", "arrow_function", "method_definition")
)  # fmt: skip
_CLASSES = frozenset(("class_declaration", "abstract_class_declaration", "class"))
_PRUNED = frozenset(
    (
        "comment", "string", "number", "regex", "identifier", "property_identifier", "this", "true", "false", "null", "undefined",
        "type_annotation", "type_arguments", "type_parameters", "import_statement", "empty_statement", "predefined_type",
        "jsx_element", "jsx_self_closing_element", "jsx_fragment", "accessibility_modifier", "shorthand_property_identifier",
        "ambient_declaration", "function_signature", "break_statement", "continue_statement", "super", "hash_bang_line",
        "private_property_identifier", "statement_identifier", "method_signature", "abstract_method_signature", "override_modifier",
    )
)  # fmt: skip
_MASKED = re.compile(rb"typeof import\((?:'[^'\n]*'|\"[^\"\n]*\")\)(?:\.\w+)*")


_Table: TypeAlias = "tuple[tuple[tuple[int, str], ...], bytes]"
"""(number of a kind, name of its handler) for each that has one, and by number whether a kind is pruned."""
_HANDLERS = {
    "call_expression": "call",
    "new_expression": "call",
    "lexical_declaration": "declaration",
    "variable_declaration": "declaration",
    "statement_block": "block",
    "class_static_block": "block",
    "export_statement": "export",
    "import_statement": "import_",
    "assignment_expression": "assign",
    "augmented_assignment_expression": "assign",
    "return_statement": "return_",
    "throw_statement": "throw",
    "try_statement": "try_",
    "if_statement": "if_",
    "ternary_expression": "ternary",
    "for_in_statement": "for_in",
    "for_statement": "for_",
    "while_statement": "loop",
    "do_statement": "loop",
    "switch_statement": "switch",
    "enum_declaration": "enum",
    "type_alias_declaration": "type_alias",
    "interface_declaration": "type_alias",
    "internal_module": "namespace",
    **dict.fromkeys(_FUNCTIONS, "function"),
    **dict.fromkeys(_CLASSES, "class_"),
}
"""What sees a kind of node; kinds that are not named are passed through."""


@cache
def _grammar(typescript: bool) -> tuple[Parser, _Table]:
    """The parser, and what it calls the nodes that matter."""
    import tree_sitter
    import tree_sitter_typescript

    language = tree_sitter.Language(
        tree_sitter_typescript.language_typescript() if typescript else tree_sitter_typescript.language_tsx()
    )
    handlers: list[tuple[int, str]] = []
    pruned = bytearray(1 << 16)  # ERROR nodes have the largest number
    for index in range(language.node_kind_count):
        kind = language.node_kind_for_id(index) or ""
        if kind in _HANDLERS:
            handlers.append((index, _HANDLERS[kind]))
        elif kind in _PRUNED:
            pruned[index] = 1
    return tree_sitter.Parser(language), (tuple(handlers), bytes(pruned))


def bare_parse(path: str, source: bytes) -> Tree:
    """The tree alone: the floor of what reading a file costs."""
    return _grammar(path.endswith((".ts", ".mts", ".cts")))[0].parse(source)


def parse(path: str, source: bytes) -> Module:
    """The facts of one file."""
    if b"typeof import(" in source:
        source = _MASKED.sub(lambda m: b"any".ljust(len(m.group())), source)
    parser, table = _grammar(path.endswith((".ts", ".mts", ".cts")))
    module = Module(path, source, parser.parse(source))
    module.errors = int(module.tree.root_node.has_error)
    _Walk(module, table).run()
    return module


class _Walk:
    """The walk over one file; the stack holds what is still to be seen, in source order."""

    def __init__(self, module: Module, table: _Table) -> None:
        self.module = module
        self.stack: list[tuple[Node, Scope, Context | None]] = []
        self.handlers = {kind: getattr(self, name) for kind, name in table[0]}
        self.pruned = table[1]

    def run(self) -> None:
        stack, handlers, pruned = self.stack, self.handlers, self.pruned
        push, pop = stack.append, stack.pop
        self.later(self.module.tree.root_node, self.module.scope, None)
        while stack:
            node, scope, context = pop()
            handler = handlers.get(node.kind_id)
            if handler is not None:
                handler(node, scope, context)
                continue
            for child in reversed(children_of(node)):
                if not pruned[child.kind_id]:
                    push((child, scope, context))

    def text(self, node: Node) -> str:
        return self.module.text(node)

    def later(self, node: Node, scope: Scope, context: Context | None) -> None:
        """See the children of `node` next."""
        pruned, push = self.pruned, self.stack.append
        for child in reversed(children_of(node)):
            if not pruned[child.kind_id]:
                push((child, scope, context))

    # Expressions

    def call(self, node: Node, scope: Scope, context: Context | None) -> None:
        is_new = node.type == "new_expression"
        callee = node.child_by_field_name("constructor" if is_new else "function")
        name, name_node = "", node
        if callee is not None:
            kind = callee.type
            if kind == "member_expression":
                prop = callee.child_by_field_name("property")
                if prop is not None:
                    name, name_node = self.text(prop), prop
            elif kind in ("identifier", "super", "import"):
                name, name_node = self.text(callee), callee
            elif kind == "subscript_expression":
                held = callee.child_by_field_name("object")
                name, name_node = (f"{_last_name(self.module, held)}[]" if held is not None else ""), callee
        self.module.calls.append(Call(node, callee, name, name_node, is_new, scope, context))
        self.later(node, scope, context)

    def assign(self, node: Node, scope: Scope, context: Context | None) -> None:
        left, right = node.child_by_field_name("left"), node.child_by_field_name("right")
        if left is None or right is None:
            return
        operator = node.child_by_field_name("operator")
        op = self.text(operator) if operator is not None else "="
        fact = Assignment(left, right, op, scope, context)
        if left.type == "identifier":
            self.module.assignments.setdefault(self.text(left), []).append(fact)
        elif left.type == "member_expression":
            prop = left.child_by_field_name("property")
            if prop is not None:
                self.module.member_assignments.setdefault(self.text(prop), []).append(fact)
                self._commonjs(left, prop, right, scope)
        elif left.type == "subscript_expression":
            held = left.child_by_field_name("object")
            if held is not None:
                self.module.index_assignments.setdefault(_last_name(self.module, held), []).append(fact)
        elif left.type in ("object_pattern", "array_pattern"):
            for name, path in self.pattern(left):
                spread = Assignment(left, right, op, scope, context)
                self.module.assignments.setdefault(name, []).append(spread)
                del path
        self.stack.append((right, scope, context))
        if left.type != "identifier":
            self.stack.append((left, scope, context))

    def _commonjs(self, left: Node, prop: Node, right: Node, scope: Scope) -> None:
        held = left.child_by_field_name("object")
        if held is None:
            return
        owner, name = self.text(held), self.text(prop)
        if owner == "module" and name == "exports":
            self.module.exports["="] = ("node", (right, scope))
        elif owner in ("exports", "module.exports"):
            self.module.exports.setdefault(name, ("node", (right, scope)))

    def ternary(self, node: Node, scope: Scope, context: Context | None) -> None:
        for child in reversed(node.named_children):
            condition = node.child_by_field_name("condition")
            kind = "if" if child == node.child_by_field_name("consequence") else "else"
            inner = context if child == condition else Context(kind, node, context)
            self.stack.append((child, scope, inner))

    # Statements

    def declaration(self, node: Node, scope: Scope, context: Context | None) -> None:
        const = node.child_count > 0 and self.module.source[node.start_byte : node.start_byte + 5] == b"const"
        holder = scope if node.type == "lexical_declaration" else _function_scope(scope)
        for child in reversed(node.named_children):
            if child.type != "variable_declarator":
                continue
            name, value = child.child_by_field_name("name"), child.child_by_field_name("value")
            if name is None:
                continue
            declared = child.child_by_field_name("type")
            for bound, path in self.pattern(name):
                binding = Binding("var", bound, value, scope, path)
                binding.const = const
                binding.type_node = declared
                holder.names.setdefault(bound, binding)
            if name.type != "identifier":
                self.stack.append((name, scope, context))
            if value is not None:
                self.stack.append((value, scope, context))

    def block(self, node: Node, scope: Scope, context: Context | None) -> None:
        self.later(node, Scope(self.module, scope, scope.func, scope.cls), context)

    def return_(self, node: Node, scope: Scope, context: Context | None) -> None:
        for child in node.named_children:
            if child.type == "comment":
                continue
            if scope.func is not None:
                scope.func.returns.append((child, scope, context))
            self.stack.append((child, scope, context))

    def throw(self, node: Node, scope: Scope, context: Context | None) -> None:
        if scope.func is not None:
            scope.func.thrown.append((node, context))
        self.later(node, scope, context)

    def try_(self, node: Node, scope: Scope, context: Context | None) -> None:
        body, handler, final = (node.child_by_field_name(name) for name in ("body", "handler", "finalizer"))
        if final is not None:
            self.later(final, scope, Context("finally", node, context))
        if handler is not None:
            inner = Scope(self.module, scope, scope.func, scope.cls)
            named = handler.child_by_field_name("parameter")
            if named is not None:
                for bound, path in self.pattern(named):
                    inner.names[bound] = Binding("catch", bound, None, inner, path)
            self.module.catches.append((node, inner, context))
            block = handler.child_by_field_name("body")
            if block is not None:
                self.stack.append((block, inner, Context("catch", node, context)))
        if body is not None:
            self.stack.append((body, scope, Context("try", node, context)))

    def if_(self, node: Node, scope: Scope, context: Context | None) -> None:
        condition, then, other = (
            node.child_by_field_name(name) for name in ("condition", "consequence", "alternative")
        )
        if other is not None:
            self.stack.append((other, scope, Context("else", node, context)))
        if then is not None:
            self.stack.append((then, scope, Context("if", node, context)))
        if condition is not None:
            self.stack.append((condition, scope, context))

    def loop(self, node: Node, scope: Scope, context: Context | None) -> None:
        self.later(node, scope, Context("loop", node, context))

    def switch(self, node: Node, scope: Scope, context: Context | None) -> None:
        self.later(node, Scope(self.module, scope, scope.func, scope.cls), Context("switch", node, context))

    def for_(self, node: Node, scope: Scope, context: Context | None) -> None:
        self.later(node, Scope(self.module, scope, scope.func, scope.cls), Context("loop", node, context))

    def for_in(self, node: Node, scope: Scope, context: Context | None) -> None:
        left, right = node.child_by_field_name("left"), node.child_by_field_name("right")
        body, operator = node.child_by_field_name("body"), node.child_by_field_name("operator")
        inner = Scope(self.module, scope, scope.func, scope.cls)
        if left is not None:
            kind = "each" if operator is None or self.text(operator) == "of" else "key"
            for bound, path in self.pattern(left):
                inner.names[bound] = Binding(kind, bound, right, inner, path)
        if body is not None:
            self.stack.append((body, inner, Context("loop", node, context)))
        if right is not None:
            self.stack.append((right, scope, context))

    def enum(self, node: Node, scope: Scope, context: Context | None) -> None:
        name = node.child_by_field_name("name")
        if name is not None:
            scope.names[self.text(name)] = Binding("enum", self.text(name), node, scope)

    def type_alias(self, node: Node, scope: Scope, context: Context | None) -> None:
        name = node.child_by_field_name("name")
        if name is not None:
            self.module.type_aliases.setdefault(self.text(name), node)

    def namespace(self, node: Node, scope: Scope, context: Context | None) -> None:
        body = node.child_by_field_name("body")
        if body is not None:
            self.later(body, scope, context)

    # Functions and classes

    def function(self, node: Node, scope: Scope, context: Context | None) -> None:
        self.make_function(node, scope, context, None)

    def make_function(self, node: Node, scope: Scope, context: Context | None, cls: Class | None) -> Function:
        kind = node.type
        named = node.child_by_field_name("name")
        name = _key_text(self.module, named) if named is not None else ""
        role = "arrow" if kind == "arrow_function" else "function"
        if kind == "method_definition":
            words = {child.type for child in node.children}
            role = (
                "get"
                if "get" in words
                else "set"
                if "set" in words
                else "constructor"
                if name == "constructor" and cls
                else "method"
            )
        fact = Function(node, self.module, name, role)
        fact.cls = cls if cls is not None else scope.cls
        fact.is_async = any(child.type == "async" for child in node.children)
        fact.is_static = any(child.type == "static" for child in node.children)
        fact.type_node = node.child_by_field_name("return_type")
        inner = Scope(self.module, scope, fact, fact.cls)
        fact.scope = inner
        fact.context = context
        self.module.functions.append(fact)
        self.module.function_at[node.id] = fact
        if kind.endswith("function_declaration"):
            binding = Binding("func", name, node, scope)
            binding.fact = fact
            scope.names[name] = binding
        elif kind in ("function_expression", "generator_function") and name:
            binding = Binding("func", name, node, inner)
            binding.fact = fact
            inner.names[name] = binding
        within = Context("function", node, context)
        body = node.child_by_field_name("body")
        fact.body = body
        if body is not None:
            if body.type != "statement_block":
                fact.returns.append((body, inner, within))
            self.stack.append((body, inner, within))
        self._parameters(fact, inner, within)
        return fact

    def _parameters(self, fact: Function, inner: Scope, context: Context | None) -> None:
        single = fact.node.child_by_field_name("parameter")
        held = fact.node.child_by_field_name("parameters")
        nodes = (
            [single]
            if single is not None
            else [c for c in held.named_children if c.type != "comment"]
            if held is not None
            else []
        )
        index = 0
        for node in nodes:
            parameter = self._parameter(node)
            if parameter is None or parameter.name == "this":
                continue
            fact.parameters.append(parameter)
            for bound, path in self.pattern(parameter.pattern):
                binding = Binding("param", bound, None, inner, path)
                binding.index = index
                binding.fact = fact
                binding.type_node = parameter.type_node
                inner.names[bound] = binding
            if parameter.default is not None:
                self.stack.append((parameter.default, inner, context))
            for child in node.named_children:
                if child.type == "decorator":
                    self.stack.append((child, inner, context))
            index += 1

    def _parameter(self, node: Node) -> Parameter | None:
        pattern: Node | None = node
        default, declared = None, None
        if node.type in ("required_parameter", "optional_parameter"):
            pattern = node.child_by_field_name("pattern")
            default, declared = node.child_by_field_name("value"), node.child_by_field_name("type")
        elif node.type == "assignment_pattern":
            pattern, default = node.child_by_field_name("left"), node.child_by_field_name("right")
        if pattern is None:
            return None
        rest = pattern.type == "rest_pattern"
        target = pattern.named_children[0] if rest and pattern.named_children else pattern
        parameter = Parameter(
            node, target, self.text(target) if target.type in ("identifier", "this") else "", default, declared
        )
        parameter.is_rest = rest
        parameter.is_property = any(
            child.type in ("accessibility_modifier", "readonly", "override_modifier") for child in node.children
        )
        return parameter

    def class_(self, node: Node, scope: Scope, context: Context | None) -> None:
        named = node.child_by_field_name("name")
        name = self.text(named) if named is not None else ""
        fact = Class(node, self.module, name, scope)
        fact.scope = Scope(self.module, scope, scope.func, fact)
        self.module.classes.append(fact)
        self.module.class_at[node.id] = fact
        if name:
            binding = Binding("class", name, node, scope)
            binding.fact = fact
            (scope if node.type != "class" else fact.scope).names[name] = binding
        fact.decorators = [child for child in node.named_children if child.type == "decorator"]
        parent = node.parent
        if parent is not None and parent.type == "export_statement":
            fact.decorators += [child for child in parent.named_children if child.type == "decorator"]
        for child in node.named_children:
            if child.type == "class_heritage":
                self._heritage(child, fact)
            elif child.type == "decorator":
                self.stack.append((child, scope, context))
        body = node.child_by_field_name("body")
        if body is not None:
            self._members(body, fact, context)

    def _heritage(self, node: Node, fact: Class) -> None:
        for child in node.named_children:
            if child.type == "extends_clause":
                fact.base = child.child_by_field_name("value")
            elif child.type == "implements_clause":
                fact.implements = list(child.named_children)
            elif fact.base is None:
                fact.base = child

    def _members(self, body: Node, fact: Class, context: Context | None) -> None:
        waiting: list[Node] = []
        for child in body.named_children:
            if child.type == "decorator":
                waiting.append(child)
                self.stack.append((child, fact.scope, context))
            elif child.type == "method_definition":
                method = self.make_function(child, fact.scope, context, fact)
                method.decorators, waiting = waiting, []
                table = fact.statics if method.is_static else fact.members
                table[method.name if method.kind != "set" else f"set {method.name}"] = method
            elif child.type in ("public_field_definition", "field_definition"):
                self._field(child, fact, waiting)
                waiting = []
            elif child.type != "comment":
                self.stack.append((child, fact.scope, context))
                waiting = []

    def _field(self, node: Node, fact: Class, decorators: list[Node]) -> None:
        named = node.child_by_field_name("name") or node.child_by_field_name("property")
        if named is None:
            return
        name, value = _key_text(self.module, named), node.child_by_field_name("value")
        field = Field(node, name, value, fact.scope)
        field.type_node = node.child_by_field_name("type")
        field.is_static = any(child.type == "static" for child in node.children)
        field.decorators = decorators + [child for child in node.named_children if child.type == "decorator"]
        fact.fields[name] = field
        for child in node.named_children:
            if child.type == "decorator":
                self.stack.append((child, fact.scope, None))
        if value is not None:
            self.stack.append((value, fact.scope, Context("field", node, None)))

    # Modules

    def import_(self, node: Node, scope: Scope, context: Context | None) -> None:
        source = node.child_by_field_name("source")
        for child in node.named_children:
            if child.type == "import_require_clause":
                spec = child.child_by_field_name("source")
                if spec is not None and child.named_children:
                    self._imported(scope, self.text(child.named_children[0]), _unquote(self.text(spec)), "=")
            elif child.type == "import_clause" and source is not None:
                self._clause(child, scope, _unquote(self.text(source)))

    def _clause(self, node: Node, scope: Scope, spec: str) -> None:
        for child in node.named_children:
            if child.type == "identifier":
                self._imported(scope, self.text(child), spec, "default")
            elif child.type == "namespace_import" and child.named_children:
                self._imported(scope, self.text(child.named_children[-1]), spec, "*")
            elif child.type == "named_imports":
                for item in child.named_children:
                    name, alias = item.child_by_field_name("name"), item.child_by_field_name("alias")
                    if name is not None:
                        self._imported(
                            scope, self.text(alias if alias is not None else name), spec, _unquote(self.text(name))
                        )

    def _imported(self, scope: Scope, local: str, spec: str, name: str) -> None:
        binding = Binding("import", local, None, scope)
        binding.fact = Import(spec, name)
        scope.names[local] = binding

    def export(self, node: Node, scope: Scope, context: Context | None) -> None:  # noqa: PLR0912  # one branch per kind
        exports, source = self.module.exports, node.child_by_field_name("source")
        spec = _unquote(self.text(source)) if source is not None else ""
        declared, value = node.child_by_field_name("declaration"), node.child_by_field_name("value")
        words = {child.type for child in node.children}
        if spec and "*" in words:
            self.module.stars.append(spec)
        for child in node.named_children:
            if child.type == "namespace_export" and child.named_children:
                exports[self.text(child.named_children[-1])] = ("from", Import(spec, "*"))
            elif child.type == "export_clause":
                for item in child.named_children:
                    name, alias = item.child_by_field_name("name"), item.child_by_field_name("alias")
                    if name is not None:
                        local, out = self.text(name), self.text(alias if alias is not None else name)
                        exports[out] = ("from", Import(spec, local)) if spec else ("local", local)
            elif child.type == "decorator":
                self.stack.append((child, scope, context))
        if declared is not None:
            if "default" in words:
                exports["default"] = ("node", (declared, scope))
            else:
                for local in _declared(self, declared):
                    exports[local] = ("local", local)
            self.stack.append((declared, scope, context))
        elif value is not None:
            exports["default"] = ("node", (value, scope))
            self.stack.append((value, scope, context))
        elif "=" in words and node.named_children:
            exports["="] = ("node", (node.named_children[-1], scope))
            self.stack.append((node.named_children[-1], scope, context))

    def pattern(self, node: Node) -> list[tuple[str, tuple[Step, ...]]]:  # noqa: PLR0912  # one branch per kind
        """The names that a pattern binds, each with the steps that lead to it."""
        found: list[tuple[str, tuple[Step, ...]]] = []
        pending: list[tuple[Node, tuple[Step, ...]]] = [(node, ())]
        while pending:
            at, path = pending.pop()
            match at.type:
                case "identifier" | "shorthand_property_identifier_pattern":
                    found.append((self.text(at), path))
                case "assignment_pattern" | "object_assignment_pattern":
                    left, right = at.child_by_field_name("left"), at.child_by_field_name("right")
                    if left is not None:
                        more: tuple[Step, ...] = ((".", self.text(left)),) if at.type.startswith("object") else ()
                        pending.append((left, (*path, *more, ("=", right))))
                case "object_pattern":
                    taken: list[str] = []
                    for child in at.named_children:
                        if child.type == "shorthand_property_identifier_pattern":
                            taken.append(self.text(child))
                            pending.append((child, (*path, (".", self.text(child)))))
                        elif child.type == "object_assignment_pattern":
                            pending.append((child, path))
                        elif child.type == "pair_pattern":
                            key, value = child.child_by_field_name("key"), child.child_by_field_name("value")
                            if key is not None and value is not None:
                                taken.append(_key_text(self.module, key))
                                pending.append((value, (*path, (".", _key_text(self.module, key)))))
                        elif child.type == "rest_pattern" and child.named_children:
                            pending.append((child.named_children[0], (*path, ("...", tuple(taken)))))
                case "array_pattern":
                    index = 0
                    for child in at.children:
                        if child.type == ",":
                            index += 1
                        elif child.is_named and child.type == "rest_pattern" and child.named_children:
                            pending.append((child.named_children[0], (*path, ("[...", index))))
                        elif child.is_named and child.type != "comment":
                            pending.append((child, (*path, ("[", index))))
                case "rest_pattern" if at.named_children:
                    pending.append((at.named_children[0], path))
        return found


def _declared(walk: _Walk, node: Node) -> list[str]:
    if node.type in ("lexical_declaration", "variable_declaration"):
        named = [
            child.child_by_field_name("name") for child in node.named_children if child.type == "variable_declarator"
        ]
        return [name for pattern in named if pattern is not None for name, _ in walk.pattern(pattern)]
    name = node.child_by_field_name("name")
    return [walk.text(name)] if name is not None else []


def _function_scope(scope: Scope) -> Scope:
    """Where `var` declares."""
    while scope.parent is not None and scope.parent.func is scope.func and scope.parent.cls is scope.cls:
        scope = scope.parent
    return scope


def _last_name(module: Module, node: Node) -> str:
    while node.type in ("non_null_expression", "parenthesized_expression", "as_expression") and node.named_children:
        node = node.named_children[0]
    if node.type == "member_expression":
        prop = node.child_by_field_name("property")
        return module.text(prop) if prop is not None else ""
    return module.text(node) if node.type in ("identifier", "this") else ""


def _key_text(module: Module, node: Node) -> str:
    text = module.text(node)
    return _unquote(text) if node.type in ("string", "template_string") else text


_ESCAPE = re.compile(r"\\(u\{[0-9a-fA-F]+\}|u[0-9a-fA-F]{4}|x[0-9a-fA-F]{2}|.)", re.S)
_ESCAPES = {"n": "\n", "t": "\t", "r": "\r", "b": "\b", "f": "\f", "v": "\v", "0": "\0", "\n": ""}


def _unquote(text: str) -> str:
    body = text[1:-1] if len(text) > 1 and text[0] in "'\"`" else text
    if "\\" not in body:
        return body
    return _ESCAPE.sub(lambda m: _escape(m.group(1)), body)


def _escape(code: str) -> str:
    if code[0] in "ux" and len(code) > 1:
        try:
            return chr(int(code.strip("ux{}"), 16))
        except (ValueError, OverflowError):
            return ""
    return _ESCAPES.get(code, code)


unquote = _unquote
last_name = _last_name
key_text = _key_text
