"""What files export and pass on, read off their text: a barrel of barrels would else have the whole repository parsed."""

from __future__ import annotations

import re
from collections import deque

from auditor.code.source.files import SourceTree
from auditor.code.source.modules import Resolver

_STAR = re.compile(rb"""(?:^|;)[ \t]*export\s*\*\s*from\s*['"]([^'"]+)['"]""", re.M)
_EXPORT = re.compile(
    rb"""\bexport\s+(?:(?:default|declare|abstract|async)\b\s*)*(?:
        (?:(?:const\s+)?enum|const|let|var|function\b\s*\*?|class|type|interface|namespace|module|import)\s+([\w$]+)
        | (?:type\s*)?\{([^}]*)\}
        | (?:const|let|var)\s*[\[{]([^=]*)=
        | \*\s*as\s+([\w$]+)
    )""",
    re.X,
)
_DEFAULT = re.compile(rb"\bexport\s+default\b|\bas\s+default\b")
_OPEN = re.compile(rb"\bexports\b|__export|\bexport\s*=|^[ \t]*export\s+(?:const|let|var)\s[^;\n(\[{<]*,", re.M)
"""CommonJS, and declarations of several variables: such a file may export any name that it holds."""
_WORD = re.compile(rb"[\w$]+")


class Exported:
    """Exports of one repository's files; who asks for a name is told where to look, not what it is."""

    def __init__(self, tree: SourceTree, resolver: Resolver) -> None:
        self._tree = tree
        self._resolver = resolver
        self._names: dict[str, frozenset[bytes] | None] = {}
        self._stars: dict[str, list[str]] = {}
        self._starred: dict[str, list[str]] = {}

    def stars(self, path: str) -> list[str]:
        """The specifiers of a file's `export * from`."""
        known = self._stars.get(path)
        if known is None:
            data = self._tree.read(path) or b""
            found = _STAR.findall(data) if b"*" in data else []
            known = self._stars[path] = [spec.decode("utf-8", "replace") for spec in found]
        return known

    def starred(self, path: str) -> list[str]:
        """Files whose exports a file passes on by `export *`, in any number of steps, nearest first."""
        known = self._starred.get(path)
        if known is None:
            seen = {path: None}
            queue = deque([path])
            while queue:
                at = queue.popleft()
                for spec in self.stars(at):
                    target = self._resolver.resolve(at, spec)
                    if target is not None and target not in seen:
                        seen[target] = None
                        queue.append(target)
            known = self._starred[path] = list(seen)[1:]
        return known

    def may_export(self, path: str, name: str) -> bool:
        """Whether a file's text may export something by this name itself."""
        word = name.encode()
        names = self._of(path)
        return self._tree.holds(path, (word,)) if names is None else word in names

    def may_pass_on(self, path: str, name: str) -> bool:
        """Whether a file may export a name, be it by `export *`."""
        return any(self.may_export(at, name) for at in (path, *self.starred(path)))

    def _of(self, path: str) -> frozenset[bytes] | None:
        if path not in self._names:
            data = self._tree.read(path) or b""
            self._names[path] = None if _OPEN.search(data) else _exports_in(data)
        return self._names[path]


def _exports_in(data: bytes) -> frozenset[bytes]:
    found: set[bytes] = set()
    for single, listed, destructured, namespace in _EXPORT.findall(data):
        found.update(_WORD.findall(single or namespace or listed or destructured))
    if _DEFAULT.search(data):
        found.add(b"default")
    return frozenset(found)
