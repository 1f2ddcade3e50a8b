"""Boards of queues that code builds: Bull Board, Arena, Bull Monitor, a page of its own; mounted or not, behind auth or open."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from auditor.code.evaluation.values import External, LibraryObject, options_of
from auditor.code.metrics.served import in_route
from auditor.code.syntax.facts import Call, Function, Module, Scope

if TYPE_CHECKING:
    from tree_sitter import Node

    from auditor.code.evaluation.evaluate import Evaluator

WORDS = (b"bull-board", b"bull-arena", b"bull-monitor", b"queuedash", b"bull-master", b"BullBoard", b"<html")
_PACKAGES: dict[str, str] = {
    "bull-board": "Bull Board",
    "@bull-board/api": "Bull Board",
    "@bull-board/nestjs": "Bull Board",
    "bull-arena": "Arena",
    "@queuedash/api": "QueueDash",
    "bull-master": "Bull Master",
}
_MONITOR = re.compile(r"^@bull-monitor/")
_MOUNTS = frozenset(("getRouter", "registerPlugin", "router", "init", "forRoot", "forRootAsync"))
_ATTACHES = frozenset(("use", "register", "route", "mount"))
_AUTH = re.compile(
    r"(?i)auth|guard|passport|session|ensure|require(?:Admin|Login|User)|isAdmin|admin(?:Only|Middleware)|basic|jwt|protect|verify|login|permission|acl|middleware"
)
_COUNTS = frozenset("getWaitingCount getJobCounts getActiveCount getFailedCount getJobs getFailed getWaiting".split())  # noqa: SIM905  # a list of words reads best as words


@dataclass(slots=True, eq=False)
class Board:
    """A board: where it is built, and where it is mounted."""

    name: str
    module: Module
    line: int
    live: bool
    """Living code builds it."""
    mounted: tuple[str, int] | None
    mounted_live: bool
    guarded: bool | None
    """Something that looks like authentication stands before it; None: can't be told."""


def boards(ev: Evaluator, modules: list[Module], is_live: Callable[[Module, Function | None], bool]) -> list[Board]:
    """Every board that these modules build."""
    found: list[Board] = []
    for module in modules:
        for call in module.calls:
            name = _board_name(ev, call)
            if name:
                found.append(_board(ev, name, call, modules, is_live))
        own = _own_page(ev, module, is_live)
        if own is not None:
            found.append(own)
    return found


def _board_name(ev: Evaluator, call: Call) -> str:
    """Which board a call builds; empty where it builds none."""
    if call.callee is None or (
        call.name not in ("createBullBoard", "setQueues", "router", "Arena", "default", "forRoot", "forRootAsync")
        and not (call.is_new or call.callee.type == "identifier")
    ):
        return ""
    for one in options_of(ev.eval(call.callee, call.scope)):
        if not isinstance(one, External):
            continue
        path = one.path.split(".")[-1] if one.path else ""
        if one.package in _PACKAGES:
            builds = path in ("createBullBoard", "setQueues", "forRoot", "forRootAsync") or one.package in (
                "bull-arena",
                "bull-master",
            )
            return _PACKAGES[one.package] if builds else ""
        if _MONITOR.match(one.package) and call.is_new:
            return "Bull Monitor"
    return ""


def _board(
    ev: Evaluator, name: str, call: Call, modules: list[Module], is_live: Callable[[Module, Function | None], bool]
) -> Board:
    module = call.scope.module
    live = is_live(module, call.scope.func)
    if call.name in ("forRoot", "forRootAsync"):
        guarded = True if _has_auth(module.text(call.node)) else None  # Nest: main.ts may set a middleware before it
        return Board(name, module, call.line, live, (module.path, call.line), live, guarded)
    mounts = list(_mounts(ev, call, modules))
    living = [mount for mount in mounts if is_live(mount.scope.module, mount.scope.func)]
    at = (living or mounts)[0] if mounts else None
    place = (at.scope.module.path, at.line) if at is not None else None
    return Board(name, module, call.line, live, place, bool(living), _guarded(at) if at is not None else None)


