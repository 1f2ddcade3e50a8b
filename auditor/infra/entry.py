"""Follows a command to the source files that it starts: scripts, package managers, runners, built files."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import PurePosixPath

from auditor.code.model import EntryPoint
from auditor.infra.bundles import source_of
from auditor.infra.model import Image
from auditor.infra.packages import Packages, read_call
from auditor.infra.shell import commands
from auditor.infra.tree import Tree, join
from auditor.model import FilePlace

MAX_DEPTH = 8
_WRAPPERS = frozenset(
    ("tini", "dumb-init", "--", "exec", "env", "cross-env", "cross-env-shell", "dotenv", "dotenvx", "nice", "time", "nohup", "sudo",
     "npx", "bunx", "pnpx", "dlx", "stdbuf", "catatonit", "docker-entrypoint.sh", "doppler", "infisical", "op")
)  # fmt: skip
_WITH_VALUE = frozenset({"gosu", "su-exec", "timeout", "chpst"})
_NODES = frozenset(
    ("node", "nodejs", "ts-node", "ts-node-dev", "tsx", "tsnd", "bun", "deno", "nodemon", "node-dev", "babel-node", "esr", "swc-node",
     "zx", "hardhat")
)  # fmt: skip
_VALUE_FLAGS = frozenset(
    ("-r", "--require", "--import", "--loader", "--experimental-loader", "--env-file", "-P", "--project", "-w", "--watch-path", "-C",
     "--conditions", "--network", "--tsconfig")
)  # fmt: skip
_MANAGERS = frozenset({"npm", "yarn", "pnpm", "bun"})
_SHELLS = frozenset({"sh", "bash", "ash", "dash", "zsh"})
_RUNNERS = frozenset({"nest", "next", "concurrently", "pm2-runtime", "pm2", *_NODES})
_BUILT = frozenset(
    ("dist", "build", "lib", "out", "output", ".output", "compiled", "target", "esm", "cjs", "prod", "dist-server", "bundle")
)  # fmt: skip
SUFFIXES = (".ts", ".tsx", ".mts", ".cts", ".js", ".mjs", ".cjs", ".jsx")


@dataclass(frozen=True, slots=True)
class Start:
    """How a unit is started: what is needed to follow its command."""

    service: str
    place: FilePlace
    folders: tuple[str, ...]
    """Folders of the tree that its working folder may be, the likeliest first."""
    image: Image | None = None
    context: str = ""
    env: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class _At:
    """Where the follower stands."""

    start: Start
    folders: tuple[str, ...]
    why: str
    depth: int = 0

    def deeper(self, *folders: str, by: str = "") -> _At:
        """One step on, maybe in other folders first, maybe through a file worth naming."""
        return _At(self.start, (*folders, *self.folders), f"{self.why}, by {by}" if by else self.why, self.depth + 1)


@dataclass(slots=True)
class Resolver:
    """Follows commands within one tree; each file is read at most once."""

    tree: Tree
    packages: Packages

    def follow(self, argv: Sequence[str], start: Start) -> tuple[EntryPoint, ...]:
        """The source files that a command starts, in order, each once."""
        said = " ".join(" ".join(argv).split())
        why = f'{start.place.label()} runs "{said if len(said) < 80 else said[:77] + "..."}"'
        found = self._words(list(argv), _At(start, start.folders, why))
        return tuple({e.path: e for e in found}.values())

    def _words(self, words: list[str], at: _At) -> list[EntryPoint]:
        words = _unwrap(words)
        if at.depth > MAX_DEPTH or not words:
            return []
        return self._reader(words)(words, at)

    def _reader(self, words: list[str]) -> Callable[[list[str], _At], list[EntryPoint]]:
        """What reads a command, by its first word."""
        head = PurePosixPath(words[0]).name
        if head == "bun" and any(w.endswith(SUFFIXES) for w in words):
            return self._node
        readers = (
            (_SHELLS, self._shell),
            (_MANAGERS, self._manager),
            (_NODES, self._node),
            ({"pm2", "pm2-runtime", "pm2-docker"}, self._pm2),
            ({"concurrently", "run-p", "run-s", "npm-run-all"}, self._many),
            ({"turbo", "nx", "lerna"}, self._workspaces),
            ({"nest", "next", "nuxt"}, self._framework),
            ({"fastify"}, self._fastify),
        )
        return next((read for heads, read in readers if head in heads), self._file)

    def _file(self, words: list[str], at: _At) -> list[EntryPoint]:
        """A file run by its own name: a source, a script, or something made while the image is built."""
        script = self._plain(words[0], at)
        if script is None:
            opaque = words[0].endswith((".sh", "entrypoint")) or words[0].startswith("/")
            return self._words(words[1:], at.deeper()) if opaque else []
        if script.endswith(SUFFIXES):
            return self._entry(script, at)
        return [*self._script(script, at), *self._words(words[1:], at.deeper())]

    def _node(self, words: list[str], at: _At) -> list[EntryPoint]:
        skip = False
        for index, word in enumerate(words[1:], 1):
            if skip:
                skip = False
            elif word in ("--exec", "-x"):
                rest = words[index + 1 :]
                return self._words([*rest[0].split(), *rest[1:]], at.deeper()) if rest else []
            elif word in ("-e", "--eval", "-p"):
                return []
            elif word.startswith("-"):
                skip = word in _VALUE_FLAGS
            elif word not in ("run", "watch"):
                source = self._source(word, at)
                return (
                    self._entry(source, at) if source or not word.endswith("server.js") else self._standalone(word, at)
                )
        return []

    def _standalone(self, word: str, at: _At) -> list[EntryPoint]:
        """Next's standalone build: `apps/web/server.js` is the app in that folder."""
        for folder in (join(f, str(PurePosixPath(word).parent)) for f in at.folders):
            if any(join(folder, f"next.config.{suffix}") in self.tree.known for suffix in ("js", "mjs", "ts", "cjs")):
                return self._words(["next", "start"], at.deeper(folder))
        return []

    def _shell(self, words: list[str], at: _At) -> list[EntryPoint]:
        words = words[1:]
        while words and words[0].startswith("-"):
            if "c" in words[0]:
                return self._text(words[1], at.deeper()) if len(words) > 1 else []
            words = words[1:]
        if not words:
            return []
        script = self._plain(words[0], at)
        return self._script(script, at) if script else self._words(words[1:], at.deeper())

    def _script(self, script: str, at: _At) -> list[EntryPoint]:
        return self._text(self.tree.text(script), at.deeper(by=script))

    def _text(self, text: str, at: _At) -> list[EntryPoint]:
        found: list[EntryPoint] = []
        for command in commands(text, at.start.env):
            inside: list[str] = []
            if command.folder.startswith("/"):
                inside = self._container(command.folder, at)
            elif command.folder:
                inside = [join(f, command.folder) for f in at.folders]
            found += self._words(list(command.words), at.deeper(*inside))
        return found

    def _pm2(self, words: list[str], at: _At) -> list[EntryPoint]:
        for word in words[1:]:
            if not word.startswith("-") and not re.fullmatch("start|startOrRe(start|load)|re(load|start)", word):
                # an ecosystem file stands for its apps: `nesting` puts them in its place
                config = re.search(r"(ecosystem|pm2|process).*\.(c?js|mjs|json|ya?ml|ts)$", word)
                return self._entry(self._plain(word, at) if config else self._source(word, at), at.deeper(by="pm2"))
        return []

    def _manager(self, words: list[str], at: _At) -> list[EntryPoint]:
        call = read_call(words)
        if call.name in ("exec", "dlx", "x"):
            rest = words[words.index(call.name) + 1 :]
            return self._words([w for w in rest if w != "--"], at.deeper())
        places = [join(f, call.folder) for f in at.folders]
        if call.workspaces:
            places = [p for w in call.workspaces if (p := self.packages.folder(w)) is not None] or places
        for place in places:
            script = self.packages.scripts(place).get(call.name)
            if script is not None:
                by = f"{join(place, 'package.json')}:{script[1]} {call.name}"
                return self._text(script[0], at.deeper(place, by=by))
        direct = words[1:2] and PurePosixPath(words[1]).name in _RUNNERS  # `yarn ts-node x`
        return self._words(words[1:], at.deeper()) if direct else []

    def _many(self, words: list[str], at: _At) -> list[EntryPoint]:
        found: list[EntryPoint] = []
        whole = PurePosixPath(words[0]).name == "concurrently"
        for word in words[1:]:
            if not word.startswith("-"):
                line = word.replace("npm:", "npm run ") if whole else f"npm run {word}"
                found += self._text(line, at.deeper())
        return found

    def _workspaces(self, words: list[str], at: _At) -> list[EntryPoint]:
        words = words[1:]
        filters = [m[1] for w in words if (m := re.match(r"--(?:filter|projects?|scope)=(.+)", w))]
        filters += [words[i + 1] for i, w in enumerate(words[:-1]) if w in ("--filter", "-F", "--scope")]
        names = [w for w in words if not w.startswith("-") and w not in ("run", "serve", *filters)]
        found: list[EntryPoint] = []
        chosen = [p for f in filters if (p := self.packages.folder(f.strip(".^"))) is not None]
        for folder in chosen or self.packages.folders():
            for name in names:
                if script := self.packages.scripts(folder).get(name):
                    by = f"{join(folder, 'package.json')}:{script[1]} {name}"
                    found += self._text(script[0], replace(at.deeper(by=by), folders=(folder,)))
        return found

    def _framework(self, words: list[str], at: _At) -> list[EntryPoint]:
        head = PurePosixPath(words[0]).name
        if words[1:2] != ["start"]:
            return []
        app = next((w for w in words[2:] if not w.startswith("-")), "")
        files = ["src/instrumentation.ts", "instrumentation.ts", "src/instrumentation.js", "instrumentation.js"]
        if head == "nest":
            files = [f"apps/{app}/src/main.ts", f"{app}/src/main.ts"] if app else ["src/main.ts"]
        for folder in at.folders:
            for file in files:
                if (path := join(folder, file)) in self.tree.known:
                    return self._entry(path, at)
        return []

    def _fastify(self, words: list[str], at: _At) -> list[EntryPoint]:
        """fastify-cli loads a plugin, and closes the server around it on SIGTERM and SIGINT."""
        if words[1:2] != ["start"]:
            return []
        plugin = next((found for w in reversed(words[2:]) if (found := self._source(w, at)) is not None), None)
        return [replace(entry, runner="fastify-cli") for entry in self._entry(plugin, at)]

    def _entry(self, path: str | None, at: _At) -> list[EntryPoint]:
        if path is None:
            return []
        return [EntryPoint(at.start.service, self.tree.absolute(path), at.start.place.line, at.why)]

    def _source(self, word: str, at: _At) -> str | None:
        """The source file behind a path in a command: itself, or what it is built from."""
        candidates = self._candidates(word, at)
        for path in (*candidates, *_above(candidates)):
            for variant in variants(path):
                if variant in self.tree.known and variant.endswith(SUFFIXES):
                    return variant
        return next((found for path in candidates if (found := self._bundled(path)) is not None), None)

    def _bundled(self, path: str) -> str | None:
        """What a bundler makes a file of, where the file has another name than its source."""
        parts = path.split("/")
        built = next((index for index, part in enumerate(parts[:-1]) if part in _BUILT), None)
        return source_of(self.tree, self.packages, "/".join(parts[:built])) if built is not None else None

    def _plain(self, word: str, at: _At) -> str | None:
        if "/" not in word and "." not in word:
            return None
        return next((p for p in self._candidates(word, at) if p in self.tree.known), None)

    def _candidates(self, word: str, at: _At) -> list[str]:
        found: list[str] = []
        image = at.start.image
        if image is not None:
            inside = word if word.startswith("/") else f"{image.workdir.rstrip('/')}/{word}"
            found += _behind(inside, image, at.start.context)
        if word.startswith("/"):  # /app/x: below the folder that is mounted or copied there
            found += [join(f, word.split("/", 2)[-1]) for f in at.folders]
            found += [join(f, PurePosixPath(word).name) for f in at.folders]
        else:
            found += [join(f, word) for f in at.folders]
        return list(dict.fromkeys(found))

    def _container(self, folder: str, at: _At) -> list[str]:
        """Folders of the tree behind a folder of the image."""
        image = at.start.image
        behind = _behind(folder, image, at.start.context) if image is not None else []
        rest = folder.strip("/").partition("/")[2]
        return [p for p in (*behind, rest) if p and self.tree.has_folder(p)]


