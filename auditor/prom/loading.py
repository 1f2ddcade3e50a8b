"""Which rules a Prometheus really loads: by its configuration's `rule_files`, mounts, images, and tools that upload rules."""

from __future__ import annotations

import fnmatch
import posixpath
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import PurePosixPath

from auditor.infra.tree import Tree
from auditor.infra.yaml_tree import Node
from auditor.model import FilePlace

from .model import PrometheusConfig, Rule, RuleKind

_SAMPLES = frozenset(["example", "examples", "sample", "samples", "docs", "doc"])
_UPLOADS = (
    b"mimirtool",
    b"cortextool",
    b"aws_prometheus_rule_group_namespace",
    b"google_monitoring_rules",
    b"lokitool",
)
_SCRIPTS = (".sh", ".tf", ".yml", ".yaml", ".ps1", ".mk")
_COPY = re.compile(
    r"^\s*(?:COPY|ADD)\s+(?:--\S+\s+)*(?P<source>\S+)\s+(?P<target>\S+)\s*$", re.MULTILINE | re.IGNORECASE
)


@dataclass(frozen=True, slots=True)
class Mount:
    """A file or folder of the repository, and where a container sees it."""

    source: str
    target: str


def of_images(tree: Tree) -> Iterator[Mount]:
    """Files that a Dockerfile on a Prometheus image copies into it."""
    for path in tree.files:
        if "dockerfile" not in PurePosixPath(path).name.lower():
            continue
        text = tree.head(path)
        if re.search(r"^\s*FROM\s+\S*prom(?:etheus)?/prometheus", text, re.MULTILINE | re.IGNORECASE):
            for match in _COPY.finditer(text):
                source, target = match["source"], match["target"]
                if target.endswith("/") and PurePosixPath(source).suffix:
                    target += PurePosixPath(source).name
                # the context is the Dockerfile's folder or one above: both are tried
                yield Mount(posixpath.normpath(posixpath.join(posixpath.dirname(path), source)), target)
                yield Mount(posixpath.normpath(source), target)


def uploads_of(tree: Tree) -> Iterator[tuple[FilePlace, str]]:
    """Scripts, workflows and Terraform that hand rule files to a Prometheus service by a tool."""
    for path in tree.files:
        name = PurePosixPath(path)
        if name.suffix in _SCRIPTS or name.name in ("Makefile", "Jenkinsfile"):
            text = tree.head(path)
            if any(word.decode() in text for word in _UPLOADS):
                yield FilePlace(path), text


def mounts_of(unit: Node) -> Iterator[Mount]:
    """Files and folders that a compose service mounts where a Prometheus would look."""
    for entry in unit["volumes"].list():
        source, _, rest = (
            entry.text.partition(":") if entry.kind == "scalar" else (entry["source"].text, "", entry["target"].text)
        )
        target = rest.partition(":")[0]
        if source.startswith((".", "/")) is False and "/" not in source:
            continue  # a named volume
        if "prometheus" in target or "rules" in target or PurePosixPath(target).suffix in (".yml", ".yaml", ".rules"):
            yield Mount(posixpath.normpath(posixpath.join(posixpath.dirname(unit.path), source)), target)


def told_loaded(
    rules: Sequence[Rule],
    configs: tuple[PrometheusConfig, ...],
    names: dict[str, str],
    mounts: Sequence[Mount],
    trees: Sequence[Tree],
) -> Iterator[Rule]:
    """The rules with `loaded` told by the configurations' `rule_files`, by mounts and images, and by tools that upload.

    `names` gives, for a rule in a ConfigMap's entry (by the `path:line` of the rule), that entry's file name.
    """
    deployed = tuple(config for config in configs if not is_sample(config.place.path))
    copied = [*mounts, *(mount for tree in trees for mount in of_images(tree))] if rules and deployed else []
    uploads: list[tuple[FilePlace, str]] | None = None
    for rule in rules:
        place = rule.place
        if not isinstance(place, FilePlace):
            yield rule
        elif is_sample(place.path):
            yield replace(rule, loaded=False)
        elif rule.kind is not RuleKind.PROMETHEUS or not deployed:
            yield rule
        else:
            by = _mounted(place.path, deployed, copied) or _loader(
                place.path, names.get(place.label(), ""), deployed, not copied
            )
            if by is None:
                uploads = [u for tree in trees for u in uploads_of(tree)] if uploads is None else uploads
                by = _uploaded(place.path, uploads)
            yield replace(rule, loaded=by is not None, loaded_by=by)


def _uploaded(path: str, uploads: Sequence[tuple[FilePlace, str]]) -> FilePlace | None:
    """The script that names the file, or its folder, beside a tool that uploads rules."""
    name, folder = PurePosixPath(path).name, PurePosixPath(path).parent.name
    for place, text in uploads:
        for number, line in enumerate(text.splitlines(), 1):
            if name in line or (folder and re.search(rf"\b{re.escape(folder)}/(?:\*|\s|$|\")", line)):
                return FilePlace(place.path, number)
    return None


def is_sample(path: str) -> bool:
    """Whether a file lies among examples or documentation: nothing deploys it."""
    return not _SAMPLES.isdisjoint(PurePosixPath(path).parts[:-1])


def _mounted(path: str, configs: tuple[PrometheusConfig, ...], mounts: Sequence[Mount]) -> FilePlace | None:
    """The `rule_files` line that loads the file under the name that a mount gives it."""
    for mount in mounts:
        if path != mount.source and not path.startswith(mount.source + "/"):
            continue
        target = posixpath.normpath(mount.target + path[len(mount.source) :])
        for config in configs:
            for glob, place in config.rule_files:
                if fnmatch.fnmatch(target, posixpath.normpath(posixpath.join("/etc/prometheus", glob))):
                    return place
    return None


def _loader(path: str, entry: str, configs: tuple[PrometheusConfig, ...], by_pattern: bool) -> FilePlace | None:
    """The `rule_files` line that loads a file: by its path beside the configuration, else by its name alone, since a
    mount puts it anywhere; by a pattern of names (`*.yml`) only where `by_pattern`: no mount tells better."""
    name = entry or PurePosixPath(path).name
    stated = [(config, glob, place) for config in configs for glob, place in config.rule_files]
    near = [place for config, glob, place in stated if not entry and fnmatch.fnmatch(path, _beside(config, glob))]
    far = [
        place
        for config, glob, place in stated
        if fnmatch.fnmatch(name, last := PurePosixPath(glob).name)
        and (by_pattern or entry or last == name)
        and (not entry or config.place.path == path or glob.startswith("/"))
    ]
    return next(iter([*near, *far]), None)


def _beside(config: PrometheusConfig, glob: str) -> str:
    return posixpath.normpath(posixpath.join(posixpath.dirname(config.place.path), glob))
