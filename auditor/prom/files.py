"""Which infra files may speak of metrics, told by a cheap look at their bytes, and their YAML as mappings."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from enum import Flag, auto
from pathlib import PurePosixPath

from auditor.infra.tree import Tree
from auditor.infra.yaml_tree import Node, documents
from auditor.model import FilePlace
from auditor.opening import NotRead, TooLarge

from .model import Note

LARGEST = 4_000_000
"""Bytes; a dashboard or rule file by hand is a fraction of it."""
MOST_MAPPINGS = 50_000
DEEPEST_TEXT = 2
"""YAML within a block of text within YAML: a ConfigMap holds a file, which holds no further one."""


class Topic(Flag):
    """What a file may hold."""

    RULES = auto()
    SCRAPES = auto()
    UNITS = auto()
    DASHBOARDS = auto()
    GRAFANA_ALERTS = auto()
    DATADOG = auto()
    NOTHING = 0


_LOCKS = frozenset(
    ["package-lock.json", "npm-shrinkwrap.json", "pnpm-lock.yaml", "composer.lock", "package.json", "tsconfig.json"]
)
_YAML = (".yml", ".yaml", ".rules", ".tpl")
_MARKS: tuple[tuple[Topic, tuple[tuple[bytes, ...], ...]], ...] = (
    (Topic.RULES, ((b"alert", b"expr"), (b"record", b"expr"))),
    (Topic.SCRAPES, ((b"scrape_configs",), (b"ServiceMonitor",), (b"PodMonitor",))),
    (
        Topic.UNITS,
        (
            (b"exporter",),
            (b"bull-monitor",),
            (b"bull-board",),
            (b"bullboard",),
            (b"taskforce",),
            (b"redisdb",),
            (b"metrics:", b"redis:"),
            (b"/etc/prometheus",),
        ),
    ),
    (Topic.DASHBOARDS, ((b'"panels"',),)),
    (Topic.GRAFANA_ALERTS, ((b"datasourceUid", b"rules"),)),
    (Topic.DATADOG, ((b"DatadogMonitor",), (b'"query"', b"alert"))),
)


@dataclass(frozen=True, slots=True)
class Candidate:
    """A file that is worth parsing."""

    path: str
    text: str
    topic: Topic
    json: bool


def candidates(tree: Tree, notes: list[Note]) -> Iterator[Candidate]:
    """Files with something about metrics, one at a time: none is kept."""
    for path in tree.files:
        suffix = PurePosixPath(path).suffix.lower()
        if (suffix not in _YAML and suffix != ".json") or PurePosixPath(path).name in _LOCKS:
            continue
        data = _read(tree, path, notes)
        topic = topic_of(data) if suffix != ".json" or data[:200].lstrip()[:1] in (b"{", b"[") else Topic.NOTHING
        if suffix == ".json" and not any(
            mark in data for mark in (b'"expr"', b'"panels"', b'"query"', b'"image"', b'"scrape_configs"')
        ):
            continue
        if topic:
            yield Candidate(path, data.decode("utf-8", "replace").removeprefix("\ufeff"), topic, suffix == ".json")


def terraform(tree: Tree, notes: list[Note]) -> Iterator[tuple[str, str]]:
    """(path, text) of Terraform files that hold an alarm or monitor."""
    for path in tree.files:
        if path.endswith(".tf"):
            data = _read(tree, path, notes)
            if b"_alarm" in data or b"_monitor" in data or b"_rule_group" in data or b"_alert" in data:
                yield path, data.decode("utf-8", "replace")


def topic_of(data: bytes) -> Topic:
    """Everything that the bytes may be about."""
    found = Topic.NOTHING
    for topic, ways in _MARKS:
        if any(all(mark in data for mark in marks) for marks in ways):
            found |= topic
    return found


def _read(tree: Tree, path: str, notes: list[Note]) -> bytes:
    """A file's bytes; none where it cannot be read, which the infra source lists, or is too large, which is noted."""
    try:
        return tree.data(path, LARGEST)
    except TooLarge as error:
        with suppress(NotRead):
            if topic_of(tree.data(path, first=65_536)):
                notes.append(Note(FilePlace(path), f"{error}, not read"))
    except NotRead:
        pass
    return b""


def read_yaml(candidate: Candidate, notes: list[Note]) -> list[Node]:
    """All documents of the file, and those in its blocks of text."""
    found, problems = documents(candidate.text, candidate.path)
    # `{{ $labels.queue }}` in an alert's annotations makes no Helm template of a rule file
    helm = "{{-" in candidate.text or ".Values" in candidate.text
    notes += [Note(p.place, p.text) for p in problems if helm or not p.text.startswith("a template")]
    return found


def mappings(node: Node, budget: int = MOST_MAPPINGS, depth: int = 0) -> Iterator[tuple[str, Node]]:
    """(key above, mapping) of every mapping in a document, those within blocks of text included; depth first."""
    pending: list[tuple[str, Node]] = [("", node)]
    while pending and budget > 0:
        key, here = pending.pop()
        budget -= 1
        if here.kind == "mapping":
            yield key, here
            children = list(here.items())
            pending += reversed(children)
            budget -= len(children)
        elif here.kind == "sequence":
            entries = here.list()
            pending += [(key, entry) for entry in reversed(entries)]
            budget -= len(entries)
        elif depth < DEEPEST_TEXT and "\n" in here.text and topic_of(here.text.encode()):
            for inner in _inside(here):
                yield from mappings(inner, budget, depth + 1)


def _inside(block: Node) -> list[Node]:
    found, _ = documents(block.text, block.path)
    for node in found:
        node.shift = block.line
    return found
