"""What a scan is told, whole and checked: `options` builds it from command line, environment and tt-audit.yaml."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from auditor.code.model import ServiceConfig
from auditor.gate import Policy
from auditor.live.address import Address
from auditor.live.budget import Budget
from auditor.model import FileDigest
from auditor.waivers import Attestation, WaiverRule
from auditor.yamlfile import Located

if TYPE_CHECKING:
    from auditor.prom.address import PrometheusAddress


@dataclass(frozen=True, slots=True)
class Request:
    """All that a scan is told."""

    redis: tuple[Address, ...] = ()
    code: tuple[Path, ...] = ()
    infra: tuple[Path, ...] = ()
    prometheus: PrometheusAddress | None = None
    exclude: tuple[str, ...] = ()
    services: tuple[ServiceConfig, ...] = ()
    only_services: tuple[str, ...] = ()
    kinds: Mapping[str, str] = field(default_factory=dict)
    roles: Mapping[str, str] = field(default_factory=dict)
    checklists: tuple[Path, ...] = ()
    plugins: tuple[Path, ...] = ()
    params: Mapping[str, Located] = field(default_factory=dict)
    only: tuple[str, ...] = ()
    skip: tuple[str, ...] = ()
    budget: Budget = field(default_factory=Budget)
    timeout: float = 120.0
    """Seconds for all sources together."""
    policy: Policy = field(default_factory=Policy)
    waivers: tuple[WaiverRule, ...] = ()
    attestations: tuple[Attestation, ...] = ()
    baseline: frozenset[str] = frozenset()
    config: FileDigest | None = None
    cache: Path | None = None
    """Folder in which snapshots of files are kept between runs; None: they are not."""
