"""What a scan may cost a Redis: commands, keys scanned, seconds, sampled jobs."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Budget:
    """Limits for all targets together; what they cut is said in the report."""

    commands: int = 500_000
    """Commands sent, handshakes included."""
    keys: int = 5_000_000
    """Keys that SCAN may walk over in search of queues."""
    seconds: float = 60.0
    """Wall time; `collect`'s deadline comes before it where it is earlier."""
    sample: int = 60
    """Jobs read of one queue, over all its states."""
    jobs: int = 12_000
    """Jobs read of all queues of a database together; one of each at least."""
    each_state: bool = True
    """Whether one job of each state of a queue is read even where that is more than these bounds allow."""
    connect_s: float = 5.0
    """Time to connect, shake hands and log in, per connection."""
    reply_s: float = 10.0
    """Longest wait for one batch of replies."""
    patience_s: float = 32.0
    """How long a worker's check for stalled jobs is waited for where one decides: the libraries' interval, and a little."""
