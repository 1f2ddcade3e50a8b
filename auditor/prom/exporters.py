"""Units in infra files that publish queue or Redis metrics: which exporter, and which Redis it is pointed at."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from pathlib import PurePosixPath
from urllib.parse import urlsplit

from auditor.infra.environment import first, of_path, of_words
from auditor.infra.yaml_tree import Node
from auditor.model import FilePlace

from .model import Exporter, ExporterKind, ScrapeJob

_IMAGES: tuple[tuple[re.Pattern[str], ExporterKind], ...] = (
    (re.compile(r"(?:^|/)(?:prometheus-)?(?:redis|valkey)[_-]exporter\b"), ExporterKind.REDIS),
    (
        re.compile(r"(?:^|/)bull(?:mq)?[_-](?:prometheus[_-])?exporter\b|(?:^|/)bull(?:mq)?-prom(?:etheus|-metrics)\b"),
        ExporterKind.BULLMQ,
    ),
    (re.compile(r"(?:^|/)(?:nodejs-)?bull-monitor\b"), ExporterKind.BULL_MONITOR),
    (
        re.compile(r"(?:^|/)taskforce(?:sh)?[/_-](?:docker-)?connector\b|(?:^|/)taskforce-connector\b"),
        ExporterKind.TASKFORCE,
    ),
    (re.compile(r"(?:^|/)(?:docker-)?bull-?board\b|(?:^|/)(?:docker-)?arena\b"), ExporterKind.BULL_BOARD),
)
_HOSTS: tuple[tuple[re.Pattern[str], ExporterKind], ...] = (
    (re.compile(r"^(?:[\w.-]*(?:redis|valkey)[_-]exporter[\w.-]*(?::\d+)?|[^:]+:9121)$"), ExporterKind.REDIS),
    (re.compile(r"^[\w.-]*bull(?:mq)?[_-]exporter[\w.-]*(?::\d+)?$"), ExporterKind.BULLMQ),
    (re.compile(r"^[\w.-]*bull-monitor[\w.-]*(?::\d+)?$"), ExporterKind.BULL_MONITOR),
)
_ADDRESS_NAMES = frozenset(
    [
        "REDIS_ADDR",
        "REDIS_URL",
        "REDIS_URI",
        "REDIS_HOST",
        "REDIS_HOSTS",
        "EXPORTER_REDIS_URL",
        "EXPORTER_REDIS_HOST",
        "REDIS_CONNECTION",
        "REDIS_EXPORTER_ADDRESS",
    ]
)
_FLAG = re.compile(r"^-{1,2}(?:redis\.addr|redis-addr|redis\.host|redis-url|redis\.url|uri|url|host)(?:=(.+))?$")


def units_of(key: str, unit: Node) -> Iterator[Exporter]:
    """The exporter that a container, compose service or task states, by its image."""
    image = unit["image"].text or "/".join(
        t for t in (unit.at("image", "registry").text, unit.at("image", "repository").text) if t
    )
    kind = kind_of_image(image)
    if kind is None or unit["enabled"].truth is False or PurePosixPath(unit.path).name == "Chart.yaml":
        return
    redis, place = _pointed_at(unit)
    name = unit["name"].text or unit["container_name"].text or key
    yield Exporter(
        kind,
        name,
        unit["image"].place,
        endpoint(redis),
        place,
        first(of_words(name), of_path(unit.path)),
        unit=unit.path,
    )


def kind_of_image(image: str) -> ExporterKind | None:
    """Which exporter an image is; None for anything else."""
    bare = image.split("@", maxsplit=1)[0].lower()
    return next((kind for pattern, kind in _IMAGES if pattern.search(bare)), None)


def chart_of(key: str, values: Node) -> Iterator[Exporter]:
    """Helm values of a Redis chart with `metrics.enabled: true`: a redis_exporter beside each Redis of the chart."""
    if key in ("redis", "valkey", "redis-cluster", "redis-ha") and values.at("metrics", "enabled").truth:
        place = values.at("metrics", "enabled").place
        yield Exporter(
            ExporterKind.REDIS, f"{key} chart metrics", place, key, place, of_path(values.path), unit=values.path
        )


def datadog_of(unit: Node) -> Iterator[Exporter]:
    """Datadog's own Redis check, by pod annotation or a `redisdb` configuration."""
    for name, value in unit.items():
        if value.kind == "scalar" and "redisdb" in value.text and ("check" in name or "ad.datadoghq.com" in name):
            yield Exporter(
                ExporterKind.DATADOG_REDIS, "redisdb check", value.place, environment=of_path(unit.path), unit=unit.path
            )


def scraped_of(jobs: Iterable[ScrapeJob]) -> Iterator[Exporter]:
    """Exporters that only a scrape job names, by host name or the redis_exporter's registered port."""
    for job in jobs:
        for target in job.targets:
            kind = next(
                (kind for pattern, kind in _HOSTS if pattern.match(target.lower().removeprefix("http://"))), None
            )
            if kind is not None:
                yield Exporter(
                    kind, job.name, job.place, environment=job.environment, scraped=True, unit=job.place.path
                )
                break


def _pointed_at(unit: Node) -> tuple[str, FilePlace | None]:
    for env in (unit["environment"], unit["env"]):
        for name, value in _variables(env):
            if name in _ADDRESS_NAMES and value.text:
                return value.text.partition("=")[2] if env.kind == "sequence" and not value_is_pair(
                    value
                ) else value.text, value.place
    words = [*unit["command"].list(), *unit["args"].list()]
    for at, word in enumerate(words):
        match = _FLAG.match(word.text)
        if match:
            following = words[at + 1] if at + 1 < len(words) else word
            return match[1] or following.text, word.place
    single = unit["command"].text
    match_in_text = re.search(r"redis\.addr[= ](\S+)", single)
    return (match_in_text[1], unit["command"].place) if match_in_text else ("", None)


def value_is_pair(value: Node) -> bool:
    """Whether it comes from a `{name, value}` entry, as in Kubernetes, and not from `NAME=value` text."""
    return "=" not in value.text.split("//")[0]


def _variables(env: Node) -> Iterator[tuple[str, Node]]:
    if env.kind == "mapping":
        yield from env.items()
    for entry in env.list():
        if entry.kind == "scalar":
            yield entry.text.partition("=")[0], entry
        else:
            yield entry["name"].text, entry["value"]


def endpoint(address: str) -> str:
    """A Redis address without credentials and parameters: `host:port`, or the variable that holds it."""
    text = address.strip().strip("'\"").split(",")[0]
    if "://" not in text:
        return text.rpartition("@")[2]
    try:
        parts = urlsplit(text)
        port = parts.port
    except ValueError:
        return text.rpartition("@")[2]
    return (parts.hostname or "") + (f":{port}" if port else "")
