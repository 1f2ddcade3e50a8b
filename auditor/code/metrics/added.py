"""Registries that metrics are put into after they are made: prom-client's `registry.registerMetric(metric)`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from auditor.code.evaluation.values import External, options_of
from auditor.code.metrics.declared import Declared
from auditor.code.metrics.registries import Registry, registry_of
from auditor.code.syntax.facts import Module

if TYPE_CHECKING:
    from auditor.code.evaluation.evaluate import Evaluator

WORDS = (b"registerMetric",)


def add(ev: Evaluator, declared: list[Declared], modules: list[Module]) -> None:
    """Give each metric the further registries that calls in these modules put it into.

    Where a call's metric cannot be told, all of prom-client's in its file count as put there.
    """
    for module in modules:
        for call in module.calls_named("registerMetric"):
            held, given = call.receiver, call.arguments()
            if held is None or not given:
                continue
            registries = registry_of(ev.eval(held, call.scope))
            made = [
                one.where if isinstance(one, External) else None for one in options_of(ev.eval(given[0], call.scope))
            ]
            for metric in declared:
                told = (metric.module.path, metric.line) in made
                if metric.library == "prom-client" and (told or (None in made and metric.module is module)):
                    metric.registries = tuple[Registry, ...](dict.fromkeys((*metric.registries, *registries)))
