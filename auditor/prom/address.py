"""Where a Prometheus is and how to get in. Credentials never show in a label, repr or error."""

from __future__ import annotations

from dataclasses import dataclass, field
from urllib.parse import unquote, urlsplit

from auditor.errors import UsageError

_FORMS = "http://host:9090, https://user:password@host/prometheus; a bearer token goes into PROMETHEUS_TOKEN or --prometheus-token-file"


@dataclass(frozen=True, slots=True)
class PrometheusAddress:
    """One Prometheus (or what speaks its API: Thanos, Mimir, VictoriaMetrics). Made by `parse`."""

    url: str = field(repr=False)
    """Base URL without credentials, without a trailing slash."""
    token: str | None = field(default=None, repr=False)
    username: str | None = field(default=None, repr=False)
    password: str | None = field(default=None, repr=False)
    ca_file: str = ""
    """PEM file to check the server's certificate with; empty: the system's."""
    insecure: bool = False
    """Do not check the certificate."""

    @property
    def endpoint(self) -> str:
        """The URL without credentials."""
        return self.url


def parse(url: str, *, token: str | None = None, ca_file: str = "", insecure: bool = False) -> PrometheusAddress:
    """Read a Prometheus URL; raises UsageError that does not repeat its credentials.

    User and password in the URL are taken for basic authentication; a token wins over them. A URL that ends in
    `/api/v1`, `/graph` or the like, as copied from a browser, is cut back to its base.
    """
    try:
        parts = urlsplit(url if "://" in url else f"http://{url}")
        port = parts.port
    except ValueError:
        raise UsageError("the Prometheus URL has no valid host and port", f"use {_FORMS}") from None
    if parts.scheme not in ("http", "https"):
        raise UsageError("the Prometheus URL has a scheme that is not known", f"use {_FORMS}")
    if not parts.hostname:
        raise UsageError("the Prometheus URL names no host", f"use {_FORMS}")
    host = f"[{parts.hostname}]" if ":" in parts.hostname else parts.hostname
    path = parts.path.rstrip("/")
    for ending in ("/api/v1", "/graph", "/query", "/alerts", "/rules", "/targets", "/metrics", "/-/healthy"):
        path = path.removesuffix(ending)
    base = f"{parts.scheme}://{host}" + (f":{port}" if port is not None else "") + path
    return PrometheusAddress(
        base,
        token=token.strip() or None if token else None,
        username=unquote(parts.username) if parts.username else None,
        password=unquote(parts.password) if parts.password is not None else None,
        ca_file=ca_file,
        insecure=insecure,
    )
