"""A request out of command line, environment and tt-audit.yaml: the command line wins, then the environment."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from auditor import config as configuration
from auditor import masking, waivers
from auditor.config import Config
from auditor.errors import UsageError
from auditor.gate import Policy
from auditor.live.address import Address, Tls, parse
from auditor.live.budget import Budget
from auditor.model import Confidence, Severity
from auditor.request import Request

if TYPE_CHECKING:
    from auditor.prom.address import PrometheusAddress

ARGV_WARNING = (
    "the password in the Redis URL is visible to everyone who can list this machine's processes: "
    "use REDIS_URL, --password-file, --password-stdin or REDISCLI_AUTH"
)


@dataclass(frozen=True, slots=True)
class Options:
    """The command line of `scan`, as typed."""

    redis: Sequence[str] = ()
    code: Sequence[Path] = ()
    infra: Sequence[Path] = ()
    no_infra: bool = False
    no_redis: bool = False
    prometheus: str = ""
    prometheus_token_file: Path | None = None
    prometheus_ca: Path | None = None
    prometheus_insecure: bool = False
    config: Path | None = None
    exclude: Sequence[str] = ()
    services: Sequence[str] = ()
    checklists: Sequence[Path] = ()
    plugins: Sequence[Path] = ()
    only: Sequence[str] = ()
    skip: Sequence[str] = ()
    timeout: float = 120.0
    user: str | None = None
    password_file: Path | None = None
    password_stdin: bool = False
    tls: bool = False
    tls_ca: Path | None = None
    tls_cert: Path | None = None
    tls_key: Path | None = None
    tls_server_name: str = ""
    tls_insecure: bool = False
    probe_plaintext: bool = False
    all_dbs: bool = False
    max_commands: int | None = None
    max_keys: int | None = None
    max_seconds: float | None = None
    sample: int | None = None
    max_jobs: int | None = None
    fail_on: str | None = None
    min_confidence: str | None = None
    min_score: int | None = None
    fail_on_unverified: str | None = None
    allow_empty: bool = False
    strict_sources: bool = False
    baseline: Path | None = None
    no_cache: bool = False


@dataclass(frozen=True, slots=True)
class Asked:
    """A request, and what a person should be told beside it."""

    request: Request
    warnings: tuple[str, ...] = field(default=())


def build(
    options: Options, environment: Mapping[str, str] = os.environ, read_stdin: Callable[[], str] | None = None
) -> Asked:
    """The request. Raises UsageError, ConfigError."""
    config = read_config(options.config, options.code)
    warnings: list[str] = []
    code = tuple(Path(path) for path in options.code) or config.code
    infra = _infra(options, config, code)
    return Asked(
        Request(
            redis=_redis(options, config, environment, read_stdin, warnings),
            code=code,
            infra=infra,
            prometheus=_prometheus(options, config, environment),
            exclude=(*config.exclude, *options.exclude),
            services=config.services,
            only_services=tuple(options.services),
            kinds=config.kinds,
            roles=config.roles,
            checklists=tuple(options.checklists) or config.checklist,
            plugins=(*config.plugins, *options.plugins),
            params=config.params,
            only=tuple(options.only),
            skip=tuple(options.skip),
            budget=_budget(options),
            timeout=options.timeout,
            policy=_policy(options, config),
            waivers=config.waivers,
            attestations=config.attestations,
            baseline=waivers.read_baseline(options.baseline) if options.baseline else frozenset(),
            config=config.digest,
            cache=None if options.no_cache else _cache(environment, (*code, *infra), warnings),
        ),
        tuple(warnings),
    )


def read_config(path: Path | None, code: Sequence[Path]) -> Config:
    """tt-audit.yaml as given, else the nearest above the code or the working folder, else nothing."""
    if path is not None:
        return configuration.load(path)
    start = code[0].resolve() if code and code[0].is_dir() else Path.cwd()
    found = configuration.discover(start)
    return configuration.load(found) if found else Config()


def _redis(
    options: Options,
    config: Config,
    environment: Mapping[str, str],
    read_stdin: Callable[[], str] | None,
    warnings: list[str],
) -> tuple[Address, ...]:
    if options.no_redis:
        return ()
    from_environment = (environment["REDIS_URL"],) if environment.get("REDIS_URL") else ()
    urls = tuple(options.redis) or from_environment or config.redis
    if not urls:
        return ()
    password = _password(options, environment, read_stdin)
    masking.remember(password)
    tls = _tls(options)
    addresses = tuple(
        parse(
            url,
            username=options.user,
            password=password,
            tls=tls,
            probe_plaintext=options.probe_plaintext,
            all_dbs=options.all_dbs,
        )
        for url in urls
    )
    for address in addresses:
        masking.remember(address.password)
    if options.redis and any(parse(url).password for url in options.redis):
        warnings.append(ARGV_WARNING)
    return addresses


def _password(options: Options, environment: Mapping[str, str], read_stdin: Callable[[], str] | None) -> str | None:
    if options.password_file and options.password_stdin:
        raise UsageError("--password-file and --password-stdin exclude each other", "give one")
    if options.password_file:
        return read_secret(options.password_file, "--password-file")
    if options.password_stdin:
        text = read_stdin() if read_stdin else ""
        if not text.strip():
            raise UsageError(
                "--password-stdin: standard input is empty",
                'pipe the password in: printf %s "$PASSWORD" | tt-audit scan …',
            )
        return text.rstrip("\r\n")
    return environment.get("REDISCLI_AUTH") or None


def read_secret(path: Path, option: str) -> str:
    """The text of a file that holds one secret. Raises UsageError."""
    try:
        return path.read_text(encoding="utf-8").rstrip("\r\n")
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "not text"
        raise UsageError(f"{option} {path}: {reason}", "give a readable file that holds nothing else") from error


def _tls(options: Options) -> Tls | None:
    files = (options.tls_ca, options.tls_cert, options.tls_key)
    if not (options.tls or any(files) or options.tls_server_name or options.tls_insecure):
        return None
    for path in files:
        if path is not None and not path.is_file():
            raise UsageError(f"{path}: no such file", "the --tls options take PEM files")
    ca, cert, key = (str(path) if path else "" for path in files)
    return Tls(ca, cert, key, options.tls_server_name, options.tls_insecure)


def _infra(options: Options, config: Config, code: tuple[Path, ...]) -> tuple[Path, ...]:
    """As given, else the repositories that hold the code."""
    if options.no_infra:
        return ()
    given = tuple(Path(path) for path in options.infra) or config.infra
    if given:
        return given
    from auditor.infra.tree import repository_root

    return tuple(dict.fromkeys(repository_root(path) for path in code if path.exists()))


def _cache(environment: Mapping[str, str], roots: Sequence[Path], warnings: list[str]) -> Path | None:
    """The folder of the cache; None where there is none, or where it lies in what is scanned."""
    from auditor.cache.entries import VARIABLE, folder
    from auditor.infra.tree import repository_root

    where = folder(environment)
    if where is None:
        return None
    real = where.resolve()
    tops = dict.fromkeys(repository_root(root) for root in roots or [Path.cwd()])
    holder = next((top for top in tops if real.is_relative_to(top)), None)
    if holder is not None and roots:
        warnings.append(f"nothing is cached: {where} lies in {holder}, which is scanned (set {VARIABLE})")
    return real if holder is None else None


def _prometheus(options: Options, config: Config, environment: Mapping[str, str]) -> PrometheusAddress | None:
    url = options.prometheus or config.prometheus
    if not url:
        return None
    from auditor.prom.address import parse as parse_prometheus

    if options.prometheus_ca and not options.prometheus_ca.is_file():
        raise UsageError(f"--prometheus-ca {options.prometheus_ca}: no such file", "give a PEM file")
    token = (
        read_secret(options.prometheus_token_file, "--prometheus-token-file")
        if options.prometheus_token_file
        else environment.get("PROMETHEUS_TOKEN")
    )
    masking.remember(token)
    address = parse_prometheus(
        url, token=token, ca_file=str(options.prometheus_ca or ""), insecure=options.prometheus_insecure
    )
    masking.remember(address.password)
    return address


def _budget(options: Options) -> Budget:
    standard = Budget()
    return Budget(
        commands=options.max_commands or standard.commands,
        keys=standard.keys if options.max_keys is None else options.max_keys,
        seconds=options.max_seconds or standard.seconds,
        sample=options.sample or standard.sample,
        jobs=options.max_jobs or standard.jobs,
        each_state=not (options.sample or options.max_jobs),
    )


def _policy(options: Options, config: Config) -> Policy:
    fail_on = options.fail_on or config.fail_on or Severity.HIGH
    unverified = options.fail_on_unverified or ("asked" if config.fail_on_unverified else "no")
    return Policy(
        fail_on=None if fail_on == "none" else Severity(fail_on),
        min_confidence=Confidence(options.min_confidence or config.min_confidence or Confidence.LIKELY),
        min_score=options.min_score if options.min_score is not None else config.min_score,
        fail_on_unverified=unverified,
        allow_empty=options.allow_empty,
        strict_sources=options.strict_sources,
    )
