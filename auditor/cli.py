"""The command line: parse, call, print. No decisions; one boundary for all errors that a user can cause."""

from __future__ import annotations

import sys
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

import auditor
from auditor.errors import AuditError
from auditor.model import Confidence

app = typer.Typer(
    name="tt-audit",
    help="Proves, with evidence anyone can re-check, whether a Bull/BullMQ job system is fit for production.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)

_BARE = "--fail-on-unverified"

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


def main() -> None:
    """Run the command line; the only place where an AuditError becomes a message and an exit code."""
    sys.argv[1:] = [f"{word}={Unverified.ASKED}" if word == _BARE else word for word in sys.argv[1:]]
    try:
        app()
    except AuditError as error:
        _complain(error)
        sys.exit(error.exit_code)


def _complain(error: AuditError) -> None:
    from auditor.masking import mask

    first, *rest = mask(error.message).splitlines() or [""]
    typer.echo(f"tt-audit: {first}", err=True)
    for line in rest:
        typer.echo(f"  {line}", err=True)
    if error.hint:
        typer.echo(f"  → {mask(error.hint)}", err=True)


def _version(asked: bool) -> None:
    if asked:
        typer.echo(f"tt-audit {auditor.__version__}")
        raise typer.Exit


@app.callback()
def root(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version and exit.")
    ] = False,
) -> None:
    """Proves, with evidence anyone can re-check, whether a Bull/BullMQ job system is fit for production."""


# Parameters that several commands share; each is one line of --help.
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


