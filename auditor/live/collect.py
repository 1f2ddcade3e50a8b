"""`collect`: every target read once, within the budget → LiveRedis."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence

from auditor.errors import SourceError

from .address import Address
from .budget import Budget
from .model import LiveRedis


def collect(
    targets: Sequence[Address],
    *,
    names: Callable[[], Collection[str]],
    budget: Budget,
    deadline: float,
) -> LiveRedis:
    """Read all targets; `deadline` is a moment of `time.monotonic()`.

    `names` gives the queue names that code knows, with or without a prefix (`mail`, `{bull}:mail`); it may block until
    code is read, and is called once, after all that needs no names.

    Raises SourceError where no target gave anything (unreachable, refused, not Redis). A target that gave nothing
    beside others that did is in `unreached`, and the report ends early. Single refusals make the report `partial`.
    """
    raise SourceError("the live collector is being built")
