"""Keeps a scan gentle: where a server takes longer than it did in calm, others need it now, and the scan waits.

The round trip of the calmest batch is the way to the server; what a batch takes beyond that, and beyond the parsing of
its replies, is the server's own time or its queue. A far server is not a slow one.
"""

from __future__ import annotations

import time

_PER_COMMAND = 0.000_05
"""Seconds that a command costs both ends in calm, roughly."""
_NOTABLE = 0.02
_LONGEST = 0.25


class Pace:
    """One for each connection."""

    def __init__(self) -> None:
        self.way = float("inf")
        """Round trip in calm, in seconds."""
        self.beyond = 0.0
        """What the last batch took beyond it, in seconds."""

    def after(self, took: float, commands: int, left: float) -> None:
        """Note what a batch took, and wait if that was long."""
        alone = max(took - commands * _PER_COMMAND, 0.0)
        self.way = min(self.way, alone)
        self.beyond = alone - self.way
        if self.beyond > max(_NOTABLE, self.way):
            time.sleep(max(min(self.beyond, _LONGEST, left / 4), 0.0))
