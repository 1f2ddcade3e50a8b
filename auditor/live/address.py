"""Where a Redis is and how to get in: URL, credentials, TLS. Credentials never show in a label, repr or error."""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass, field, replace
from urllib.parse import parse_qs, quote, unquote, urlsplit

from auditor.errors import UsageError

_UNIX = ("unix", "redis+unix", "redis+socket")
_SCHEMES = ("redis", "rediss", *_UNIX, "redis+sentinel", "rediss+sentinel")
_FORMS = "redis://[user:password@]host[:6379][/db], rediss://… for TLS, unix://[user:password@]/path/to.sock[?db=0], redis+sentinel://h1:26379,h2/service[/db]"


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
    all_dbs: bool = False
    """Read every logical database that holds keys, not just `db`."""
    sentinels: tuple[tuple[str, int], ...] = ()
    """Sentinels to ask for the primary of `service`; host and port are not used then."""
    service: str = ""
    sentinel_username: str | None = field(default=None, repr=False)
    sentinel_password: str | None = field(default=None, repr=False)

    @property
    def endpoint(self) -> str:
        """The URL without credentials: `rediss://host:6380/1`, `unix:///run/redis.sock`."""
        if self.sentinels:
            hosts = ",".join(f"{_bracketed(host)}:{port}" for host, port in self.sentinels)
            return f"{'rediss' if self.tls else 'redis'}+sentinel://{hosts}/{self.service}" + (
                f"/{self.db}" if self.db else ""
            )
        if self.path:
            return f"unix://{quote(self.path)}" + (f"?db={self.db}" if self.db else "")
        return f"{'rediss' if self.tls else 'redis'}://{_bracketed(self.host)}:{self.port}" + (
            f"/{self.db}" if self.db else ""
        )

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
        return replace(self, host=host, port=port, path="", sentinels=())


def parse(
    url: str,
    *,
    username: str | None = None,
    password: str | None = None,
    tls: Tls | None = None,
    probe_plaintext: bool = False,
    all_dbs: bool = False,
) -> Address:
    """Read a Redis URL in redis-py's forms; raises UsageError that does not repeat the URL's credentials.

    `redis://`, `rediss://`, `unix://`, and `redis+unix://`/`redis+socket://` as other clients write it;
    `redis+sentinel://h1:26379,h2,h3/service[/db]` (`rediss+sentinel://` where both speak TLS). The database is the path's
    last part or `?db=`. `username` and `password` in the query are read as redis-py does, `ssl_ca_certs`, `ssl_certfile`,
    `ssl_keyfile`, `ssl_cert_reqs=none`, and `sentinel_username`, `sentinel_password`. Credentials may be percent-encoded.
    """
    scheme, _, rest = (url if "://" in url else f"redis://{url}").partition("://")
    scheme = scheme.lower()
    if scheme not in _SCHEMES:
        raise UsageError("the Redis URL has a scheme that is not known", f"use {_FORMS}")
    location, _, asked = rest.partition("?")
    authority, slash, path = location.partition("/")
    login, _, hosts = authority.rpartition("@")
    user, colon, secret = login.partition(":")
    query = {name: values[-1] for name, values in parse_qs(asked, keep_blank_values=True).items()}
    address = Address(
        username=_first(username, unquote(user) or None, query.get("username")),
        password=_first(password, unquote(secret) if colon else None, query.get("password")),
        probe_plaintext=probe_plaintext,
        all_dbs=all_dbs,
    )
    if scheme in _UNIX:
        if hosts or not path:
            raise UsageError("the unix:// URL names no socket", f"use {_FORMS}")
        return replace(address, path=slash + unquote(path), db=_database(query.get("db"), ""))
    if scheme.startswith("rediss") or tls is not None:
        address = replace(address, tls=_with_query(tls or Tls(), query))
    if scheme.endswith("+sentinel"):
        return _with_sentinels(address, hosts, path, query)
    host, port = _host(hosts, 6379)
    return replace(address, host=host, port=port, db=_database(query.get("db"), path))


def _with_sentinels(address: Address, hosts: str, path: str, query: dict[str, str]) -> Address:
    service, _, db = path.partition("/")
    if not service:
        raise UsageError("the Sentinel URL names no service", f"use {_FORMS}")
    return replace(
        address,
        sentinels=tuple(_host(host, 26379) for host in hosts.split(",")),
        service=unquote(service),
        db=_database(query.get("db"), db),
        sentinel_username=query.get("sentinel_username"),
        sentinel_password=query.get("sentinel_password"),
    )


def _host(text: str, default: int) -> tuple[str, int]:
    try:
        parts = urlsplit(f"//{text}")
        return unquote(parts.hostname or "localhost"), default if parts.port is None else parts.port
    except ValueError:
        raise UsageError("the Redis URL has no valid host and port", f"use {_FORMS}") from None


def _bracketed(host: str) -> str:
    return f"[{host}]" if ":" in host else host


def _first(*given: str | None) -> str | None:
    return next((value for value in given if value is not None), None)


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
