"""Helm charts: templates read with the chart's own values, as far as that is sound, without running helm.

Rendered are values, the release's and chart's names, `default`, `quote`, `toYaml`, and conditions on values. What
needs more (loops, named templates, lookups) stays opaque. Line numbers stay those of the template: a structure that
takes several lines in helm's output stands on one, in flow style.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field

from auditor.infra.tree import Tree, join
from auditor.infra.yaml_tree import Node, documents

OPAQUE = "TEMPLATE"
_ACTION = re.compile(r"\{\{-?\s*(.*?)\s*-?\}\}", re.S)
_ARGUMENT = re.compile(r'"(?:[^"\\]|\\.)*"|\((?:[^()]|\([^()]*\))*\)|[^\s|()]+')
_MISSING = object()
Value = object
"""A value of a chart: plain Python of YAML; `_MISSING` where it is not known."""


@dataclass(frozen=True, slots=True)
class Chart:
    """A chart with the values that it is read with."""

    folder: str
    name: str
    values: dict[str, Value]
    values_path: str
    dependencies: tuple[tuple[str, str], ...] = ()
    """(chart, alias) of subcharts."""


@dataclass(slots=True)
class _Frame:
    """An open block: whether its lines are kept, what `.` is in it, whether a branch was taken."""

    keep: bool
    dot: Value
    taken: bool


@dataclass(slots=True)
class _State:
    chart: Chart
    frames: list[_Frame] = field(default_factory=list)

    @property
    def keep(self) -> bool:
        """Whether we are in a branch that is rendered."""
        return all(f.keep for f in self.frames)

    @property
    def dot(self) -> Value:
        """What `.` stands for."""
        return self.frames[-1].dot if self.frames else _MISSING


def charts(tree: Tree) -> list[Chart]:
    """The charts of a tree; production values beside the chart's own are laid over them."""
    found = []
    for path in tree.named("chart.yaml"):
        folder = path.rpartition("/")[0]
        about, _ = documents(tree.text(path), path)
        own = join(folder, "values.yaml")
        layers = [
            own,
            *sorted(
                f
                for f in tree.files
                if f.startswith(f"{folder}/values") and re.search(r"prod|prd|live", f) and f.endswith((".yaml", ".yml"))
            ),
        ]
        values: dict[str, Value] = {}
        for layer in layers:
            read, _ = documents(tree.text(layer), layer)
            if read and read[0].endless:
                tree.skipped[layer] = "its aliases or nesting make too much of it"
            elif read:
                values = _merged(values, _plain(read[0]))
        subcharts = about[0]["dependencies"].list() if about else []
        dependencies = tuple((d["name"].text, d["alias"].text or d["name"].text) for d in subcharts)
        found.append(
            Chart(folder, (about[0]["name"].text if about else "") or folder, values, layers[-1], dependencies)
        )
    return found


def chart_of(path: str, found: list[Chart]) -> Chart | None:
    """The chart that a template belongs to."""
    return next((c for c in found if path.startswith(join(c.folder, "templates") + "/")), None)


def render(text: str, chart: Chart) -> str:
    """A template's text with values put in; as many lines as before."""
    state = _State(chart)
    out = []
    before = ""
    for line in _joined(text):
        rendered = _line(line, state, before)
        if rendered.strip():
            before = rendered.rstrip()
        out.append(rendered)
    return "\n".join(out)


def _joined(text: str) -> list[str]:
    """Lines; an action over several is put on its first, the others left empty."""
    flat = _ACTION.sub(lambda m: m[0].replace("\n", " ") + "\n" * m[0].count("\n"), text)
    return flat.split("\n")


def _line(line: str, state: _State, before: str) -> str:
    actions = list(_ACTION.finditer(line))
    if not actions:
        return line if state.keep else ""
    alone = _ACTION.sub("", line).strip() == ""
    pieces: list[str] = []
    end = 0
    for action in actions:
        pieces.append(line[end : action.start()])
        end = action.end()
        pieces.append(_action(action[1], state, before if alone else "inline"))
    pieces.append(line[end:])
    rendered = "".join(pieces) if state.keep else ""
    return "" if alone and not rendered.strip() else rendered


def _action(text: str, state: _State, before: str) -> str:
    word, _, rest = text.partition(" ")
    if text.startswith("/*") or word in ("define", "block", "range") or word.startswith("$"):
        if word in ("define", "block", "range"):
            state.frames.append(_Frame(False, state.dot, True))
        return ""
    if word in ("if", "with"):
        value = _evaluate(rest, state)
        holds = True if value is _MISSING else bool(value)
        state.frames.append(_Frame(holds, value if word == "with" else state.dot, holds))
        return ""
    if word == "else" and state.frames:
        frame = state.frames[-1]
        frame.keep = not frame.taken and (not rest.startswith("if") or bool(_known(_evaluate(rest[2:].strip(), state))))
        frame.taken = frame.taken or frame.keep
        return ""
    if word == "end":
        if state.frames:
            state.frames.pop()
        return ""
    return _text(_evaluate(text, state), before)


