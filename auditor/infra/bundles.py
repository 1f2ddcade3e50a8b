"""What a package's bundler starts from: the entry in its build script or in its config file."""

from __future__ import annotations

import re
from collections.abc import Iterator

from auditor.infra.packages import Packages
from auditor.infra.tree import Tree, join

_BUNDLERS = (
    "webpack",
    "rspack",
    "rollup",
    "rolldown",
    "vite",
    "tsup",
    "tsdown",
    "esbuild",
    "swcpack",
    "build",
    "bundle",
)
_SUFFIXES = (".ts", ".mts", ".cts", ".js", ".mjs", ".cjs")
_RUNS = re.compile(
    r"\b(?:esbuild|tsup|tsdown|ncc|rollup|rolldown|webpack|rspack|parcel|pkgroll|microbundle|bun\s+build|unbuild|swcpack)\b"
)
_ENTRY = re.compile(r"\b(?:entry|entries|entryPoints|input|entryFile)\b\s*[:=]?\s*")
_PATH = re.compile(r"""(?:^|["'`\s=])((?:\./)?[\w@-]+(?:/[\w.@-]+)*)(?=$|["'`\s])""")
_REACH = 300


def source_of(tree: Tree, packages: Packages, folder: str) -> str | None:
    """The source file that the bundler of the package in `folder` starts from; None where nothing tells it."""
    for text in (*_scripts(packages, folder), *_configs(tree, folder)):
        for word in _PATH.findall(text):
            found = _file(tree, join(folder, word))
            if found is not None:
                return found
    return None


def _scripts(packages: Packages, folder: str) -> Iterator[str]:
    for command, _ in packages.scripts(folder).values():
        for part in re.split(r"&&|\|\||;", command):
            if _RUNS.search(part):
                yield re.sub(r"--?\w[\w-]*[= ]\S*(?:dist|build|out|config)\S*", " ", part)


def _configs(tree: Tree, folder: str) -> Iterator[str]:
    for name in _BUNDLERS:
        for middle in (".config", ".config.prod", ".prod", ".server", ""):
            for suffix in _SUFFIXES:
                path = join(folder, f"{name}{middle}{suffix}")
                if path in tree.known:
                    text = tree.text(path)
                    for match in _ENTRY.finditer(text):
                        yield text[match.end() : match.end() + _REACH]


def _file(tree: Tree, path: str) -> str | None:
    stem = re.sub(r"\.[cm]?[jt]sx?$", "", path)
    wanted = (path, *(f"{stem}{suffix}" for suffix in (*_SUFFIXES, ".tsx")), *(f"{path}/index{s}" for s in _SUFFIXES))
    return next(
        (
            p
            for p in wanted
            if p in tree.known and p.endswith((*_SUFFIXES, ".tsx")) and "config" not in p.rsplit("/", 1)[-1]
        ),
        None,
    )
