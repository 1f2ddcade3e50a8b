"""What every site of the model has: its place, library and version, its service, whether it runs, what encloses it."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypedDict

from auditor.code.model import Library
from auditor.code.source.versions import Versions
from auditor.code.syntax.facts import Call, Function, Module
from auditor.model import CodeSpan

_PACKAGES = {"bullmq": "bullmq", "bull": "bull", "bullmq-pro": "@taskforcesh/bullmq-pro"}


class Placed(TypedDict):
    """The fields of `model.Site`."""

    span: CodeSpan
    library: Library
    version: str
    service: str
    live: bool
    symbol: str


class Placing:
    """Places sites."""

    def __init__(
        self, is_live: Callable[[Module, Function | None], bool], service_of: Callable[[str], str], versions: Versions
    ) -> None:
        self.is_live = is_live
        self.service_of = service_of
        self.versions = versions

    def of_call(self, call: Call, library: str) -> Placed:
        """The place of a call of a library, to the call's last line."""
        end = int(call.node.end_point[0]) + 1
        return self.at(call.scope.module, call.line, end, library, call.scope.func)

    def at(
        self, module: Module, line: int, end: int, library: str, function: Function | None, symbol: str | None = None
    ) -> Placed:
        """The place of lines of a file, in a function."""
        library = library.removeprefix("@nestjs/")
        return {
            "span": CodeSpan(module.path, line, end),
            "library": Library(library if library in ("bullmq", "bull", "bullmq-pro") else "bullmq"),
            "version": self.versions.of(_PACKAGES.get(library, library), module.path),
            "service": self.service_of(module.path),
            "live": self.is_live(module, function),
            "symbol": symbol if symbol is not None else symbol_of(function),
        }


def symbol_of(function: Function | None) -> str:
    """Enclosing class and function, dotted."""
    while function is not None and not function.name:
        scope, named = function.scope.parent, function.symbol
        if named:
            return f"{function.cls.name}.{named}" if function.cls is not None and function.cls.name else named
        if scope is None:
            return ""
        function = scope.func
    return function.symbol if function is not None else ""
