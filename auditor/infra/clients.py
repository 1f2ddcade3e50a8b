"""How units are told to reach Redis: URLs and hosts in their variables and in sample env files."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace

from auditor.infra import environment as environments
from auditor.infra.model import Deployment, Environment, PasswordState, RedisClient, Setting, Tls
from auditor.infra.redis_conf import password_state
from auditor.infra.text import env_file, unresolved
from auditor.model import FilePlace

_URL = re.compile(
    r"^(?P<scheme>rediss?|valkeys?)://(?:(?P<user>[^:@/]*)(?::(?P<password>[^@]*))?@)?(?P<host>\[[^\]]+\]|[^:/?]+)?(?::(?P<port>\d+))?",
    re.I,
)
_NAME = re.compile(r"redis|valkey|bull|queue|cache|kv_", re.I)


def of_units(units: Iterable[Deployment]) -> Iterator[RedisClient]:
    """Clients by the variables of deployments."""
    for unit in units:
        if not unit.backing:
            found = _of_variables(unit.env, unit.name, unit.environment, sample=False)
            yield from (replace(client, stack=unit.stack) for client in found)


def of_env_file(path: str, text: str) -> Iterator[RedisClient]:
    """Clients by a .env file: a sample where its name says so."""
    variables = {n: Setting(v, FilePlace(path, line)) for n, (v, line) in env_file(text).items() if _NAME.search(n)}
    sample = bool(re.search(r"example|sample|template|dist$|defaults?$", path))
    yield from _of_variables(variables, "", environments.of_path(path), sample=sample)


def _of_variables(
    env: Mapping[str, Setting], unit: str, environment: Environment, *, sample: bool
) -> Iterator[RedisClient]:
    for name, setting in env.items():
        match = _URL.match(setting.value.strip())
        if match:
            yield RedisClient(
                unit, name, environment, setting.place, match["host"] or "", int(match["port"]) if match["port"] else None,
                Tls.ON if match["scheme"].lower() in ("rediss", "valkeys") else Tls.OFF, _state(match["password"]), sample=sample,
            )  # fmt: skip
        elif re.search(r"(REDIS|VALKEY)\w*_HOST(NAME)?$", name, re.I) and setting.value:
            prefix = re.sub(r"_HOST(NAME)?$", "", name, flags=re.I)
            password = env.get(f"{prefix}_PASSWORD") or env.get(f"{prefix}_PASS")
            switch = next(
                (
                    env[n]
                    for n in (f"{prefix}_TLS", f"{prefix}_TLS_ENABLED", f"{prefix}_SSL", f"{prefix}_USE_TLS")
                    if n in env
                ),
                None,
            )
            state = PasswordState.NONE if password is None else _state(password.value)
            yield RedisClient(
                unit, name, environment, setting.place, setting.value, None, _switch(switch), state, sample=sample
            )


def _state(password: str | None) -> PasswordState:
    if password is None:
        return PasswordState.NONE
    return PasswordState.LITERAL if password == "***" else password_state(password)


def _switch(setting: Setting | None) -> Tls:
    if setting is None or unresolved(setting.value):
        return Tls.UNKNOWN
    return Tls.ON if setting.value.lower() in ("true", "1", "yes", "on") else Tls.OFF
