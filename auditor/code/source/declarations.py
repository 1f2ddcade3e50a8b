"""Whether a name in a file's text only defines, imports or exports something."""

from __future__ import annotations

import re
from collections.abc import Iterator

_IMPORT_LINE = re.compile(rb"^\s*(?:import\b|export\s*(?:\{|\*)|\}\s*from|//|\*|/\*|type\b|interface\b)")
_DEFINES = re.compile(
    rb"(?:function\s*\*?|class|interface|type|const|let|var|async|private|public|protected|static|export|default)\s+$"
)


def is_declaration(data: bytes, start: int, end: int) -> bool:
    """Whether an occurrence of a name only defines, imports or exports it."""
    line_start = data.rfind(b"\n", 0, start) + 1
    line = data[line_start : end + 200].split(b"\n", 1)[0]
    if _IMPORT_LINE.match(line):
        return True
    before, after = data[max(0, start - 40) : start], data[end : end + 40].lstrip()
    if _DEFINES.search(before):
        return True
    if after[:1] in (b",", b"}") or after[:2] == b"as":
        return _in_import(data, start)
    own_line = data[line_start:start].strip()
    return not own_line and after[:1] in (b"(", b"<") and _is_method(data, end)


def _in_import(data: bytes, at: int) -> bool:
    """Whether a place is inside the braces of an import or export clause that spans lines."""
    brace = data.rfind(b"{", 0, at)
    if brace < 0 or data.rfind(b"}", 0, at) > brace:
        return False
    return data[max(0, brace - 40) : brace].rstrip().endswith((b"import", b"export", b"import type", b"export type"))


def _is_method(data: bytes, at: int) -> bool:
    """Whether `name(…)` opens a method's body."""
    depth = 0
    for index in range(at, min(len(data), at + 2000)):
        char = data[index : index + 1]
        if char == b"(":
            depth += 1
        elif char == b")":
            depth -= 1
            if depth == 0:
                return data[index + 1 : index + 120].lstrip()[:1] in (b"{", b":")
    return False


_PART = re.compile(rb"[\w$]")


def occurrences(data: bytes, word: bytes) -> Iterator[int]:
    """Where a name stands, longer names that hold it left out."""
    at = data.find(word)
    while at >= 0:
        end = at + len(word)
        if not (at and _PART.match(data, at - 1)) and not _PART.match(data, end):
            yield at
        at = data.find(word, end)
