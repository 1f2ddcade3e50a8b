"""Redis directives: from redis.conf and kin, and from a server's command line."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from pathlib import PurePosixPath

from auditor.infra.model import PasswordState, Setting
from auditor.infra.text import WELL_KNOWN, argv, unresolved
from auditor.model import FilePlace

_SECRET = {"requirepass", "masterauth", "user", "sentinel auth-pass", "tls-key-file-pass"}
_KNOWN = re.compile(
    r"^(bind|port|protected-mode|maxmemory|maxmemory-policy|appendonly|appendfsync|save|requirepass|dir|dbfilename|databases|"
    r"tcp-keepalive|timeout|loglevel|rename-command|user|aclfile|tls-port|replicaof|sentinel|daemonize|include|cluster-enabled)\s",
    re.M,
)
SERVERS = (
    "redis-server",
    "valkey-server",
    "keydb-server",
    "redis-sentinel",
    "valkey-sentinel",
    "redis-stack-server",
    "dragonfly",
)


def looks_like_conf(text: str) -> bool:
    """Whether a text is a Redis configuration: at least two directives of its own."""
    return len({m[1] for m in _KNOWN.finditer(text)}) > 1


def read_conf(text: str, path: str) -> dict[str, Setting]:
    """Directives by lower-case name. Repeated `save`, `user`, `rename-command` are joined by `; `; secrets are masked."""
    found: dict[str, Setting] = {}
    for number, line in enumerate(text.splitlines(), 1):
        words = argv(line) if line.strip() and not line.lstrip().startswith("#") else ()
        if len(words) > 1 or (words and words[0].lower() == "save"):
            add(found, words, FilePlace(path, number))
    return found


def add(found: dict[str, Setting], words: Sequence[str], place: FilePlace) -> None:
    """Take one directive in; a later one replaces an earlier, but for those that may repeat."""
    name = words[0].lower()
    value = " ".join(words[1:])
    if name == "sentinel" and len(words) > 1:
        name, value = f"sentinel {words[1].lower()}", " ".join(words[2:])
    if name in _SECRET:
        value = password_state(value if name != "user" else "").value if name != "user" else words[1]
    if name in ("save", "user", "rename-command", "include") and name in found and value:
        value, place = f"{found[name].value}; {value}", found[name].place
    found[name] = Setting(value, place)


def password_state(value: str, *, by_shell: bool = False) -> PasswordState:
    """What can be said of a password: a well-known word is weak, a variable comes from the environment."""
    if not value.strip("\"' "):
        return PasswordState.WEAK
    if re.fullmatch(r"\$\([A-Za-z_]\w*\)", value):  # Kubernetes' own form of a variable
        return PasswordState.FROM_ENV
    if "$(" in value and not by_shell:
        return PasswordState.UNKNOWN
    if unresolved(value) or value == "***":
        return PasswordState.FROM_ENV
    return PasswordState.WEAK if value.lower() in WELL_KNOWN else PasswordState.LITERAL


def read_command(
    words: Sequence[str], place: FilePlace, lines: Iterable[tuple[str, int]] = ()
) -> tuple[dict[str, Setting], str]:
    """Directives of a server's command line, and the conf file that it names (empty: none).

    `lines` are the raw lines of the statement with their numbers, to point at the very line of an option.
    """
    texts = list(lines)
    rest = _after_server(list(words))
    conf = ""
    if rest and not rest[0].startswith("-"):
        conf, rest = rest[0], rest[1:]
    found: dict[str, Setting] = {}
    option: list[str] = []
    for word in [*rest, "--"]:
        if word.startswith("--"):
            if option:
                add(found, option, _line_of(option[0], option[1:], texts, place))
            option = [word[2:]] if len(word) > 2 else []
        elif option:
            option.append(word)
    if words and any(
        PurePosixPath(w).name in ("redis-sentinel", "valkey-sentinel") or w == "--sentinel" for w in words
    ):
        found.setdefault("sentinel monitor", Setting("", place))
    return found, conf


def is_server(words: Sequence[str]) -> bool:
    """Whether a command starts a Redis server."""
    return any(PurePosixPath(w).name in SERVERS for w in _flat(list(words)))


def _flat(words: list[str]) -> list[str]:
    """Words with the text of `sh -c` split up."""
    flat: list[str] = []
    for word in words:
        flat += argv(word) if " " in word and any(s in word for s in SERVERS) else [word]
    return flat


def _after_server(words: list[str]) -> list[str]:
    flat = _flat(words)
    for index, word in enumerate(flat):
        if PurePosixPath(word).name in SERVERS:
            rest = flat[index + 1 :]
            ends = [i for i, w in enumerate(rest) if w in ("&&", "||", ";", "&", "|") or w.endswith(";")]
            return rest[: ends[0]] if ends else rest
    return flat if flat and flat[0].startswith("--") else []


def _line_of(name: str, values: Sequence[str], texts: Sequence[tuple[str, int]], place: FilePlace) -> FilePlace:
    for text, number in texts:
        if f"--{name}" in text and all(v in text for v in values[:1]):
            return FilePlace(place.path, number)
    return next((FilePlace(place.path, n) for t, n in texts if f"--{name}" in t), place)
