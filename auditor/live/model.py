"""What a live Redis shows: servers, queues, sampled jobs. Times are ms since the epoch by the server's clock."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from auditor.model import Snapshot


@dataclass(frozen=True, slots=True)
class LiveRedis(Snapshot):
    """All targets of the scan that answered."""

    source: ClassVar[str] = "live"
