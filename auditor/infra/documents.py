"""Runbooks and recovery plans: which of RPO, RTO, restore steps and Redis a document speaks of."""

from __future__ import annotations

import re

from auditor.infra.model import Document
from auditor.model import FilePlace

_ABOUT = re.compile(r"disaster|recover|runbook|business continuity|\brpo\b|\brto\b", re.I)
_RPO = re.compile(r"\bRPO\b|recovery[ -]point[ -]objective", re.I)
_RTO = re.compile(r"\bRTO\b|recovery[ -]time[ -]objective", re.I)
_RESTORE = re.compile(
    r"\brestor(e|ing|ation)\b|\bfail[- ]?over\b|\brecovery (steps|procedure|plan|process)|promote.*replica|\bDR (region|site|cluster|scenario)|activate DR",
    re.I,
)
_REDIS = re.compile(r"\bredis\b|\bvalkey\b|\bbull(mq)?\b|\belasticache\b", re.I)


def read(path: str, text: str) -> Document | None:
    """The document, if it speaks of recovery at all.

    RPO and RTO must stand together in it as figures for something, not in passing: a line that names either and has
    a figure nearby, a table head, or a heading.
    """
    if not _ABOUT.search(text):
        return None
    lines = text.splitlines()
    document = Document(
        path=path,
        rpo=_objective(lines, _RPO, path),
        rto=_objective(lines, _RTO, path),
        restore=_line(lines, _RESTORE, path),
        redis=None,
    )
    if not (document.rpo or document.rto or document.restore):
        return None
    start = min(p.line for p in (document.rpo, document.rto, document.restore) if p is not None)
    # Redis must come up where the plan is, not in an unrelated part of a long document
    near = _line(lines[max(start - 40, 0) :], _REDIS, path, max(start - 40, 0))
    return Document(path, document.rpo, document.rto, document.restore, near)


def _line(lines: list[str], pattern: re.Pattern[str], path: str, skip: int = 0) -> FilePlace | None:
    return next((FilePlace(path, n + skip) for n, line in enumerate(lines, 1) if pattern.search(line)), None)


def _objective(lines: list[str], pattern: re.Pattern[str], path: str) -> FilePlace | None:
    figure = re.compile(r"\d+\s*(s|sec|min|m|h|hour|hr|day|d)\w*\b|zero|near[- ]zero", re.I)
    for number, line in enumerate(lines, 1):
        if pattern.search(line) and any(figure.search(text) for text in lines[number - 1 : number + 10]):
            return FilePlace(path, number)
    return None
