"""The catalogue: what calls into npm packages mean, read from checks/catalogue/*.yaml.

A call is asked for by package and dotted path, `stripe` · `().paymentIntents.create`, or by its name alone where the
receiver is not known. The files' form is told in checks/catalogue/README.md.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from fnmatch import fnmatchcase, translate
from functools import cache
from pathlib import Path

from auditor.code.model import Role


@dataclass(frozen=True, slots=True)
class TimeRule:
    """How a package's calls end: its default in ms (None: never) and the options that say otherwise."""

    default: float | None = None
    client: tuple[str, ...] = ()
    call: tuple[str, ...] = ()
    through: tuple[str, ...] = ()
    """Options of the client's construction that hold a function it sends by: `fetch`."""
    setter: str = ""
    """A method of the client that sets it later."""
    seconds: bool = False
    """The options are in seconds."""
    module: str = ""
    """A Nest module that makes the client: its registration holds the options."""
    gone: tuple[tuple[str, int], ...] = ()
    """(option of a call, major version that no longer knows it)."""


@dataclass(frozen=True, slots=True)
class KeyRule:
    """Where an idempotency key goes: the argument (None: the last) and the option's name."""

    argument: int | None
    option: str
    calls: tuple[tuple[str, str], ...] = ()
    """(end of a call, option) of calls whose key has another name."""

    def named(self, call: str) -> str:
        """The option that holds the key of a call, by how the code writes it: `stripe.refunds.create`."""
        return next((option for tail, option in self.calls if call.endswith(tail)), self.option)


@dataclass(frozen=True, slots=True)
class AddressRule:
    """Where an upload says under which name it stores: an argument (a member of it), or that of an earlier step of its chain."""

    argument: int = 0
    option: str = ""
    step: str = ""


@dataclass(frozen=True, slots=True)
class Package:
    """What is known of a package."""

    name: str
    calls: tuple[tuple[tuple[str, ...], Role], ...]
    """(tail of a path, role), the longest tails first; a tail that starts with `=` is a whole path."""
    time: TimeRule
    key: KeyRule | None = None
    keyless: bool = False
    sql: frozenset[str] = frozenset()
    sets: frozenset[str] = frozenset()
    """Redis' SET, which claims with NX."""
    upserts: frozenset[str] = frozenset()
    """Methods or options of a write that make it one that a second run does not add to: `onConflict`, `skipDuplicates`."""
    address: AddressRule | None = None
    """Its uploads replace what lies under the same name."""


@dataclass(frozen=True, slots=True)
class Meaning:
    """What a call means."""

    role: Role
    package: Package
    by_name: bool = False
    """Told by the call's name alone."""


@dataclass(frozen=True, slots=True)
class Catalogue:
    """All packages, by glob of their names; the user's own functions by name."""

    packages: tuple[tuple[str, Package], ...]
    names: Mapping[str, tuple[tuple[tuple[str, ...], Package], ...]]
    own: Mapping[str, Role] = field(default_factory=dict)
    last: frozenset[str] = frozenset()
    """Last names that some call of the catalogue has: nothing else needs to be looked at."""
    glob: re.Pattern[str] | None = None
    """Those with a wildcard."""
    _known: dict[str, tuple[Package, ...]] = field(default_factory=dict, repr=False, compare=False)

    def may_mean(self, name: str) -> bool:
        """Whether a call of that name can have a meaning; a cheap look before its receiver is resolved."""
        return name in self.last or (self.glob is not None and self.glob.match(name) is not None)

    def of(self, package: str) -> tuple[Package, ...]:
        """What is known of an npm package; an exact name comes before a glob."""
        found = self._known.get(package)
        if found is None:
            exact = tuple(known for name, known in self.packages if name == package)
            found = exact or tuple(known for name, known in self.packages if _like(package, name))
            self._known[package] = found
        return found

    def meaning(self, package: str, path: str) -> Meaning | None:
        """What a call of that package means."""
        segments = tuple(part for part in path.replace("()", "").split(".") if part)
        for known in self.of(package):
            for tail, role in known.calls:
                if _fits(tail, segments, path):
                    return Meaning(role, known)
        return None

    def sql(self, package: str, path: str) -> Package | None:
        """The package, where the call runs a statement."""
        last = path.replace("()", "").rsplit(".", 1)[-1]
        return next((known for known in self.of(package) if last in known.sql), None)

    def by_name(self, segments: tuple[str, ...]) -> Meaning | None:
        """What a call on an unknown receiver means, by its last names."""
        for tail, known in self.names.get(segments[-1], ()) if segments else ():
            if len(segments) > len(tail) - 1 and _fits(tail, segments, ""):
                tails = [(other, role) for other, role in known.calls if not other[0].startswith("=")]
                role = next((role for other, role in tails if other == tail or _fits(other, segments, "")), None)
                role = role or next((role for other, role in known.calls if other[-1] == tail[-1]), None)
                if role is not None:
                    return Meaning(role, known, by_name=True)
        return None


