"""Sensitive data in a job's fields: where it is and what kind, never what it is."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import NamedTuple, TypeAlias

from .cards import as_words, has_card
from .jobs_model import Sensitive
from .secrets import by_key, by_value, keylike, words

# Most payloads hold nothing of the kind, and finding words in a text is far cheaper than walking it: each detector's
# keys and values hold one of these, or a run of digits as long as a card number's.
_HINTS = (
    *(
        "pass",
        "pwd",
        "secret",
        "token",
        "key",
        "mnemonic",
        "phrase",
        "seed",
        "wallet",
        "signer",
        "private",
        "cvv",
        "cvc",
        "cvn",
    ),
    *(
        "csc",
        "security",
        "cardcode",
        "card_code",
        "card",
        'pan"',
        "ssn",
        "social",
        "authorization",
        "eyj",
        "_live_",
        "whsec",
    ),
    *(
        "akia",
        "asia",
        "ghp_",
        "gho_",
        "ghu_",
        "ghs_",
        "ghr_",
        "github_pat",
        "xox",
        "sg.",
        "npm_",
        "glpat",
        "sq0",
        'sk"',
        'pk"',
    ),
)
_DIGITS = re.compile(r"\d{12}|\d{4}[ -]\d{4}")
_SHORTEST = 13
"""Characters of the shortest text that any value's detector knows."""
_MAX_DEPTH = 24
_MAX_NODES = 20_000
_MAX_ELEMENTS = 200


@dataclass(frozen=True, slots=True)
class Found:
    """One hit: key path (`a.b[].c`), kind, and the shape of the value."""

    path: str
    kind: Sensitive
    shape: str


class _Node(NamedTuple):
    path: str
    key: tuple[str, ...]
    """Words of its key, after the last two of the key above: `card.number` is card + number."""
    value: object
    depth: int


_Stack: TypeAlias = list[_Node]


def in_json(text: str) -> tuple[bool, list[Found]]:
    """Whether a field's text is JSON, and the hits in it; what is no JSON is searched as text."""
    try:
        value = json.loads(text)
    except (ValueError, RecursionError):
        return False, in_text(text)
    return True, _unique(_walk(value)) if _worth_a_walk(text) else []


def in_text(text: str) -> list[Found]:
    """Hits in plain text: a failure reason, a stack trace. There only values count."""
    kinds = [*by_value(text, ()), *([Sensitive.CARD] if has_card(text, ()) else [])]
    return _unique(Found("", kind, f"inside a text of {len(text)}") for kind in kinds)


def in_name(text: str) -> list[Found]:
    """Hits in a job's id or name, which stand in keys, logs and reports; there only values count."""
    return in_text(as_words(text)) if len(text) >= _SHORTEST and _worth_a_walk(text) else []


def _worth_a_walk(text: str) -> bool:
    lowered = text.lower()
    return any(hint in lowered for hint in _HINTS) or _DIGITS.search(text) is not None


def _walk(root: object) -> Iterator[Found]:
    stack: _Stack = [_Node("", (), root, 0)]
    for _ in range(_MAX_NODES):
        if not stack:
            return
        node = stack.pop()
        match node.value:
            case bool() | None:
                continue
            case str() | int():
                yield from _leaf(node, node.value, stack)
            case dict() | list() if node.depth < _MAX_DEPTH:
                if _key_bytes(node):
                    yield Found(node.path, Sensitive.PRIVATE_KEY, "array of 64 bytes")
                else:
                    stack += _inside(node)


def _inside(node: _Node) -> Iterator[_Node]:
    if isinstance(node.value, dict):
        for name, value in node.value.items():
            path = f"{node.path}.{_segment(name)}" if node.path else _segment(name)
            yield _Node(path, node.key[-2:] + words(name), value, node.depth + 1)
    elif isinstance(node.value, list):
        for value in node.value[:_MAX_ELEMENTS]:
            yield _Node(f"{node.path}[]", node.key, value, node.depth + 1)


def _leaf(node: _Node, value: str | int, stack: _Stack) -> Iterator[Found]:
    text = str(value)
    if isinstance(value, str) and text[:1] in ("{", "[") and node.depth < _MAX_DEPTH:
        try:
            stack.append(_Node(node.path, node.key, json.loads(text), node.depth + 1))
            return
        except (ValueError, RecursionError):
            pass  # text that only begins like JSON
    kinds = set(by_value(text, node.key))
    if has_card(text, node.key):
        kinds.add(Sensitive.CARD)
    if not kinds and (named := by_key(node.key, value)):
        kinds.add(named)
    for kind in sorted(kinds):
        yield Found(node.path, kind, _shape(value, kind))


def _key_bytes(node: _Node) -> bool:
    # Solana's tools write a secret key as a JSON array of its 64 bytes
    value = node.value
    if not isinstance(value, list) or len(value) != 64 or not keylike(node.key):
        return False
    return all(isinstance(byte, int) and 0 <= byte < 256 for byte in value)


def _shape(value: str | int, kind: Sensitive) -> str:
    text = str(value)
    # of a card number people know the last digits; of a password not even those
    tail = f", …{text[-2:]}" if kind is Sensitive.CARD and text[-2:].isdecimal() else ""
    return f"{'string' if isinstance(value, str) else 'number'} of {len(text)}{tail}"


@lru_cache(maxsize=8192)
def _segment(name: str) -> str:
    """A key of the path; one that looks like data itself (long, many digits, an address) is folded to `*`."""
    digits = sum(c.isdecimal() for c in name)
    return "*" if len(name) > 40 or digits > 4 or "@" in name or not name.isprintable() else name


def _unique(found: Iterable[Found]) -> list[Found]:
    return list({(hit.path, hit.kind): hit for hit in found}.values())
