"""Entry points as processes: what they start and serve, and how they end."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from auditor.code.evaluation import callers
from auditor.code.evaluation.values import External, Literal, options_of
from auditor.code.model import EntryPoint, Process, Worker
from auditor.code.running.liveness import Liveness
from auditor.code.running.one_off import ends_by_itself
from auditor.code.running.routes import serves
from auditor.code.running.shutdown import Shutdown
from auditor.code.sites.nest_classes import Processor
from auditor.code.sites.raw import RawWorker
from auditor.code.sites.targets import receiver
from auditor.code.source.services import Services
from auditor.code.syntax.facts import Call, Module
from auditor.model import CodeSpan

if TYPE_CHECKING:
    from auditor.code.evaluation.evaluate import Evaluator

_ERRORS = (b"unhandledRejection",)
_SDKS = {
    "@sentry/node": b"init", "@sentry/nestjs": b"init", "@sentry/nextjs": b"init", "@sentry/bun": b"init", "dd-trace": b"init",
    "@bugsnag/js": b"start", "rollbar": b"captureUnhandledRejections", "elastic-apm-node": b"start", "@google-cloud/error-reporting": b"new",
    "make-promises-safe": b"", "loud-rejection": b"", "@honeybadger-io/js": b"configure", "raygun": b"init", "newrelic": b"",
}  # fmt: skip
_LISTENS = frozenset(("listen", "serve"))


class Processes:
    """Builds the processes of a program."""

    def __init__(
        self, ev: Evaluator, liveness: Liveness, shutdown: Shutdown | None, services: Services, modules: Sequence[Module],
        nodes: Mapping[CodeSpan, RawWorker | Processor],
    ) -> None:  # fmt: skip
        self.ev = ev
        self.program = ev.program
        self.liveness = liveness
        self.shutdown = shutdown
        self.signals = shutdown.signals if shutdown is not None else []
        self.services = services
        self.modules = modules
        self.nodes = nodes
        self._handled: dict[str, list[CodeSpan]] = {}
        self._sdks: dict[str, str] = {}

    def all(self, workers: Sequence[Worker]) -> tuple[Process, ...]:
        """One per entry point that starts a worker or enqueues; guessed ones where nothing names an entry point."""
        entries = [(entry, True) for entry in self.liveness.entries] + [
            (entry, False) for entry in self.liveness.guessed
        ]
        if not entries:
            entries = [(entry, False) for entry in self._tops(workers)]
        paths = {module.path for module in self.modules}
        made: list[Process] = []
        seen: set[str] = set()
        for entry, known in entries:
            files = self.liveness.reached.get(entry.path) or self._closure(entry.path)
            if entry.path not in seen and files & paths:
                seen.add(entry.path)
                made.append(self._process(entry, known, files, workers))
        return tuple(made)

    def _tops(self, workers: Sequence[Worker]) -> list[EntryPoint]:
        """Files that nobody imports and from which a worker's file is reached."""
        tops: dict[str, None] = {}
        for path in dict.fromkeys(worker.span.path for worker in workers):
            around = self.program.graph.all_importers(path) | {path}
            tops.update(dict.fromkeys(sorted(p for p in around if not self.program.graph.importers(p))))
        return [EntryPoint("", path, 0, "nothing imports it") for path in list(tops)[:20]]

    def _closure(self, path: str) -> set[str]:
        seen, pending = {path}, [path]
        while pending:
            for target in self.program.graph.real_imports(pending.pop()):
                if target not in seen:
                    seen.add(target)
                    pending.append(target)
        return seen

    def _process(self, entry: EntryPoint, known: bool, files: set[str], workers: Sequence[Worker]) -> Process:
        inside = self.liveness.within(files)
        started = tuple(
            w.span
            for w in workers
            if w.live and w.span.path in files and self._named(w, files) and self._started(w, inside)
        )
        module = self.program.module(entry.path)
        one_off = module is not None and ends_by_itself(self.ev, module)
        rejections, by = self._rejections(files)
        signals: dict[str, list[CodeSpan]] = {}
        for signal in self.signals:
            call = signal.call
            if call.scope.module.path in files and self.liveness.is_live(call.scope.module, call.scope.func):
                signals.setdefault(signal.name, []).append(CodeSpan(call.scope.module.path, call.line, call.line))
        at = self._serves(entry.path, files, inside)
        return Process(
            entry=CodeSpan(entry.path, 1, 1),
            service=self.services.of(entry.path) or entry.service,
            known=known,
            starts_workers=bool(started) and not one_off,
            serves_http=at is not None,
            serves_at=at,
            unhandled_rejection=rejections,
            signals={name: tuple(dict.fromkeys(spans)) for name, spans in signals.items()},
            exits_first=self._exits_first(files),
            workers=started,
            rejections_by=by,
            one_off=one_off,
        )

    def _started(self, worker: Worker, inside: Liveness) -> bool:
        """Whether code of a process calls the function that builds a worker: to load its file is not enough."""
        node = self.nodes.get(worker.span)
        return not isinstance(node, RawWorker) or inside.is_live(node.call.scope.module, node.call.scope.func)

    def _named(self, worker: Worker, files: set[str]) -> bool:
        """Whether a process has the worker's function or class in use: the file may be loaded for something else in it."""
        name = worker.symbol.split(".")[0]
        if not name.isidentifier() or name == "default":
            return True
        word = re.compile(rb"\b" + name.encode() + rb"\b")
        own = self.program.tree.read(worker.span.path) or b""
        if len(word.findall(own)) > 1:
            return True
        plain = name.encode()
        return any(
            plain in data and word.search(data)
            for path in files
            if path != worker.span.path and (data := self.program.tree.read(path)) is not None
        )

    def _serves(self, entry: str, files: set[str], inside: Liveness) -> CodeSpan | None:
        """Where the process serves application routes; a Next app does by itself."""
        for path in sorted(p for p in files if p.endswith(("instrumentation.ts", "instrumentation.js"))):
            home = self.program.packages.governing(path)
            if home is not None and "next" in self.program.packages.declared(home, "dependencies"):
                line = _line(self.program.tree.read(path) or b"", "function register")
                return CodeSpan(path, line, line)
        return serves(files, entry, self.program.tree.read, lambda at: self._runs(at, inside))

    def _runs(self, at: CodeSpan, inside: Liveness) -> bool:
        """Whether a process makes the call at a place; what is no call that is seen counts."""
        module = self.program.module(at.path)
        calls = [c for c in module.calls if c.line == at.start and c.name in _LISTENS] if module is not None else []
        return not calls or any(inside.is_live(call.scope.module, call.scope.func) for call in calls)

    def _rejections(self, files: set[str]) -> tuple[tuple[CodeSpan, ...], str]:
        """Where rejections are handled: by listeners of the program, else by an SDK."""
        own = [place for path in sorted(files) for place in self._own_rejections(path)]
        if own:
            return tuple(own), ""
        for path in sorted(files):
            by = self._sdk(path)
            if by:
                line = _line(self.program.tree.read(path) or b"", by)
                return (CodeSpan(path, line, line),), by
        return (), ""

    def _own_rejections(self, path: str) -> list[CodeSpan]:
        if path not in self._handled:
            found: list[CodeSpan] = []
            module = self.program.module(path) if self.program.mentions(path, _ERRORS) else None
            for name in ("on", "once", "addListener") if module is not None else ():
                found.extend(
                    CodeSpan(path, call.line, int(call.node.end_point[0]) + 1)
                    for call in (module.calls_named(name) if module is not None else ())
                    if self._is_rejection(call) and self.liveness.is_live(call.scope.module, call.scope.func)
                )
            self._handled[path] = found
        return self._handled[path]

    def _sdk(self, path: str) -> str:
        """The SDK that a file sets up, which handles rejections; empty where it sets up none."""
        if path not in self._sdks:
            data = self.program.tree.read(path) or b""
            self._sdks[path] = next(
                (
                    name
                    for name, word in _SDKS.items()
                    if name.encode() in data and word in data and _imports(data, name)
                ),
                "",
            )
        return self._sdks[path]

    def _is_rejection(self, call: Call) -> bool:
        value = receiver(self.ev, call, None)
        if not any(
            isinstance(o, External) and (o.package, o.path) in (("global", "process"), ("process", ""))
            for o in options_of(value)
        ):
            return False
        return any(
            isinstance(o, Literal) and o.value == "unhandledRejection"
            for turn in callers.expansions(self.ev, call.scope, None)
            for o in options_of(callers.argument(callers.given(self.ev, call, turn), 0))
        )

    def _exits_first(self, files: set[str]) -> CodeSpan | None:
        """A second listener on a signal that leaves the process without closing anything."""
        if self.shutdown is None:
            return None
        by_name: dict[str, list[tuple[Call, bool, CodeSpan | None]]] = {}
        for signal in self.signals:
            call = signal.call
            if (
                call.scope.module.path not in files
                or signal.nest
                or not self.liveness.is_live(call.scope.module, call.scope.func)
            ):
                continue
            by_name.setdefault(signal.name, []).append(
                (call, self.shutdown.closes(signal), self.shutdown.exits(signal))
            )
        for listeners in by_name.values():
            if len(listeners) > 1 and any(closes for _, closes, _ in listeners):
                for _, closes, leaves in listeners:
                    if not closes and leaves is not None:
                        return leaves
        return None


def _imports(data: bytes, package: str) -> bool:
    return f"'{package}'".encode() in data or f'"{package}"'.encode() in data


def _line(data: bytes, package: str) -> int:
    at = data.find(package.encode())
    return data.count(b"\n", 0, max(at, 0)) + 1
