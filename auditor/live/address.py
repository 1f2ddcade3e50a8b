"""Where a Redis is and how to get in: URL, credentials, TLS. Credentials never show in a label, repr or error."""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass, field, replace
from urllib.parse import parse_qs, quote, unquote, urlsplit

from auditor.errors import UsageError

_FORMS = "redis://[user:password@]host[:6379][/db], rediss://… for TLS, unix://[user:password@]/path/to.sock[?db=0]"


@dataclass(frozen=True, slots=True)
class Tls:
    """How to check the server's certificate, and our own; paths to PEM files, empty where not given."""

    ca_file: str = ""
    cert_file: str = ""
    key_file: str = ""
    server_name: str = ""
    """Name to check the certificate for; empty: the host."""
    insecure: bool = False
    """Do not check the certificate."""


@dataclass(frozen=True, slots=True)
class Address:
    """One target. Made by `parse`; credentials and TLS files may be given apart from the URL, and win over it."""

    host: str = "localhost"
    port: int = 6379
    path: str = ""
    """Unix socket; host and port are not used then."""
    db: int = 0
    username: str | None = field(default=None, repr=False)
    password: str | None = field(default=None, repr=False)
    tls: Tls | None = None
    probe_plaintext: bool = False
    """Also try the usual plaintext port (6379) of the same host, where the connection is TLS."""

    @property
    def endpoint(self) -> str:
        """The URL without credentials: `rediss://host:6380/0`, `unix:///run/redis.sock`."""
        if self.path:
            return f"unix://{quote(self.path)}" + (f"?db={self.db}" if self.db else "")
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{'rediss' if self.tls else 'redis'}://{host}:{self.port}" + (f"/{self.db}" if self.db else "")

    @property
    def loopback(self) -> bool:
        """Whether it can only be reached from its own machine: a unix socket, localhost, 127.0.0.0/8, ::1."""
        if self.path or self.host == "localhost" or self.host.endswith(".localhost"):
            return True
        try:
            return ipaddress.ip_address(self.host).is_loopback
        except ValueError:
            return False

    @property
    def has_credentials(self) -> bool:
        """Whether a user name or password is given, be it an empty one."""
        return self.password is not None or self.username is not None

    def node(self, host: str, port: int) -> Address:
        """The same way in to another node of the same deployment."""
        return replace(self, host=host, port=port, path="")


def parse(
    url: str,
    *,
    username: str | None = None,
    password: str | None = None,
    tls: Tls | None = None,
    probe_plaintext: bool = False,
) -> Address:
    """Read a Redis URL in redis-py's forms; raises UsageError that does not repeat the URL's credentials.

    `redis://`, `rediss://`, `unix://`, and `redis+unix://`/`redis+socket://` as other clients write it. The database is
    the path's last part or `?db=`. `username` and `password` in the query are read as redis-py does, and
    `ssl_ca_certs`, `ssl_certfile`, `ssl_keyfile`, `ssl_cert_reqs=none`. Credentials may be percent-encoded.
    """
    try:
        parts = urlsplit(url if "://" in url else f"redis://{url}")
        port = parts.port
    except ValueError:
        raise UsageError("the Redis URL has no valid host and port", f"use {_FORMS}") from None
    query = {name: values[-1] for name, values in parse_qs(parts.query, keep_blank_values=True).items()}
    unix = parts.scheme in ("unix", "redis+unix", "redis+socket")
    if parts.scheme not in ("redis", "rediss") and not unix:
        raise UsageError("the Redis URL has a scheme that is not known", f"use {_FORMS}")
    if unix and not parts.path.strip("/"):
        raise UsageError("the unix:// URL names no socket", f"use {_FORMS}")
    user = unquote(parts.username) if parts.username else query.get("username")
    secret = unquote(parts.password) if parts.password is not None else query.get("password")
    given = tls or Tls()
    wants_tls = parts.scheme == "rediss" or (tls is not None and not unix)
    return Address(
        host=unquote(parts.hostname or "localhost"),
        port=6379 if port is None else port,
        path=unquote(parts.path) if unix else "",
        db=_database(query.get("db"), "" if unix else parts.path),
        username=username if username is not None else user,
        password=password if password is not None else secret,
        tls=_with_query(given, query) if wants_tls else None,
        probe_plaintext=probe_plaintext,
    )


def _database(asked: str | None, path: str) -> int:
    text = asked if asked is not None else unquote(path).strip("/")
    if not text:
        return 0
    if not text.isascii() or not text.isdecimal() or len(text) > 9:
        raise UsageError("the Redis URL's database is no number", f"use {_FORMS}")
    return int(text)


def _with_query(tls: Tls, query: dict[str, str]) -> Tls:
    return replace(
        tls,
        ca_file=tls.ca_file or query.get("ssl_ca_certs", ""),
        cert_file=tls.cert_file or query.get("ssl_certfile", ""),
        key_file=tls.key_file or query.get("ssl_keyfile", ""),
        insecure=tls.insecure or query.get("ssl_cert_reqs", "").lower() in ("none", "cert_none"),
    )
