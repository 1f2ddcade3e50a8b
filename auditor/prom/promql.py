"""PromQL by its parser into a `Query`: what is compared with what, in which direction.

Grafana's variables and Helm's templates stand where PromQL has durations, labels and numbers; they are taken out
before parsing, so that what the rest states is still read.
"""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Any

from .query import Comparison, Condition, Matcher, Query, Selector

LONGEST = 8_000
DEEPEST = 200
MOST_ALTERNATIVES = 32

_FLIPPED = {">": "<", "<": ">", ">=": "<=", "<=": ">=", "==": "==", "!=": "!="}
_COMPARISONS = frozenset(_FLIPPED)
_HOLE = "TEMPLATE"
_RANGE_HOLE = re.compile(r"\[\s*(?:\$\{?\w+(?::\w+)?\}?|TEMPLATE\w*|\[\[\w+\]\])\s*(:[^\]]*)?\]")
_NUMBER_HOLE = re.compile(r"\$\{?(?:__)?\w+(?::\w+)?\}?|\[\[\w+\]\]")
_STRING = re.compile(r'"(?:\\.|[^"\\])*"|\'(?:\\.|[^\'\\])*\'|`[^`]*`')

_Alternatives = tuple[tuple[Condition, ...], ...]
# Nodes of promql_parser are Any: it ships no types. They never leave this module.

_SIGNS = re.compile(r"(?:[-+]\s*+){50}")
"""So many signs in a row nest as deep."""


def read(text: str) -> Query:
    """The query; one that does not parse has a `problem` and no alternatives."""
    text = text.strip()
    if not text:
        return Query(text, problem="the expression is empty")
    depth = max(text.count("("), text.count("[") + text.count("{"))
    if len(text) > LONGEST or depth > DEEPEST or _SIGNS.search(text):
        return Query(text[:200], problem="the expression is too long or too deeply nested to be read")
    import promql_parser

    try:
        return Query(text, _alternatives(promql_parser.parse(_without_holes(text)), ()))
    except (ValueError, RecursionError) as error:
        why = "it is nested too deeply" if isinstance(error, RecursionError) else str(error).splitlines()[0]
        return Query(text, problem=f"not PromQL: {why}")


def _without_holes(text: str) -> str:
    text = _RANGE_HOLE.sub(lambda m: f"[5m{m[1] or ''}]", text)
    parts, last = [], 0
    for string in _STRING.finditer(text):
        parts += [_NUMBER_HOLE.sub(_HOLE, text[last : string.start()]), string[0]]
        last = string.end()
    return "".join(parts) + _NUMBER_HOLE.sub(_HOLE, text[last:])


def _alternatives(node: Any, around: tuple[str, ...]) -> _Alternatives:
    kind = type(node).__name__
    if kind == "ParenExpr":
        return _alternatives(node.expr, around)
    if kind == "BinaryExpr":
        return _binary(node, around)
    if kind == "Call" and node.func.name in ("absent", "absent_over_time"):
        return ((Condition(_selectors(node, around), absent=True, text=str(node)),),)
    if kind in ("Call", "AggregateExpr", "SubqueryExpr", "UnaryExpr"):
        return _wrapped(node, around)
    return ((Condition(_selectors(node, around), text=str(node)),),)


def _binary(node: Any, around: tuple[str, ...]) -> _Alternatives:
    op = str(node.op)
    if op == "or":
        return (*_alternatives(node.lhs, around), *_alternatives(node.rhs, around))[:MOST_ALTERNATIVES]
    if op == "and":
        return _both(_alternatives(node.lhs, around), _alternatives(node.rhs, around))
    if op == "unless":
        return _unless(node, around)
    if op in _COMPARISONS:
        return _compared(node, op, around)
    if _compares(node.lhs) or _compares(node.rhs):
        return _both(_alternatives(node.lhs, around), _alternatives(node.rhs, around))
    return ((_value(node, around),),)


def _unless(node: Any, around: tuple[str, ...]) -> _Alternatives:
    """The left side; `x offset 10m unless x` says that x has vanished."""
    now = {s.metric for s in _selectors(node.rhs, around)}
    return tuple(
        tuple(
            replace(c, absent=True) if c.comparison is None and any(s.metric in now for s in c.selectors) else c
            for c in alternative
        )
        for alternative in _alternatives(node.lhs, around)
    )


