"""Cases of a probe: small TypeScript projects with the verdict that they deserve.

`cases/TT001.yaml` holds lists `good`, `bad`, `unverified`, `not_applicable` of

    - name: what makes the case
      code: |            # one file, src/index.ts, which the package's start script runs
        …                # a bad line ends in `// expect: TT001`
      files: {path: …}   # or several; package.json is made unless given
      uses: {bull: ^4}   # dependencies, beside bullmq
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import yaml

from auditor import binding, checklist, engine, plugins
from auditor.code.collect import collect
from auditor.code.model import CodeModel
from auditor.infra.collect import entry_points_above
from auditor.model import Cause, CodeSpan, Result, Snapshot, Status, Unavailable

CASES = Path(__file__).parent / "cases"
VERDICTS = {
    "good": Status.PASS,
    "bad": Status.FAIL,
    "unverified": Status.UNVERIFIED,
    "not_applicable": Status.NOT_APPLICABLE,
}
_EXPECT = re.compile(r"//\s*expect:\s*(TT\d{3})")


@dataclass(frozen=True, slots=True)
class Case:
    """One small project, and what the item must say of it."""

    item: str
    verdict: Status
    name: str
    files: dict[str, str]

    def write(self, root: Path) -> None:
        """Lay the project out under `root`."""
        for path, text in self.files.items():
            target = root / path
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_text(text)

    def expected(self) -> set[tuple[str, int]]:
        """(path, line) of every line marked for this item."""
        return {
            (path, number)
            for path, text in self.files.items()
            for number, line in enumerate(text.splitlines(), 1)
            if self.item in _EXPECT.findall(line)
        }


def cases() -> Iterator[Case]:
    """All cases, by item."""
    for file in sorted(CASES.glob("TT*.yaml")):
        document = yaml.safe_load(file.read_text())
        for key, verdict in VERDICTS.items():
            for given in document.get(key) or []:
                yield Case(file.stem, verdict, given["name"], _files(given))


def judge(case: Case, root: Path) -> Result:
    """The item's result on the case, by the real collector and the real engine."""
    case.write(root)
    model = collect([root], entry_points=entry_points_above(root))
    [result] = engine.run([_checks()[case.item]], lambda wanted: _given(wanted, model), lambda _: True)
    return result


def pointed_at(result: Result) -> set[tuple[str, int]]:
    """(path, line) of every place that a failure names."""
    spots: set[tuple[str, int]] = set()
    for recorded in result.findings:
        if recorded.finding.status is Status.FAIL:
            for place in (recorded.finding.place, *recorded.finding.related):
                if isinstance(place, CodeSpan):
                    spots |= {(place.path, line) for line in range(place.start, max(place.end, place.start) + 1)}
    return spots


def _given(wanted: type[Snapshot], model: CodeModel) -> Snapshot | Unavailable:
    return model if wanted is CodeModel else Unavailable(wanted.source, Cause.SOURCE_NOT_GIVEN, "not given")


@cache
def _checks() -> dict[str, binding.Check]:
    cased = {file.stem for file in CASES.glob("TT*.yaml")}
    entries = [entry for entry in checklist.load(checklist.builtin()).entries if entry.item.id in cased]
    return {check.item.id: check for check in binding.bind(entries, plugins.probes())}


def _files(given: dict[str, object]) -> dict[str, str]:
    files = {str(path): str(text) for path, text in _mapping(given.get("files")).items()}
    if "code" in given:
        files["src/index.ts"] = str(given["code"])
    if "package.json" not in files:
        uses = {"bullmq": "5.61.0"} if "uses" not in given else {}
        uses |= {str(name): str(version) for name, version in _mapping(given.get("uses")).items()}
        start = str(given.get("start", "node src/index.js"))
        files["package.json"] = json.dumps({"name": "case", "scripts": {"start": start}, "dependencies": uses})
    return files


def _mapping(value: object) -> dict[object, object]:
    return value if isinstance(value, dict) else {}
