"""tt-audit.yaml: what a project tells about itself once, so that nobody types it.

redis: ${REDIS_URL}                 # or a list; ${NAME} and ${NAME:-default} come from the environment
code: [services/payment]            # or one path; relative to this file
infra: .
prometheus: http://prometheus:9090
exclude: ["**/legacy/**"]
services:
  - {name: payment, code: services/payment, queues: [payments]}
kinds: {sync-orders: payment}       # queue or job name -> kind
roles: {"@acme/pay#charge": payment.create}
params: {TT005: {min_count: 50}}    # thresholds of single items
waivers:
  - {item: TT016, subject: "reports*", reason: batch queue, by: ops, expires: 2027-03-31}
attestations:
  - {item: TT095, by: ops, statement: nightly snapshots to S3, evidence: runbook 12, expires: 2027-03-31}
gate: {fail_on: high, min_confidence: likely, min_score: 80, fail_on_unverified: false}
"""

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path

from auditor.code.model import Kind, Role, ServiceConfig
from auditor.errors import ConfigError
from auditor.model import Confidence, FileDigest, Severity, Waiver
from auditor.waivers import Attestation, WaiverRule
from auditor.yamlfile import Fields, Located, Problems, read

FILE_NAME = "tt-audit.yaml"

_TOP = frozenset(
    [
        "redis",
        "code",
        "infra",
        "prometheus",
        "exclude",
        "services",
        "kinds",
        "roles",
        "params",
        "waivers",
        "attestations",
        "gate",
        "checklist",
        "plugins",
    ]
)
_SERVICE = frozenset({"name", "code", "infra", "queues", "redis"})
_WAIVER = frozenset({"item", "fingerprint", "path", "subject", "reason", "by", "expires"})
_ATTESTATION = frozenset({"item", "by", "statement", "evidence", "expires"})
_GATE = frozenset({"fail_on", "min_confidence", "min_score", "fail_on_unverified"})
_VARIABLE = re.compile(r"\$\{([A-Za-z_][A-Za-z0-9_]*)(?::-([^}]*))?\}")


@dataclass(frozen=True, slots=True)
class Config:
    """The file's content; empty fields where it says nothing. Paths are absolute."""

    digest: FileDigest | None = None
    redis: tuple[str, ...] = ()
    code: tuple[Path, ...] = ()
    infra: tuple[Path, ...] = ()
    prometheus: str = ""
    exclude: tuple[str, ...] = ()
    services: tuple[ServiceConfig, ...] = ()
    kinds: Mapping[str, str] = field(default_factory=dict)
    roles: Mapping[str, str] = field(default_factory=dict)
    params: Mapping[str, Located] = field(default_factory=dict)
    waivers: tuple[WaiverRule, ...] = ()
    attestations: tuple[Attestation, ...] = ()
    fail_on: str = ""
    min_confidence: str = ""
    min_score: int | None = None
    fail_on_unverified: bool = False
    checklist: tuple[Path, ...] = ()
    plugins: tuple[Path, ...] = ()


def discover(start: Path) -> Path | None:
    """The nearest tt-audit.yaml in `start` or above it, up to the repository's root; None where there is none."""
    for folder in (start, *start.parents):
        if (folder / FILE_NAME).is_file():
            return folder / FILE_NAME
        if (folder / ".git").exists():
            return None
    return None


def load(path: Path, environment: Mapping[str, str] = os.environ) -> Config:
    """The configuration in `path`. Raises ConfigError with all problems."""
    problems = Problems(str(path))
    document = read(path, problems)
    config = Config() if document is None else _config(document, path, problems, environment)
    if problems.lines:
        raise ConfigError("\n".join(problems.lines), "docs/configuration.md shows every key")
    return config


