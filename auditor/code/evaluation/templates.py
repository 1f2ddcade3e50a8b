"""Template strings and concatenation, with holes where a part is not known."""

from __future__ import annotations

from typing import TYPE_CHECKING

from auditor.code.evaluation.values import UNDEFINED, Frame, Literal, Template, Value, join, options_of, text_of
from auditor.code.syntax.facts import Scope
from auditor.code.syntax.lexical import unquote

if TYPE_CHECKING:
    from tree_sitter import Node

    from auditor.code.evaluation.evaluate import Evaluator


def template(ev: Evaluator, node: Node, scope: Scope, frame: Frame | None) -> Value:
    """A template string; constant where all its parts are."""
    module, parts = scope.module, list[Value]()
    at = node.start_byte + 1
    for child in node.named_children:
        if child.type != "template_substitution":
            continue
        if child.start_byte > at:
            parts.append(_chunk(scope, at, child.start_byte))
        parts.append(ev.eval(child.named_children[0], scope, frame) if child.named_children else UNDEFINED)
        at = child.end_byte
    if node.end_byte - 1 > at:
        parts.append(_chunk(scope, at, node.end_byte - 1))
    return concatenate(parts, ev.where(module, node))


def _chunk(scope: Scope, start: int, end: int) -> Literal:
    return Literal(unquote("`" + scope.module.source[start:end].decode("utf-8", "replace") + "`"))


def concatenate(parts: list[Value], where: tuple[str, int] | None) -> Value:
    """The string that the parts make; several where a part is one of several constants."""
    choices: list[list[Value]] = [[]]
    for part in parts:
        options = [option for option in options_of(part) if isinstance(option, Literal)]
        if len(options) == len(options_of(part)) and len(choices) * len(options) <= 12:
            choices = [[*before, option] for before in choices for option in options]
        else:
            choices = [[*before, part] for before in choices]
    return join([_joined(choice, where) for choice in choices])


def _joined(parts: list[Value], where: tuple[str, int] | None) -> Value:
    flat: list[Value] = []
    for part in parts:
        flat.extend(part.parts if isinstance(part, Template) else (part,))
    if all(isinstance(part, Literal) for part in flat):
        env = next((part.env for part in flat if isinstance(part, Literal) and part.env), "")
        return Literal("".join(text_of(part) for part in flat), where, env)
    return Template(tuple(flat), where)
