"""Configuration services: `config.get('queue.attempts', 3)` and the objects that the repository loads into them."""

from __future__ import annotations

import posixpath
from typing import TYPE_CHECKING

from auditor.code.evaluation.schemas import unknown_setting
from auditor.code.evaluation.values import (
    UNDEFINED,
    Array,
    Env,
    External,
    FunctionValue,
    Literal,
    Namespace,
    Object,
    Undefined,
    Unknown,
    Value,
    Where,
    is_nothing,
    join,
    options_of,
)

if TYPE_CHECKING:
    from auditor.code.evaluation.evaluate import Evaluator

_PACKAGES = frozenset(("@nestjs/config", "config", "nestjs-config", "convict", "nconf", "@itgorillaz/configify", "rc"))
_FOLDERS = ("config", "src/config", "configs", "src/configs", "configuration")


def is_config(value: External) -> bool:
    """Whether a value is a configuration service of an npm package."""
    return value.package in _PACKAGES


def get(ev: Evaluator, key: Value, arguments: tuple[Value, ...], where: Where) -> Value:
    """`config.get(key, default)`: what the repository loads under that key, else the default, else the environment."""
    default = arguments[1] if len(arguments) > 1 else UNDEFINED
    found: list[Value] = []
    for option in options_of(key):
        if not isinstance(option, Literal) or not isinstance(option.value, str):
            found.append(Unknown("which setting it is depends on a value that is not known", "config.get()"))
            continue
        value = setting(ev, option.value)
        real = [o for o in options_of(value) if not isinstance(o, Undefined | Unknown)] if value is not None else []
        if real:
            found.append(join([_or_default(o, default, option.value) for o in real]))
        elif not isinstance(default, Undefined) and not (isinstance(default, Object) and "infer" in default.members):
            found.append(
                join(
                    [
                        Literal(o.value, o.where, option.value) if isinstance(o, Literal) else o
                        for o in options_of(default)
                    ]
                )
            )
        elif option.value.isupper():
            found.append(Env(option.value, where))
        else:
            found.append(unknown_setting(option.value))
    return join(found)


def _or_default(value: Value, default: Value, key: str) -> Value:
    if isinstance(value, Env) and isinstance(default, Literal):
        return Literal(default.value, default.where, value.name or key)
    return value


def setting(ev: Evaluator, dotted: str) -> Value | None:
    """The value that the repository's configuration files give to a dotted key; None where they have none."""
    if ev.configs is None:
        ev.configs = {}
        ev.configs.update(ev.freely(lambda: _registered(ev)))
    head, *rest = dotted.split(".")
    value = ev.configs.get(head)
    if value is None:
        value = ev.configs[head] = _by_file(ev, head)
    for name in rest:
        value = ev.member(value, name)
    return None if is_nothing(value) else value


def _registered(ev: Evaluator) -> dict[str, Value]:  # noqa: PLR0912  # one branch per kind
    """Settings by first key: `registerAs('queue', () => …)`, `load: [configuration]`, convict schemas, config/default.json."""
    made: dict[str, Value] = {}
    for path in ev.program.tree.paths:
        if not ev.program.mentions(path, (b"registerAs", b"ConfigModule", b"convict(")):
            continue
        module = ev.program.module(path)
        if module is None:
            continue
        for call in module.calls_named("registerAs"):
            given = call.arguments()
            if len(given) > 1:
                name, factory = ev.eval(given[0], call.scope), ev.eval(given[1], call.scope)
                if isinstance(name, Literal):
                    made[str(name.value)] = (
                        ev.call(factory, (), None) if isinstance(factory, FunctionValue) else factory
                    )
        for method in ("forRoot", "forRootAsync"):
            for call in module.calls_named(method):
                for node in call.arguments()[:1]:
                    _loaded(ev, ev.eval(node, call.scope), made)
    for folder in ("", *(posixpath.dirname(manifest) for manifest in ev.program.tree.manifests)):
        for file in ("default.json", "default.js", "default.ts"):
            path = posixpath.join(folder, "config", file)
            if ev.program.tree.is_file(path):
                from auditor.code.evaluation import external

                value = (
                    external.json_value(ev.program.tree.json(path), (path, 1))
                    if file.endswith("json")
                    else _default_export(ev, path)
                )
                if isinstance(value, Object):
                    for key, inner in value.members.items():
                        made.setdefault(key, inner)
    return made


def _loaded(ev: Evaluator, options: Value, made: dict[str, Value]) -> None:
    if not isinstance(options, Object):
        return
    listed = options.members.get("load")
    if not isinstance(listed, Array):
        return
    for item in (*listed.items, *([listed.rest] if listed.rest is not None else [])):
        for option in options_of(item):
            value = ev.call(option, (), None) if isinstance(option, FunctionValue) else option
            for inner in options_of(value):
                if isinstance(inner, Object):
                    for key, member in inner.members.items():
                        made.setdefault(key, member)


def _by_file(ev: Evaluator, head: str) -> Value:
    """A config folder whose files are named after their settings (nestjs-config and the like)."""
    roots = {"", *(posixpath.dirname(manifest) for manifest in ev.program.tree.manifests)}
    for root in sorted(roots):
        for folder in _FOLDERS:
            path = ev.program.resolver.file(posixpath.join(root, folder, head))
            if path is not None:
                value = _default_export(ev, path)
                if not isinstance(value, Unknown):
                    return value
    return UNDEFINED


def _default_export(ev: Evaluator, path: str) -> Value:
    value = ev.export(path, "default")
    if isinstance(value, Unknown):
        value = ev.export(path, "=")
    return (
        join([ev.call(o, (), None) if isinstance(o, FunctionValue) else o for o in options_of(value)])
        if not isinstance(value, Namespace)
        else value
    )