@app.command()
def scan(
    redis: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="REDIS_URL",
            help="redis://, rediss:// or unix:// URLs; also from REDIS_URL and tt-audit.yaml.",
            rich_help_panel=_SOURCES,
            show_default=False,
        ),
    ] = None,
    code: Code = None,
    infra: Annotated[
        list[Path] | None,
        typer.Option(
            "--infra",
            help="Folder of infra files; repeatable [default: the repository that holds --code].",
            rich_help_panel=_SOURCES,
        ),
    ] = None,
    no_infra: Annotated[
        bool, typer.Option("--no-infra", help="Read no infra files.", rich_help_panel=_SOURCES)
    ] = False,
    no_redis: Annotated[
        bool, typer.Option("--no-redis", help="Ignore REDIS_URL and tt-audit.yaml's redis.", rich_help_panel=_SOURCES)
    ] = False,
    prometheus: Annotated[
        str,
        typer.Option(
            "--prometheus",
            metavar="URL",
            help="A live Prometheus; bearer token from PROMETHEUS_TOKEN.",
            rich_help_panel=_SOURCES,
        ),
    ] = "",
    prometheus_token_file: Annotated[
        Path | None,
        typer.Option("--prometheus-token-file", help="File that holds the bearer token.", rich_help_panel=_SOURCES),
    ] = None,
    prometheus_ca: Annotated[
        Path | None,
        typer.Option("--prometheus-ca", help="CA certificates for Prometheus (PEM).", rich_help_panel=_SOURCES),
    ] = None,
    prometheus_insecure: Annotated[
        bool,
        typer.Option("--prometheus-insecure", help="Do not check Prometheus' certificate.", rich_help_panel=_SOURCES),
    ] = False,
    user: Annotated[str | None, typer.Option("--user", help="ACL user.", rich_help_panel=_ACCESS)] = None,
    password_file: Annotated[
        Path | None,
        typer.Option("--password-file", help="File that holds the Redis password.", rich_help_panel=_ACCESS),
    ] = None,
    password_stdin: Annotated[
        bool,
        typer.Option("--password-stdin", help="Read the Redis password from standard input.", rich_help_panel=_ACCESS),
    ] = False,
    tls: Annotated[
        bool, typer.Option("--tls", help="Speak TLS even where the URL says redis://.", rich_help_panel=_ACCESS)
    ] = False,
    tls_ca: Annotated[
        Path | None, typer.Option("--tls-ca", help="CA certificates (PEM).", rich_help_panel=_ACCESS)
    ] = None,
    tls_cert: Annotated[
        Path | None, typer.Option("--tls-cert", help="Client certificate (PEM).", rich_help_panel=_ACCESS)
    ] = None,
    tls_key: Annotated[
        Path | None, typer.Option("--tls-key", help="Key of the client certificate (PEM).", rich_help_panel=_ACCESS)
    ] = None,
    tls_server_name: Annotated[
        str,
        typer.Option(
            "--tls-server-name", help="Name that the server's certificate must carry.", rich_help_panel=_ACCESS
        ),
    ] = "",
    tls_insecure: Annotated[
        bool, typer.Option("--tls-insecure", help="Do not check the server's certificate.", rich_help_panel=_ACCESS)
    ] = False,
    probe_plaintext: Annotated[
        bool,
        typer.Option(
            "--probe-plaintext",
            help="Also try whether the plaintext port of a TLS server answers.",
            rich_help_panel=_ACCESS,
        ),
    ] = False,
    all_dbs: Annotated[
        bool,
        typer.Option("--all-dbs", help="Read every logical database, not just the URL's.", rich_help_panel=_ACCESS),
    ] = False,
    only: Annotated[
        list[str] | None,
        typer.Option(
            "--only",
            metavar="ITEMS",
            help="Judge only these: 88, TT088, 1-10, a section; commas or repeated.",
            rich_help_panel=_SELECT,
        ),
    ] = None,
    skip: Annotated[
        list[str] | None, typer.Option("--skip", metavar="ITEMS", help="Leave these out.", rich_help_panel=_SELECT)
    ] = None,
    service: Services = None,
    exclude: Exclude = None,
    config: ConfigFile = None,
    checklist: Checklists = None,
    plugins: Plugins = None,
    timeout: Annotated[
        float,
        typer.Option(
            "--timeout", min=0.1, metavar="SECONDS", help="Bound for all sources together.", rich_help_panel=_BUDGET
        ),
    ] = 120.0,
    max_commands: Annotated[
        int | None,
        typer.Option("--max-commands", min=1, help="Redis commands to send at the most.", rich_help_panel=_BUDGET),
    ] = None,
    max_keys: Annotated[
        int | None,
        typer.Option("--max-keys", min=0, help="Keys to scan for queues at the most.", rich_help_panel=_BUDGET),
    ] = None,
    max_seconds: Annotated[
        float | None,
        typer.Option("--max-seconds", min=0.1, help="Seconds to spend on Redis at the most.", rich_help_panel=_BUDGET),
    ] = None,
    sample: Annotated[
        int | None, typer.Option("--sample", min=1, help="Jobs to read per queue.", rich_help_panel=_BUDGET)
    ] = None,
    fail_on: Annotated[
        FailOn | None,
        typer.Option(
            "--fail-on",
            help="Findings of this severity or worse break the gate [default: high].",
            rich_help_panel=_GATE,
        ),
    ] = None,
    min_confidence: Annotated[
        Confidence | None,
        typer.Option(
            "--min-confidence", help="Findings this sure or surer count [default: likely].", rich_help_panel=_GATE
        ),
    ] = None,
    min_score: Annotated[
        int | None,
        typer.Option("--min-score", min=0, max=100, help="A lower score breaks the gate.", rich_help_panel=_GATE),
    ] = None,
    fail_on_unverified: Annotated[
        Unverified | None,
        typer.Option(
            _BARE,
            metavar="[=all]",
            help="Unverified items break the gate; `=all`: also those whose source was not given.",
            rich_help_panel=_GATE,
        ),
    ] = None,
    allow_empty: Annotated[
        bool, typer.Option("--allow-empty", help="Finding no Bull/BullMQ at all is fine.", rich_help_panel=_GATE)
    ] = False,
    strict_sources: Annotated[
        bool,
        typer.Option(
            "--strict-sources", help="A source that was only partly read counts as incomplete.", rich_help_panel=_GATE
        ),
    ] = False,
    baseline: Annotated[
        Path | None,
        typer.Option(
            "--baseline",
            metavar="REPORT.json",
            help="Findings in this earlier report do not break the gate.",
            rich_help_panel=_GATE,
        ),
    ] = None,
    output: Annotated[
        list[Path] | None,
        typer.Option(
            "-o",
            "--output",
            metavar="FILE",
            help="Also write the report here, format by the ending; repeatable.",
            rich_help_panel=_OUTPUT,
        ),
    ] = None,
    format_: Annotated[
        str,
        typer.Option("--format", help="What to print: terminal, json, markdown, github, ...", rich_help_panel=_OUTPUT),
    ] = "terminal",
    width: Width = None,
    quiet: Annotated[
        bool,
        typer.Option("--quiet", "-q", help="The verdict and one line a failure; no progress.", rich_help_panel=_OUTPUT),
    ] = False,
    verbose: Annotated[
        bool, typer.Option("--verbose", "-v", help="Evidence of what passed too.", rich_help_panel=_OUTPUT)
    ] = False,
) -> None:
    """Audit a live Redis, code, infra files and Prometheus together; exit code 0 holds, 1 broken, 3 incomplete."""
    from auditor import output as out
    from auditor.options import Options, build
    from auditor.scan import scan as run

    printer = out.Printer(format_, output or (), plugins or (), quiet=quiet, verbose=verbose, width=width)
    asked = build(
        Options(
            redis=redis or (), code=code or (), infra=infra or (), no_infra=no_infra, no_redis=no_redis,
            prometheus=prometheus, prometheus_token_file=prometheus_token_file, prometheus_ca=prometheus_ca,
            prometheus_insecure=prometheus_insecure, config=config, exclude=exclude or (), services=service or (),
            checklists=checklist or (), plugins=plugins or (), only=only or (), skip=skip or (), timeout=timeout,
            user=user, password_file=password_file, password_stdin=password_stdin, tls=tls, tls_ca=tls_ca, tls_cert=tls_cert, tls_key=tls_key,
            tls_server_name=tls_server_name, tls_insecure=tls_insecure, probe_plaintext=probe_plaintext, all_dbs=all_dbs,
            max_commands=max_commands, max_keys=max_keys, max_seconds=max_seconds, sample=sample,
            fail_on=fail_on, min_confidence=min_confidence, min_score=min_score, fail_on_unverified=fail_on_unverified,
            allow_empty=allow_empty, strict_sources=strict_sources, baseline=baseline,
        ),
        read_stdin=sys.stdin.read,
    )  # fmt: skip
    printer.warn(asked.warnings)
    with printer.progress() as progress:
        outcome = run(asked.request, progress)
    printer.finish(outcome, asked.request)
    raise typer.Exit(outcome.report.gate.exit_code)


