"""Reads the little Markdown that checklist texts are written in: paragraphs, bullets, fenced snippets, `code`."""

from __future__ import annotations

import re
from dataclasses import dataclass

from ._text import clean, clean_lines


@dataclass(frozen=True, slots=True)
class Span:
    """A stretch of a paragraph; `code` where it stood in backticks."""

    text: str
    code: bool = False


@dataclass(frozen=True, slots=True)
class Paragraph:
    """Running text; `bullet` where it is an entry of a list."""

    spans: tuple[Span, ...]
    bullet: bool = False

    @property
    def text(self) -> str:
        """The words without marks."""
        return "".join(span.text for span in self.spans)


@dataclass(frozen=True, slots=True)
class Snippet:
    """A fenced block of code: its language as written after the fence, and its lines."""

    language: str
    lines: tuple[str, ...]

    @property
    def text(self) -> str:
        """All lines."""
        return "\n".join(self.lines)


Block = Paragraph | Snippet

_BULLET = re.compile(r"\s*[-*•]\s+(?=\S)")
_CODE = re.compile(r"`([^`]+)`")


def blocks(text: str) -> tuple[Block, ...]:
    """The blocks of `text`, made harmless. Lines of a paragraph run on; an unclosed fence ends with the text."""
    found: list[Block] = []
    running: list[str] = []
    bullet = False
    lines = iter(clean_lines(text))

    def flush() -> None:
        if running:
            found.append(Paragraph(spans(" ".join(running)), bullet))
            running.clear()

    for line in lines:
        bare = line.strip()
        if bare.startswith("```"):
            flush()
            bullet = False
            inside = []
            for code in lines:
                if code.strip() == "```":
                    break
                inside.append(code)
            found.append(Snippet(bare.strip("`").strip(), tuple(_dedent(inside))))
        elif not bare:
            flush()
            bullet = False
        elif _BULLET.match(line):
            flush()
            bullet = True
            running.append(_BULLET.sub("", line, count=1).strip())
        else:
            running.append(bare)
    flush()
    return tuple(found)


def spans(text: str) -> tuple[Span, ...]:
    """The spans of one paragraph."""
    parts = _CODE.split(clean(text))
    return tuple(Span(part, code=index % 2 == 1) for index, part in enumerate(parts) if part)


def _dedent(lines: list[str]) -> list[str]:
    margin = min((len(line) - len(line.lstrip()) for line in lines if line.strip()), default=0)
    return [line[margin:] for line in lines]
