"""Our own YAML files, read strictly, every value with its line.

YAML 1.1 reads `yes` as true, `012` as ten and `1:30` as ninety; people mean none of these. Plain scalars are
resolved by the 1.2 core schema here, and the traps are reported instead of guessed.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import yaml  # loaded when a file is read: most projects have no tt-audit.yaml

Scalar = str | int | float | bool | None

_INT = re.compile(r"[-+]?(0|[1-9][0-9]*)")
_FLOAT = re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?")
_TRAPS = (
    (
        re.compile(r"(?i:yes|no|on|off|y|n)"),
        "YAML readers disagree on whether this is text or a truth value: write true or false, or quote it",
    ),
    (re.compile(r"[-+]?0[0-9_]+"), "a leading zero makes this octal for some YAML readers: drop the zero, or quote it"),
    (re.compile(r"[-+]?[0-9]+(:[0-5]?[0-9])+"), "some YAML readers take this for a base-60 number: quote it"),
)


@dataclass(frozen=True, slots=True)
class Located:
    """A YAML value and the line it starts on; containers hold `Located` values."""

    value: Scalar | list[Located] | dict[str, Located]
    line: int

    def plain(self) -> object:
        """The value without lines: dicts, lists and scalars."""
        if isinstance(self.value, dict):
            return {key: entry.plain() for key, entry in self.value.items()}
        if isinstance(self.value, list):
            return [entry.plain() for entry in self.value]
        return self.value

    def describe(self) -> str:
        """What it is, for messages: `'yes' (text)`."""
        if isinstance(self.value, dict):
            return "a mapping"
        if isinstance(self.value, list):
            return "a list"
        kind = {bool: "true or false", int: "a whole number", float: "a number", str: "text"}.get(
            type(self.value), "nothing"
        )
        return f"{self.value!r} ({kind})"


@dataclass(slots=True)
class Problems:
    """Collects everything wrong with a file, as lines `file:line: what`."""

    path: str
    lines: list[str] = field(default_factory=list)

    def add(self, line: int, what: str) -> None:
        """Note one problem."""
        self.lines.append(f"{self.path}:{line}: {what}")


def read(path: Path, problems: Problems) -> Located | None:
    """The document in `path`; None when it is empty or cannot be read (then `problems` says why)."""
    try:
        return parse(path.read_text(encoding="utf-8"), problems)
    except FileNotFoundError:
        problems.lines.append(f"{problems.path}: no such file")
    except (OSError, UnicodeDecodeError) as error:
        problems.lines.append(f"{problems.path}: cannot be read: {error}")
    return None


def parse(text: str, problems: Problems) -> Located | None:
    """The one document in `text`; None when it is empty or broken."""
    import yaml

    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    try:
        node = yaml.compose(text, Loader=loader)
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        problems.add(mark.line + 1 if mark else 1, f"not YAML: {getattr(error, 'problem', None) or error}")
        return None
    return None if node is None else _located(node, problems, ())


def _located(node: yaml.Node, problems: Problems, above: tuple[yaml.Node, ...]) -> Located:
    import yaml

    line = node.start_mark.line + 1
    if node in above:
        problems.add(line, "an alias that contains itself")
        return Located(None, line)
    inside = (*above, node)
    if isinstance(node, yaml.MappingNode):
        entries: dict[str, Located] = {}
        for key_node, value_node in node.value:
            key = key_node.value if isinstance(key_node, yaml.ScalarNode) else ""
            if not key:
                problems.add(key_node.start_mark.line + 1, "a key must be text")
            elif key in entries:
                problems.add(key_node.start_mark.line + 1, f"{key} is given twice (first on line {entries[key].line})")
            entries[key] = _located(value_node, problems, inside)
        return Located(entries, line)
    if isinstance(node, yaml.SequenceNode):
        return Located([_located(entry, problems, inside) for entry in node.value], line)
    if isinstance(node, yaml.ScalarNode):
        return Located(_scalar(node, problems), line)
    raise AssertionError(node)


def _scalar(node: yaml.ScalarNode, problems: Problems) -> Scalar:
    text: str = node.value
    if node.style:  # the C loader says '' for a plain scalar, the Python one None
        return text
    if text in ("", "~", "null"):
        return None
    if text in ("true", "false"):
        return text == "true"
    if _INT.fullmatch(text):
        return int(text)
    for trap, advice in _TRAPS:
        if trap.fullmatch(text):
            problems.add(node.start_mark.line + 1, f"{text}: {advice}")
            return text
    return float(text) if _FLOAT.fullmatch(text) else text


@dataclass(frozen=True, slots=True)
class Fields:
    """A mapping read key by key; unknown keys and wrong types go to `problems`."""

    entries: Mapping[str, Located]
    line: int
    where: str
    problems: Problems

    @staticmethod
    def of(located: Located, where: str, problems: Problems, known: frozenset[str]) -> Fields:
        """The fields of a mapping; anything else, and keys not in `known`, are problems."""
        if not isinstance(located.value, dict):
            problems.add(located.line, f"{where}: a mapping is wanted, got {located.describe()}")
            return Fields({}, located.line, where, problems)
        for key, entry in located.value.items():
            if key not in known:
                problems.add(entry.line, f"{where}: unknown key {key}{did_you_mean(key, known)}")
        return Fields(located.value, located.line, where, problems)

    def text(self, key: str, *, required: bool = False) -> str:
        """The text under `key`; empty when absent."""
        entry = self.entries.get(key)
        if entry is None or entry.value is None:
            if required:
                self.problems.add(self.line, f"{self.where}: {key} is missing")
            return ""
        if not isinstance(entry.value, str):
            self.problems.add(entry.line, f"{self.where}: {key}: text is wanted, got {entry.describe()}")
            return ""
        if required and not entry.value.strip():
            self.problems.add(entry.line, f"{self.where}: {key} is empty")
        return entry.value

    def texts(self, key: str) -> tuple[str, ...]:
        """The list of texts under `key`; a single text counts as a list of one."""
        entry = self.entries.get(key)
        if entry is None or entry.value is None:
            return ()
        entries = entry.value if isinstance(entry.value, list) else [entry]
        for one in entries:
            if not isinstance(one.value, str):
                self.problems.add(one.line, f"{self.where}: {key}: text is wanted, got {one.describe()}")
        return tuple(one.value for one in entries if isinstance(one.value, str))

    def choice(self, key: str, choices: tuple[str, ...], *, required: bool = False) -> str:
        """One of `choices`; empty when absent or wrong."""
        got = self.text(key, required=required)
        if got and got not in choices:
            self.problems.add(
                self.entries[key].line,
                f"{self.where}: {key}: one of {', '.join(choices)} is wanted, got {got!r}{did_you_mean(got, frozenset(choices))}",
            )
            return ""
        return got

    def whole(self, key: str) -> int | None:
        """The whole number under `key`; None when absent."""
        entry = self.entries.get(key)
        if entry is None or entry.value is None:
            return None
        if isinstance(entry.value, bool) or not isinstance(entry.value, int):
            self.problems.add(entry.line, f"{self.where}: {key}: a whole number is wanted, got {entry.describe()}")
            return None
        return entry.value

    def each(self, key: str) -> list[Located]:
        """The entries of the list under `key`; empty when absent."""
        entry = self.entries.get(key)
        if entry is None or entry.value is None:
            return []
        if not isinstance(entry.value, list):
            self.problems.add(entry.line, f"{self.where}: {key}: a list is wanted, got {entry.describe()}")
            return []
        return entry.value


def did_you_mean(given: str, known: frozenset[str]) -> str:
    """A hint at the nearest known word, or nothing."""
    import difflib

    close = difflib.get_close_matches(given, known, n=1)
    return f" (did you mean {close[0]}?)" if close else ""
