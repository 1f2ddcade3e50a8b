"""Every probe of code is documented, and every item that code decides has cases."""

from __future__ import annotations

from collections import defaultdict

from auditor import checklist, plugins
from auditor.model import Status

from .support import cases

NEEDS_MORE = {"metric.published"}
"""Probes whose cases lie elsewhere, beside the sources they mostly read."""


def _by_code() -> dict[str, str]:
    """Item id → probe name, of the items 1 to 87 whose probe reads code."""
    probes = plugins.probes()
    entries = checklist.load(checklist.builtin()).entries
    items = [entry.item for entry in entries]
    return {
        i.id: i.probe
        for i in items
        if (i.number or 0) <= 87 and i.probe in probes and "code" in probes[i.probe].sources
    }


def test_probes_say_what_they_hold() -> None:
    silent = [probe.name for probe in plugins.probes().values() if not probe.doc.strip()]
    assert not silent


def test_items_of_code_have_two_good_and_two_bad_cases() -> None:
    seen: dict[str, list[Status]] = defaultdict(list)
    for case in cases():
        seen[case.item].append(case.verdict)
    owned = {
        id_
        for id_, probe in _by_code().items()
        if probe not in NEEDS_MORE and not probe.startswith(("alert.", "dashboard.", "deployment."))
    }
    poor = {
        id_: seen[id_] for id_ in sorted(owned) if seen[id_].count(Status.PASS) < 2 or seen[id_].count(Status.FAIL) < 2
    }
    assert not poor