def variants(path: str) -> list[str]:
    """Source paths that a path in a command may stand for, the literal one first."""
    parts = path.split("/")
    bases = [path]
    for index, part in enumerate(parts[:-1]):
        if part in _BUILT:
            before, rest = parts[:index], parts[index + 1 :]
            bases += ["/".join([*before, "src", *rest]), "/".join([*before, *rest])]
            if len(rest) > 2 and rest[0] in ("apps", "libs", "packages"):  # Nest's monorepo: dist/apps/api/main
                bases.append("/".join([*before, *rest[:2], "src", *rest[2:]]))
    found = [path]
    for base in bases:
        stem = re.sub(r"\.[cm]?jsx?$", "", base)
        found += [*(stem + suffix for suffix in SUFFIXES), *(f"{stem}/index{suffix}" for suffix in SUFFIXES)]
    return list(dict.fromkeys(found))


def _above(paths: list[str]) -> list[str]:
    """The same below the folders above: a compiler whose root lies above the package keeps its path in the output."""
    found = []
    for path in paths:
        parts = path.split("/")
        for index, part in enumerate(parts):
            if part in _BUILT and index > 0:
                found += ["/".join([*parts[:up], *parts[index + 1 :]]) for up in range(index - 1, -1, -1)]
    return list(dict.fromkeys(found))


def _behind(path: str, image: Image, context: str) -> list[str]:
    """Paths of the tree that a path in an image was copied from."""
    found = []
    path = "/" + join("", path)
    for source, target in image.copies:
        base = f"/{inside}/" if (inside := join("", target)) else "/"
        origin = join(context, source)
        if (path + "/").startswith(base):
            rest = path[len(base) :].strip("/")
            found.append(join(origin, rest) if rest and PurePosixPath(origin).name != rest else origin)
    return found


def _unwrap(words: list[str]) -> list[str]:
    while words:
        head = PurePosixPath(words[0]).name
        if head in ("doppler", "infisical", "op") and words[1:2] == ["run"]:
            words = words[2:]
        elif head in _WRAPPERS or re.fullmatch(r"[A-Za-z_]\w*=.*", words[0], re.DOTALL):
            words = words[1:]
        elif head in _WITH_VALUE or (head in ("-e", "-f", "-c") and len(words) > 1):
            words = words[2:]
        elif head.startswith("-"):
            words = words[1:]
        else:
            break
    return words