@app.command("list")
def list_(
    checklist: Checklists = None,
    plugins: Plugins = None,
    only: Annotated[
        list[str] | None, typer.Option("--only", metavar="ITEMS", help="Only these: numbers, ids, ranges, sections.")
    ] = None,
    width: Width = None,
) -> None:
    """Show every item with its severity, probe and sources."""
    from auditor import output as out

    out.print_list(checklist or (), plugins or (), only or (), width)


@app.command()
def explain(
    item: Annotated[str, typer.Argument(help="88, TT088, or a word of its title or probe: maxmemory.")],
    checklist: Checklists = None,
    plugins: Plugins = None,
    width: Width = None,
) -> None:
    """Say what an item means, why it matters, how it is decided and how to mend it."""
    from auditor import output as out

    out.print_explanation(item, checklist or (), plugins or (), width)


@app.command()
def inventory(
    code: Code = None,
    service: Services = None,
    exclude: Exclude = None,
    config: ConfigFile = None,
    timeout: Annotated[
        float,
        typer.Option(
            "--timeout", min=0.1, metavar="SECONDS", help="Bound for reading the code.", rich_help_panel=_BUDGET
        ),
    ] = 120.0,
    format_: Annotated[
        InventoryFormat, typer.Option("--format", help="How to print it.", rich_help_panel=_OUTPUT)
    ] = InventoryFormat.TERMINAL,
    width: Width = None,
) -> None:
    """Show every queue, producer and worker in the code, with the options that really reach the library."""
    from auditor import output as out
    from auditor.options import Options, build
    from auditor.scan import take_inventory

    asked = build(
        Options(
            code=code or (),
            config=config,
            exclude=exclude or (),
            services=service or (),
            timeout=timeout,
            no_redis=True,
            no_infra=True,
        )
    )
    out.print_inventory(take_inventory(asked.request), format_, width)


