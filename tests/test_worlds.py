"""Two whole ticketing platforms, scanned as a user would: the healthy one passes, the broken one fails, item by item.

`worlds/expected.yaml` says what each item must come to in each world; `worlds/mutations.yaml` lists small changes to the
healthy one that must turn their item, and no other. What is not decided so yet is marked there and is a strict xfail.
"""

from __future__ import annotations

import shutil
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import yaml

from auditor import engine, scan, sources
from auditor.binding import Check
from auditor.code.model import CodeModel
from auditor.evidence import Store
from auditor.infra.model import InfraModel
from auditor.live.model import LiveRedis
from auditor.model import Place, Result, Snapshot, Status
from auditor.prom.model import Observability
from auditor.request import Request
from auditor.sources import Given

pytestmark = pytest.mark.xdist_group("worlds")  # scanned once, by one of the workers

WORLDS = Path(__file__).parent / "worlds"
NUMBERS = range(1, 103)


def load(name: str) -> Any:
    return yaml.safe_load((WORLDS / name).read_text())


EXPECTED: Mapping[int, Mapping[str, Any]] = load("expected.yaml")


@dataclass(frozen=True, slots=True)
class Mutation:
    """A small change to a file of the healthy world, and what it does to the items."""

    item: int
    file: str
    replace: str
    with_: str
    line: str = ""
    to: Mapping[int, Status] = field(default_factory=dict)
    """The new status of each item that moves."""
    pending: str = ""

    def apply(self, text: str) -> str:
        assert self.replace in text, f"{self.file} does not hold {self.replace!r}: the mutation is stale"
        changed = text.replace(self.replace, self.with_)
        return f"{self.line}\n{changed}" if self.line else changed


def mutation(raw: Mapping[str, Any]) -> Mutation:
    also = raw.get("also", ())
    to = {n: Status(also[n] if isinstance(also, dict) else "fail") for n in also}
    to[raw["item"]] = Status(raw.get("to", "fail"))
    line, pending = raw.get("import", ""), raw.get("pending", "")
    return Mutation(raw["item"], raw["file"], raw["replace"], raw["with"], line, to, pending)


MUTATIONS = [mutation(raw) for raw in load("mutations.yaml")]


def xfail(why: str | None) -> list[pytest.MarkDecorator]:
    return [pytest.mark.xfail(reason=why, strict=True)] if why else []


def told(result: Result) -> str:
    """A result as a person reads it in a failing test."""
    lines = [f"{result.item.number} {result.item.title}: {result.verdict.status.value}. {result.verdict.reason}"]
    lines += [
        f"  {f.status.value} {f.confidence.value} {path_of(f.place)} {f.message}" for f in result.verdict.findings
    ]
    return "\n".join(lines)


def path_of(place: Place) -> str:
    return getattr(place, "path", "")


def by_number(results: Iterator[Result] | tuple[Result, ...]) -> dict[int, Result]:
    return {result.item.number: result for result in results if result.item.number is not None}


@cache
def scanned(world: str) -> dict[int, Result]:
    """The results of the real scan, once per world."""
    root = WORLDS / world
    return by_number(scan.scan(Request(code=(root,), infra=(root,))).report.results)


@pytest.mark.parametrize(
    ("world", "number"),
    [
        pytest.param(world, number, id=f"{world}-{number}", marks=xfail(EXPECTED[number].get("pending", {}).get(world)))
        for world in ("healthy", "broken")
        for number in NUMBERS
    ],
)
def test_world(world: str, number: int) -> None:
    result, expected = scanned(world)[number], EXPECTED[number]
    assert result.verdict.status is Status(expected[world]), told(result)
    if world == "broken" and result.verdict.status is Status.FAIL:
        places = {
            path_of(place)
            for finding in result.verdict.findings
            if finding.status is Status.FAIL
            for place in (finding.place, *finding.related)
        }
        assert expected["at"] in places, told(result)


@dataclass
class Healthy:
    """A copy of the healthy world that a test may change; snapshots are taken anew only as far as a change reaches."""

    root: Path
    checks: tuple[Check, ...]
    kept: dict[type[Snapshot], Given] = field(default_factory=dict)

    def after(self, mutation: Mutation) -> dict[int, Result]:
        """The results with the mutation in place; the file is put back."""
        file = self.root / mutation.file
        original = file.read_text()
        file.write_text(mutation.apply(original))
        try:
            return self.judge(self.take(mutation.file))
        finally:
            file.write_text(original)

    def take(self, changed: str = "") -> dict[type[Snapshot], Given]:
        """All snapshots; with a changed file, those that it does not feed are the kept ones."""
        wanted = sources.collectors(Request(code=(self.root,), infra=(self.root,)), lambda _: None)
        read_code = wanted[CodeModel]
        if changed.endswith(".ts"):
            wanted |= {each: lambda _, kept=self.kept[each]: kept for each in (InfraModel, Observability)}
        elif changed:
            wanted[CodeModel] = lambda store: self.kept[CodeModel] if self._starts_the_same(store) else read_code(store)
        store = Store(wanted, deadline=time.monotonic() + 60)
        store.start()
        return {each: store.get(each) for each in (*wanted, LiveRedis)}

    def judge(self, snapshots: Mapping[type[Snapshot], Given]) -> dict[int, Result]:
        return by_number(engine.run(self.checks, lambda wanted: snapshots[wanted], lambda _: True))

    def _starts_the_same(self, store: Store) -> bool:
        before, now = self.kept[InfraModel], store.get(InfraModel)
        assert isinstance(before, InfraModel)
        assert isinstance(now, InfraModel)
        return before.entry_points == now.entry_points


@pytest.fixture(scope="module")
def healthy(tmp_path_factory: pytest.TempPathFactory) -> Healthy:
    root = tmp_path_factory.mktemp("worlds") / "healthy"
    shutil.copytree(WORLDS / "healthy", root)
    _, checks = scan.checks_of(Request(code=(root,)))
    world = Healthy(root, checks)
    world.kept = world.take()
    return world


@pytest.fixture(scope="module")
def baseline(healthy: Healthy) -> dict[int, Result]:
    return healthy.judge(healthy.kept)


def test_copy_is_judged_as_the_scan_judges(baseline: dict[int, Result]) -> None:
    """What the mutations are compared with is what a scan says of the healthy world."""
    copied = {number: result.verdict.status for number, result in baseline.items()}
    assert copied == {number: result.verdict.status for number, result in scanned("healthy").items()}


@pytest.mark.parametrize(
    "mutation",
    [
        pytest.param(m, id=f"{m.item}-{m.file.rpartition('/')[2]}-{at}", marks=xfail(m.pending))
        for at, m in enumerate(MUTATIONS)
    ],
)
def test_mutation(healthy: Healthy, baseline: dict[int, Result], mutation: Mutation) -> None:
    after = healthy.after(mutation)
    moved = {n: after[n].verdict.status for n in NUMBERS if after[n].verdict.status is not baseline[n].verdict.status}
    odd = sorted(n for n in {*moved, *mutation.to} if moved.get(n) is not mutation.to.get(n))
    wanted = ", ".join(f"{n} {status.value}" for n, status in sorted(mutation.to.items()))
    assert not odd, f"should move: {wanted}, and nothing else; but\n" + "\n".join(told(after[n]) for n in odd)
