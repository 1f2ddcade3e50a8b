"""What the collection helpers of lodash and its kin give, by what they are handed: the same elements, in another shape."""

from __future__ import annotations

from auditor.code.evaluation.values import UNDEFINED, Array, Object, Unknown, Value, join, options_of

PACKAGES = frozenset(("lodash", "lodash-es", "underscore", "es-toolkit", "radash", "remeda"))
_SAME = frozenset(
    ("sortBy", "orderBy", "uniq", "uniqBy", "uniqWith", "unique", "shuffle", "reverse", "filter", "reject", "compact", "take", "takeRight", "drop",
     "dropRight", "tail", "initial", "difference", "differenceBy", "without", "slice", "toArray", "sampleSize", "sort", "flatten", "flattenDeep", "sift")
)  # fmt: skip
_FLAT = frozenset(("flatten", "flattenDeep"))
_GROUPED = frozenset(("groupBy", "group"))
_KEYED = frozenset(("keyBy", "objectify", "indexBy"))
_PARTED = frozenset(("partition", "fork"))
_CHUNKED = frozenset(("chunk", "cluster"))
_ONE = frozenset(("head", "first", "last", "sample", "find", "findLast", "minBy", "maxBy", "min", "max", "nth"))


def called(name: str, arguments: tuple[Value, ...]) -> Value | None:
    """The result of a helper for a list; None where it is no such helper or its list is not known."""
    element = _element(arguments[0]) if arguments else None
    if element is None:
        return None
    if name in _SAME:
        return Array((), _element(element) or element if name in _FLAT else element)
    if name in _GROUPED:
        return Object({}, Array((), element))
    if name in _KEYED:
        return Object({}, element)
    if name in _PARTED:
        return Array((Array((), element), Array((), element)))
    if name in _CHUNKED:
        return Array((), Array((), element))
    if name in _ONE:
        return join([element, UNDEFINED])
    return None


def _element(value: Value) -> Value | None:
    """What an element of a list, or a value of a record, may be."""
    found: list[Value] = []
    for option in options_of(value):
        if isinstance(option, Array):
            found.extend((*option.items, *([option.rest] if option.rest is not None else [])))
        elif isinstance(option, Object):
            found.extend((*option.members.values(), *([option.rest] if option.rest is not None else [])))
    kept = [one for one in found if not isinstance(one, Unknown)] or found
    return join(kept) if kept else None
