"""On which calls the value of an expression depends: those of the functions, classes and loops whose parameters,
`this` or turns it mentions, in however many steps.

`{ attempts: env.RETRIES }` is the same in each call of the function around it: what it is worth is told once, for all of
them. Only what mentions a parameter is told apart by the calls that pass it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING

from auditor.code.evaluation import collections_
from auditor.code.syntax.facts import Binding, Class, Function, Scope, default_of

if TYPE_CHECKING:
    from tree_sitter import Node

    from auditor.code.evaluation.evaluate import Evaluator
    from auditor.code.evaluation.values import Frame

_NAME = re.compile(rb"(?:(?<![\w$.])|(?<=\.\.\.))[A-Za-z_$\x80-\xff][\w$\x80-\xff]*")
"""Words that may be names of variables: all but those that follow a dot. One that is a key or stands in a string only
makes an answer less widely kept."""
_NOTHING: frozenset[int] = frozenset()
_SELF = frozenset((b"this", b"super"))
_SAME = frozenset(("import", "enum", "type", "catch"))


class Dependence:
    """Owners of frames, by identity, that expressions and names depend on."""

    def __init__(self, ev: Evaluator) -> None:
        self._ev = ev
        self._nodes: dict[int, frozenset[int]] = {}
        self._bindings: dict[int, frozenset[int]] = {}

    def frame(self, node: Node, scope: Scope, frame: Frame | None) -> Frame | None:
        """The nearest frame of the chain on which the value of `node` depends; None where it is the same in all calls."""
        if frame is None:
            return None
        owners = self._nodes.get(node.id)
        if owners is None:
            owners = self._nodes[node.id] = self._of(node, scope)
        return _nearest(owners, frame)

    def frame_of(self, binding: Binding, frame: Frame | None) -> Frame | None:
        """The nearest frame of the chain on which a name depends; None where it means the same in all calls."""
        return _nearest(self._of_binding(binding), frame) if frame is not None else None

    def _of(self, node: Node, scope: Scope) -> frozenset[int]:
        if node.type == "identifier":
            binding = scope.lookup(scope.module.text(node))
            return self._of_binding(binding) if binding is not None else _NOTHING
        found: frozenset[int] = _NOTHING
        for what in _mentioned(node, scope):
            found |= frozenset((id(what),)) if not isinstance(what, Binding) else self._of_binding(what)
        return found

    def _of_binding(self, binding: Binding) -> frozenset[int]:
        known = self._bindings.get(id(binding))
        if known is not None:
            return known
        if _is_lasting(binding):
            return _NOTHING
        found: set[int] = set()
        seen = {id(binding)}
        pending = [binding]
        while pending:
            at = pending.pop()
            for what in self._direct(at):
                if isinstance(what, frozenset):
                    found |= what
                elif not isinstance(what, Binding):
                    found.add(id(what))
                elif id(what) not in seen:
                    seen.add(id(what))
                    pending.append(what)
        known = self._bindings[id(binding)] = frozenset(found & binding.scope.owners())
        return known

    def _direct(self, binding: Binding) -> Iterator[Binding | Function | Class | frozenset[int]]:
        """Names, and identities of owners, on which a name depends at once."""
        scope = binding.scope
        match binding.kind:
            case "param" | "each" | "key":
                yield scope.owners()
            case "func" | "class":
                fact = binding.fact
                if isinstance(fact, Function | Class):
                    yield from (what for what in _mentioned(fact.node, scope) if isinstance(what, Binding))
            case "var":
                if binding.node is not None:
                    yield from _mentioned(binding.node, scope)
                for default in filter(None, map(default_of, binding.path)):
                    yield from _mentioned(default, scope)
                for change in scope.module.assignments.get(binding.name, ()):
                    if change.scope.lookup(binding.name) is binding:
                        yield from _mentioned(change.right, change.scope)
                for grown in collections_.mutations(self._ev, scope.module, binding.name):
                    if grown.scope.lookup(binding.name) is binding:
                        yield grown.scope.owners()


def _mentioned(node: Node, scope: Scope) -> Iterator[Binding | Function | Class]:
    """Names that an expression mentions, and the function or class whose `this` it does."""
    module = scope.module
    words = set(_NAME.findall(module.source, node.start_byte, node.end_byte))
    own = module.function_at.get(node.id)
    bound = own.scope.names if own is not None else {}
    for word in words:
        if word in _SELF:
            owner = scope.method or scope.cls  # in a field, the class
            if owner is not None and (own is None or own.kind == "arrow"):
                yield owner
            continue
        name = word.decode("utf-8", "replace")
        binding = scope.lookup(name) if name not in bound else None
        if binding is not None and not _is_lasting(binding):
            yield binding


def _is_lasting(binding: Binding) -> bool:
    """Whether a name surely means the same in all calls: it is its file's own, or of such a kind."""
    return binding.scope.parent is None or binding.kind in _SAME


def _nearest(owners: frozenset[int], frame: Frame) -> Frame | None:
    at: Frame | None = frame
    while at is not None and id(at.owner) not in owners:
        at = at.parent
    return at