def _mounts(ev: Evaluator, board: Call, modules: list[Module]) -> Iterator[Call]:
    """Calls that put a board's routes into a server, in its own file or one that gets its adapter."""
    near = [board.scope.module, *(m for m in modules if m is not board.scope.module)]
    for module in near:
        for call in module.calls:
            if call.name in ("getRouter", "registerPlugin") and _is_adapter(ev, call):
                yield _attached(module, call) or call
            elif call.name in _ATTACHES and any(_is_router(ev, node, call.scope) for node in call.arguments()):
                yield call


def _is_adapter(ev: Evaluator, call: Call) -> bool:
    held = call.receiver
    if held is None:
        return False
    value = ev.eval(held, call.scope)
    if any(
        isinstance(one, External) and (one.package.startswith("@bull-board/") or one.package in _PACKAGES)
        for one in options_of(value)
    ):
        return True
    return re.search(r"(?i)adapter|board", call.scope.module.text(held)) is not None and not any(
        isinstance(one, External) for one in options_of(value)
    )


def _is_router(ev: Evaluator, node: Node, scope: Scope) -> bool:
    """The `router` of older Bull Boards, Arena's middleware."""
    if node.type not in ("identifier", "member_expression", "call_expression"):
        return False
    for one in options_of(ev.eval(node, scope)):
        if (
            isinstance(one, External)
            and (one.package in _PACKAGES or _MONITOR.match(one.package))
            and not one.path.endswith("registerPlugin()")
        ):
            return one.path.split(".")[-1] not in ("setQueues", "createBullBoard()")
    return False


def _attached(module: Module, call: Call) -> Call | None:
    """`app.use('/queues', auth, adapter.getRouter())`: the call around."""
    node = call.node.parent
    while node is not None and node.type in (
        "arguments",
        "await_expression",
        "parenthesized_expression",
        "as_expression",
    ):
        node = node.parent
    return module.call_at(node) if node is not None and node.type == "call_expression" else None


def _guarded(mount: Call) -> bool | None:
    """Whether the mounting call, another on the same router before it, or a hook of the same plugin checks who comes."""
    module = mount.scope.module
    own = [module.text(node) for node in mount.arguments()]
    if any(_has_auth(text) for text in own[1:] if "getRouter" not in text or "auth" in text.lower()):
        return True
    path = _path_of(own)
    for call in module.calls:
        if call is mount or call.name not in ("use", "addHook", "register", "onRequest", "all"):
            continue
        before = call.node.start_byte < mount.node.start_byte
        texts = [module.text(node) for node in call.arguments()]
        guards = _path_of(texts)
        covers = call.name == "addHook" or not guards or f"{path}/".startswith(f"{guards}/")
        if before and covers and any(_has_auth(text) for text in texts[1 if guards else 0 :]):
            return True
    return False if _on_application(mount) else None


def _on_application(mount: Call) -> bool:
    """It is mounted on the application itself: a router or a plugin may stand behind a check of its parent's."""
    held = mount.callee.child_by_field_name("object") if mount.callee is not None else None
    return held is not None and mount.scope.module.text(held) in ("app", "application", "server", "this.app", "api")


def _path_of(texts: list[str]) -> str:
    """The route that a call names first, without wildcards at its end: `'/admin/*'` is `/admin`; empty where it names none."""
    return texts[0][1:-1].rstrip("*").rstrip("/") if texts and texts[0][:1] in "'\"`" else ""


def _has_auth(text: str) -> bool:
    return _AUTH.search(text) is not None


def _own_page(ev: Evaluator, module: Module, is_live: Callable[[Module, Function | None], bool]) -> Board | None:
    """A page of the project's own: one route sends HTML, another counts the queues' jobs."""
    if b"<html" not in module.source.lower():
        return None
    page = counts = None
    for call in module.calls:
        if (
            call.name in ("send", "end", "html", "type")
            and call.arguments()
            and "<html" in module.text(call.arguments()[0]).lower()
        ):
            page = page or (call if is_live(module, call.scope.func) and in_route(ev, call.scope) else None)
        elif counts is None and call.name in _COUNTS and _on_queue(ev, call) and in_route(ev, call.scope):
            counts = call
    if page is None or counts is None:
        return None
    return Board("own page of queues", module, page.line, True, (module.path, page.line), True, None)


def _on_queue(ev: Evaluator, call: Call) -> bool:
    held = call.receiver
    if held is None:
        return False
    return any(
        isinstance(one, LibraryObject) and one.name in ("Queue", "Job") for one in options_of(ev.eval(held, call.scope))
    )
