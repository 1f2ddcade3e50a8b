"""Terraform: what a folder's files declare, with variables and locals looked up; Redis services are read in `terraform_redis`."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import PurePosixPath

from auditor.infra import environment as environments
from auditor.infra.hcl import read
from auditor.infra.model import Environment, Setting
from auditor.infra.tree import join
from auditor.infra.yaml_tree import Node
from auditor.model import FilePlace

_REFERENCE = re.compile(r"^\$\{(var|local)\.(\w+)\}$")
_RESOURCE = re.compile(r"^\$\{(?:data\.)?(\w+)\.(\w+)(?:\[[^\]]*\])?\.\w+\}$")


@dataclass(frozen=True, slots=True)
class Block:
    """A resource or module with what its values refer to."""

    kind: str
    """`aws_elasticache_replication_group`, or `module`."""
    name: str
    node: Node
    scope: Scope

    @property
    def place(self) -> FilePlace:
        """Where it begins."""
        return self.node.place

    def get(self, *keys: str) -> Setting | None:
        """The first of these attributes that is stated, with variables that have a literal value replaced."""
        for key in keys:
            node = self.node[key]
            if node.text:
                return Setting(self.scope.value(node.text), node.place)
        return None

    def flag(self, *keys: str) -> bool | None:
        """A boolean attribute; None where it is unstated or comes from outside."""
        stated = self.get(*keys)
        return {"true": True, "false": False}.get(stated.value) if stated else None

    def number(self, *keys: str) -> int | None:
        """A whole number; None where it is unstated or comes from outside."""
        stated = self.get(*keys)
        return int(stated.value) if stated and stated.value.isdigit() else None

    def inner(self, key: str) -> list[Node]:
        """Nested blocks, or the objects of a list, or the one object of an attribute."""
        node = self.node[key]
        return node.list() if node.kind == "sequence" else [node] if node.kind == "mapping" else []

    @property
    def environment(self) -> Environment:
        """By the file's path, then by the resource's name; what Terraform sets up is production unless marked."""
        told = environments.first(environments.of_path(self.node.path), environments.of_words(self.name))
        return Environment.PRODUCTION if told is Environment.UNKNOWN else told


@dataclass(slots=True)
class Scope:
    """The files of one folder."""

    folder: str
    blocks: list[Block] = field(default_factory=list)
    variables: dict[str, str] = field(default_factory=dict)
    locals: dict[str, str] = field(default_factory=dict)

    def value(self, text: str) -> str:
        """The text, or the literal that it refers to; still `${...}` where that is not in the files."""
        for _ in range(5):
            match = _REFERENCE.match(text)
            if match is None:
                return text
            known = self.variables if match[1] == "var" else self.locals
            if match[2] not in known:
                return text
            text = known[match[2]]
        return text

    def referred(self, setting: Setting | None) -> Block | None:
        """The resource that an attribute refers to."""
        match = _RESOURCE.match(setting.value) if setting else None
        if match is None:
            return None
        return next((b for b in self.blocks if (b.kind, b.name) == (match[1], match[2])), None)

    def of(self, *kinds: str) -> Iterator[Block]:
        """Resources of these types."""
        return (b for b in self.blocks if b.kind in kinds)


def scopes(texts: Mapping[str, str]) -> list[Scope]:
    """The folders of a tree's Terraform files."""
    found: dict[str, Scope] = {}
    for path, text in texts.items():
        folder = join(str(PurePosixPath(path).parent), "")
        scope = found.setdefault(folder, Scope(folder))
        body = read(text, path)
        if path.endswith(".tfvars"):
            scope.variables.update({k: v.text for k, v in body.items() if v.text})
            continue
        for variable in body["variable"].list():
            name = next(iter(variable["labels"].texts()), "")
            if variable["default"].text:
                scope.variables.setdefault(name, variable["default"].text)
        for block in body["locals"].list():
            scope.locals.update({k: v.text for k, v in block.items() if v.text})
        scope.blocks += _blocks(body, scope)
    return list(found.values())


def _blocks(body: Node, scope: Scope) -> Iterator[Block]:
    for resource in body["resource"].list():
        labels = resource["labels"].texts()
        if len(labels) > 1:
            yield Block(labels[0], labels[1], resource, scope)
    for module in body["module"].list():
        yield Block("module", next(iter(module["labels"].texts()), ""), module, scope)
