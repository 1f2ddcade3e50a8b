"""Programs that end by themselves: scripts that do one thing and leave. They run no worker for long, nor serve anybody."""

from __future__ import annotations

from typing import TYPE_CHECKING

from auditor.code.evaluation import call_sites
from auditor.code.evaluation.values import External, options_of
from auditor.code.sites.targets import receiver
from auditor.code.syntax.facts import Call, Context, Module

if TYPE_CHECKING:
    from auditor.code.evaluation.evaluate import Evaluator

_AFTER = frozenset(("then", "finally"))
_MAIN = (b"require.main", b"import.meta")
_DEPTH = 4


def ends_by_itself(ev: Evaluator, module: Module) -> bool:
    """Whether the main path of an entry file leaves the process, or closes the Nest application that it made.

    The main path is what runs unconditionally as the file loads: no catch, no signal's listener, no timer.
    """
    calls = [*module.calls_named("exit"), *module.calls_named("close")]
    return any(_leaves(ev, call) and _on_main_path(ev, call, module, 0) for call in calls)


def _leaves(ev: Evaluator, call: Call) -> bool:
    held = [value for value in options_of(receiver(ev, call, None)) if isinstance(value, External)]
    if call.name == "close":
        return any(
            value.package == "@nestjs/core" and value.path.endswith("createApplicationContext()") for value in held
        )
    given = [call.scope.module.text(node) for node in call.arguments()]
    process = any((value.package, value.path) in (("global", "process"), ("process", "")) for value in held)
    return process and given in ([], ["0"])


def _on_main_path(ev: Evaluator, call: Call, module: Module, depth: int) -> bool:
    if depth > _DEPTH or call.scope.module is not module or not _unconditional(call.context, module):
        return False
    function = call.scope.func
    if function is None:
        return True
    return any(
        (site.position is None or site.call.name in _AFTER) and _on_main_path(ev, site.call, module, depth + 1)
        for site in call_sites.sites(ev, function)
        if site.call is not call
    )


def _unconditional(context: Context | None, module: Module) -> bool:
    while context is not None and context.kind != "function":
        text = module.source[context.node.start_byte : context.node.end_byte]
        if context.kind in ("catch", "else", "loop", "switch") or (
            context.kind == "if" and not any(word in text[:80] for word in _MAIN)
        ):
            return False
        context = context.parent
    return True
