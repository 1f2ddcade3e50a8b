"""Makes foreign text harmless: the one module through which names, keys and excerpts reach a report.

Job names, Redis keys, file names and excerpts come from systems that an attacker may write to. A terminal obeys
escape sequences, a CI log obeys `::error::` lines, and a reader is fooled by bidirectional overrides (CVE-2021-42574)
and invisible characters. They are shown, never obeyed and never dropped: ESC becomes the four characters `\\x1b`.
Markup (HTML, XML, Markdown) is each format's own escaping, on top of this.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable

_OBEYED = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})
"""Categories that are not drawn as themselves: controls, format characters, surrogates, private and unassigned, separators."""

_NAMED = {"\n": "\\n", "\r": "\\r", "\t": "\\t"}
_LOG_LINE = re.compile(r"^(\s*):(?=:[A-Za-z_-]+(?:\s|::))", re.MULTILINE)
_LOG_MARK = re.compile(r"#(?=#\w*\[)")
_DIGITS = "0123456789"
_SURROGATE = re.compile("[\ud800-\udfff]")


def clean(text: str) -> str:
    """`text` as one harmless line: whatever is not drawn as itself is written as an escape (`\\n`, `\\x1b`, `\\u202e`)."""
    if text.isprintable():
        return text
    return "".join(character if character.isprintable() else _shown(character) for character in text)


def clean_lines(text: str) -> list[str]:
    """`text` as harmless lines: line breaks are kept, tabs become four spaces, the rest is as in `clean`."""
    return [clean(line.expandtabs(4)).rstrip() for line in re.split(r"\r\n|\n|\r", text)]


def bounded(text: str, limit: int = 2_000) -> str:
    """`clean`, and no longer than a page can bear: a payload or a name may have any length. JSON alone has it all."""
    return shorten(clean(text if len(text) <= 4 * limit else text[: 3 * limit] + text[-limit:]), limit)


def excerpt(text: str, lines: int = 60, limit: int = 400) -> tuple[str, ...]:
    """Lines of a source for a page: harmless, bounded, without blank lines around them."""
    if not text.strip():
        return ()
    found = clean_lines(text.strip("\r\n")[: lines * limit])
    rest = ("…",) if len(found) > lines else ()
    return (*(shorten(line, limit) for line in found[:lines]), *rest)


def unheard(page: str) -> str:
    """A page of plain text that no CI log obeys: GitHub runs lines that begin with `::name`, and `##[name]` and its like
    (Azure, TeamCity) anywhere. A wrapped line may begin with any word of a message, so this looks at finished pages.
    """
    return _LOG_MARK.sub(r"\\x23", _LOG_LINE.sub(r"\1\\x3a", page))


def well_formed(text: str) -> str:
    """`text` without lone surrogates (from undecodable file names), which no encoding can hold."""
    return _SURROGATE.sub(lambda found: _shown(found.group()), text)


def shorten(text: str, limit: int) -> str:
    """`text` in at most `limit` characters, its middle left out: both ends of a path or key tell it apart."""
    if len(text) <= limit:
        return text
    tail = max(0, (limit - 1) // 3)
    return text[: limit - 1 - tail] + "…" + text[len(text) - tail :]


def counted(number: int, noun: str, plural: str = "") -> str:
    """`1 file`, `2 files`, `1,204 keys`."""
    return f"{number:,} {noun if number == 1 else plural or noun + 's'}"


def numbers(values: list[int]) -> str:
    """Ascending numbers with runs folded: `1-8, 16`."""
    runs: list[list[int]] = []
    for value in values:
        if runs and value == runs[-1][-1] + 1:
            runs[-1].append(value)
        else:
            runs.append([value])
    return ", ".join(str(run[0]) if len(run) == 1 else f"{run[0]}-{run[-1]}" for run in runs)


def runs(ids: Iterable[str]) -> list[str]:
    """Ids in their order with runs of three and more folded: `X001, X016-X025`."""
    found: list[list[str]] = []
    for one in ids:
        last = found[-1][-1] if found else ""
        letters, digits = one.rstrip(_DIGITS), one[len(one.rstrip(_DIGITS)) :]
        after = last == f"{letters}{int(digits) - 1:0{len(digits)}}" if digits else False
        found = [*found[:-1], [*found[-1], one]] if after else [*found, [one]]
    return [shown for run in found for shown in ([f"{run[0]}-{run[-1]}"] if len(run) > 2 else run)]


def _shown(character: str) -> str:
    if unicodedata.category(character) not in _OBEYED:
        return " "  # a space of another width
    code = ord(character)
    if character in _NAMED:
        return _NAMED[character]
    return f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"
