"""Small readers of texts in infra files: sizes, durations, command lines, variables, secrets."""

from __future__ import annotations

import re
import shlex
from collections.abc import Mapping

from auditor.infra.model import Setting
from auditor.model import FilePlace

_SIZE = re.compile(r"^\s*([0-9]+(?:\.[0-9]+)?)\s*([a-zA-Z]*)\s*$")
_SECONDS = {"ms": 0.001, "us": 1e-6, "ns": 1e-9, "s": 1, "m": 60, "h": 3600, "d": 86_400}
_VARIABLE = re.compile(
    r"\$(?:(?P<escaped>\$)|(?P<name>[A-Za-z_][A-Za-z0-9_]*)|\{(?P<braced>[A-Za-z_][A-Za-z0-9_]*)(?:(?P<op>:?[-?+])(?P<arg>[^{}]*))?\})"
)
_SECRET_NAME = re.compile(r"pass|secret|token|api_?key|private|credential|mnemonic|auth$|_key$|dsn$", re.I)
_URL_PASSWORD = re.compile(r"(\w+://[^\s:/@]*:)([^\s@/]+)(@)")

WELL_KNOWN = frozenset(
    [
        "admin",
        "changeme",
        "default",
        "dev",
        "example",
        "foobared",
        "guest",
        "letmein",
        "pass",
        "password",
        "passw0rd",
        "postgres",
        "qwerty",
        "redis",
        "root",
        "secret",
        "test",
        "your_password",
        "yourpassword",
        "your-password",
        "your_redis_password",
        "123456",
        "12345678",
        "redispass",
        "redis123",
        "redis_password",
        "redispassword",
        "mypassword",
        "change_me",
        "change-me",
        "supersecret",
        "password123",
        "strongpassword",
    ]
)


def size(text: str, *, decimal: bool = False) -> int | None:
    """Bytes of `512m`, `1Gi`, `2gb`; None for what is no size. `decimal`: a bare `M` is 10^6, as in Kubernetes."""
    match = _SIZE.match(text)
    if not match:
        return None
    number, unit = float(match[1]), match[2].lower()
    power = {"k": 1, "m": 2, "g": 3, "t": 4}.get(unit[:1], 0)
    if unit in ("", "b"):
        return int(number)
    if not power or unit[1:] not in ("", "b", "i", "ib"):
        return None
    return int(number * (1000 if decimal and len(unit) == 1 else 1024) ** power)


def seconds(text: str) -> float | None:
    """Seconds of `30s`, `1m30s`, `2min`, `90`; None for what is no duration. A bare number is seconds."""
    text = text.strip()
    if not text or not re.fullmatch(r"(?:[0-9.]+\s*[a-z]*\s*)+", text):
        return None
    total = 0.0
    for number, unit in re.findall(r"([0-9]+(?:\.[0-9]+)?)\s*([a-z]*)", text):
        short = unit if unit in ("ms", "us", "ns") else unit[:1]
        if unit and short not in _SECONDS:
            return None
        total += float(number) * _SECONDS[short or "s"]
    return total


def argv(text: str) -> tuple[str, ...]:
    """A command line as words; what a shell could not split is split at blanks."""
    try:
        return tuple(shlex.split(text, comments=False))
    except ValueError:
        return tuple(text.split())


def interpolate(text: str, env: Mapping[str, str]) -> str:
    """Compose's `$X`, `${X}`, `${X:-default}`, `${X:?error}`, `$$`; what has no value stays `${X}`."""

    def value(match: re.Match[str]) -> str:
        if match["escaped"]:
            return "$"
        name = match["name"] or match["braced"]
        op, arg = match["op"] or "", match["arg"] or ""
        given = env.get(name)
        if op.endswith("+"):
            return arg if given else ""
        if given or (given is not None and not op.startswith(":") and op):
            return given
        if op.endswith("-"):
            return interpolate(arg, env)
        return given if given is not None and not op else f"${{{name}}}"

    return _VARIABLE.sub(value, text)


def variables(text: str) -> tuple[str, ...]:
    """Names of the variables that a text still has."""
    return tuple(m["name"] or m["braced"] for m in _VARIABLE.finditer(text) if not m["escaped"])


def unresolved(text: str) -> bool:
    """Whether its value comes from outside: a variable, a template or a shell substitution."""
    return "$" in text or "TEMPLATE" in text or "{{" in text or "<%" in text


def mask(name: str, value: str) -> str:
    """The value, unless the variable's name or a URL in it says that it is secret."""
    if _SECRET_NAME.search(name) and value and not unresolved(value):
        return "***"
    return _URL_PASSWORD.sub(r"\1***\3", value)


def env_file(text: str) -> dict[str, tuple[str, int]]:
    """Variables of a .env file with their lines; quotes and trailing comments stripped."""
    found: dict[str, tuple[str, int]] = {}
    for number, line in enumerate(text.splitlines(), 1):
        match = re.match(r"\s*(?:export\s+)?([A-Za-z_][A-Za-z0-9_.]*)\s*=\s*(.*)$", line)
        if not match:
            continue
        value = match[2].strip()
        if value[:1] in ("'", '"') and value.find(value[0], 1) > 0:
            value = value[1 : value.find(value[0], 1)]
        else:
            value = re.split(r"\s+#", value, maxsplit=1)[0].strip()
        found[match[1]] = (value, number)
    return found


def heap_flag(env: Mapping[str, Setting], command: tuple[str, ...], place: FilePlace) -> Setting | None:
    """MB of `--max-old-space-size`, from the command, else from NODE_OPTIONS."""
    for text, at in ((" ".join(command), place), *((s.value, s.place) for n, s in env.items() if n == "NODE_OPTIONS")):
        for word in text.replace('"', " ").replace("'", " ").split():
            key, _, value = word.partition("=")
            if key.replace("_", "-") == "--max-old-space-size" and value.isdigit():
                return Setting(value, at)
    return None
