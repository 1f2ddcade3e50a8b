"""Idempotency keys: whether a call gives one, and whether a retry makes the same again."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from auditor.code.evaluation import call_sites, taint
from auditor.code.evaluation.taint import text
from auditor.code.evaluation.values import Frame, Object, Unknown, Value, is_nothing, join, options_of
from auditor.code.model import ABSENT, Json, Option, OptionState
from auditor.code.reach import conditional, hosts, http_keys, passing, ways
from auditor.code.reach.catalogue import KeyRule, Meaning
from auditor.code.reach.visits import Way
from auditor.code.reach.wording import callee_text, member_text, unwrapped
from auditor.code.reach.written import Written
from auditor.code.sites import options as options_
from auditor.code.syntax.facts import Call, nodes_in
from auditor.model import CodeSpan

if TYPE_CHECKING:
    from tree_sitter import Node

    from auditor.code.evaluation.evaluate import Evaluator

_ELSEWHERE = "the options are made elsewhere"
_OPEN = Option(OptionState.KNOWN, {"deterministic": None, "parts": ()}, why=_ELSEWHERE)
_CLOCKLIKE = re.compile(r"time|now\b|random|uuid|nonce|rand\b|clock|counter", re.I)
_PLAIN_KEY = re.compile(r"[`'\"\w.${}\s+:?!|\[\]-]*")
_RAW = frozenset(
    ("axios", "@nestjs/axios", "got", "ky", "global", "node-fetch", "undici", "cross-fetch", "superagent", "needle")
)


def key_of(ev: Evaluator, call: Call, meaning: Meaning, frame: Frame | None = None) -> Option | None:
    """The idempotency key that a call gives; None where its package knows none.

    VARIES where branches give different ones or none: each by itself in `values`, and in `why` when none is given.
    `frame`: the calls on the way to this one, where they are known; else it is what all callers give.
    """
    rule = meaning.package.key
    if rule is None:
        return _of_request(ev, call, frame) if meaning.package.name in _RAW else None
    nodes, name = call.arguments(), rule.named(callee_text(call.node))
    at = len(nodes) - 1 if rule.argument is None else rule.argument
    if not 0 <= at < len(nodes) or (rule.argument is None and _is_data(nodes, name, rule)):
        keyed = conditional.counterpart(call, len(nodes))
        return key_of(ev, keyed, meaning, frame) if keyed is not None else ABSENT
    found = _together(_branches(ev, call, nodes[at], name, ev.eval(nodes[at], call.scope, frame)))
    missing = found.state is OptionState.ABSENT or None in found.values
    return _OPEN if missing and _from_callers(ev, call, nodes[at], name) else found


def keyed_on(ev: Evaluator, call: Call, meaning: Meaning, joined: Option, way: Way) -> Option:
    """The key that a call gives on the way that a handler takes to it; `joined`, what it gives over all callers, where the
    way does not tell."""
    takes = meaning.package.key is not None or meaning.package.name in _RAW
    frame = ways.frame_of(ev, way) if takes else None
    found = key_of(ev, call, meaning, frame) if frame is not None else None
    if found is None or any(isinstance(one, Mapping) and one["deterministic"] is None for one in _values(found)):
        return joined
    return found


def _values(key: Option) -> tuple[Json, ...]:
    return key.values if key.state is OptionState.VARIES else (key.value,)


def _is_data(nodes: Sequence[Node], name: str, rule: KeyRule) -> bool:
    """Whether the last argument is the only one, and so what the call sends rather than its options."""
    return len(nodes) == 1 and nodes[0].type != "spread_element" and name == rule.option and name not in text(nodes[0])


def _branches(ev: Evaluator, call: Call, node: Node, name: str, value: Value) -> Iterator[Option]:
    """What each branch of a call's options gives. One that lacks a key only where there is nothing to make it of is none:
    `id ? { idempotencyKey: id } : undefined` is as good as `{ idempotencyKey: id }`."""
    empty, absent = False, ABSENT
    found = False
    for one in options_of(value):
        inner = _member(ev, one, name, node)
        if inner is None:
            empty = True
            continue
        if isinstance(inner, Unknown) and inner.why == _ELSEWHERE:
            yield _OPEN
            continue
        known = [each for each in options_of(inner) if not is_nothing(each)]
        places = conditional.given(ev, call, one, name) if isinstance(one, Object) else ()
        told = [place.conditions[0] for place in places if place.conditions]
        lacks = len(known) < len(options_of(inner))
        if told and not any(place.presence for place in places):
            absent = replace(ABSENT, why=told[0] if len(told) == 1 else "")
        if lacks and not (known and any(place.presence for place in places)):
            yield absent
        if known:
            found = found or any(place.presence for place in places)
            written = places[0].written if len(places) == 1 else member_text(node, name)
            yield _option(join(known), written or text(node), call)
    if empty and not found:
        yield absent


def _from_callers(ev: Evaluator, call: Call, node: Node, name: str) -> bool:
    """Whether options are made of a parameter of a function that nothing is seen to call: its callers may give a key."""
    function = call.scope.func
    if function is None or node.type == "object" or name in text(node) or call_sites.sites(ev, function):
        return False
    env: dict[str, taint.Paths] = {}
    for parameter in function.parameters:
        taint.bind(unwrapped(parameter.pattern), frozenset({parameter.name or "it"}), env)
    passing.bind_variables(Written(ev), function, env)
    return bool(taint.of(node, env))


def _member(ev: Evaluator, value: Value, name: str, node: Node) -> Value | None:
    """The key that options of one kind hold; None where they hold none."""
    if is_nothing(value):
        return None
    if not isinstance(value, Object):
        return Unknown(_ELSEWHERE)
    if name in value.members:
        return ev.member(value, name)
    hidden = value.rest is not None or value.open or name in text(value.node or node)
    return Unknown(_ELSEWHERE) if hidden else None


def _together(branches: Iterable[Option]) -> Option:
    """One option of what the branches give."""
    each = {str(one.value): one for one in branches}
    if len(each) < 2:
        return next(iter(each.values()), ABSENT)
    keyed = next(one for one in each.values() if one.state is not OptionState.ABSENT)
    return Option(
        OptionState.VARIES,
        values=tuple(one.value for one in each.values()),
        origin=keyed.origin,
        why=next((one.why for one in each.values() if one.state is OptionState.ABSENT), ""),
    )


def _of_request(ev: Evaluator, call: Call, frame: Frame | None) -> Option:
    """The key of a plain HTTP request: as it is written in the call, else as what it is given holds it."""
    for node in (each for argument in call.arguments() for each in nodes_in(argument) if each.type == "pair"):
        name, value = node.child_by_field_name("key"), node.child_by_field_name("value")
        if name is not None and value is not None and text(name).strip("'\"").lower().endswith(http_keys.HEADERS):
            return _option(ev.eval(value, call.scope, frame), text(value), call)
    found, hazy = http_keys.of(ev, call, hosts.references_at(ev, call), frame)
    if found:
        return _option(join(found), "", call)
    return _OPEN if hazy or http_keys.mentions(call) else ABSENT


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
