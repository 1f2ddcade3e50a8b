"""Source bytes to facts: tree-sitter's tree and one pruned walk over it, without recursion.

JavaScript is read with the TSX grammar, so that there is one vocabulary of nodes. Syntax errors stay local: what the
parser could make sense of around them is used.
"""

from __future__ import annotations

import re
from functools import cache
from typing import TYPE_CHECKING, TypeAlias

from auditor.code.syntax import functions as walk_functions
from auditor.code.syntax import imports as walk_modules
from auditor.code.syntax import statements as walk_statements
from auditor.code.syntax.facts import Module
from auditor.code.syntax.walk import Handler, Walk

if TYPE_CHECKING:
    from tree_sitter import Parser, Tree

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


_Table: TypeAlias = "tuple[dict[int, Handler], bytes]"
"""What reads a kind of node, by the kind's number, and by number whether a kind is pruned."""
_HANDLERS: dict[str, Handler] = {
    "call_expression": walk_statements.call,
    "new_expression": walk_statements.call,
    "lexical_declaration": walk_statements.declaration,
    "variable_declaration": walk_statements.declaration,
    "statement_block": walk_statements.block,
    "class_static_block": walk_statements.block,
    "export_statement": walk_modules.export,
    "import_statement": walk_modules.import_,
    "assignment_expression": walk_statements.assign,
    "augmented_assignment_expression": walk_statements.assign,
    "return_statement": walk_statements.return_,
    "throw_statement": walk_statements.throw,
    "try_statement": walk_statements.try_,
    "if_statement": walk_statements.if_,
    "ternary_expression": walk_statements.ternary,
    "for_in_statement": walk_statements.for_in,
    "for_statement": walk_statements.for_,
    "while_statement": walk_statements.loop,
    "do_statement": walk_statements.loop,
    "switch_statement": walk_statements.switch,
    "enum_declaration": walk_statements.enum,
    "type_alias_declaration": walk_statements.type_alias,
    "interface_declaration": walk_statements.type_alias,
    "internal_module": walk_statements.namespace,
    **dict.fromkeys(_FUNCTIONS, walk_functions.function),
    **dict.fromkeys(_CLASSES, walk_functions.class_),
}
"""What reads a kind of node; kinds that are not named are passed through."""


@cache
def _grammar(typescript: bool) -> tuple[Parser, _Table]:
    """The parser, and what it calls the nodes that matter."""
    import tree_sitter
    import tree_sitter_typescript

    language = tree_sitter.Language(
        tree_sitter_typescript.language_typescript() if typescript else tree_sitter_typescript.language_tsx()
    )
    handlers: dict[int, Handler] = {}
    pruned = bytearray(1 << 16)  # ERROR nodes have the largest number
    for index in range(language.node_kind_count):
        kind = language.node_kind_for_id(index) or ""
        if kind in _HANDLERS:
            handlers[index] = _HANDLERS[kind]
        elif kind in _PRUNED:
            pruned[index] = 1
    return tree_sitter.Parser(language), (handlers, bytes(pruned))


def bare_parse(path: str, source: bytes) -> Tree:
    """The tree alone: the floor of what reading a file costs."""
    return _grammar(path.endswith((".ts", ".mts", ".cts")))[0].parse(source)


def parse(path: str, source: bytes) -> Module:
    """The facts of one file."""
    if b"typeof import(" in source:
        source = _MASKED.sub(lambda m: b"any".ljust(len(m.group())), source)
    parser, (handlers, pruned) = _grammar(path.endswith((".ts", ".mts", ".cts")))
    module = Module(path, source, parser.parse(source))
    module.errors = int(module.tree.root_node.has_error)
    Walk(module, handlers, pruned).run()
    return module
