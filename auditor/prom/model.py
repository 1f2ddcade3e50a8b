"""What observability shows: metrics published, rules, dashboards, a live Prometheus."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from auditor.model import Snapshot


@dataclass(frozen=True, slots=True)
class Observability(Snapshot):
    """Rules and dashboards from files, and what a live Prometheus says of them."""

    source: ClassVar[str] = "prom"
