"""A live Prometheus by its HTTP API, read only: rules, targets, metric names, and whether the alerts' series exist."""

from __future__ import annotations

import json
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING
from urllib.parse import urlsplit, urlunsplit

from auditor.errors import SourceError

from .address import PrometheusAddress
from .model import LivePrometheus, LiveRule, LiveTarget, Series

if TYPE_CHECKING:
    import httpx

MOST_SELECTORS = 300
LARGEST = 32_000_000
"""Bytes of one answer."""
REQUEST_SECONDS = 10.0
LOOK_BACK = "1h"


class UnansweredError(Exception):
    """One request gave nothing; the text says why."""


@dataclass(slots=True)
class Client:
    """GET requests to one Prometheus, each bounded in time and size."""

    http: httpx.Client
    deadline: float | None
    insecure: bool = False
    problems: list[str] = field(default_factory=list)

    def get(self, path: str, params: Mapping[str, str] | None = None) -> object:
        """The `data` of an answer; raises UnansweredError."""
        import httpx

        left = REQUEST_SECONDS if self.deadline is None else min(REQUEST_SECONDS, self.deadline - time.monotonic())
        if left <= 0:
            raise UnansweredError("no time left (--timeout)")
        begun = time.monotonic()
        try:
            with self.http.stream("GET", path, params=dict(params or {}), timeout=left) as response:
                body = bytearray()
                for chunk in response.iter_bytes():
                    body += chunk
                    if len(body) > LARGEST:
                        raise UnansweredError(f"{path}: more than {LARGEST:,} bytes")
                    if time.monotonic() - begun > left:
                        raise UnansweredError(f"{path}: took longer than {left:.0f} s")
        except httpx.TimeoutException:
            raise UnansweredError(f"{path}: no answer within {left:.0f} s") from None
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            raise UnansweredError(f"{path}: {type(error).__name__}: {error}") from None
        return _data(path, response.status_code, bytes(body))

    def try_get(self, path: str, params: Mapping[str, str] | None = None) -> object:
        """The same, or None; the reason is kept."""
        try:
            return self.get(path, params)
        except UnansweredError as why:
            self.problems.append(str(why))
            return None


def _data(path: str, status: int, body: bytes) -> object:
    if status in (401, 403):
        raise UnansweredError(f"{path}: HTTP {status}: the credentials are missing or refused")
    try:
        answer = json.loads(body)
    except (ValueError, RecursionError):
        raise UnansweredError(f"{path}: HTTP {status}, and no JSON: this is not a Prometheus API") from None
    if not isinstance(answer, dict) or answer.get("status") != "success":
        why = answer.get("error", "") if isinstance(answer, dict) else ""
        raise UnansweredError(f"{path}: HTTP {status} {str(why)[:200]}".rstrip())
    return answer.get("data")


def connect(address: PrometheusAddress, deadline: float | None) -> Client:
    """A client; nothing is sent yet."""
    import ssl

    import httpx

    verify: ssl.SSLContext | bool = not address.insecure
    if address.ca_file and not address.insecure:
        try:
            verify = ssl.create_default_context(cafile=address.ca_file)
        except (OSError, ssl.SSLError) as error:
            raise SourceError(f"Prometheus {address.endpoint}: the CA file cannot be read: {error}") from None
    headers = {"Authorization": f"Bearer {address.token}"} if address.token else {}
    basic = (
        (address.username or "", address.password or "") if address.username is not None and not address.token else None
    )
    return Client(
        httpx.Client(base_url=address.url, headers=headers, auth=basic, verify=verify, follow_redirects=True),
        deadline,
        address.insecure,
    )


def read(
    address: PrometheusAddress, selectors: Iterable[str], deadline: float | None
) -> tuple[LivePrometheus, list[str]]:
    """What the Prometheus says, and what it did not answer. `selectors`: those of the files' alerts; its own rules' are added.

    Raises SourceError where it answers nothing at all.
    """
    client = connect(address, deadline)
    with client.http:
        rules = client.try_get("/api/v1/rules", {"type": "alert"})
        names = client.try_get("/api/v1/label/__name__/values")
        if rules is None and names is None:
            raise SourceError(
                f"Prometheus {address.endpoint}: {client.problems[0]}",
                "check --prometheus, and PROMETHEUS_TOKEN or the user in its URL",
            )
        targets = client.try_get("/api/v1/targets", {"state": "active"})
        managers = client.try_get("/api/v1/alertmanagers")
        build = client.try_get("/api/v1/status/buildinfo")
        live = LivePrometheus(
            address.endpoint,
            _text(build, "version"),
            tuple(_rules(rules)),
            rules is not None,
            tuple(_targets(targets)),
            frozenset(n for n in names if isinstance(n, str)) if isinstance(names, list) else frozenset(),
            names is not None,
            alertmanagers=len(_list(managers, "activeAlertmanagers")) if managers is not None else None,
            receivers=tuple(_receivers(client, managers)),
        )
        return _with_series(client, live, selectors), client.problems


