"""Code as a source, by way of the cache: what an inventory needs, and nothing of Redis or Prometheus."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from auditor.cache.memory import Memory, place
from auditor.code.model import CodeModel, EntryPoint
from auditor.opening import Disk
from auditor.request import Request


def memory(request: Request) -> Memory:
    """The cache of the request."""

    def code(root: Path) -> Sequence[str]:
        from auditor.code.source.files import listed

        return listed(root)

    def infra(root: Path) -> Sequence[str]:
        from auditor.infra.tree import listed

        return listed(root)

    return Memory(request.cache, {"code": code, "infra": infra})


def collect_code(request: Request, starts: tuple[EntryPoint, ...] | None, deadline: float, cache: Memory) -> CodeModel:
    """The code of the request. Raises SourceError.

    `starts`: the files that deployments and start scripts run; None: those that the infra files of the code's own repository
    name.
    """
    if starts is None:
        starts = tuple(entry for root in request.code if root.exists() for entry in _starts_above(root, cache))

    def fresh(disk: Disk) -> CodeModel:
        from auditor.code.collect import collect

        return collect(
            request.code,
            exclude=request.exclude,
            kinds=request.kinds,
            roles=request.roles,
            services=request.services,
            entry_points=starts,
            deadline=deadline,
            disk=disk,
        )

    if any(not root.exists() for root in request.code):
        return fresh(Disk())  # it says what is wrong
    from auditor.code.source.files import top_of

    asked = (
        *map(place, request.code),
        str(top_of(request.code)),
        request.exclude,
        list(request.kinds.items()),
        list(request.roles.items()),
        [(service, place(Path.cwd() / service.code)) for service in request.services],
        starts,
    )
    return cache.remembered(CodeModel, asked, fresh, whole=lambda found: found.whole, deadline=deadline)


@dataclass(frozen=True, slots=True)
class Starts:
    """The source files that infra files start."""

    entry_points: tuple[EntryPoint, ...]


def _starts_above(root: Path, cache: Memory) -> tuple[EntryPoint, ...]:
    from auditor.infra.tree import repository_root

    def fresh(disk: Disk) -> Starts:
        from auditor.infra.collect import entry_points_above

        return Starts(entry_points_above(root, disk))

    return cache.remembered(Starts, place(repository_root(root)), fresh, whole=lambda _: True).entry_points
