"""What the calls on the way of a walk give, as a frame in which to evaluate what stands at its end."""

from __future__ import annotations

from typing import TYPE_CHECKING

from auditor.code.evaluation import callers
from auditor.code.evaluation.values import Frame
from auditor.code.reach import positions
from auditor.code.reach.given import CALLING
from auditor.code.reach.visits import Way

if TYPE_CHECKING:
    from auditor.code.evaluation.evaluate import Evaluator

_DEEPEST = 24


def frame_of(ev: Evaluator, way: Way) -> Frame | None:
    """The frame of the function that the last call runs; None where no call gives it anything by name.

    Only calls that name the function that they run bind its parameters: what a library hands to a callback is not known.
    """
    steps: list[Way] = []
    at: Way | None = way
    while at is not None and len(steps) < _DEEPEST:
        steps.append(at)
        at = at.before
    frames: dict[int, Frame] = {}
    here: Frame | None = None
    for step in reversed(steps):
        outer = positions.outer(step.target)
        closure = step.closure or (frames.get(id(outer)) if outer is not None else None)
        named = step.call.name == step.target.name or step.call.is_new
        if named and step.call.name not in CALLING and step.target.parameters:
            given = callers.lazily(ev, step.call, here)
            here = Frame(step.target, given, None, closure, min(len(frames) + 1, 3))
            frames[id(step.target)] = here
        else:
            here = closure
    return here
