"""When a scan's garbage is looked for."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager

MANY = 100_000
"""Objects: to go through them takes a tenth of a second."""


class _Left:
    """Whether a large scan's garbage lies frozen in this process."""

    some = False


@contextmanager
def without_collecting() -> Iterator[None]:
    """Looks for no garbage in a scan, which makes millions of objects and nearly all of its garbage at its end.

    The first collection after a large scan would go through all of that, a second and more, and most processes end soon: it
    is left to the next scan in this process, so that no more than one scan's garbage is kept.
    """
    collecting = gc.isenabled()
    if collecting and _Left.some:
        gc.unfreeze()
        gc.collect()
        _Left.some = False
    gc.disable()
    try:
        yield
    finally:
        if collecting:
            if gc.get_count()[0] > MANY:
                gc.freeze()
                _Left.some = True
            gc.enable()
