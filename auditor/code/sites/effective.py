"""Effective options: what reaches the library after queue defaults, Nest registrations, templates and calls are merged."""

from __future__ import annotations

from typing import TYPE_CHECKING

from auditor.code.evaluation import literals
from auditor.code.evaluation.lazy_members import Members
from auditor.code.evaluation.values import (
    UNDEFINED,
    LibraryObject,
    Literal,
    Object,
    Undefined,
    Unknown,
    Value,
    is_nothing,
    join,
    options_of,
)
from auditor.code.model import Option, OptionState
from auditor.code.sites.enqueues import JOB_OPTIONS
from auditor.code.sites.nest import Nest
from auditor.code.sites.options import id_option, names, option, plain
from auditor.code.sites.raw import Variant

if TYPE_CHECKING:
    from auditor.code.evaluation.evaluate import Evaluator

OPEN_KEYS = ("attempts", "backoff", "removeOnComplete", "removeOnFail", "jobId", "priority", "timeout")
_DEFAULTED = ("attempts", "backoff", "removeOnComplete", "removeOnFail", "timeout")
WORKER_KEYS = ("concurrency", "lockDuration", "stalledInterval", "maxStalledCount", "removeOnComplete", "removeOnFail")
SETTINGS = ("lockDuration", "lockRenewTime", "stalledInterval", "maxStalledCount", "guardInterval", "retryProcessDelay", "backoffStrategies", "drainDelay", "isSharedChildPool")  # fmt: skip


def queue_options(ev: Evaluator, nest: Nest, target: LibraryObject) -> Value | None:
    """The options that a queue object is built with; None where it is known by its type alone."""
    if target.injected:
        return nest.options_for(ev, target.library, names(target.arguments[0]) if target.arguments else ())
    if target.node is None and target.subclass is None:
        return None
    for value in target.arguments[1:3]:
        if any(isinstance(one, Object) for one in options_of(value)):
            return value
    if len(target.arguments) > 1:
        found = target.arguments[-1]
        return found if not _is_url(found) else UNDEFINED
    return UNDEFINED


def _is_url(value: Value) -> bool:
    return isinstance(value, Literal) and isinstance(value.value, str)


def defaults_of(ev: Evaluator, nest: Nest, target: LibraryObject, known_defaults: frozenset[str]) -> Value:
    """`defaultJobOptions` of the queue that an enqueue goes to.

    A queue known by type alone has those that no queue of the program has for absent, others for unknown.
    """
    if target.name != "Queue":
        return UNDEFINED
    options = queue_options(ev, nest, target)
    if options is None:
        why = "which queue object it is can't be told, and some have such a default"
        return Object({key: Unknown(why) for key in _DEFAULTED if key in known_defaults})
    return ev.member(options, "defaultJobOptions") if not is_nothing(options) else UNDEFINED


def merged(ev: Evaluator, nest: Nest, variant: Variant, known_defaults: frozenset[str]) -> dict[str, Value]:
    """All job options of one variant, by name; members that may be there but can't be seen are Unknown."""
    made: dict[str, Value] = {}
    rest: list[Value] = []
    layers = [defaults_of(ev, nest, variant.target, known_defaults), *variant.options]
    reason = ""
    for layer in layers:
        filled = variant.target.library == "bull" and layer is variant.options[-1]
        spread = join([_without_undefined(one) for one in options_of(layer)]) if filled else layer
        reason = literals.merge(ev, made, rest, spread) or reason
    if reason:
        for key in OPEN_KEYS:
            made.setdefault(key, Unknown(reason))
    return dict(Members(made, ev.force))


def _without_undefined(value: Value) -> Value:
    """Bull fills members that are undefined from the defaults."""
    if not isinstance(value, Object):
        return value
    kept = {key: member for key, member in value.members.items() if not isinstance(member, Undefined)}
    return Object(kept, value.rest, value.open, value.where, value.type, value.via, value.node)


def job_options(
    ev: Evaluator, nest: Nest, variants: list[Variant], known_defaults: frozenset[str]
) -> dict[str, Option]:
    """The options of a producing call over all of its variants."""
    tables = [merged(ev, nest, variant, known_defaults) for variant in variants]
    found: dict[str, Option] = {}
    for key in dict.fromkeys(key for table in tables for key in table):
        values = [table.get(key, UNDEFINED) for table in tables]
        if key == "jobId":
            found[key] = id_option(values)
        elif key in ("deduplication", "debounce"):
            found[key] = _deduplication(ev, values)
        else:
            found[key] = option(values)
    return plain(found)


def _deduplication(ev: Evaluator, values: list[Value]) -> Option:
    whole = option(values)
    if whole.state is not OptionState.KNOWN:
        return whole
    inner = id_option([ev.member(value, "id") for value in values if not is_nothing(value)])
    shown = dict(whole.value) if isinstance(whole.value, dict) else {}
    shown["id"] = inner.value
    return Option(whole.state, shown, origin=whole.origin)


def worker_options(values: list[Value], extra: dict[str, list[Value]] | None = None) -> dict[str, Option]:
    """The options of a worker over all contexts in which it is built."""
    tables: list[dict[str, Value]] = []
    for value in values or [UNDEFINED]:
        for one in options_of(value):
            if isinstance(one, Object):
                table = dict(one.members)
                if one.open:
                    for key in WORKER_KEYS:
                        table.setdefault(key, Unknown(one.open))
                tables.append(table)
            elif is_nothing(one) or (isinstance(one, Unknown) and one.uncalled):
                tables.append({})
            else:
                tables.append({key: Unknown(getattr(one, "why", "options that are not known")) for key in WORKER_KEYS})
    found = {
        key: option([table.get(key, UNDEFINED) for table in tables])
        for key in dict.fromkeys(k for table in tables for k in table)
    }
    for key, more in (extra or {}).items():
        if more:
            found[key] = option(more)
    return plain({key: value for key, value in found.items() if key not in ("connection", "name")})


def unknown_names(variants: list[Variant]) -> dict[str, tuple[str, int]]:
    """Option names that no version of the libraries has, with where they are written."""
    found: dict[str, tuple[str, int]] = {}
    for variant in variants:
        for layer in variant.options:
            for one in options_of(layer):
                if isinstance(one, Object) and one.where is not None:
                    for key in one.members:
                        if key not in JOB_OPTIONS:
                            found.setdefault(key, one.where)
    return found
