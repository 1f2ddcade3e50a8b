"""The walk over one file's tree that gathers its facts, without recursion."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, TypeAlias

from auditor.code.syntax.facts import Context, Module, Scope, Step, children_of
from auditor.code.syntax.lexical import key_text

if TYPE_CHECKING:
    from tree_sitter import Node

Handler: TypeAlias = "Callable[[Walk, Node, Scope, Context | None], None]"


class Walk:
    """The stack holds what is still to be seen, in source order.

    `handlers`: what reads a kind of node; the others are passed through, but for those that are `pruned`.
    """

    def __init__(self, module: Module, handlers: Mapping[int, Handler], pruned: bytes) -> None:
        self.module = module
        self.stack: list[tuple[Node, Scope, Context | None]] = []
        self._handlers = handlers
        self._pruned = pruned

    def run(self) -> None:
        """See the whole tree."""
        stack, handlers, pruned = self.stack, self._handlers, self._pruned
        push, pop = stack.append, stack.pop
        self.later(self.module.tree.root_node, self.module.scope, None)
        while stack:
            node, scope, context = pop()
            handler = handlers.get(node.kind_id)
            if handler is not None:
                handler(self, node, scope, context)
                continue
            for child in reversed(children_of(node)):
                if not pruned[child.kind_id]:
                    push((child, scope, context))

    def text(self, node: Node) -> str:
        """The source of a node."""
        return self.module.text(node)

    def later(self, node: Node, scope: Scope, context: Context | None) -> None:
        """See the children of `node` next."""
        pruned, push = self._pruned, self.stack.append
        for child in reversed(children_of(node)):
            if not pruned[child.kind_id]:
                push((child, scope, context))

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
                                taken.append(key_text(self.module, key))
                                pending.append((value, (*path, (".", key_text(self.module, key)))))
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
