"""Parameters of the commands, each one line of --help: what they are called, take and mean."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from auditor.model import Confidence

UNVERIFIED_FLAG = "--fail-on-unverified"
_SOURCES = "Sources (any one is enough)"
_ACCESS = "Redis access"
_BUDGET = "Limits"
_SELECT = "Selection"
_GATE = "Gate"
_OUTPUT = "Output"


class FailOn(StrEnum):
    """Severities that can break the gate."""

    CRITICAL = "critical"
    HIGH = "high"
    MEDIUM = "medium"
    LOW = "low"
    NONE = "none"


class Unverified(StrEnum):
    """Which unverified items break the gate."""

    ASKED = "asked"
    ALL = "all"


class AclFor(StrEnum):
    """Whose least-privilege line is wanted."""

    AUDITOR = "auditor"
    BULLMQ = "bullmq"
    BULL = "bull"


class InventoryFormat(StrEnum):
    """How the inventory is printed."""

    TERMINAL = "terminal"
    JSON = "json"


Code = Annotated[
    list[Path] | None,
    typer.Option("--code", help="Folder of TypeScript/JavaScript code; repeatable.", rich_help_panel=_SOURCES),
]
Exclude = Annotated[
    list[str] | None,
    typer.Option("--exclude", metavar="GLOB", help="Leave these files out; repeatable.", rich_help_panel=_SELECT),
]
ConfigFile = Annotated[
    Path | None,
    typer.Option(
        "--config",
        help="tt-audit.yaml to use [default: the nearest above the code or this folder].",
        rich_help_panel=_SELECT,
    ),
]
Checklists = Annotated[
    list[Path] | None,
    typer.Option(
        "--checklist",
        metavar="FILE",
        help="Another checklist, or an additional one (`extends: builtin`); repeatable.",
        rich_help_panel=_SELECT,
    ),
]
Plugins = Annotated[
    list[Path] | None,
    typer.Option(
        "--plugins",
        metavar="DIR",
        help="Folder with further probes and report formats; repeatable.",
        rich_help_panel=_SELECT,
    ),
]
Services = Annotated[
    list[str] | None,
    typer.Option(
        "--service", metavar="NAME", help="Judge only these services' code; repeatable.", rich_help_panel=_SELECT
    ),
]
Width = Annotated[
    int | None,
    typer.Option(
        "--width", min=40, help="Columns of the terminal report [default: the terminal's].", rich_help_panel=_OUTPUT
    ),
]
Redis = Annotated[
    list[str] | None,
    typer.Argument(
        metavar="REDIS_URL",
        help="redis://, rediss:// or unix:// URLs; also from REDIS_URL and tt-audit.yaml.",
        rich_help_panel=_SOURCES,
        show_default=False,
    ),
]
Infra = Annotated[
    list[Path] | None,
    typer.Option(
        "--infra",
        help="Folder of infra files; repeatable [default: the repository that holds --code].",
        rich_help_panel=_SOURCES,
    ),
]
NoInfra = Annotated[bool, typer.Option("--no-infra", help="Read no infra files.", rich_help_panel=_SOURCES)]
NoRedis = Annotated[
    bool, typer.Option("--no-redis", help="Ignore REDIS_URL and tt-audit.yaml's redis.", rich_help_panel=_SOURCES)
]
Prometheus = Annotated[
    str,
    typer.Option(
        "--prometheus",
        metavar="URL",
        help="A live Prometheus; bearer token from PROMETHEUS_TOKEN.",
        rich_help_panel=_SOURCES,
    ),
]
PrometheusTokenFile = Annotated[
    Path | None,
    typer.Option("--prometheus-token-file", help="File that holds the bearer token.", rich_help_panel=_SOURCES),
]
PrometheusCa = Annotated[
    Path | None,
    typer.Option("--prometheus-ca", help="CA certificates for Prometheus (PEM).", rich_help_panel=_SOURCES),
]
PrometheusInsecure = Annotated[
    bool,
    typer.Option("--prometheus-insecure", help="Do not check Prometheus' certificate.", rich_help_panel=_SOURCES),
]
User = Annotated[str | None, typer.Option("--user", help="ACL user.", rich_help_panel=_ACCESS)]
PasswordFile = Annotated[
    Path | None,
    typer.Option("--password-file", help="File that holds the Redis password.", rich_help_panel=_ACCESS),
]
PasswordStdin = Annotated[
    bool,
    typer.Option("--password-stdin", help="Read the Redis password from standard input.", rich_help_panel=_ACCESS),
]
Tls = Annotated[
    bool, typer.Option("--tls", help="Speak TLS even where the URL says redis://.", rich_help_panel=_ACCESS)
]
TlsCa = Annotated[Path | None, typer.Option("--tls-ca", help="CA certificates (PEM).", rich_help_panel=_ACCESS)]
TlsCert = Annotated[Path | None, typer.Option("--tls-cert", help="Client certificate (PEM).", rich_help_panel=_ACCESS)]
TlsKey = Annotated[
    Path | None, typer.Option("--tls-key", help="Key of the client certificate (PEM).", rich_help_panel=_ACCESS)
]
TlsServerName = Annotated[
    str,
    typer.Option("--tls-server-name", help="Name that the server's certificate must carry.", rich_help_panel=_ACCESS),
]
TlsInsecure = Annotated[
    bool, typer.Option("--tls-insecure", help="Do not check the server's certificate.", rich_help_panel=_ACCESS)
]
ProbePlaintext = Annotated[
    bool,
    typer.Option(
        "--probe-plaintext",
        help="Also try whether the plaintext port of a TLS server answers.",
        rich_help_panel=_ACCESS,
    ),
]
AllDbs = Annotated[
    bool,
    typer.Option("--all-dbs", help="Read every logical database, not just the URL's.", rich_help_panel=_ACCESS),
]
Only = Annotated[
    list[str] | None,
    typer.Option(
        "--only",
        metavar="ITEMS",
        help="Judge only these: 88, TT088, 1-10, a section; commas or repeated.",
        rich_help_panel=_SELECT,
    ),
]
Skip = Annotated[
    list[str] | None, typer.Option("--skip", metavar="ITEMS", help="Leave these out.", rich_help_panel=_SELECT)
]
Timeout = Annotated[
    float,
    typer.Option(
        "--timeout", min=0.1, metavar="SECONDS", help="Bound for all sources together.", rich_help_panel=_BUDGET
    ),
]
MaxCommands = Annotated[
    int | None,
    typer.Option("--max-commands", min=1, help="Redis commands to send at the most.", rich_help_panel=_BUDGET),
]
MaxKeys = Annotated[
    int | None,
    typer.Option("--max-keys", min=0, help="Keys to scan for queues at the most.", rich_help_panel=_BUDGET),
]
MaxSeconds = Annotated[
    float | None,
    typer.Option("--max-seconds", min=0.1, help="Seconds to spend on Redis at the most.", rich_help_panel=_BUDGET),
]
Sample = Annotated[
    int | None,
    typer.Option(
        "--sample",
        min=1,
        help="Jobs to read of one queue at the most [default: 60, and one of each state].",
        rich_help_panel=_BUDGET,
    ),
]
MaxJobs = Annotated[
    int | None,
    typer.Option(
        "--max-jobs",
        min=1,
        help="Jobs to read of all queues together, one of each at least [default: 12000, and one of each state].",
        rich_help_panel=_BUDGET,
    ),
]
FailOnOption = Annotated[
    FailOn | None,
    typer.Option(
        "--fail-on",
        help="Findings of this severity or worse break the gate [default: high].",
        rich_help_panel=_GATE,
    ),
]
MinConfidence = Annotated[
    Confidence | None,
    typer.Option(
        "--min-confidence", help="Findings this sure or surer count [default: likely].", rich_help_panel=_GATE
    ),
]
MinScore = Annotated[
    int | None,
    typer.Option("--min-score", min=0, max=100, help="A lower score breaks the gate.", rich_help_panel=_GATE),
]
FailOnUnverified = Annotated[
    Unverified | None,
    typer.Option(
        UNVERIFIED_FLAG,
        metavar="[=all]",
        help="Unverified items break the gate; `=all`: also those whose source was not given.",
        rich_help_panel=_GATE,
    ),
]
AllowEmpty = Annotated[
    bool, typer.Option("--allow-empty", help="Finding no Bull/BullMQ at all is fine.", rich_help_panel=_GATE)
]
StrictSources = Annotated[
    bool,
    typer.Option(
        "--strict-sources", help="A source that was only partly read counts as incomplete.", rich_help_panel=_GATE
    ),
]
Baseline = Annotated[
    Path | None,
    typer.Option(
        "--baseline",
        metavar="REPORT.json",
        help="Findings in this earlier report do not break the gate.",
        rich_help_panel=_GATE,
    ),
]
Output = Annotated[
    list[Path] | None,
    typer.Option(
        "-o",
        "--output",
        metavar="FILE",
        help="Also write the report here, format by the ending; repeatable.",
        rich_help_panel=_OUTPUT,
    ),
]
Format = Annotated[
    str,
    typer.Option("--format", help="What to print: terminal, json, markdown, github, ...", rich_help_panel=_OUTPUT),
]
Quiet = Annotated[
    bool,
    typer.Option("--quiet", "-q", help="The verdict and one line a failure; no progress.", rich_help_panel=_OUTPUT),
]
Verbose = Annotated[bool, typer.Option("--verbose", "-v", help="Evidence of what passed too.", rich_help_panel=_OUTPUT)]
NoCache = Annotated[
    bool,
    typer.Option(
        "--no-cache",
        help="Read all files afresh, and keep nothing for the next run ($TT_AUDIT_CACHE_DIR, else the user's cache folder).",
        rich_help_panel=_BUDGET,
    ),
]
InventoryTimeout = Annotated[
    float,
    typer.Option("--timeout", min=0.1, metavar="SECONDS", help="Bound for reading the code.", rich_help_panel=_BUDGET),
]
InventoryFormatOption = Annotated[
    InventoryFormat, typer.Option("--format", help="How to print it.", rich_help_panel=_OUTPUT)
]
AclRedis = Annotated[
    str | None,
    typer.Argument(
        metavar="REDIS_URL", help="The server to write the line for; also from REDIS_URL.", show_default=False
    ),
]
AclForOption = Annotated[
    AclFor, typer.Option("--for", help="tt-audit's own user, or the application's by its library.")
]
AclLibrary = Annotated[
    int, typer.Option("--library-version", min=1, help="Major version of the application's library.")
]
AclServer = Annotated[
    str | None,
    typer.Option("--server-version", help="Redis version to write for [default: the server's, else 7.0]."),
]
AclName = Annotated[str, typer.Option("--name", help="Name of the user in the line.")]
AclPrefix = Annotated[
    list[str] | None,
    typer.Option("--prefix", help="Key prefix of the queues; repeatable [default: all keys; bull for an application]."),
]
AclCheck = Annotated[
    bool, typer.Option("--check", help="Prove what the user of REDIS_URL may and may not do; nothing is changed.")
]
AclAdminUrl = Annotated[
    str,
    typer.Option(
        "--admin-url",
        metavar="URL",
        help="Who may ask ACL DRYRUN for that user; also from REDIS_ADMIN_URL.",
        envvar="REDIS_ADMIN_URL",
    ),
]
AclTimeout = Annotated[
    float,
    typer.Option("--timeout", min=0.1, metavar="SECONDS", help="Bound for asking the server.", rich_help_panel=_BUDGET),
]
