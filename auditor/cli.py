"""The command line: parse, call, print. No decisions; one boundary for all errors that a user can cause."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

import auditor
from auditor import parameters
from auditor.errors import AuditError

app = typer.Typer(
    name="tt-audit",
    help="Proves, with evidence anyone can re-check, whether a Bull/BullMQ job system is fit for production.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


def main() -> None:
    """Run the command line; the only place where an AuditError becomes a message and an exit code."""
    sys.argv[1:] = [
        f"{word}={parameters.Unverified.ASKED}" if word == parameters.UNVERIFIED_FLAG else word for word in sys.argv[1:]
    ]
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


@app.command()
def scan(
    redis: parameters.Redis = None,
    code: parameters.Code = None,
    infra: parameters.Infra = None,
    no_infra: parameters.NoInfra = False,
    no_redis: parameters.NoRedis = False,
    prometheus: parameters.Prometheus = "",
    prometheus_token_file: parameters.PrometheusTokenFile = None,
    prometheus_ca: parameters.PrometheusCa = None,
    prometheus_insecure: parameters.PrometheusInsecure = False,
    user: parameters.User = None,
    password_file: parameters.PasswordFile = None,
    password_stdin: parameters.PasswordStdin = False,
    tls: parameters.Tls = False,
    tls_ca: parameters.TlsCa = None,
    tls_cert: parameters.TlsCert = None,
    tls_key: parameters.TlsKey = None,
    tls_server_name: parameters.TlsServerName = "",
    tls_insecure: parameters.TlsInsecure = False,
    probe_plaintext: parameters.ProbePlaintext = False,
    all_dbs: parameters.AllDbs = False,
    only: parameters.Only = None,
    skip: parameters.Skip = None,
    service: parameters.Services = None,
    exclude: parameters.Exclude = None,
    config: parameters.ConfigFile = None,
    checklist: parameters.Checklists = None,
    plugins: parameters.Plugins = None,
    timeout: parameters.Timeout = 120.0,
    max_commands: parameters.MaxCommands = None,
    max_keys: parameters.MaxKeys = None,
    max_seconds: parameters.MaxSeconds = None,
    sample: parameters.Sample = None,
    max_jobs: parameters.MaxJobs = None,
    fail_on: parameters.FailOnOption = None,
    min_confidence: parameters.MinConfidence = None,
    min_score: parameters.MinScore = None,
    fail_on_unverified: parameters.FailOnUnverified = None,
    allow_empty: parameters.AllowEmpty = False,
    strict_sources: parameters.StrictSources = False,
    baseline: parameters.Baseline = None,
    no_cache: parameters.NoCache = False,
    output: parameters.Output = None,
    format_: parameters.Format = "terminal",
    width: parameters.Width = None,
    quiet: parameters.Quiet = False,
    verbose: parameters.Verbose = False,
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
            max_jobs=max_jobs,
            fail_on=fail_on, min_confidence=min_confidence, min_score=min_score, fail_on_unverified=fail_on_unverified,
            allow_empty=allow_empty, strict_sources=strict_sources, baseline=baseline, no_cache=no_cache,
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
    checklist: parameters.Checklists = None,
    plugins: parameters.Plugins = None,
    only: Annotated[
        list[str] | None, typer.Option("--only", metavar="ITEMS", help="Only these: numbers, ids, ranges, sections.")
    ] = None,
    width: parameters.Width = None,
) -> None:
    """Show every item with its severity, probe and sources."""
    from auditor import output as out

    out.print_list(checklist or (), plugins or (), only or (), width)


@app.command()
def explain(
    item: Annotated[str, typer.Argument(help="88, TT088, or a word of its title or probe: maxmemory.")],
    checklist: parameters.Checklists = None,
    plugins: parameters.Plugins = None,
    width: parameters.Width = None,
) -> None:
    """Say what an item means, why it matters, how it is decided and how to mend it."""
    from auditor import output as out

    out.print_explanation(item, checklist or (), plugins or (), width)


@app.command()
def inventory(
    code: parameters.Code = None,
    service: parameters.Services = None,
    exclude: parameters.Exclude = None,
    config: parameters.ConfigFile = None,
    timeout: parameters.InventoryTimeout = 120.0,
    no_cache: parameters.NoCache = False,
    format_: parameters.InventoryFormatOption = parameters.InventoryFormat.TERMINAL,
    width: parameters.Width = None,
) -> None:
    """Show every queue, producer and worker in the code, with the options that really reach the library."""
    from auditor import output as out
    from auditor.inventory import take_inventory
    from auditor.options import Options, build

    asked = build(
        Options(
            code=code or (),
            config=config,
            exclude=exclude or (),
            services=service or (),
            timeout=timeout,
            no_redis=True,
            no_infra=True,
            no_cache=no_cache,
        )
    )
    out.warn(asked.warnings)
    out.print_inventory(take_inventory(asked.request), format_, width)


@app.command()
def acl(
    redis: parameters.AclRedis = None,
    for_: parameters.AclForOption = parameters.AclFor.AUDITOR,
    library: parameters.AclLibrary = 5,
    server: parameters.AclServer = None,
    name: parameters.AclName = "",
    prefix: parameters.AclPrefix = None,
    check: parameters.AclCheck = False,
    admin_url: parameters.AclAdminUrl = "",
    user: parameters.User = None,
    password_file: parameters.PasswordFile = None,
    password_stdin: parameters.PasswordStdin = False,
    timeout: parameters.AclTimeout = 20.0,
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
    width: parameters.Width = None,
) -> None:
    """See a whole audit with no set-up: a private server, realistic queues, a sample service, both reports."""
    from auditor import output as out

    raise typer.Exit(out.run_demo(directory, width))