def _with_series(client: Client, live: LivePrometheus, selectors: Iterable[str]) -> LivePrometheus:
    from dataclasses import replace

    from . import promql

    own = [s.text for rule in live.rules for s in promql.read(rule.expression).selectors()]
    wanted = [text for text in dict.fromkeys([*own, *selectors]) if text]
    found: dict[str, Series] = {}
    for text in wanted[:MOST_SELECTORS]:
        series = _series(client, text)
        if series is None:
            break
        found[text] = series
    if len(found) < len(wanted):
        client.problems.append(f"{len(wanted) - len(found)} of {len(wanted)} series of alerts were not looked up")
    return replace(live, series=found)


def _series(client: Client, text: str) -> Series | None:
    """Newest values within 5 minutes, else whether there was one within the hour; None: no answer."""
    try:
        count = _value(client.get("/api/v1/query", {"query": f"count({text})"}))
        if count:
            return Series(text, int(count), _value(client.get("/api/v1/query", {"query": f"max({text})"})))
        count = _value(client.get("/api/v1/query", {"query": f"count(last_over_time({text}[{LOOK_BACK}]))"}))
        return Series(text, int(count or 0))
    except UnansweredError as why:
        client.problems.append(str(why))
        return None


def _value(data: object) -> float | None:
    results = _list(data, "result")
    first = results[0] if results else None
    value = first.get("value") if isinstance(first, dict) else None
    try:
        return float(value[1]) if isinstance(value, list) and len(value) == 2 else None
    except (TypeError, ValueError):
        return None


def _rules(data: object) -> Iterable[LiveRule]:
    for group in _list(data, "groups"):
        for rule in _list(group, "rules"):
            if _text(rule, "type") == "alerting":
                hold = rule.get("duration") if isinstance(rule, dict) else None
                yield LiveRule(
                    _text(rule, "name"),
                    _text(group, "name"),
                    _text(rule, "query"),
                    _text(rule, "health") in ("ok", "unknown", ""),
                    _text(rule, "lastError")[:300],
                    _text(rule, "state"),
                    float(hold) if isinstance(hold, int | float) else 0.0,
                )


def _targets(data: object) -> Iterable[LiveTarget]:
    for target in _list(data, "activeTargets"):
        labels = target.get("labels") if isinstance(target, dict) else None
        job = _text(labels, "job") or _text(target, "scrapePool")
        yield LiveTarget(
            job,
            _bare(_text(target, "scrapeUrl")),
            {"up": True, "down": False}.get(_text(target, "health")),
            _text(target, "lastError")[:300],
        )


def _receivers(client: Client, managers: object) -> Iterable[str]:
    """Receivers of the Alertmanagers that answer; asked without our credentials, and an unreachable one is no problem."""
    import httpx

    for manager in _list(managers, "activeAlertmanagers")[:2]:
        base, found, _ = _text(manager, "url").partition("/api/")
        left = 2.0 if client.deadline is None else min(2.0, client.deadline - time.monotonic())
        if not found or not base.startswith(("http://", "https://")) or left <= 0:
            continue
        try:
            with httpx.Client(verify=not client.insecure, timeout=left) as http:
                answer = http.get(f"{base}/api/v2/receivers")
            entries = json.loads(answer.content) if len(answer.content) < 1_000_000 else []
        except (httpx.HTTPError, httpx.InvalidURL, ValueError, RecursionError):
            continue
        yield from (_text(entry, "name") for entry in (entries if isinstance(entries, list) else []))


def _bare(url: str) -> str:
    """Without credentials and parameters."""
    try:
        parts = urlsplit(url)
        host = parts.netloc.rpartition("@")[2]
        return urlunsplit((parts.scheme, host, parts.path, "", ""))
    except ValueError:
        return ""


def _list(value: object, key: str) -> list[object]:
    found = value.get(key) if isinstance(value, dict) else None
    return found if isinstance(found, list) else []


def _text(value: object, key: str) -> str:
    found = value.get(key) if isinstance(value, dict) else None
    return found if isinstance(found, str) else ""
