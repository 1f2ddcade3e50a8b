"""A query as an alert or a panel states it, read into what it compares: the plain words, without any parser."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Matcher:
    """One label matcher; `op` is `=`, `!=`, `=~` or `!~`."""

    name: str
    op: str
    value: str

    def allows(self, value: str) -> bool:
        """Whether a series with this value of the label is selected."""
        if self.op in ("=", "!="):
            return (value == self.value) is (self.op == "=")
        try:
            return (re.fullmatch(self.value, value) is not None) is (self.op == "=~")
        except re.error:
            return True

    @property
    def text(self) -> str:
        """As PromQL writes it."""
        quoted = self.value.replace("\\", "\\\\").replace('"', '\\"')
        return f'{self.name}{self.op}"{quoted}"'


@dataclass(frozen=True, slots=True)
class Selector:
    """The series that an expression reads."""

    metric: str
    """Its name; empty where it is only matched by a pattern."""
    matchers: tuple[Matcher, ...] = ()
    functions: tuple[str, ...] = ()
    """Functions and aggregations around it, outermost first: `sum`, `rate`."""
    range_s: float | None = None
    """Its window, for `x[5m]`; also that of a subquery around it."""
    divisor: bool = False
    """It stands below a division."""

    @property
    def text(self) -> str:
        """As PromQL writes it, without range and functions."""
        inside = ", ".join(m.text for m in self.matchers)
        return f"{self.metric}{{{inside}}}" if inside else self.metric

    def allows(self, label: str, value: str) -> bool:
        """Whether series with this label value are among those selected."""
        return all(m.allows(value) for m in self.matchers if m.name == label)


@dataclass(frozen=True, slots=True)
class Comparison:
    """`expression op threshold`, turned so that the metric stands on the left."""

    op: str
    threshold: float | None
    """None: it is compared with another expression."""


@dataclass(frozen=True, slots=True)
class Condition:
    """One thing that must hold for an alert to fire."""

    selectors: tuple[Selector, ...]
    comparison: Comparison | None = None
    """None: it holds whenever a series exists; with `absent`, whenever none does."""
    absent: bool = False
    ratio: bool = False
    """The left side is a division."""
    against: tuple[Selector, ...] = ()
    """Series on the other side of the comparison."""
    boolean: bool = False
    """Compared with `bool`: it yields 0 or 1, so an alert on it fires whatever the outcome."""
    by_itself: bool = False
    """A series is divided by itself, so that the ratio is always 1."""
    defaulted: bool = False
    """`or vector(0)` stands in for series that are not there."""
    text: str = ""

    @property
    def all_selectors(self) -> tuple[Selector, ...]:
        """Both sides."""
        return (*self.selectors, *self.against)


@dataclass(frozen=True, slots=True)
class Query:
    """A parsed expression: an `or` of alternatives, each an `and` of conditions."""

    text: str
    alternatives: tuple[tuple[Condition, ...], ...] = ()
    problem: str = ""
    """Why it could not be read; then there are no alternatives."""
    language: str = "promql"
    """`promql`, `datadog`, `cloudwatch`, ..."""

    def conditions(self) -> Iterator[Condition]:
        """All conditions of all alternatives."""
        for alternative in self.alternatives:
            yield from alternative

    def selectors(self) -> Iterator[Selector]:
        """All series that it reads."""
        for condition in self.conditions():
            yield from condition.all_selectors
