"""Idempotency keys: whether a call gives one, and whether a retry makes the same again."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import TYPE_CHECKING

from auditor.code.evaluation.taint import text
from auditor.code.evaluation.values import Object, Unknown, Value, is_nothing, options_of
from auditor.code.model import ABSENT, Json, Option, OptionState
from auditor.code.reach.catalogue import KeyRule, Meaning
from auditor.code.reach.wording import callee_text, member_text
from auditor.code.sites import options as options_
from auditor.code.syntax.facts import Call, nodes_in
from auditor.model import CodeSpan

if TYPE_CHECKING:
    from tree_sitter import Node

    from auditor.code.evaluation.evaluate import Evaluator

_KEY_HEADERS = ("idempotency-key", "paypal-request-id", "idempotencykey", "idempotency_key", "x-reference-id")
_CLOCKLIKE = re.compile(r"time|now\b|random|uuid|nonce|rand\b|clock|counter", re.I)
_PLAIN_KEY = re.compile(r"[`'\"\w.${}\s+:?!|\[\]-]*")
_RAW = frozenset(
    ("axios", "@nestjs/axios", "got", "ky", "global", "node-fetch", "undici", "cross-fetch", "superagent", "needle")
)


def key_of(ev: Evaluator, call: Call, meaning: Meaning) -> Option | None:
    """The idempotency key that a call gives; None where its package knows none."""
    rule = meaning.package.key
    if rule is None:
        return _header_key(ev, call) if meaning.package.name in _RAW else None
    nodes = call.arguments()
    wanted = nodes[rule.argument] if rule.argument is not None and len(nodes) > rule.argument else None
    places = [wanted] if wanted is not None else nodes[-1:] if rule.argument is None else []
    for node in places:
        found = _key_in(ev, ev.eval(node, call.scope), rule, call, node)
        if found is not None:
            return found
    return ABSENT


def _key_in(ev: Evaluator, value: Value, rule: KeyRule, call: Call, node: Node) -> Option | None:
    name = rule.named(callee_text(call.node))
    written = member_text(node, name) or text(node)
    for one in options_of(value):
        if isinstance(one, Object):
            inner = ev.member(one, name)
            if not is_nothing(inner) and not (isinstance(inner, Unknown) and name not in text(node)):
                return _option(inner, written, call)
            if name in text(node):
                return _option(Unknown("the key"), written, call)
        elif isinstance(one, Unknown) and node.type not in ("object",):
            return Option(OptionState.UNKNOWN, why="the options are made elsewhere")
    return None


def _header_key(ev: Evaluator, call: Call) -> Option:
    written = text(call.node).lower()
    if not any(header in written for header in _KEY_HEADERS):
        return ABSENT
    for node in (each for argument in call.arguments() for each in nodes_in(argument) if each.type == "pair"):
        name, value = node.child_by_field_name("key"), node.child_by_field_name("value")
        if name is not None and value is not None and text(name).strip("'\"").lower().endswith(_KEY_HEADERS):
            return _option(ev.eval(value, call.scope), text(value), call)
    return _option(Unknown("a header"), written, call)


def _option(value: Value, written: str, call: Call) -> Option:
    """An idempotency key as an option: whether a retry makes it again, and what it is made of."""
    told, parts = options_.determinism([value])
    if re.search(
        r"attemptsMade|attemptsStarted|processedOn|Date\.now|randomUUID|uuid\s*\(|uuidv4|nanoid\s*\(|Math\.random",
        written,
    ):
        told = False
    elif told is not False and any(_CLOCKLIKE.search(name) and "job." not in name for name in _outside(parts)):
        told = None
    elif (
        told is None
        and not parts
        and _PLAIN_KEY.fullmatch(written.strip())
        and re.search(r"\bjob\.(?:id|data)\b", written)
    ):
        told = True
    shown: dict[str, Json] = {"deterministic": told, "parts": tuple(parts)}
    return Option(OptionState.KNOWN, shown, origin=CodeSpan(call.scope.module.path, call.line, call.line))


def _outside(parts: Iterable[str]) -> list[str]:
    """Parts of a key that are neither constants nor the job's data."""
    return [part for part in parts if not part.startswith(("'", "job.", "data."))]
