"""Transactions by hand: what stands between BEGIN and COMMIT."""

from __future__ import annotations

from dataclasses import replace

from auditor.code.model import Effect


def mark(effects: list[Effect]) -> None:
    """Effects between a BEGIN and its COMMIT in one function are in one transaction; an early return may commit it too."""
    opened: dict[str, int] = {}
    for at, effect in enumerate(effects):
        key = f"{effect.span.path}:{effect.symbol}"
        if effect.text == "BEGIN":
            opened[key] = at
        elif effect.text == "COMMIT" and key in opened:
            first = opened[key]
            leaves = set(effect.within) - set(effects[first].within)
            early = {word for word in leaves if word.startswith("exits:")}
            if not early:
                del opened[key]
            for inner in range(first + 1, at):
                one = effects[inner]
                committed = any(
                    other.text == "COMMIT" and _exits(other) and _exits(other) <= _exits(one)
                    for other in effects[first + 1 : inner]
                )
                if "transaction" not in one.within and not committed:
                    effects[inner] = replace(one, within=(*one.within, "transaction"))


def _exits(effect: Effect) -> set[str]:
    return {word for word in effect.within if word.startswith("exits:")}
