"""A small reader of shell text: which simple commands it runs, in which folder, under which conditions."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache

_SEPARATORS = {";", "&&", "||", "|", "&", ";;", "(", ")", "\n"}
_KEYWORDS = {"then", "do", "{", "}", "!", "time", "exec", "else"}
_BARE = re.compile(r"[;&|()]+|[^\s;&|()]+")
"""A word, or a run of separators, of a line without quotes."""
_REDIRECT = re.compile(r"^\d*[<>]")


@dataclass(frozen=True, slots=True)
class Command:
    """A simple command: its words, the folder that `cd` led to (empty: where it began), and its line."""

    words: tuple[str, ...]
    folder: str
    line: int


def commands(text: str, env: Mapping[str, str] | None = None) -> Iterator[Command]:
    """The simple commands of a script, in order, without those of branches that `env` rules out.

    Conditions are read where they are a plain test of one variable (`[ -n "$WORKER" ]`); others leave both branches.
    """
    folder = ""
    branches: list[bool | None] = []  # per open `if`: whether the branch we are in is taken; None: can't be told
    for line, words in _simple(text):
        head = words[0]
        if head in ("if", "elif"):
            known = _holds(words[1:], env or {})
            if head == "if":
                branches.append(known)
            elif branches:
                branches[-1] = False if branches[-1] is True else known
            continue
        if head == "else" and branches:
            branches[-1] = None if branches[-1] is None else not branches[-1]
        elif head == "fi" and branches:
            branches.pop()
        rest = _without_keywords(words)
        if not rest or head in ("fi", "done", "esac") or False in branches:
            continue
        if rest[0] == "cd" and len(rest) > 1:
            folder = rest[1] if rest[1].startswith("/") else f"{folder}/{rest[1]}".lstrip("/")
            continue
        yield Command(tuple(rest), folder, line)


def _without_keywords(words: list[str]) -> list[str]:
    while words and (words[0] in _KEYWORDS or re.fullmatch(r"[A-Za-z_]\w*=.*", words[0], re.DOTALL)):
        words = words[1:]
    kept: list[str] = []
    skip = False
    for word in words:
        if skip:
            skip = False
        elif _REDIRECT.match(word):
            skip = word.rstrip("&").endswith((">", "<"))
        else:
            kept.append(word)
    return kept


@lru_cache(256)
def _simple(text: str) -> tuple[tuple[int, list[str]], ...]:
    """(line, words) of each simple command; a text is asked for what it builds, runs and rolls out."""
    found: list[tuple[int, list[str]]] = []
    for line, content in _logical_lines(text):
        words: list[str] = []
        for token in _tokens(content):
            if token in _SEPARATORS:
                if words:
                    found.append((line, words))
                words = []
            else:
                words.append(token)
        if words:
            found.append((line, words))
    return tuple(found)


def _logical_lines(text: str) -> Iterator[tuple[int, str]]:
    """Lines with `\\` continuations and multi-line quotes joined, comments left out; line numbers of their starts."""
    held, start = "", 0
    for number, line in enumerate(text.splitlines(), 1):
        if not held and (not line.strip() or line.lstrip().startswith("#")):
            continue
        start = start if held else number
        if line.rstrip().endswith("\\"):
            held += line.rstrip()[:-1] + " "
            continue
        held += line
        yield start, held
        held = ""
    if held:
        yield start, held


def _tokens(line: str) -> list[str]:
    line = re.sub(r"\d*>&\d?|&>", " ", line)  # `2>&1` is no separator
    if "'" not in line and '"' not in line:
        line = re.sub(r"(^|\s)#.*$", "", line)
        if "\\" not in line:
            return _BARE.findall(line)  # as shlex tells it, at a fraction of its cost
    lexer = shlex.shlex(line, posix=True, punctuation_chars=";&|()")
    lexer.whitespace_split = True
    lexer.commenters = ""
    try:
        return list(lexer)
    except ValueError:  # an open quote: a multi-line string or a heredoc; its words are good enough
        return line.replace('"', " ").replace("'", " ").split()


def _holds(test: list[str], env: Mapping[str, str]) -> bool | None:
    """Whether a test of one variable holds under `env`; None for any other test."""
    inner = [w for w in test if w not in ("[", "[[", "]", "]]", "test", "then")]
    variable = re.compile(r"^\$\{?(\w+)(?::?-[^}]*)?\}?$")
    if len(inner) == 2 and inner[0] in ("-n", "-z") and (m := variable.match(inner[1])):
        return bool(env.get(m[1])) is (inner[0] == "-n")
    if len(inner) == 3 and inner[1] in ("=", "==", "!=") and (m := variable.match(inner[0])):
        return (env.get(m[1], "") == inner[2]) is (inner[1] != "!=")
    return None
