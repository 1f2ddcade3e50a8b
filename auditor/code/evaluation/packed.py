"""What is inside of serialized data: `JSON.stringify(order)`, `msgpack.encode(order)`, `Buffer.from(text).toString('base64')`."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from auditor.code.evaluation.external import SERIALIZES
from auditor.code.evaluation.values import Array, External, Object, Unknown, Value, options_of

if TYPE_CHECKING:
    from auditor.code.evaluation.evaluate import Evaluator

_DEEPEST = 6
_ENCRYPTS = ("encrypt", "seal", "sign", "hash", "cipher")


def inside(ev: Evaluator, value: Value, depth: int = 0) -> Iterator[Value]:
    """The objects and lists that a serialized value holds in clear; nothing where it is none, or is encrypted."""
    for one in map(ev.force, options_of(value)):
        match one:
            case Object() | Array() if depth:
                yield one
            case Unknown(_, "JSON.stringify()") if one.parts:
                yield from inside(ev, one.parts[0], depth + 1)
            case External(package, path) if depth < _DEEPEST:
                last = path.removesuffix("()").rsplit(".", 1)[-1]
                made = last.startswith(SERIALIZES) and path.endswith("()")
                if any(word in last.lower() for word in _ENCRYPTS):
                    continue
                if made and one.arguments:
                    yield from inside(ev, one.arguments[0], depth + 1)
                elif package in ("global", "buffer", "node:buffer") and path.startswith("Buffer."):
                    yield from _of_buffer(ev, one, depth)


def _of_buffer(ev: Evaluator, value: External, depth: int) -> Iterator[Value]:
    if value.base is not None:
        yield from inside(ev, value.base, depth)
    for argument in map(ev.force, value.arguments[:1]):
        parts = argument.items if isinstance(argument, Array) else (argument,)
        for part in parts:
            if not isinstance(ev.force(part), Object | Array):
                yield from inside(ev, part, depth)
