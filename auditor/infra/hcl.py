"""HCL (Terraform, Nomad) as the same lazy tree that YAML gives: blocks are sequences of mappings under their type.

A small reader of its own rather than python-hcl2, whose trees have no line for an attribute and another shape in each
major version. It never fails: what it cannot read becomes an opaque scalar, an unfinished block ends with the file.
`resource "type" "name" { a = 1 }` reads as `resource: [{labels: [type, name], a: 1}]`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field

from auditor.infra.yaml_tree import Node, too_deep

MAX_DEPTH = 60
_TRANSPARENT = ("jsonencode", "tolist", "toset", "tomap", "tostring", "base64encode", "yamlencode")
"""Functions that wrap one value without changing what it says."""
_TOKEN = re.compile(
    r"""(?P<space>[ \t\r]+)|(?P<newline>\n)|(?P<comment>\#[^\n]*|//[^\n]*|/\*)|(?P<heredoc><<-?(?P<mark>\w+)[ \t\r]*\n)
      |(?P<string>"(?:\\.|\$\{(?:[^{}]|\{[^{}]*\})*\}|[^"\\])*")
      |(?P<word>[A-Za-z_][\w.\-*]*(?:\[[^\]\n]*\][\w.]*)*)|(?P<number>-?\d+(?:\.\d+)?)|(?P<sign>=>|==|!=|<=|>=|&&|\|\||.)""",
    re.X | re.S,
)


@dataclass(frozen=True, slots=True)
class _Mark:
    line: int


@dataclass(frozen=True, slots=True)
class _Value:
    """The shape of a node of PyYAML."""

    id: str
    value: object
    start_mark: _Mark
    tag: str = "str"
    style: str = ""


@dataclass(frozen=True, slots=True)
class _Token:
    kind: str
    text: str
    line: int


@dataclass(slots=True)
class _Body:
    """A block while it is read: attributes, and blocks by type."""

    pairs: list[tuple[_Value, _Value]] = field(default_factory=list)
    blocks: dict[str, list[_Value]] = field(default_factory=dict)
    lines: dict[str, int] = field(default_factory=dict)

    def value(self, line: int) -> _Value:
        """The mapping."""
        pairs = list(self.pairs)
        for name, found in self.blocks.items():
            at = _Mark(self.lines[name])
            pairs.append((_Value("scalar", name, at), _Value("sequence", found, at)))
        return _Value("mapping", pairs, _Mark(line))


def read(text: str, path: str) -> Node:
    """The file's body as one mapping; empty where it nests deeper than anything written by hand."""
    if too_deep(text):
        return Node(None, path)
    return Node(_Reader(list(_tokens(text))).body(0, 0), path)


def _tokens(text: str) -> Iterator[_Token]:
    at = line = 0
    unfinished: set[str] = set()  # what has no end is not looked for again: the reader stays linear
    while (match := _TOKEN.match(text, at)) is not None:
        kind, found, at = str(match.lastgroup), match[0], match.end()
        ends = _end_of(match, text, unfinished) if match["heredoc"] or found == "/*" else None
        if ends is not None:
            body = text[at : ends[0]]
            if match["heredoc"]:
                yield _Token("heredoc", body, line)
            line += text.count("\n", match.start(), ends[1])
            at = ends[1]
            continue
        if match["string"] is not None:
            yield _Token("string", _unquoted(found), line)
        elif kind not in ("space", "comment"):
            yield _Token("heredoc" if match["heredoc"] else kind, found, line)
        line += found.count("\n")


def _end_of(match: re.Match[str], text: str, unfinished: set[str]) -> tuple[int, int] | None:
    """Where a heredoc's or comment's text ends and where reading goes on; None where it never ends."""
    end = rf"\n[ \t]*{match['mark']}(?=\r?\n|$)" if match["heredoc"] else r"\*/"
    if end in unfinished:
        return None
    # a heredoc may be empty: its last line then begins right after the mark
    found = re.compile(end).search(text, match.end() - 1 if match["heredoc"] else match.end())
    if found is None:
        unfinished.add(end)
        return None
    return max(found.start(), match.end()), found.end()


def _unquoted(text: str) -> str:
    return text[1:-1].replace('\\"', '"').replace("\\n", "\n").replace("\\\\", "\\")


