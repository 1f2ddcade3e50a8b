"""The rules of one .gitignore file, as far as a walk needs them."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from auditor.opening import NotRead, content

_LARGEST = 1_000_000
_MOST_STARS = 12
"""A pattern with more costs more to match than anybody means it to."""


@dataclass(frozen=True, slots=True)
class Ignore:
    """Patterns of one .gitignore, in order; later ones win."""

    folder: str
    rules: tuple[tuple[re.Pattern[str], bool, bool], ...]
    """(pattern over the path below the folder, negated, folders only)."""
    any: re.Pattern[str]
    """What one of them matches: most paths match none."""

    @classmethod
    def read(cls, path: Path, folder: str) -> Ignore:
        """The rules of the file at `path`, which governs `folder`; none where it cannot be read."""
        try:
            lines = content(str(path), _LARGEST).decode("utf-8", "replace").splitlines()
        except NotRead:
            lines = []
        rules, texts = [], []
        for raw in lines:
            line = raw.rstrip()
            if not line or line.startswith("#") or line.count("*") > _MOST_STARS:
                continue
            negated = line.startswith("!")
            pattern = line[1:] if negated else line
            only = pattern.endswith("/")
            text = _regex(pattern.rstrip("/"))
            try:
                rules.append((re.compile(text), negated, only))
            except re.error:
                continue
            texts.append(text)
        return cls(folder, tuple(rules), _any_of(texts))

    def ignores(self, path: str, is_folder: bool) -> bool:
        """Whether git would leave out `path` (relative to the walk's root)."""
        below = path[len(self.folder) + 1 :] if self.folder else path
        verdict = False
        if not self.any.fullmatch(below):
            return False
        for pattern, negated, only in self.rules:
            if (is_folder or not only) and pattern.fullmatch(below):
                verdict = not negated
        return verdict


_ANYWHERE = "(?:.*/)?"


def _any_of(texts: Sequence[str]) -> re.Pattern[str]:
    """One pattern for all; those that hold in any folder share their beginning, which costs the most to match."""
    anywhere = [text.removeprefix(_ANYWHERE) for text in texts if text.startswith(_ANYWHERE)]
    below = [text for text in texts if not text.startswith(_ANYWHERE)]
    return re.compile("|".join([f"{_ANYWHERE}(?:{'|'.join(anywhere)})"] * bool(anywhere) + below) or r"(?!)")


def _regex(pattern: str) -> str:
    anchored = "/" in pattern
    pattern = re.sub(r"(?:\*\*/)+", "**/", pattern.lstrip("/"))
    out, at = ("" if anchored else _ANYWHERE), 0
    while at < len(pattern):
        char = pattern[at]
        if pattern.startswith("**/", at):
            out, at = out + "(?:.*/)?", at + 3
        elif pattern.startswith("**", at):
            out, at = out + ".*", at + 2
        elif char == "*":
            out, at = out + "[^/]*", at + 1
        elif char == "?":
            out, at = out + "[^/]", at + 1
        elif char == "[" and (end := pattern.find("]", at + 1)) > 0:
            out, at = out + "[" + pattern[at + 1 : end].replace("!", "^", 1) + "]", end + 1
        else:
            out, at = out + re.escape(char), at + 1
    return out