def load(own: Mapping[str, str] = {}) -> Catalogue:
    """The catalogue that ships, with a project's own functions on top (`roles:` of tt-audit.yaml)."""
    packages, names = _shipped()
    last = _last_names(packages)
    globs = sorted(translate(name) for name in last if "*" in name and name != "*")
    glob = re.compile("|".join(globs)) if globs else None
    return Catalogue(packages, names, {name: Role(role) for name, role in own.items()}, last, glob)


def _last_names(packages: Iterable[tuple[str, Package]]) -> frozenset[str]:
    found: set[str] = set()
    for _, known in packages:
        found.update(tail[-1].removeprefix("=").rsplit(".", 1)[-1] for tail, _ in known.calls)
        found |= known.sql | known.sets
    return frozenset(found)


@cache
def _shipped() -> tuple[tuple[tuple[str, Package], ...], dict[str, tuple[tuple[tuple[str, ...], Package], ...]]]:
    from auditor.plugins import folder

    packages: list[tuple[str, Package]] = []
    names: dict[str, list[tuple[tuple[str, ...], Package]]] = {}
    for entry in _entries(sorted((folder("checks") / "catalogue").glob("*.yaml"))):
        given = entry["name"]
        for name in given if isinstance(given, list) else [given]:
            known = _package(str(name), entry)
            packages.append((str(name), known))
        for text in _texts(entry.get("names")):
            tail = tuple(text.split("."))
            names.setdefault(tail[-1], []).append((tail, known))
    return tuple(packages), {name: tuple(tails) for name, tails in names.items()}


def _entries(files: Iterable[Path]) -> Iterator[dict[str, object]]:
    import yaml

    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    for file in files:
        document = yaml.load(file.read_text("utf-8"), Loader=loader)  # a safe loader, in C where there is one
        yield from document["packages"]


def _package(name: str, entry: Mapping[str, object]) -> Package:
    calls = [
        (tuple(text.split(".")) if not text.startswith("=") else (text,), Role(role))
        for role, tails in _mapping(entry.get("calls")).items()
        for text in _texts(tails)
    ]
    calls.sort(key=lambda call: (call[0][0].startswith("="), len(call[0])), reverse=True)
    time, key = _mapping(entry.get("timeout")), _mapping(entry.get("key"))
    default = time.get("default")
    return Package(
        name,
        tuple(calls),
        TimeRule(
            float(default) if isinstance(default, int | float) else None,
            tuple(_texts(time.get("client"))),
            tuple(_texts(time.get("call"))),
            tuple(_texts(time.get("through"))),
            str(time.get("setter", "")),
            time.get("seconds") is True,
            str(time.get("module", "")),
            tuple((name, int(str(since))) for name, since in _mapping(time.get("gone")).items()),
        ),
        _key_rule(key) if key else None,
        entry.get("keyless") is True,
        frozenset(_texts(entry.get("sql"))),
        frozenset(_texts(entry.get("set"))),
        frozenset(_texts(entry.get("upserts"))),
        _address(_mapping(entry.get("address"))),
    )


def _key_rule(key: Mapping[str, object]) -> KeyRule:
    argument, calls = key.get("argument"), _mapping(key.get("calls"))
    others = tuple((tail, str(option)) for tail, option in calls.items())
    return KeyRule(argument if isinstance(argument, int) else None, str(key["option"]), others)


def _address(entry: Mapping[str, object]) -> AddressRule | None:
    at = entry.get("argument", 0)
    if not entry:
        return None
    return AddressRule(at if isinstance(at, int) else 0, str(entry.get("option", "")), str(entry.get("step", "")))


def _fits(tail: tuple[str, ...], segments: tuple[str, ...], path: str) -> bool:
    if tail[0].startswith("="):
        return _like(path, tail[0][1:])
    if len(segments) < len(tail):
        return False
    return all(_like(got, wanted) for wanted, got in zip(tail, segments[-len(tail) :], strict=True))


def _like(text: str, glob: str) -> bool:
    """Whether a text is what the catalogue writes; most of it is written without a wildcard."""
    return text == glob or ("*" in glob and fnmatchcase(text, glob))


def _texts(value: object) -> list[str]:
    if isinstance(value, list):
        return [str(item) for item in value]
    return [] if value is None else [str(value)]


def _mapping(value: object) -> dict[str, object]:
    return {str(key): item for key, item in value.items()} if isinstance(value, dict) else {}