def _config(document: Located, path: Path, problems: Problems, environment: Mapping[str, str]) -> Config:
    top = Fields.of(document, FILE_NAME, problems, _TOP)
    home = path.resolve().parent
    gate = _sub(top, "gate", _GATE)
    return Config(
        digest=FileDigest(str(path), hashlib.sha256(path.read_bytes()).hexdigest()),
        redis=tuple(url for url in (_filled(text, top, "redis", environment) for text in top.texts("redis")) if url),
        code=_paths(top, "code", home),
        infra=_paths(top, "infra", home),
        prometheus=_filled(top.text("prometheus"), top, "prometheus", environment),
        exclude=top.texts("exclude"),
        services=tuple(_service(entry, home, problems) for entry in top.each("services")),
        kinds=_words(top, "kinds", tuple(Kind)),
        roles=_words(top, "roles", tuple(Role)),
        params=_mapping(top, "params"),
        waivers=tuple(_waiver(entry, problems) for entry in top.each("waivers")),
        attestations=tuple(_attestation(entry, problems) for entry in top.each("attestations")),
        fail_on=gate.choice("fail_on", (*Severity, "none")),
        min_confidence=gate.choice("min_confidence", tuple(Confidence)),
        min_score=gate.whole("min_score"),
        fail_on_unverified=_flag(gate, "fail_on_unverified"),
        checklist=_paths(top, "checklist", home),
        plugins=_paths(top, "plugins", home),
    )


def _service(entry: Located, home: Path, problems: Problems) -> ServiceConfig:
    fields = Fields.of(entry, "service", problems, _SERVICE)
    code = fields.text("code")
    return ServiceConfig(
        name=fields.text("name", required=True),
        code=str((home / code).resolve()) if code else "",
        queues=fields.texts("queues"),
    )


def _waiver(entry: Located, problems: Problems) -> WaiverRule:
    fields = Fields.of(entry, "waiver", problems, _WAIVER)
    waiver = Waiver(fields.text("reason", required=True), fields.text("by", required=True), _date(fields, "expires"))
    return WaiverRule(
        fields.text("item", required=True),
        waiver,
        fields.text("fingerprint"),
        fields.text("path"),
        fields.text("subject"),
        entry.line,
    )


def _attestation(entry: Located, problems: Problems) -> Attestation:
    fields = Fields.of(entry, "attestation", problems, _ATTESTATION)
    return Attestation(
        item=fields.text("item", required=True),
        by=fields.text("by", required=True),
        statement=fields.text("statement", required=True),
        evidence=fields.text("evidence"),
        expires=_date(fields, "expires"),
        line=entry.line,
    )


def _date(fields: Fields, key: str) -> str:
    text = fields.text(key, required=True)
    try:
        return date.fromisoformat(text).isoformat()
    except ValueError:
        if text:
            fields.problems.add(
                fields.entries[key].line, f"{fields.where}: {key}: a date like 2027-03-31 is wanted, got {text!r}"
            )
        return "1970-01-01"


def _flag(fields: Fields, key: str) -> bool:
    entry = fields.entries.get(key)
    if entry is not None and not isinstance(entry.value, bool):
        fields.problems.add(entry.line, f"{fields.where}: {key}: true or false is wanted, got {entry.describe()}")
    return entry is not None and entry.value is True


def _sub(fields: Fields, key: str, known: frozenset[str]) -> Fields:
    entry = fields.entries.get(key)
    return (
        Fields.of(entry, key, fields.problems, known)
        if entry is not None
        else Fields({}, fields.line, key, fields.problems)
    )


def _mapping(fields: Fields, key: str) -> Mapping[str, Located]:
    entry = fields.entries.get(key)
    if entry is None or entry.value is None:
        return {}
    if not isinstance(entry.value, dict):
        fields.problems.add(entry.line, f"{key}: a mapping is wanted, got {entry.describe()}")
        return {}
    return entry.value


def _words(fields: Fields, key: str, choices: tuple[str, ...]) -> Mapping[str, str]:
    inner = Fields(_mapping(fields, key), fields.line, key, fields.problems)
    return {name: inner.choice(name, choices) for name in inner.entries}


def _paths(fields: Fields, key: str, home: Path) -> tuple[Path, ...]:
    return tuple((home / text).resolve() for text in fields.texts(key))


def _filled(text: str, fields: Fields, key: str, environment: Mapping[str, str]) -> str:
    """`${NAME}` replaced from the environment; a name that is not set and has no default leaves the key out."""
    missing = [name for name, default in _VARIABLE.findall(text) if name not in environment and not default]
    if missing:
        return ""
    return _VARIABLE.sub(lambda found: environment.get(found[1]) or found[2] or "", text)
