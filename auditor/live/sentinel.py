"""Asking Sentinels where the primary is, and how many of them watch it."""

from __future__ import annotations

from dataclasses import replace

from auditor.errors import SourceError

from .address import Address
from .asking import whole
from .connection import Connection, LostError, Reply, ReplyError
from .login import login, said
from .meter import Meter
from .server_model import SentinelView


def find_primary(address: Address, meter: Meter) -> tuple[Address, SentinelView]:
    """The primary's address by the first Sentinel that answers; raises SourceError where none does."""
    failures: list[str] = []
    for host, port in address.sentinels:
        own = replace(
            address.node(host, port), db=0, username=address.sentinel_username, password=address.sentinel_password
        )
        try:
            with login(own, meter).connection as connection:
                return _ask(connection, address)
        except SourceError as error:
            failures.append(error.message)
        except LostError as error:
            failures.append(f"{own.endpoint}: {error}")
    raise SourceError(
        f"{address.endpoint}: no Sentinel led to a primary: {'; '.join(failures)}",
        "check hosts, ports and the service's name",
    )


def _ask(connection: Connection, address: Address) -> tuple[Address, SentinelView]:
    at = connection.address.endpoint
    where, masters, agreed = connection.run(
        [
            ("SENTINEL", "GET-MASTER-ADDR-BY-NAME", address.service),
            ("SENTINEL", "MASTERS"),
            ("SENTINEL", "CKQUORUM", address.service),
        ]
    )
    known = [_fields(master) for master in masters] if isinstance(masters, list) else []
    match where:
        case [str(host), str(port)]:
            pass
        case ReplyError():
            hint = "; this is no Sentinel" if "unknown command" in str(where).lower() else ""
            raise SourceError(f"{at}: {said(where)}{hint}")
        case _:
            names = ", ".join(master.get("name", "") for master in known) or "nothing"
            raise SourceError(f"{at}: this Sentinel does not know the service {address.service}; it watches {names}")
    mine = next((master for master in known if master.get("name") == address.service), {})
    others = whole(mine.get("num-other-sentinels")) or 0
    return address.node(host, int(port)), SentinelView(
        service=address.service,
        sentinels=others + 1,
        quorum=whole(mine.get("quorum")) or 0,
        replicas=whole(mine.get("num-slaves")) or 0,
        agreed=_agreed(agreed),
    )


def _agreed(reply: Reply) -> bool | None:
    if isinstance(reply, ReplyError):
        return False if reply.code in ("NOQUORUM", "NOGOODSLAVE") else None
    return True


def _fields(reply: Reply) -> dict[str, str]:
    texts = [str(part) for part in reply] if isinstance(reply, list) else []
    return dict(zip(texts[::2], texts[1::2], strict=False))
