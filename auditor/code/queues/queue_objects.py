"""Raw queue objects and Nest's registered queues to the model's queues."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from auditor.code.evaluation.values import UNDEFINED, Object, Value, is_nothing, join, options_of
from auditor.code.model import Option, Queue
from auditor.code.queues.placing import Placing
from auditor.code.sites.effective import queue_options
from auditor.code.sites.nest import Nest, Registration
from auditor.code.sites.options import names, option, plain
from auditor.code.sites.raw import RawQueue, Sites
from auditor.code.source.isolation import Gaps

if TYPE_CHECKING:
    from auditor.code.evaluation.evaluate import Evaluator

_NO_OPTIONS = ("connection", "redis", "createClient", "name")


class QueueObjects:
    """Builds the model's queues."""

    def __init__(self, ev: Evaluator, nest: Nest, sites: Sites, placing: Placing, gaps: Gaps) -> None:
        self.ev = ev
        self.nest = nest
        self.sites = sites
        self.placing = placing
        self.gaps = gaps

    def all(self) -> list[Queue]:
        """Queue objects and registered queues; one that breaks is left out."""
        found: list[Queue] = []
        for raw in self.sites.queues:
            path = raw.call.scope.module.path
            found += self.gaps.take("a queue", ("queues",), partial(self._built, raw), [], path)
        for one in self.nest.queues:
            if not one.flow:
                found += self.gaps.take("a queue", ("queues",), partial(self._registered, one), [], one.module.path)
        return found

    def defaulted(self) -> frozenset[str]:
        """Job options for which some queue of the program has a default."""
        found: set[str] = set()
        for raw in self.sites.queues:
            for target in raw.objects:
                options = queue_options(self.ev, self.nest, target)
                if options is not None and not is_nothing(options):
                    found |= self._defaults(options)
        for registration in self.nest.queues:
            found |= self._defaults(registration.options)
        return frozenset(found)

    def _defaults(self, options: Value) -> set[str]:
        given = options_of(self.ev.member(options, "defaultJobOptions"))
        return {key for one in given if isinstance(one, Object) for key in one.members}

    def _registered(self, registration: Registration) -> list[Queue]:
        name = names(registration.name)
        options = self.nest.options_for(self.ev, registration.library, name) if name else registration.options
        placed = self.placing.at(
            registration.module, registration.line, 0, registration.library, registration.call.scope.func
        )
        return [Queue(**placed, name=one, options=_options([options])) for one in name or (None,)]

    def _built(self, raw: RawQueue) -> list[Queue]:
        if not raw.objects or raw.objects[0].name != "Queue":
            return []
        name = names(join([target.arguments[0] if target.arguments else UNDEFINED for target in raw.objects]))
        options = [found for target in raw.objects if (found := queue_options(self.ev, self.nest, target)) is not None]
        placed = self.placing.of_call(raw.call, raw.objects[0].library)
        return [Queue(**placed, name="|".join(name) or None, options=_options(options))]


def _options(values: list[Value]) -> dict[str, Option]:
    found: dict[str, list[Value]] = {}
    for value in values:
        for one in options_of(value):
            for key, member in one.members.items() if isinstance(one, Object) else ():
                if key == "defaultJobOptions":
                    for inner in options_of(member):
                        for name, worth in inner.members.items() if isinstance(inner, Object) else ():
                            found.setdefault(f"defaultJobOptions.{name}", []).append(worth)
                elif key not in _NO_OPTIONS:
                    found.setdefault(key, []).append(member)
    return plain({key: option(worth) for key, worth in found.items()})
