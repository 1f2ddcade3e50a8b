"""Getting in: AUTH, PING, SELECT, and what each refusal means in words that say what to do next."""

from __future__ import annotations

from dataclasses import dataclass

from auditor.errors import SourceError
from auditor.model import Cause

from . import info
from .address import Address
from .connection import Connection, LostError, Reply, ReplyError
from .meter import Meter

_WELL_KNOWN = """
123456 1234567 12345678 123456789 1234567890 admin administrator changeme change_me default dev development
example foobared guest letmein local mypassword pass passw0rd password password1 password123 qwerty redis
redis123 redispass redispassword redis_password root secret test test123 testing ttpass your_password
yourpassword
"""
_TRY_TLS = "the port may want TLS: try rediss://"


@dataclass(frozen=True, slots=True)
class Session:
    """A connection that may ask."""

    connection: Connection
    password_unneeded: bool
    """A password was given, but the server has none."""
    may_ping: bool = True


def login(address: Address, meter: Meter) -> Session:
    """Connect and log in; raises SourceError that names the target, the reason and the next step."""
    connection = Connection(address, meter)
    try:
        unneeded = _authenticate(connection)
        may_ping = _ping(connection)
        _select(connection)
    except LostError as error:
        connection.close()
        raise _gone(address, error) from None
    except BaseException:
        connection.close()
        raise
    return Session(connection, unneeded, may_ping)


def weakness(address: Address) -> str:
    """What is wrong with the password given: `empty`, `a well-known word`, or nothing. Never the password."""
    if not address.has_credentials:
        return ""
    if not address.password:
        return "empty"
    return "a well-known word" if address.password.lower() in _WELL_KNOWN.split() else ""


def _authenticate(connection: Connection) -> bool:
    address = connection.address
    if not address.has_credentials:
        return False
    password = address.password or ""
    if address.username:
        reply = connection.greet("AUTH", address.username, password)
        if isinstance(reply, ReplyError) and "wrong number of arguments" in str(reply):
            reply = connection.greet("AUTH", password)  # Redis before 6 knows no users
    elif password:
        reply = connection.greet("AUTH", password)
    else:
        return False
    if not isinstance(reply, ReplyError):
        return False
    if "without any password configured" in str(reply):
        return True
    if reply.code in ("WRONGPASS", "NOAUTH") or "invalid password" in str(reply).lower():
        message = f"{address.endpoint}: the server refused the user name or password"
        raise SourceError(message, "check both; where ACLs are used, the user must be on")
    raise _refused(address, reply)


def _ping(connection: Connection) -> bool:
    reply = connection.greet("PING")
    if reply == "PONG":
        return True
    if isinstance(reply, ReplyError):
        # a user who may not PING may still read, and so may all where a failed save stops writes, PING among them
        if reply.code in ("NOPERM", "MISCONF") or "unknown command" in str(reply).lower():
            return False
        if reply.code == "MASTERDOWN":
            raise _orphaned(connection)
        raise _refused(connection.address, reply)
    raise LostError("what answers is no Redis", not_redis=True)


def _select(connection: Connection) -> None:
    address = connection.address
    if not address.db:
        return
    reply = connection.greet("SELECT", address.db)
    if isinstance(reply, ReplyError):
        if reply.code == "NOPERM":
            raise SourceError(
                f"{address.endpoint}: this user may not choose a database", "grant +select, or leave the number out"
            )
        raise SourceError(
            f"{address.endpoint}: database {address.db} cannot be used: {said(reply)}", "leave the number out"
        )


def _refused(address: Address, reply: ReplyError) -> SourceError:
    at = address.endpoint
    text = str(reply)
    if reply.code == "NOAUTH":
        return SourceError(
            f"{at}: the server asks for a password, and none was given", "give it in the URL or beside it"
        )
    if reply.code == "DENIED":
        return SourceError(
            f"{at}: protected mode: no password is set, so only its own machine may talk to it",
            "run there, or set a password",
        )
    if reply.code in ("LOADING", "BUSY"):
        return SourceError(f"{at}: the server cannot answer now: {said(reply)}", "try again later", Cause.REFUSED)
    if "max number of clients" in text:
        return SourceError(
            f"{at}: the server has no connection left (maxclients reached)", "close connections or raise maxclients"
        )
    return SourceError(f"{at}: the server refused: {said(reply)}", "check what this user may do")


def _orphaned(connection: Connection) -> SourceError:
    """A replica without its primary; INFO, which it answers all the same, tells which one that is."""
    told = connection.greet("INFO", "replication")
    primary = info.replication(info.parse(told), None).master if isinstance(told, str) else ""
    of = f" {primary}" if primary else ""
    return SourceError(
        f"{connection.address.endpoint}: a replica that has lost its primary{of}, and gives no data until it is back",
        f"scan the primary{of} itself, or mend the link between them (MASTERDOWN)",
        Cause.REFUSED,
    )


def _gone(address: Address, error: LostError) -> SourceError:
    hint = "check host and port" if address.tls or address.path else f"check host and port; {_TRY_TLS}"
    if address.tls and not error.timed_out:
        hint = "the server may want a client certificate: give one with its key"
    if error.timed_out and not address.tls:
        hint = "the server hangs, or is no Redis; check host and port"
    return SourceError(f"{address.endpoint}: {error}", hint)


def said(reply: Reply) -> str:
    """A server's error in one printable line of at most 160 characters."""
    line = " ".join(str(reply).split())
    return "".join(c if c.isprintable() else "?" for c in line)[:160]
