"""checklist.yaml as items: strict, with every problem listed at once.

schema: tt-audit.checklist/1
sections:
  - title: Redis
    items:
      - {id: TT088, number: 88, title: ..., severity: critical, probe: redis.maxmemory_policy,
         params: {policy: noeviction}, why: ..., fix: ..., references: [...]}
"""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from pathlib import Path

from auditor.errors import ChecklistError
from auditor.model import FileDigest, Item, Severity
from auditor.yamlfile import Fields, Located, Problems, read

SCHEMA = "tt-audit.checklist/1"

_TOP = frozenset({"schema", "extends", "sections"})
_EXTENDS = "builtin"
_SECTION = frozenset({"title", "items"})
_ITEM = frozenset({"id", "number", "title", "severity", "probe", "params", "why", "fix", "references"})
_ID = re.compile(r"[A-Z]{1,8}[0-9]{3}")


@dataclass(frozen=True, slots=True)
class Entry:
    """An item as written: `params` still carry their lines, for messages of the binding."""

    item: Item
    params: Located
    path: str


@dataclass(frozen=True, slots=True)
class Checklist:
    """Items of one or several files, in order."""

    digest: FileDigest
    entries: tuple[Entry, ...]


def builtin() -> Path:
    """The checklist that ships with tt-audit: in the package, or at the top of a checkout."""
    here = Path(__file__).resolve().parent
    packaged = here / "checklist.yaml"
    return packaged if packaged.is_file() else here.parent / "checklist.yaml"


def extra() -> Path:
    """The pack of further items that ships: shown apart, not counted among the 102."""
    return builtin().with_name("checklist-extra.yaml")


def load(*given: Path) -> Checklist:
    """Items of all files in order; a file that says `extends: builtin` comes on top of the ones that ship.

    Without files, those that ship. Raises ChecklistError with all problems of all files.
    """
    paths = _extended(given)
    problems: list[str] = []
    entries: list[Entry] = []
    digest = hashlib.sha256()
    seen: dict[str, str] = {}
    for path in paths:
        of_file = Problems(_shown(path))
        document = read(path, of_file)
        if document is None and not of_file.lines:
            of_file.add(1, "the file is empty")
        if document is not None:
            digest.update(path.read_bytes())
            for entry in _entries(document, of_file):
                where = f"{of_file.path}:{entry.item.line}"
                if entry.item.id in seen:
                    of_file.add(entry.item.line, f"{entry.item.id} stands twice (first at {seen[entry.item.id]})")
                seen.setdefault(entry.item.id, where)
                entries.append(entry)
        problems += of_file.lines
    if problems:
        raise ChecklistError(problems, "mend these lines, or leave --checklist away to use the one that ships")
    return Checklist(FileDigest(_shown(paths[0]), digest.hexdigest()), tuple(entries))


def _extended(given: tuple[Path, ...]) -> list[Path]:
    problems = [Problems(_shown(path)) for path in given]
    documents = [read(path, found) for path, found in zip(given, problems, strict=True)]
    extending = any(
        isinstance(document.value, dict)
        and (extends := document.value.get("extends")) is not None
        and extends.value == _EXTENDS
        for document in documents
        if document is not None
    )
    shipped = [builtin(), *([extra()] if extra().is_file() else [])] if extending or not given else []
    return [*shipped, *given]


def _entries(document: Located, problems: Problems) -> list[Entry]:
    top = Fields.of(document, "checklist", problems, _TOP)
    if top.text("schema", required=True) not in ("", SCHEMA):
        problems.add(top.entries["schema"].line, f"schema: {SCHEMA} is wanted")
    top.choice("extends", (_EXTENDS,))
    entries = []
    for section in top.each("sections"):
        fields = Fields.of(section, "section", problems, _SECTION)
        title = fields.text("title", required=True)
        entries += [_entry(item, title, problems) for item in fields.each("items")]
    return entries


def _entry(located: Located, section: str, problems: Problems) -> Entry:
    fields = Fields.of(located, "item", problems, _ITEM)
    identity = fields.text("id", required=True)
    if identity and not _ID.fullmatch(identity):
        problems.add(
            fields.entries["id"].line, f"id {identity!r}: capital letters and three digits are wanted, as in TT088"
        )
    fields = Fields(fields.entries, fields.line, identity or "item", problems)
    severity = fields.choice("severity", tuple(Severity), required=True)
    params = fields.entries.get("params", Located({}, located.line))
    if params.value is None:
        params = Located({}, params.line)
    item = Item(
        id=identity,
        number=fields.whole("number"),
        section=section,
        title=fields.text("title", required=True),
        severity=Severity(severity or Severity.LOW),
        probe=fields.text("probe", required=True),
        params={
            key: entry.plain()
            for key, entry in Fields.of(params, f"{identity}: params", problems, _any(params)).entries.items()
        },
        why=fields.text("why", required=True).strip(),
        fix=fields.text("fix", required=True).strip(),
        references=fields.texts("references"),
        line=located.line,
    )
    return Entry(item, params, problems.path)


def _any(params: Located) -> frozenset[str]:
    return frozenset(params.value) if isinstance(params.value, dict) else frozenset()


def _shown(path: Path) -> str:
    """As a person would name it: the shipped file by its name, others as given."""
    return path.name if path in (builtin(), extra()) else str(path)
