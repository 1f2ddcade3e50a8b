"""What infra files show: deployments, Redis servers as deployed, documents."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from auditor.model import Snapshot


@dataclass(frozen=True, slots=True)
class InfraModel(Snapshot):
    """Everything that infra files show."""

    source: ClassVar[str] = "infra"
