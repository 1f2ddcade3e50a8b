"""Grafana as code: dashboards with their panels' queries, and alert rules as provisioning files or exports state them."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import replace

from auditor.infra.environment import of_path
from auditor.infra.text import seconds
from auditor.infra.yaml_tree import Node
from auditor.model import FilePlace

from . import promql
from .model import Dashboard, Note, Panel, Rule, RuleKind
from .query import Comparison, Query

MOST_PANELS = 2_000
_OPS = {"gt": ">", "lt": "<", "gte": ">=", "lte": "<=", "eq": "==", "ne": "!="}
_MATH = re.compile(r"\$\{?[A-Z]\w*\}?\s*(>=|<=|==|!=|>|<)\s*(-?[0-9.]+)")


def dashboards_of(text: str, path: str, notes: list[Note], shift: int = 0) -> tuple[Dashboard, ...]:
    """Every dashboard in a JSON text: a mapping with `panels`, or with `rows` of them."""
    try:
        value = json.loads(text)
    except (ValueError, RecursionError) as error:
        notes.append(Note(FilePlace(path), f"not valid JSON: {str(error).splitlines()[0]}"))
        return ()
    lines = _Lines(text, path, shift)
    return tuple(_dashboard(found, lines) for found in _boards(value))


class _Lines:
    """Tells the line of a string in a JSON text, in order: equal strings are found one after the other."""

    def __init__(self, text: str, path: str, shift: int) -> None:
        self.text = text
        self.path = path
        self.shift = shift
        self.last: dict[str, int] = {}

    def place(self, value: str) -> FilePlace:
        written = json.dumps(value, ensure_ascii=False)
        at = self.text.find(written, self.last.get(written, -1) + 1)
        if at < 0:
            written = json.dumps(value)
            at = self.text.find(written, self.last.get(written, -1) + 1)
        if at < 0:
            return FilePlace(self.path, self.shift)
        self.last[written] = at
        return FilePlace(self.path, self.text.count("\n", 0, at) + 1 + self.shift)


def _boards(value: object, depth: int = 0) -> Iterator[dict[str, object]]:
    if depth > 6:
        return
    if isinstance(value, dict):
        if isinstance(value.get("panels"), list) or (isinstance(value.get("rows"), list) and "title" in value):
            yield value
            return
        for inner in value.values():
            yield from _boards(inner, depth + 1)
    elif isinstance(value, list):
        for inner in value[:200]:
            yield from _boards(inner, depth + 1)


def _dashboard(board: dict[str, object], lines: _Lines) -> Dashboard:
    title = _text(board, "title")
    panels = [_panel(raw, lines) for raw in _panels(board)]
    place = panels[0].place if panels else FilePlace(lines.path, lines.shift)
    return Dashboard(title, tuple(panels), FilePlace(place.path, 0) if not title else replace(lines.place(title)))


def _panels(board: dict[str, object], depth: int = 0) -> Iterator[dict[str, object]]:
    count = 0
    for key in ("panels", "rows"):
        entries = board.get(key)
        for entry in entries if isinstance(entries, list) else ():
            if not isinstance(entry, dict) or count > MOST_PANELS:
                continue
            count += 1
            if isinstance(entry.get("targets"), list):
                yield entry
            if depth < 3:
                yield from _panels(entry, depth + 1)


def _panel(raw: dict[str, object], lines: _Lines) -> Panel:
    targets = raw["targets"]
    texts = (
        [_text(t, "expr") or _text(t, "query") for t in targets if isinstance(t, dict)]
        if isinstance(targets, list)
        else []
    )
    queries = tuple(promql.read(text) for text in texts if text)
    place = lines.place(texts[0]) if texts and texts[0] else FilePlace(lines.path, lines.shift)
    return Panel(_text(raw, "title"), queries, place)


def _text(mapping: dict[str, object], key: str) -> str:
    value = mapping.get(key)
    return value if isinstance(value, str) else ""


def alerts_of(node: Node, root: str, notes: list[Note]) -> tuple[Rule, ...]:
    """Alert rules of a provisioning document (`groups: [{rules: [{title, data, condition, for}]}]`)."""
    return tuple(
        _alert(entry, root, notes)
        for group in node["groups"].list()
        for entry in group["rules"].list()
        if entry["data"].list()
    )


def _alert(entry: Node, root: str, notes: list[Note]) -> Rule:
    models = [data["model"] for data in entry["data"].list()]
    titled = entry["title"] or entry["name"]
    text = next((m["expr"].text for m in models if m["expr"].text), "")
    query = promql.read(text) if text else Query("", problem="no PromQL expression in it")
    if query.problem:
        notes.append(
            Note(
                entry["title"].place if entry["title"] else entry.place,
                f"Grafana alert {entry['title'].text}: {query.problem}",
            )
        )
    compared = next((c for m in models if (c := _comparison(m)) is not None), None)
    if compared is not None and not any(condition.comparison for condition in query.conditions()):
        query = replace(
            query, alternatives=tuple(tuple(replace(c, comparison=compared) for c in way) for way in query.alternatives)
        )
    stated = entry["for"].text
    return Rule(
        titled.text,
        RuleKind.GRAFANA,
        query,
        titled.place if titled else entry.place,
        hold_s=seconds(stated) if stated else None,
        labels={name: value.text for name, value in entry["labels"].items()},
        environment=of_path(entry.path),
        root=root,
    )


def _comparison(model: Node) -> Comparison | None:
    for condition in model["conditions"].list():
        evaluator = condition["evaluator"]
        op, params = _OPS.get(evaluator["type"].text, ""), evaluator["params"].texts()
        if op and params:
            return Comparison(op, _number(params[0]))
    match = _MATH.search(model["expression"].text)
    return Comparison(match[1], _number(match[2])) if match else None


def _number(text: str) -> float | None:
    try:
        return float(text)
    except ValueError:
        return None
