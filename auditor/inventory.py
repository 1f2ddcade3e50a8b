"""An inventory from request to `CodeModel`: the code alone."""

from __future__ import annotations

import time
from collections.abc import Collection
from dataclasses import replace
from pathlib import Path

from auditor.code.model import CodeModel
from auditor.errors import UsageError
from auditor.file_sources import collect_code, memory
from auditor.request import Request


def take_inventory(request: Request) -> CodeModel:
    """The code alone, with the entry points that its own repository's infra files name.

    Raises SourceError for a path that does not exist.
    """
    roots = request.code or (Path.cwd(),)
    alone = replace(request, code=roots, infra=())
    code = collect_code(alone, None, time.monotonic() + request.timeout, memory(alone))
    return only_services(code, request.only_services) if request.only_services else code


def only_services(code: CodeModel, names: Collection[str]) -> CodeModel:
    """The code of some services. Raises UsageError for one that there is not."""
    unknown = sorted(set(names) - set(code.services))
    if unknown:
        raise UsageError(
            f"--service {', '.join(unknown)}: no such service", f"services found: {', '.join(code.services) or 'none'}"
        )
    return replace(
        code,
        services=tuple(service for service in code.services if service in names),
        queues=tuple(site for site in code.queues if site.service in names),
        producers=tuple(site for site in code.producers if site.service in names),
        workers=tuple(site for site in code.workers if site.service in names),
        processes=tuple(process for process in code.processes if process.service in names),
        connections=tuple(connection for connection in code.connections if connection.service in names),
        metrics=tuple(metric for metric in code.metrics if metric.service in ("", *names)),
    )