class _Reader:
    """Reads tokens one after the other."""

    def __init__(self, tokens: list[_Token]) -> None:
        self.tokens = tokens
        self.at = 0

    def body(self, line: int, depth: int) -> _Value:
        """Attributes and blocks up to the closing brace."""
        body = _Body()
        while (token := self._next()) is not None and token.text != "}":
            if token.kind not in ("word", "string"):
                continue
            labels = []
            while (
                (following := self._peek()) is not None and following.kind in ("string", "word") and depth < MAX_DEPTH
            ):
                labels.append(self._take())
            following = self._peek()
            if following is not None and following.text == "{":
                self._take()
                self._block(body, token, labels, depth)
            elif following is not None and following.text in ("=", ":") and not labels:
                self._take()
                body.pairs.append((_Value("scalar", token.text, _Mark(token.line)), self.expression(token.line, depth)))
        return body.value(line)

    def _block(self, body: _Body, token: _Token, labels: list[_Token], depth: int) -> None:
        inner = self.body(token.line, depth + 1)
        named = _Value("sequence", [_Value("scalar", t.text, _Mark(t.line)) for t in labels], _Mark(token.line))
        pairs = inner.value if isinstance(inner.value, list) else []
        if labels or not any(key.value == "labels" for key, _ in pairs):  # `metadata { labels = {…} }` has its own
            pairs = [(_Value("scalar", "labels", _Mark(token.line)), named), *pairs]
        whole = _Value("mapping", pairs, _Mark(token.line))
        body.blocks.setdefault(token.text, []).append(whole)
        body.lines.setdefault(token.text, token.line)

    def expression(self, line: int, depth: int) -> _Value:
        """One value: a literal, list or object; anything composed is the opaque text of it."""
        token = self._next(lines=False)
        if token is None or depth > MAX_DEPTH:
            return _Value("scalar", "", _Mark(line))
        value = self._primary(token, depth)
        rest = self._rest()
        return (
            _Value("scalar", f"${{{value.value if value.id == 'scalar' else ''}{rest}}}", value.start_mark)
            if rest
            else value
        )

    def _primary(self, token: _Token, depth: int) -> _Value:
        mark = _Mark(token.line)
        if token.kind in ("string", "number", "heredoc") or token.text in ("true", "false"):
            return _Value("scalar", token.text, mark, style="|" if token.kind == "heredoc" else "")
        if token.text == "[":
            return _Value("sequence", self._items(depth), mark)
        if token.text == "{":
            return self.body(token.line, depth + 1)
        following = self._peek()
        if token.kind == "word" and following is not None and following.text == "(":
            self._take()
            inner = self._items(depth, ")")
            if token.text in _TRANSPARENT and len(inner) == 1:
                return inner[0]
            return _Value("scalar", f"${{{token.text}(...)}}", mark)
        return _Value("scalar", f"${{{token.text}}}", mark)

    def _items(self, depth: int, end: str = "]") -> list[_Value]:
        items: list[_Value] = []
        while (token := self._peek()) is not None and token.text != end:
            if token.text in (",", "\n"):
                self._take()
            else:
                before = self.at
                items.append(self.expression(token.line, depth + 1))
                self.at = max(self.at, before + 1)
        self._take()
        return items

    def _rest(self) -> str:
        """What follows a value on its line: operators and further operands, opaque."""
        said, depth = "", 0
        while (token := self._peek()) is not None:
            if depth == 0 and (token.text in ("\n", ",", "}", "]", ")")):
                return said
            depth += (token.text in ("(", "[", "{")) - (token.text in (")", "]", "}"))
            said += self._take().text
        return said

    def _peek(self) -> _Token | None:
        return self.tokens[self.at] if self.at < len(self.tokens) else None

    def _take(self) -> _Token:
        token = self.tokens[self.at] if self.at < len(self.tokens) else _Token("end", "", 0)
        self.at += 1
        return token

    def _next(self, *, lines: bool = True) -> _Token | None:
        """The next token; over line ends where they mean nothing."""
        while (token := self._peek()) is not None:
            self._take()
            if token.kind != "newline" or not lines:
                return token
        return None