@app.command()
def acl(
    redis: Annotated[
        str | None,
        typer.Argument(
            metavar="REDIS_URL", help="The server to write the line for; also from REDIS_URL.", show_default=False
        ),
    ] = None,
    for_: Annotated[
        AclFor, typer.Option("--for", help="tt-audit's own user, or the application's by its library.")
    ] = AclFor.AUDITOR,
    library: Annotated[
        int, typer.Option("--library-version", min=1, help="Major version of the application's library.")
    ] = 5,
    server: Annotated[
        str | None,
        typer.Option("--server-version", help="Redis version to write for [default: the server's, else 7.0]."),
    ] = None,
    name: Annotated[str, typer.Option("--name", help="Name of the user in the line.")] = "",
    prefix: Annotated[
        list[str] | None,
        typer.Option(
            "--prefix", help="Key prefix of the queues; repeatable [default: all keys; bull for an application]."
        ),
    ] = None,
    check: Annotated[
        bool, typer.Option("--check", help="Prove what the user of REDIS_URL may and may not do; nothing is changed.")
    ] = False,
    admin_url: Annotated[
        str,
        typer.Option(
            "--admin-url",
            metavar="URL",
            help="Who may ask ACL DRYRUN for that user; also from REDIS_ADMIN_URL.",
            envvar="REDIS_ADMIN_URL",
        ),
    ] = "",
    user: Annotated[str | None, typer.Option("--user", help="ACL user.", rich_help_panel=_ACCESS)] = None,
    password_file: Annotated[
        Path | None,
        typer.Option("--password-file", help="File that holds the Redis password.", rich_help_panel=_ACCESS),
    ] = None,
    password_stdin: Annotated[
        bool,
        typer.Option("--password-stdin", help="Read the Redis password from standard input.", rich_help_panel=_ACCESS),
    ] = False,
    timeout: Annotated[
        float,
        typer.Option(
            "--timeout", min=0.1, metavar="SECONDS", help="Bound for asking the server.", rich_help_panel=_BUDGET
        ),
    ] = 20.0,
) -> None:
    """Print the least-privilege ACL SETUSER line, or prove what a user may do (0 proven, 1 wrong, 3 not provable)."""
    from auditor import acl_command
    from auditor.options import Options, build

    options = Options(
        redis=[redis] if redis else (),
        user=user,
        password_file=password_file,
        password_stdin=password_stdin,
        timeout=timeout,
    )
    addresses = build(options, read_stdin=sys.stdin.read).request.redis
    if check:
        raise typer.Exit(acl_command.check(addresses, admin_url, timeout))
    acl_command.show(addresses, for_, library, server, name, prefix or (), timeout)


@app.command()
def demo(
    directory: Annotated[Path, typer.Option("--dir", help="Where to write the HTML page.")] = Path(),
    width: Width = None,
) -> None:
    """See a whole audit with no set-up: a private server, realistic queues, a sample service, both reports."""
    from auditor import output as out

    raise typer.Exit(out.run_demo(directory, width))
