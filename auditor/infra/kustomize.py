"""Kustomize by file: a base with the patches of an overlay laid over it, without running kustomize."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import PurePosixPath

from auditor.infra import environment as environments
from auditor.infra.model import Environment
from auditor.infra.tree import join
from auditor.infra.yaml_tree import Node, documents

MAX_DEPTH = 10


class Layered(Node):
    """Several mappings as one: the first that states a key wins, mappings merge, lists of named objects merge by name."""

    __slots__ = ("_layers",)

    def __init__(self, layers: tuple[Node, ...]) -> None:
        super().__init__(layers[0]._node, layers[0].path, layers[0].shift)
        self._layers = layers

    @property
    def line(self) -> int:
        """The line of the layer that wins."""
        return self._layers[0].line

    def items(self) -> Iterator[tuple[str, Node]]:
        """Keys of all layers."""
        found: dict[str, list[Node]] = {}
        for layer in self._layers:
            for key, value in layer.items():
                found.setdefault(key, []).append(value)
        for key, values in found.items():
            yield key, _one(values)

    def list(self) -> list[Node]:
        """Elements, merged by name where they have one."""
        named: dict[str, list[Node]] = {}
        for layer in self._layers:
            for element in layer.list():
                named.setdefault(element["name"].text, []).append(element)
        return [_one(found) for found in named.values()]


def _one(values: list[Node]) -> Node:
    first = values[0]
    same = tuple(v for v in values if v.kind == first.kind)
    by_name = first.kind == "sequence" and all(e["name"].text for v in same for e in v.list())
    return Layered(same) if len(same) > 1 and (first.kind == "mapping" or by_name) else first


@dataclass(slots=True)
class Kustomizations:
    """The kustomizations of a tree, by folder, and the files that they speak for."""

    documents: Mapping[str, Node]
    """kustomization.yaml by folder."""
    files: Mapping[str, list[Node]]
    """The other YAML documents by path."""
    taken: set[str] = field(default_factory=set)
    """Files that some kustomization uses: they do not stand for themselves."""

    def resources(self) -> Iterator[tuple[Node, Environment]]:
        """The resources of every kustomization that no other builds on, patched, with its environment."""
        used = {f for folder, node in self.documents.items() for f in self._listed(folder, node) if f in self.documents}
        for folder, node in self.documents.items():
            if folder not in used:
                told = environments.first(
                    environments.of_path(f"{folder}/kustomization"), environments.of_words(node["namespace"].text)
                )
                for resource in self._build(folder, 0):
                    yield resource, told

    def _build(self, folder: str, depth: int) -> list[Node]:
        node = self.documents[folder]
        found: list[Node] = []
        for path in self._listed(folder, node):
            if path in self.documents and depth < MAX_DEPTH:
                found += self._build(path, depth + 1)
            else:
                self.taken.add(path)
                found += self.files.get(path, [])
        for patch in self._patches(folder, node):
            found = [Layered((patch, r)) if _same(patch, r) else r for r in found]
        return found

    def _listed(self, folder: str, node: Node) -> list[str]:
        return [
            join(folder, n.text)
            for key in ("resources", "bases", "components")
            for n in node[key].list()
            if "://" not in n.text
        ]

    def _patches(self, folder: str, node: Node) -> Iterator[Node]:
        """Strategic patches, in files or inline; those by operations are not followed."""
        for entry in (*node["patches"].list(), *node["patchesStrategicMerge"].list()):
            path = entry["path"].text or (entry.text if "\n" not in entry.text else "")
            if path:
                self.taken.add(join(folder, path))
                yield from (d for d in self.files.get(join(folder, path), []) if d["kind"])
            inline = entry["patch"] if entry["patch"] else entry
            if "\n" in inline.text:
                read, _ = documents(inline.text, inline.path)
                for document in read:
                    document.shift = inline.text_line - 1
                    if document["kind"]:
                        yield document
        for count in node["replicas"].list():
            yield from _replicas(count)


def _same(patch: Node, resource: Node) -> bool:
    return (
        patch["kind"].text == resource["kind"].text
        and patch.at("metadata", "name").text == resource.at("metadata", "name").text
    )


def _replicas(count: Node) -> Iterator[Node]:
    name, number = count["name"].text, count["count"].number
    if name and number is not None:
        read, _ = documents(f"kind: Deployment\nmetadata: {{name: {name}}}\nspec: {{replicas: {number}}}\n", count.path)
        for document in read:
            document.shift = count.line - 1
            yield document


def is_kustomization(path: str) -> bool:
    """Whether a file is a kustomization, by the names that the tool takes."""
    return PurePosixPath(path).name in ("kustomization.yaml", "kustomization.yml", "Kustomization")