def _compared(node: Any, op: str, around: tuple[str, ...], truth: bool = False) -> _Alternatives:
    left, right = node.lhs, node.rhs
    if _number(left) is not None and _number(right) is None:
        left, right, op = right, left, _FLIPPED[op]
    threshold = _number(right)
    inner = _bare(left)
    if threshold is not None and op in ("==", "!=", ">", ">="):
        if _yields_truth(inner) and type(inner).__name__ == "BinaryExpr":
            return _compared(inner, str(inner.op), around, truth=True)  # (x > bool 5) == 1
        if _yields_truth(inner):
            return _alternatives(inner, around)  # absent(x) == 1
        counted = _counted(inner) if op != "==" else None
        if counted is not None:  # count(up == 0) > 0: what is counted decides
            chain, core = counted
            return _compared(core, str(core.op), (*around, *chain), truth=True)
    condition = _value(left, around)
    against = () if threshold is not None else _selectors(right, around)
    if node.modifier is not None and node.modifier.return_bool and not truth:
        return ((replace(condition, against=against, text=str(node), boolean=True),),)
    op, threshold = _turned(inner, op, threshold)
    return ((replace(condition, comparison=Comparison(op, threshold), against=against, text=str(node)),),)


def _counted(node: Any) -> tuple[tuple[str, ...], Any] | None:
    """The functions around a comparison whose hits are counted, and the comparison: `count(x == 0)`, `sum(x > bool 5)`.

    None for a comparison that only filters what a larger one looks at: `a / (b > 0)`, `max(depth > 0)`.
    """
    chain: list[str] = []
    node = _bare(node)
    while type(node).__name__ in ("AggregateExpr", "Call", "SubqueryExpr", "ParenExpr"):
        chain += _name(node)
        children = _children(node)
        if len(children) != 1:
            return None
        node = _bare(children[0])
    if _op(node) not in _COMPARISONS:
        return None
    counts = {"count", "group", "count_over_time"} & set(chain)
    boolean = node.modifier is not None and node.modifier.return_bool
    return (tuple(chain), node) if counts or (boolean and "sum" in chain) else None


def _turned(node: Any, op: str, threshold: float | None) -> tuple[str, float | None]:
    """The comparison with constants moved to the right: `100 * (1 - x) > 5` is `x < 0.95`."""
    while threshold is not None and _op(node) in ("*", "/", "-", "+"):
        left, right = _number(node.lhs), _number(node.rhs)
        constant = left if right is None else right
        if constant is None or (constant == 0 and _op(node) in ("*", "/")):
            break
        if _op(node) == "*":
            threshold /= constant
        elif _op(node) == "/" and right is not None:
            threshold *= constant
        elif _op(node) == "-" and left is not None:
            op, threshold = _FLIPPED[op], constant - threshold
        elif _op(node) in ("-", "+"):
            threshold += constant if _op(node) == "-" else -constant
        else:
            break
        if _op(node) in ("*", "/") and constant < 0:
            op = _FLIPPED[op]
        node = _bare(node.rhs if right is None else node.lhs)
    return op, threshold


def _yields_truth(node: Any) -> bool:
    if type(node).__name__ == "Call":
        return node.func.name in ("absent", "absent_over_time")
    is_bool = type(node).__name__ == "BinaryExpr" and str(node.op) in _COMPARISONS
    return is_bool and node.modifier is not None and bool(node.modifier.return_bool)


def _wrapped(node: Any, around: tuple[str, ...]) -> _Alternatives:
    """`sum(x > 5)`: the comparison inside is what decides."""
    inner = next((child for child in _children(node) if _compares(child)), None)
    if inner is None:
        return ((_value(node, around),),)
    return _alternatives(inner, (*around, *_name(node)))


def _value(node: Any, around: tuple[str, ...]) -> Condition:
    return Condition(
        _selectors(node, around),
        ratio=_any(node, lambda n: _op(n) == "/" and _number(n.rhs) is None),
        by_itself=_any(node, _divides_itself),
        defaulted=_any(node, lambda n: _op(n) == "or" and _is_vector(n.rhs)),
        text=str(node),
    )


def _both(left: _Alternatives, right: _Alternatives) -> _Alternatives:
    return tuple((*a, *b) for a in left for b in right)[:MOST_ALTERNATIVES]


def _selectors(
    node: Any, around: tuple[str, ...], range_s: float | None = None, divisor: bool = False
) -> tuple[Selector, ...]:
    kind = type(node).__name__
    if kind == "VectorSelector":
        found = _selector(node, around, range_s, divisor)
        return () if found is None else (found,)
    if kind == "MatrixSelector":
        return _selectors(node.vector_selector, around, _seconds(node.range), divisor)
    if kind == "SubqueryExpr":
        return _selectors(node.expr, around, _seconds(node.range), divisor)
    if kind == "BinaryExpr":
        below = divisor or str(node.op) == "/"
        return (*_selectors(node.lhs, around, range_s, divisor), *_selectors(node.rhs, around, range_s, below))
    inside = (*around, *_name(node))
    return tuple(s for child in _children(node) for s in _selectors(child, inside, range_s, divisor))


