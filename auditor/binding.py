"""Item + Probe → Check: the probe is known, and its params are what its dataclass says."""

from __future__ import annotations

import typing
from collections.abc import Iterable, Mapping
from dataclasses import MISSING, dataclass, fields
from enum import Enum

from auditor.checklist import Entry
from auditor.errors import ChecklistError
from auditor.model import Item
from auditor.probes import Probe
from auditor.yamlfile import Located, Problems, did_you_mean


@dataclass(frozen=True, slots=True)
class Check:
    """An item bound to its probe with typed params; `params` is None where the probe takes none."""

    item: Item
    probe: Probe
    params: object | None


def bind(entries: Iterable[Entry], probes: Mapping[str, Probe]) -> tuple[Check, ...]:
    """One check per entry, in order. Raises ChecklistError with all problems."""
    checks: list[Check] = []
    lines: list[str] = []
    for entry in entries:
        problems = Problems(entry.path)
        probe = probes.get(entry.item.probe)
        if probe is None:
            problems.add(
                entry.item.line,
                f"{entry.item.id}: unknown probe {entry.item.probe}{did_you_mean(entry.item.probe, frozenset(probes))}",
            )
        else:
            checks.append(Check(entry.item, probe, _params(entry, probe, problems)))
        lines += problems.lines
    if lines:
        raise ChecklistError(lines, "`tt-audit list` shows the probes there are; --plugins DIR adds more")
    return tuple(checks)


def _params(entry: Entry, probe: Probe, problems: Problems) -> object | None:
    given = entry.params.value if isinstance(entry.params.value, dict) else {}
    where = entry.item.id
    if probe.params is None:
        for key, located in given.items():
            problems.add(located.line, f"{where}: params.{key}: probe {probe.name} takes no params")
        return None
    hints = typing.get_type_hints(probe.params)
    declared = {f.name: f for f in fields(probe.params)}
    values: dict[str, object] = {}
    for key, located in given.items():
        if key not in declared:
            problems.add(located.line, f"{where}: params: unknown key {key}{did_you_mean(key, frozenset(declared))}")
            continue
        try:
            values[key] = _typed(located, hints[key])
        except TypeError as error:
            problems.add(located.line, f"{where}: params.{key}: {error} is wanted, got {located.describe()}")
    before = len(problems.lines)
    for name, declaration in declared.items():
        if name not in given and declaration.default is MISSING and declaration.default_factory is MISSING:
            problems.add(entry.params.line, f"{where}: params.{name} is missing")
    complete = len(problems.lines) == before and len(values) == len(given)
    return probe.params(**values) if complete else None


def _typed(located: Located, hint: object) -> object:  # noqa: PLR0912 — one arm per kind of type
    """The value as `hint` asks; TypeError names what is wanted."""
    value = located.value
    origin, arguments = typing.get_origin(hint), typing.get_args(hint)
    if type(None) in arguments:
        return None if value is None else _typed(located, next(arm for arm in arguments if arm is not type(None)))
    if origin is tuple:
        if not isinstance(value, list):
            raise TypeError("a list")
        return tuple(_typed(one, arguments[0]) for one in value)
    if origin is not None and isinstance(origin, type) and issubclass(origin, Mapping):
        if not isinstance(value, dict):
            raise TypeError("a mapping")
        return {key: _typed(one, arguments[1]) for key, one in value.items()}
    if isinstance(hint, type) and issubclass(hint, Enum):
        choices = [member.value for member in hint]
        if value not in choices:
            raise TypeError("one of " + ", ".join(map(str, choices)))
        return hint(value)
    if hint is bool:
        if not isinstance(value, bool):
            raise TypeError("true or false")
        return value
    if hint is int:
        if isinstance(value, bool) or not isinstance(value, int):
            raise TypeError("a whole number")
        return value
    if hint is float:
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise TypeError("a number")
        return float(value)
    if hint is str:
        if not isinstance(value, str):
            raise TypeError("text")
        return value
    raise TypeError(f"a {hint!r} (the probe declares a type that YAML cannot give)")