def _text(value: Value, before: str) -> str:
    """A value on one line; a structure only where YAML takes one: after a key or in a line of its own below one."""
    if value is _MISSING:
        return OPAQUE if before == "inline" else ""
    if isinstance(value, dict | list):
        return json.dumps(value) if before == "inline" or before.endswith((":", "-")) else ""
    if isinstance(value, bool):
        return "true" if value else "false"
    return "" if value is None else str(value)


def _evaluate(text: str, state: _State) -> Value:
    """The value of an expression; `_MISSING` where it takes more than values and simple functions."""
    value: Value = _MISSING
    for index, stage in enumerate(re.split(r"\s*\|\s*", text)):
        words = _ARGUMENT.findall(stage)
        if not words:
            return _MISSING
        value = _call(words[0], [_operand(w, state) for w in words[1:]], value if index else None, state)
    return value


def _call(name: str, arguments: list[Value], piped: Value, state: _State) -> Value:
    """The value of a function, or of an operand that stands alone; `piped` is None in the first stage."""
    given = [*arguments, *([] if piped is None else [piped])]
    if name in _LAST:
        return given[-1] if given else _MISSING
    if name in ("include", "template"):
        named = given[0] if given and isinstance(given[0], str) else ""
        return state.chart.name if named.endswith(("fullname", "name")) else _MISSING
    function = _FUNCTIONS.get(name)
    return function(given) if function is not None and given else _operand(name, state)


def _default(given: list[Value]) -> Value:
    return given[-1] if given[-1] is not _MISSING and given[-1] else given[0]


def _and(given: list[Value]) -> Value:
    return next((a for a in given if a is _MISSING or not a), given[-1])


def _or(given: list[Value]) -> Value:
    return next((a for a in given if a is not _MISSING and a), _MISSING if _MISSING in given else False)


def _equal(given: list[Value]) -> Value:
    return _MISSING if _MISSING in given else len({json.dumps(a) for a in given}) == 1


_LAST = frozenset(
    ("quote", "squote", "toString", "int", "trim", "toYaml", "nindent", "indent", "tpl", "required", "toJson", "lower")
)
"""Functions that, for us, give their last argument: layout and spelling do not matter."""
_FUNCTIONS = {
    "default": _default,
    "not": lambda given: _MISSING if given[0] is _MISSING else not given[0],
    "and": _and,
    "or": _or,
    "eq": _equal,
}


def _operand(word: str, state: _State) -> Value:
    path = word.removeprefix("$")
    if word.startswith("("):
        return _evaluate(word[1:-1], state)
    if word.startswith('"') or re.fullmatch(r"true|false|-?\d+", word):
        return word.strip('"') if word.startswith('"') else json.loads(word)
    if path in (".Release.Name", ".Chart.Name", "."):
        return state.dot if path == "." else state.chart.name
    if path.startswith(".Values"):
        return _at(state.chart.values, path.split(".")[2:])
    return _at(state.dot, path.split(".")[1:]) if path.startswith(".") and isinstance(state.dot, dict) else _MISSING


def _at(value: Value, keys: list[str]) -> Value:
    """A value by its path; what the chart's values lack is empty, as in helm."""
    for key in keys:
        if not isinstance(value, dict):
            return None
        value = value.get(key)
    return value


def _known(value: Value) -> Value:
    return None if value is _MISSING else value


def _plain(node: Node, depth: int = 0) -> dict[str, Value]:
    """A mapping as plain Python."""
    return {k: _value(v, depth + 1) for k, v in node.items()} if depth < 30 else {}


def _value(node: Node, depth: int) -> Value:
    if node.kind == "mapping":
        return _plain(node, depth)
    if node.kind == "sequence":
        return [_value(n, depth + 1) for n in node.list()] if depth < 30 else []
    if node.plain and node.truth is not None:
        return node.truth
    if node.plain and node.number is not None:
        return node.number
    return node.text if node.text or not node.plain else None


def _merged(base: dict[str, Value], over: dict[str, Value]) -> dict[str, Value]:
    merged = dict(base)
    for key, value in over.items():
        below = merged.get(key)
        merged[key] = _merged(below, value) if isinstance(below, dict) and isinstance(value, dict) else value
    return merged
