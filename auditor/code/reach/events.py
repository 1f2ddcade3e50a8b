"""In-process events: what an emitted name runs, by Nest's `@OnEvent` and by listeners on an emitter."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from auditor.code.evaluation import types
from auditor.code.sites.options import names
from auditor.code.syntax.facts import Call, Function

if TYPE_CHECKING:
    from auditor.code.evaluation.evaluate import Evaluator

EMITS = frozenset(("emit", "emitAsync"))
_WANTED = frozenset(("OnEvent",))


class Events:
    """Handlers of in-process events by name; the files that have any are read when the first event is met."""

    def __init__(self, ev: Evaluator) -> None:
        self.ev = ev
        self._by_name: dict[str, list[Function]] | None = None

    def heard_by(self, call: Call) -> list[Function]:
        """Functions that hear what the call emits; none where its name is not known."""
        arguments = call.arguments()
        if call.name not in EMITS or not arguments:
            return []
        if self._by_name is None:
            self._by_name = {}
            for name, function in self._find():
                self._by_name.setdefault(name, []).append(function)
        if not self._by_name:
            return []
        emitted = names(self.ev.eval(arguments[0], call.scope))
        return [function for name in emitted for function in self._by_name.get(name, ())]

    def _find(self) -> Iterator[tuple[str, Function]]:
        program = self.ev.program
        for path in program.tree.paths:
            module = program.module(path) if program.mentions(path, (b"@OnEvent",)) else None
            for function in module.functions if module is not None else ():
                found = types.decorator(function.module, function.decorators, _WANTED)
                held = found[1].child_by_field_name("arguments") if found is not None else None
                if held is not None and held.named_children:
                    for name in names(self.ev.eval(held.named_children[0], function.scope)):
                        yield name, function
