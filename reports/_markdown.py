"""Text in Markdown that stays text: no markup, no HTML, no mention, no link that foreign text could make."""

from __future__ import annotations

import re

from ._prose import Block, Paragraph, Span

_MARKUP = re.compile(r"([\\`*_\[\]|~$])|^\s*([-+#=>](?=\s|$|[-=#])|\d+(?=[.)]))")
"""What is markup anywhere, and what is at the start of a line."""
_ENTITIES = {"&": "&amp;", "<": "&lt;", ">": "&gt;"}
_JOINED = re.compile(r"(@)(?=\w)|(:)(?=//)|(www)(?=\.)", re.IGNORECASE)
_BREAK = "&#8203;"
"""A zero-width space: keeps GitHub from seeing a mention or an address."""


def plain(text: str) -> str:
    """Clean text for a paragraph, list or table cell."""
    escaped = "".join(_ENTITIES.get(character, character) for character in text)
    return _MARKUP.sub(_escape, unlinked(escaped))


def html(text: str) -> str:
    """Clean text inside an HTML block, where Markdown is not read."""
    return unlinked("".join(_ENTITIES.get(character, character) for character in text))


def unlinked(text: str) -> str:
    """Text in which GitHub sees neither a mention nor an address."""
    return _JOINED.sub(lambda found: found.group() + _BREAK, text)


def _escape(found: re.Match[str]) -> str:
    if found.group(2) and found.group(2).isdigit():
        return found.group() + "\\"
    return found.group()[:-1] + "\\" + found.group()[-1]


def code(text: str) -> str:
    """Clean text as inline code (not for table cells, where a `|` would end it)."""
    if not text:
        return ""
    fence = "`" * (1 + max((len(run) for run in re.findall("`+", text)), default=0))
    pad = " " if text.startswith("`") or text.endswith("`") else ""
    return f"{fence}{pad}{text}{pad}{fence}"


def block(lines: tuple[str, ...], language: str = "") -> list[str]:
    """Clean lines as a fenced block."""
    longest = max((len(run) for line in lines for run in re.findall("`+", line)), default=0)
    fence = "`" * max(3, longest + 1)
    return [fence + re.sub(r"\W", "", language), *lines, fence]


def inline(spans: tuple[Span, ...]) -> str:
    """A paragraph's words."""
    return "".join(code(span.text) if span.code else plain(span.text) for span in spans)


def prose(blocks: tuple[Block, ...]) -> list[str]:
    """Checklist text as lines of Markdown."""
    lines: list[str] = []
    for found in blocks:
        match found:
            case Paragraph(spans, bullet):
                lines += [] if bullet and lines and lines[-1].startswith("- ") else [""]
                lines.append(("- " if bullet else "") + inline(spans))
            case _:
                lines += ["", *block(found.lines, found.language)]
    return lines[1:]
