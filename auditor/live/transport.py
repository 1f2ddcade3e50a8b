"""Sockets: TCP, TLS, unix; bounded in time, and errors in words that say what to do next."""

from __future__ import annotations

import socket
import ssl
import threading
import time

from auditor.errors import SourceError

from .address import Address, Tls


def dial(address: Address, seconds: float) -> socket.socket:
    """Connect within `seconds`, name resolution and TLS handshake included; raises SourceError."""
    until = time.monotonic() + seconds
    if address.path:
        return _unix(address, seconds)
    if address.tls:
        context = _context(address, address.tls)
    plain = _tcp(address, until, seconds)
    if not address.tls:
        return plain
    try:
        plain.settimeout(max(until - time.monotonic(), 0.01))
        return context.wrap_socket(plain, server_hostname=address.tls.server_name or address.host)
    except TimeoutError:
        plain.close()
        message = f"{address.endpoint}: no TLS answer within {seconds:g} s"
        raise SourceError(message, "the port may speak plaintext: try redis:// instead of rediss://") from None
    except ssl.SSLCertVerificationError as error:
        plain.close()
        message = f"{address.endpoint}: the server's certificate does not hold: {error.verify_message}"
        raise SourceError(message, "give the CA's file, or the name that the certificate is for") from None
    except (ssl.SSLError, OSError) as error:
        plain.close()
        message = f"{address.endpoint}: the TLS handshake failed: {words(error)}"
        hint = "the port may speak plaintext (try redis://), or want a client certificate"
        raise SourceError(message, hint) from None


def _tcp(address: Address, until: float, seconds: float) -> socket.socket:
    error: OSError = OSError("no address")
    for family, kind, protocol, _, where in _resolve(address, until):
        left = until - time.monotonic()
        if left <= 0:
            error = TimeoutError()
            break
        sock = socket.socket(family, kind, protocol)
        sock.settimeout(left)
        try:
            sock.connect(where)
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            return sock
        except OSError as failure:
            sock.close()
            error = failure
    if isinstance(error, TimeoutError):
        message = f"{address.endpoint}: no connection within {seconds:g} s"
        raise SourceError(message, "check host, port and firewall") from None
    hint = (
        "is Redis running there, and is this its port?"
        if isinstance(error, ConnectionRefusedError)
        else "check host and port"
    )
    raise SourceError(f"{address.endpoint}: cannot connect: {words(error)}", hint) from None


def _resolve(address: Address, until: float) -> list[tuple[int, int, int, str, tuple[str, int]]]:
    # getaddrinfo knows no timeout of its own, so a thread that may be left behind asks
    answer: list[object] = []

    def ask() -> None:
        try:
            answer.append(socket.getaddrinfo(address.host, address.port, type=socket.SOCK_STREAM))
        except (OSError, UnicodeError) as error:
            answer.append(error)

    asking = threading.Thread(target=ask, daemon=True)
    asking.start()
    asking.join(max(until - time.monotonic(), 0.01))
    if answer and isinstance(answer[0], list):
        return answer[0]
    why = "the host's name is not known" if answer else "the host's name could not be resolved in time"
    raise SourceError(f"{address.endpoint}: {why}", "check the host in the URL, and DNS") from None


def _unix(address: Address, seconds: float) -> socket.socket:
    sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    sock.settimeout(seconds)
    try:
        sock.connect(address.path)
    except OSError as error:
        sock.close()
        raise SourceError(
            f"{address.endpoint}: cannot connect: {words(error)}", "check the socket's path and rights"
        ) from None
    return sock


def _context(address: Address, tls: Tls) -> ssl.SSLContext:
    try:
        context = ssl.create_default_context(cafile=tls.ca_file or None)
        if tls.cert_file:
            context.load_cert_chain(tls.cert_file, tls.key_file or None)
    except (OSError, ssl.SSLError) as error:
        files = ", ".join(name for name in (tls.ca_file, tls.cert_file, tls.key_file) if name)
        raise SourceError(f"{address.endpoint}: cannot use {files}: {words(error)}", "give PEM files") from None
    if tls.insecure:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    return context


def words(error: OSError) -> str:
    """The error in the system's words, without host names or numbers."""
    if isinstance(error, ssl.SSLError) and error.reason:
        return error.reason.lower().replace("_", " ")
    return (error.strerror or str(error) or type(error).__name__).lower()
