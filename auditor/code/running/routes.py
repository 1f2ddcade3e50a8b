"""Whether a process serves application routes: a server for health, readiness, metrics, debugging or a queue board serves none."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from functools import lru_cache

from auditor.model import CodeSpan

_LISTEN = re.compile(rb"(?<![\w$])([\w$.!]+)\.listen\s*\(|(?<![\w$.])serve\s*\(|(?:Bun|Deno)\.serve\s*\(")
_HTTP = re.compile(
    rb"['\"](?:node:)?https?['\"]|['\"](?:express|fastify|koa|hono|@hono/node-server|restify|polka|@hapi/hapi|@nestjs/core|elysia|h3|nitro|"
    rb"micro|uWebSockets\.js|@feathersjs/[\w-]+|@adonisjs/[\w-]+|moleculer-web)['\"]|Bun\.serve|Deno\.serve"
)
_FRAMEWORK = re.compile(
    rb"['\"](?:express|fastify|koa|hono|restify|polka|@hapi/hapi|@nestjs/core|elysia|@feathersjs/[\w-]+)['\"]"
)
_NET = re.compile(rb"['\"](?:node:)?(?:net|tls|dgram)['\"]")
_SERVERS = rb"(?:\w*(?:app|router|routes?|server|fastify|express|hono|instance|api))"
_ROUTES = (
    re.compile(
        rb"(?i)\b"
        + _SERVERS
        + rb"\s*\.\s*(?:get|post|put|patch|delete|all|route|use|register)\s*(?:<[^>(]*>)?\(\s*['\"`](/[^'\"`]*)"
    ),
    re.compile(rb"(?:\burl|\bpathname|\bpath)\s*(?:===?|\.startsWith\()\s*['\"`](/[^'\"`]*)"),
    re.compile(rb"\bcase\s+['\"](/[^'\"]*)['\"]\s*:"),
    re.compile(rb"\.route\s*\(\s*\{[^{}]*?\b(?:url|path)\s*:\s*['\"`](/[^'\"`]*)", re.S),
)
_CONTROLLER = re.compile(rb"@Controller\s*\(\s*(?:['\"`]([^'\"`]*)['\"`])?")
_WHOLE = re.compile(
    rb"ApolloServer|createYoga|createExpressMiddleware|fetchRequestHandler|GraphQLModule|mercurius|payload\.init"
)
_OPERATIONS = re.compile(
    rb"/?(?:api/)?(?:v\d+/)?(?:internal/|_|ops/|system/|worker/)?(?:health\w*(?:[/-].*)?|live\w*|ready\w*|status|ping|up|metrics(?:/.*)?|version|info|"
    rb"debug(?:/.*)?|(?:admin/)?(?:queues?|bull(?:-?board|mq)?|arena|jobs-?ui|board|ui)(?:/.*)?|favicon\.ico|\*|api|v\d+|)/?"
)
_HTTP_WORDS = (
    b"http'", b'http"', b"https'", b'https"', b"express", b"fastify", b"koa", b"hono", b"restify", b"polka", b"hapi", b"nestjs/core", b"elysia",
    b"'h3", b'"h3', b"nitro", b"'micro", b'"micro', b"uWebSockets", b"feathersjs", b"adonisjs", b"moleculer", b"Bun.serve", b"Deno.serve",
)  # fmt: skip
_NET_WORDS = (b"net'", b'net"', b"tls'", b'tls"', b"dgram'", b'dgram"')
_WHOLE_WORDS = (b"Apollo", b"Yoga", b"createExpress", b"fetchRequest", b"GraphQLModule", b"mercurius", b"payload.init")
Read = Callable[[str], bytes | None]


def serves(files: Iterable[str], entry: str, read: Read, runs: Callable[[CodeSpan], bool]) -> CodeSpan | None:
    """Where the files of a process listen for application routes, the entry's own `listen` first; None where they serve none.

    `runs` tells whether a call at a place is made in the process: a file may be loaded for something else in it.

    A bare `createServer` without a route in sight answers anything alike: a port kept open for a platform's check.
    A framework whose routes are not in sight (autoloaded, built in a loop) is taken to serve some.
    """
    texts = {path: text for path in files if (text := read(path)) is not None and b"\0" not in text[:1024]}
    http = any(_speaks(text) for text in texts.values())
    listens = [
        at
        for path, text in sorted(texts.items(), key=lambda item: (item[0] != entry, item[0]))
        if http and not _raw(text)
        for at in _listens(path, text)
    ]
    first = next((at for at in listens if runs(at)), None)
    if first is None:
        return None
    routes = [route for text in texts.values() for route in _routes(text)]
    if any(_mentions(text, _WHOLE_WORDS) and _WHOLE.search(text) for text in texts.values()) or any(
        not _OPERATIONS.fullmatch(route) for route in routes
    ):
        return first
    framework = any(_mentions(text, _HTTP_WORDS) and _FRAMEWORK.search(text) for text in texts.values())
    return first if framework and not routes else None


def _raw(text: bytes) -> bool:
    """A file of plain sockets: its `listen` is no HTTP."""
    return _mentions(text, _NET_WORDS) and _NET.search(text) is not None and not _speaks(text)


def _mentions(text: bytes, words: Iterable[bytes]) -> bool:
    """Whether a text holds one of the words: a hundred times cheaper than a pattern over all of them."""
    return any(word in text for word in words)


@lru_cache(maxsize=4096)
def _speaks(text: bytes) -> bool:
    return _mentions(text, _HTTP_WORDS) and _HTTP.search(text) is not None


def _listens(path: str, text: bytes) -> Iterator[CodeSpan]:
    if b".listen" in text or b"serve(" in text or b".serve" in text:
        for match in _LISTEN.finditer(text):
            line = text.count(b"\n", 0, match.start()) + 1
            yield CodeSpan(path, line, line)


@lru_cache(maxsize=4096)
def _routes(text: bytes) -> tuple[bytes, ...]:
    """Paths that a file routes. A file without a server's package in sight calls others' paths, it serves none."""
    return tuple(_found(text))


def _found(text: bytes) -> Iterable[bytes]:
    for pattern in _ROUTES if _speaks(text) else ():
        yield from pattern.findall(text)
    if b"@Controller" in text:
        yield from (match or b"/application" for match in _CONTROLLER.findall(text))
