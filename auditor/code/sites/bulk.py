"""Whether a value is bulky: a file's contents, an attachment, a rendered image; short things in base64 are not."""

from __future__ import annotations

import re

from auditor.code.evaluation.values import External, Literal, Template, Unknown, Value, options_of, text_of

_SOURCES = ("readFile", "readFileSync", "arrayBuffer", "toBuffer", "getBuffer", "toDataURL", "screenshot", "pdf")
_BUFFERS = ("Buffer.concat", "Buffer.alloc", "Buffer.allocUnsafe")
_FILES = frozenset(("fs", "fs-extra"))
_WRITTEN = re.compile(
    r"\breadFile(?:Sync)?\(|\barrayBuffer\(\)|\b(?:to|get)Buffer\(|\btoDataURL\(|\bfile\.buffer\b|;base64,|\w[bB]ase64\s*$"
    r"|\b(?:attachment|file|image|pdf|buffer|content)s?\w*\.toString\(\s*['\"]base64['\"]"
)
_NAMED = re.compile(r"\bfiles?(?:\[[^\]]*\])?\.buffer$|(?<=\w)[bB]ase64$")


def of_value(value: Value) -> str:
    """What is bulky about a value, as a reader would write it; empty where nothing is known to be."""
    match value:
        case External():
            return text_of(value)[:60] if _is_bulk(value) else ""
        case Template(parts):
            inside = any(isinstance(part, Literal) and ";base64," in str(part.value) for part in parts)
            return text_of(value)[:60] if inside or any(of_value(part) for part in parts) else ""
        case Unknown(_, text):
            return text[:60] if _NAMED.search(text) else ""
    return ""


def as_written(text: str) -> str:
    """The same by the source text alone, where a value was too dear to resolve."""
    return text[:60] if _WRITTEN.search(text) else ""


def _is_bulk(value: External, depth: int = 0) -> bool:
    names = value.path.replace("()", "").split(".")
    if not value.path.endswith("()") or depth > 4:
        return False
    if names[-1] == "toString":
        return _of_text(value, depth)
    if names[-1] in _SOURCES:
        return names[-1] not in ("pdf", "screenshot", "readFile", "readFileSync") or value.package != "global"
    if value.package == "global" and value.path.removesuffix("()") in _BUFFERS:
        return True
    if value.package in ("global", "buffer") and names[-2:] == ["Buffer", "from"]:
        return any(
            isinstance(one, External) and _is_bulk(one, depth + 1) for a in value.arguments for one in options_of(a)
        )
    return False


def _of_text(value: External, depth: int) -> bool:
    """`contents.toString('base64')`: as bulky as the contents; a digest or an id in hex is short."""
    if value.arguments and isinstance(value.arguments[0], Literal) and value.arguments[0].value == "hex":
        return False
    base = value.base
    if isinstance(base, External):
        return _is_bulk(base, depth + 1)
    before = External(value.package, value.path.removesuffix(".toString()"), value.arguments)
    return value.package in _FILES and _is_bulk(before, depth + 1)
