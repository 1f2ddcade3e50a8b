"""Log transports within a program: packages that send its logs to a collector, and the file that names them."""

from __future__ import annotations

import re
from collections.abc import Iterator

from auditor.infra.model import Environment, LogShipper
from auditor.infra.reading import Reading
from auditor.infra.tree import join
from auditor.model import FilePlace

PACKAGES = (
    "pino-loki", "winston-loki", "pino-datadog-transport", "pino-datadog", "datadog-winston", "winston-cloudwatch",
    "pino-cloudwatch", "@serdnam/pino-cloudwatch-transport", "@google-cloud/logging-winston", "@google-cloud/logging-bunyan",
    "@google-cloud/logging", "@logtail/pino", "@logtail/winston", "@logtail/node", "@axiomhq/pino", "@axiomhq/winston",
    "pino-elasticsearch", "winston-elasticsearch", "pino-seq", "@datalust/winston-seq", "pino-papertrail", "winston-papertrail",
    "pino-socket", "pino-syslog", "winston-syslog", "winston-splunk-httplogger", "pino-fluentd", "winston-fluentd",
    "fluent-logger", "@newrelic/pino-enricher", "@newrelic/winston-enricher", "pino-opentelemetry-transport", "pino-sentry-transport",
    "winston-azure-application-insights", "winston-graylog2", "pino-gelf", "winston-newrelic-agent-transport", "winston-coralogix",
)  # fmt: skip
_SOURCES = (".ts", ".js", ".mjs", ".cjs", ".mts", ".cts", ".tsx")
MAX_FILES = 3000


def shippers(reading: Reading) -> Iterator[LogShipper]:
    """Transports that a package depends on and one of its files names; a dependency that nobody names is none."""
    for folder in reading.packages.folders():
        manifest = reading.tree.text(join(folder, "package.json"))
        for name in PACKAGES:
            if f'"{name}"' in manifest and (place := _named(reading, folder, name)) is not None:
                users = tuple(reading.tree.absolute(f) for f in _users(reading, folder))
                yield LogShipper(f"transport {name}", place, Environment.UNKNOWN, users)


def _users(reading: Reading, folder: str) -> list[str]:
    """The package and those that depend on it."""
    own = next((n for n, f in reading.packages.names().items() if f == folder), "")
    others = [
        f
        for f in reading.packages.folders()
        if f != folder and own and f'"{own}"' in reading.tree.text(join(f, "package.json"))
    ]
    return [folder, *others]


def _named(reading: Reading, folder: str, name: str) -> FilePlace | None:
    pattern = re.compile(rf"['\"]{re.escape(name)}['\"]")
    prefix = f"{folder}/" if folder else ""
    files = [
        f
        for f in reading.tree.files
        if f.startswith(prefix) and f.endswith(_SOURCES) and not re.search(r"\.(test|spec)\.|__tests__|(^|/)tests?/", f)
    ]
    for path in files[:MAX_FILES]:
        head = reading.tree.head(path, 200_000)
        if name in head and (match := pattern.search(head)):
            return FilePlace(path, head.count("\n", 0, match.start()) + 1)
    return None
