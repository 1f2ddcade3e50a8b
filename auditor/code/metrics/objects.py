"""Metrics that a collector of the project's own returns as plain objects: `{ name, help, type, values: [...] }`."""

from __future__ import annotations

import re
from collections.abc import Iterator

from auditor.code.metrics.declared import Declared
from auditor.code.metrics.registries import OWN
from auditor.code.syntax.facts import Module

_OBJECT = re.compile(r"\{\s*name:\s*['\"`](?P<name>[a-zA-Z_:][\w:]*)['\"`]\s*,\s*help:")
_OBJECT_KIND = re.compile(r"\b\w*[tT]ype:\s*(?:\w+\.)?['\"`]?(gauge|counter|histogram|summary)\b", re.IGNORECASE)
_PICKED = re.compile(r"\b(?:state|status|type)\w*:\s*['\"`](\w+)['\"`]")
_OBJECT_CHARACTERS = 1_200
"""How far after a metric's name and help its samples are looked for."""


def as_objects(module: Module, known: list[Declared]) -> Iterator[Declared]:
    """The metrics among a file's object literals; `known` are those that it makes by constructors."""
    if b"help:" not in module.source:
        return
    text = module.source.decode("utf-8", "replace")
    taken = [range(metric.line, metric.end + 1) for metric in known]
    for match in _OBJECT.finditer(text):
        line = text.count("\n", 0, match.start("name")) + 1
        around = text[match.start() : match.start() + _OBJECT_CHARACTERS].split("name:", 2)
        kind = _OBJECT_KIND.search("".join(around[:2]))
        if kind is None or any(line in lines for lines in taken):
            continue  # options of a command line have a name and a help too
        picked = tuple(dict.fromkeys(_PICKED.findall("".join(around[:2]))))
        yield Declared(match["name"], kind[1].lower(), "object", module, line, line, ("*",), (OWN,), picked=picked)
