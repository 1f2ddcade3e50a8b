"""Facts of imports and exports."""

from __future__ import annotations

from typing import TYPE_CHECKING

from auditor.code.syntax.facts import Binding, Context, Import, Scope
from auditor.code.syntax.lexical import unquote
from auditor.code.syntax.walk import Walk

if TYPE_CHECKING:
    from tree_sitter import Node


def import_(walk: Walk, node: Node, scope: Scope, context: Context | None) -> None:
    """`import … from`, and `import x = require()`."""
    source = node.child_by_field_name("source")
    for child in node.named_children:
        if child.type == "import_require_clause":
            spec = child.child_by_field_name("source")
            if spec is not None and child.named_children:
                _imported(walk, scope, walk.text(child.named_children[0]), unquote(walk.text(spec)), "=")
        elif child.type == "import_clause" and source is not None:
            _clause(walk, child, scope, unquote(walk.text(source)))


def _clause(walk: Walk, node: Node, scope: Scope, spec: str) -> None:
    for child in node.named_children:
        if child.type == "identifier":
            _imported(walk, scope, walk.text(child), spec, "default")
        elif child.type == "namespace_import" and child.named_children:
            _imported(walk, scope, walk.text(child.named_children[-1]), spec, "*")
        elif child.type == "named_imports":
            for item in child.named_children:
                name, alias = item.child_by_field_name("name"), item.child_by_field_name("alias")
                if name is not None:
                    _imported(
                        walk, scope, walk.text(alias if alias is not None else name), spec, unquote(walk.text(name))
                    )


def _imported(walk: Walk, scope: Scope, local: str, spec: str, name: str) -> None:
    binding = Binding("import", local, None, scope)
    binding.fact = Import(spec, name)
    scope.names[local] = binding


def export(walk: Walk, node: Node, scope: Scope, context: Context | None) -> None:  # noqa: PLR0912  # one branch per kind
    """`export`, in all its forms."""
    exports, source = walk.module.exports, node.child_by_field_name("source")
    spec = unquote(walk.text(source)) if source is not None else ""
    declared, value = node.child_by_field_name("declaration"), node.child_by_field_name("value")
    words = {child.type for child in node.children}
    if spec and "*" in words:
        walk.module.stars.append(spec)
    for child in node.named_children:
        if child.type == "namespace_export" and child.named_children:
            exports[walk.text(child.named_children[-1])] = ("from", Import(spec, "*"))
        elif child.type == "export_clause":
            for item in child.named_children:
                name, alias = item.child_by_field_name("name"), item.child_by_field_name("alias")
                if name is not None:
                    local, out = walk.text(name), walk.text(alias if alias is not None else name)
                    exports[out] = ("from", Import(spec, local)) if spec else ("local", local)
        elif child.type == "decorator":
            walk.stack.append((child, scope, context))
    if declared is not None:
        if "default" in words:
            exports["default"] = ("node", (declared, scope))
        else:
            for local in _declared(walk, declared):
                exports[local] = ("local", local)
        walk.stack.append((declared, scope, context))
    elif value is not None:
        exports["default"] = ("node", (value, scope))
        walk.stack.append((value, scope, context))
    elif "=" in words and node.named_children:
        exports["="] = ("node", (node.named_children[-1], scope))
        walk.stack.append((node.named_children[-1], scope, context))


def _declared(walk: Walk, node: Node) -> list[str]:
    if node.type in ("lexical_declaration", "variable_declaration"):
        named = [
            child.child_by_field_name("name") for child in node.named_children if child.type == "variable_declarator"
        ]
        return [name for pattern in named if pattern is not None for name, _ in walk.pattern(pattern)]
    name = node.child_by_field_name("name")
    return [walk.text(name)] if name is not None else []
