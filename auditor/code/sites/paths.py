"""Paths of files that code makes of strings: `path.join(__dirname, 'processor.js')`, `fileURLToPath(new URL(…))`."""

from __future__ import annotations

import posixpath
import re
from dataclasses import replace
from typing import TYPE_CHECKING, NamedTuple

from auditor.code.evaluation.values import External, Literal, Template, Unknown, Value, Where, options_of
from auditor.code.sites.options import to_json

if TYPE_CHECKING:
    from auditor.code.evaluation.evaluate import Evaluator

_JOINS = frozenset(("join()", "resolve()", "normalize()"))
_SAME = frozenset(("fileURLToPath()", "pathToFileURL()"))
_SAME_KIND = Literal("")
_BUILT = re.compile(r"(^|/)(?:dist|build|lib|out)/")


class PathText(NamedTuple):
    """A path as text, and where it is made: it is relative to that file, or to the folder that the program starts in."""

    text: str
    where: Where = None


def path_of(ev: Evaluator, value: Value) -> PathText | None:
    """The path that a value makes; None where it makes none."""
    for one in map(ev.force, options_of(value)):
        text = _text(ev, one)
        if text:
            return PathText(text, getattr(one, "where", None))
    return None


def file_at(ev: Evaluator, path: PathText) -> str:
    """The file of the program at a path, the source of one that is built; empty where there is none."""
    importer = path.where[0] if path.where is not None else ""
    plain = posixpath.normpath(path.text.lstrip("/"))
    for text in dict.fromkeys((plain, _BUILT.sub(r"\1src/", plain, count=1), _BUILT.sub(r"\1", plain, count=1))):
        found = ev.program.target(importer, f"./{text}") or (
            ev.program.graph.from_root(importer, text) if not text.startswith("..") else None
        )
        if found is not None:
            return found
    return ""


def _text(ev: Evaluator, value: Value) -> str:
    match value:
        case Literal(str(text)):
            return text
        case Template(pieces):
            known = tuple(_SAME_KIND if _is_extension(piece) else piece for piece in pieces)
            return str(to_json(replace(value, parts=known)))
        case External("path" | "node:path", path) if path in _JOINS:
            parts = [_part(ev, argument) for argument in value.arguments]
            return posixpath.join(*[part for part in parts if part]) if parts and None not in parts else ""
        case External(_, path) if path in _SAME or path == "require.resolve()":
            return next(
                (_text(ev, ev.force(one)) for argument in value.arguments[:1] for one in options_of(argument)), ""
            )
    return ""


def _is_extension(value: Value) -> bool:
    """`path.extname(__filename)`: what this file has, and the one beside it too."""
    return isinstance(value, External) and value.package in ("path", "node:path") and value.path == "extname()"


def _part(ev: Evaluator, value: Value) -> str | None:
    """One argument of a join: a text, an own folder or the working folder as ``.``; None where it is not known."""
    for one in map(ev.force, options_of(value)):
        match one:
            case External("global" | "process" | "node:process", "process.cwd()" | "cwd()"):
                return "."
            case External("path" | "node:path", "dirname()") if _is_own(ev, one.arguments):
                return "."
        text = _text(ev, one)
        if text:
            return text.lstrip("/") or "."
    return None


def _is_own(ev: Evaluator, arguments: tuple[Value, ...]) -> bool:
    """Whether the path of the file itself is meant: `fileURLToPath(import.meta.url)`, `__filename`."""
    for value in arguments[:1]:
        for one in map(ev.force, options_of(value)):
            if isinstance(one, External) and one.path in _SAME:
                return _is_own(ev, one.arguments)
            if isinstance(one, Unknown) and one.text.startswith("import.meta"):
                return True
            if isinstance(one, External) and one.path == "__filename":
                return True
    return False
