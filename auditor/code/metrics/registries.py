"""Registries that hold metrics: prom-client's own, those that code makes, those of the project's own classes."""

from __future__ import annotations

from auditor.code.evaluation.values import Array, External, Value, options_of

Registry = tuple[str, int]
"""Where a registry is made, (path, line); or one of the words below."""
OWN = ("own", 0)
"""The registry of metric classes that the project wrote itself; pages at `/metrics` give it out."""
DEFAULT = ("default", 0)
"""The registry of prom-client that metrics are in where they name none."""
ANY = ("*", 0)
"""A registry that could not be told."""


def registries_of(value: Value | None) -> tuple[Registry, ...]:
    """Those that a metric's `registers` names; prom-client's own where it names none."""
    if value is None:
        return (DEFAULT,)
    found: list[Registry] = []
    for one in options_of(value):
        if not isinstance(one, Array) or one.rest is not None:
            return (ANY,)
        found += [registry for item in one.items for registry in registry_of(item)]
    return tuple(found)


def registry_of(value: Value) -> tuple[Registry, ...]:
    """The registries that a value is: prom-client's own, one made in code, several merged."""
    found: list[Registry] = []
    for one in options_of(value):
        if not isinstance(one, External):
            found.append(ANY)
        elif "Registry()" in one.path.replace("AggregatorRegistry()", "") and one.where is not None:
            found.append(one.where)
        elif one.path.split(".")[-1] in ("register", "globalRegistry", ""):
            found.append(DEFAULT)
        elif "merge()" in one.path:
            merged = [inner for argument in one.arguments if isinstance(argument, Array) for inner in argument.items]
            found += [registry for inner in merged for registry in registry_of(inner)] or [ANY]
        else:
            found.append(ANY)
    return tuple(dict.fromkeys(found))