def _selector(node: Any, around: tuple[str, ...], range_s: float | None, divisor: bool) -> Selector | None:
    alternatives = [*node.matchers.matchers, *(m for group in node.matchers.or_matchers for m in group)]
    named = next((m.value for m in alternatives if m.name == "__name__" and _matcher_op(m) == "="), "")
    metric = node.name or named
    if metric == _HOLE:
        return None
    keep = [m for m in node.matchers.matchers if m.name != "__name__" or _matcher_op(m) != "="]
    matchers = tuple(Matcher(m.name, _matcher_op(m), m.value) for m in keep if not _holed(m.value))
    if _HOLE in metric:  # ${prefix}_queue_depth: any name that ends like it
        matchers = (Matcher("__name__", "=~", metric.replace(_HOLE, ".*")), *matchers)
        metric = ""
    return Selector(metric, matchers, around, range_s, divisor)


def _holed(value: str) -> bool:
    return (
        _HOLE in value
        or "{{" in value
        or bool(_NUMBER_HOLE.fullmatch(value) or re.search(r"\$\{?[A-Za-z_]|\[\[", value))
    )


def _matcher_op(matcher: Any) -> str:
    return {"Equal": "=", "NotEqual": "!=", "Re": "=~", "NotRe": "!~"}[str(matcher.op).rpartition(".")[2]]


def _seconds(duration: Any) -> float | None:
    return duration.total_seconds() if duration is not None else None


def _children(node: Any) -> tuple[Any, ...]:
    kind = type(node).__name__
    if kind == "Call":
        return tuple(node.args)
    if kind == "BinaryExpr":
        return (node.lhs, node.rhs)
    if kind == "MatrixSelector":
        return (node.vector_selector,)
    inner = getattr(node, "expr", None)
    return () if inner is None else (inner,)


def _name(node: Any) -> tuple[str, ...]:
    kind = type(node).__name__
    if kind == "Call":
        return (str(node.func.name),)
    return (str(node.op),) if kind == "AggregateExpr" else ()


def _op(node: Any) -> str:
    return str(node.op) if type(node).__name__ == "BinaryExpr" else ""


def _compares(node: Any) -> bool:
    return _any(
        node, lambda n: _op(n) in _COMPARISONS or (type(n).__name__ == "Call" and n.func.name.startswith("absent"))
    )


def _any(node: Any, holds: Any) -> bool:
    return bool(holds(node)) or any(_any(child, holds) for child in _children(node))


def _bare(node: Any) -> Any:
    while type(node).__name__ == "ParenExpr":
        node = node.expr
    return node


def _number(node: Any) -> float | None:
    """A constant, or arithmetic over constants (`5 * 60`, `1 / 2`)."""
    node = _bare(node)
    kind = type(node).__name__
    if kind == "NumberLiteral":
        return float(node.val)
    if kind == "UnaryExpr":
        inner = _number(node.expr)
        return None if inner is None else -inner
    if kind == "Call" and node.func.name in ("vector", "scalar") and node.args:
        return _number(node.args[0])
    if kind == "BinaryExpr":
        left, right = _number(node.lhs), _number(node.rhs)
        if left is None or right is None:
            return None
        return {"+": left + right, "-": left - right, "*": left * right, "/": left / right if right else None}.get(
            str(node.op)
        )
    return None


def _is_vector(node: Any) -> bool:
    return _number(node) is not None or (type(_bare(node)).__name__ == "Call" and _bare(node).func.name == "vector")


def _divides_itself(node: Any) -> bool:
    """`rate(x{code="500"}[5m]) / rate(x[5m])`: without a sum on both sides each series meets itself, and the ratio is 1."""
    if _op(node) != "/" or (node.modifier is not None and node.modifier.matching is not None):
        return False
    left, right = _unsummed(node.lhs), _unsummed(node.rhs)
    return left is not None and right is not None and left.metric == right.metric and left.metric != ""


def _unsummed(node: Any) -> Selector | None:
    """The selector of `x` or `rate(x[5m])`; None where an aggregation or arithmetic stands between."""
    node = _bare(node)
    kind = type(node).__name__
    if kind == "VectorSelector":
        return _selector(node, (), None, False)
    if kind == "MatrixSelector":
        return _unsummed(node.vector_selector)
    if kind == "Call" and len(node.args) == 1:
        return _unsummed(node.args[0])
    return None
