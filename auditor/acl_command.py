"""`tt-audit acl`: the least-privilege line, and the proof of what a user may do."""

from __future__ import annotations

import time
from collections.abc import Sequence

from auditor import masking
from auditor.errors import UsageError
from auditor.live.acl import application_line, auditor_line
from auditor.live.address import Address, parse
from auditor.live.budget import Budget
from auditor.live.login import login
from auditor.live.meter import Meter
from auditor.live.model import Library
from auditor.live.proof import Proof, prove
from auditor.live.server import read_server
from auditor.output import write

_ASSUMED = "7.0"

PROVEN, WRONG, NOT_PROVABLE = 0, 1, 3


def show(
    addresses: Sequence[Address],
    whose: str,
    library: int,
    server: str | None,
    name: str,
    prefixes: Sequence[str],
    timeout: float,
) -> None:
    """Print the line for the server's version. Raises SourceError where the server named cannot be asked."""
    version, cluster = server or _ASSUMED, False
    if server is None and addresses:
        version, cluster = _ask(addresses[0], timeout)
    if whose == "auditor":
        line = auditor_line(version, user=name or "tt-audit", prefixes=prefixes, cluster=cluster)
    else:
        line = application_line(
            Library(whose), library, version, user=name or "app", prefix=prefixes[0] if prefixes else "bull"
        )
    write(f"{line}\n")


def check(addresses: Sequence[Address], admin_url: str, timeout: float) -> int:
    """Print what the user may and may not do, and give the exit code. Raises UsageError without a Redis, SourceError."""
    if not addresses:
        raise UsageError("acl --check: whose permissions?", "give the user's REDIS_URL")
    admin = parse(admin_url) if admin_url else None
    masking.remember(admin.password if admin else None)
    proof = prove(addresses[0], admin, time.monotonic() + timeout)
    write("\n".join(_lines(proof)) + "\n")
    return {True: PROVEN, False: WRONG, None: NOT_PROVABLE}[proof.holds]


def _ask(address: Address, timeout: float) -> tuple[str, bool]:
    session = login(address, Meter(Budget(), time.monotonic() + timeout))
    with session.connection:
        server = read_server(session)
    mode = getattr(server.replication, "mode", "")
    return server.version or _ASSUMED, mode == "cluster"


def _lines(proof: Proof) -> list[str]:
    verdict = {
        True: "may do all that a scan needs, and nothing else that was tried",
        False: "is not what a scan should run as",
        None: "cannot be proven to be read-only",
    }[proof.holds]
    lines = [f"{proof.user} at {proof.endpoint} {verdict} (by {proof.means})"]
    if proof.why:
        lines.append(f"  {proof.why}")
    for title, wanted, granted in (
        ("may, and needs to", True, True),
        ("may not, as it should be", False, False),
        ("MAY, and should not", False, True),
        ("may not, and needs to", True, False),
    ):
        names = [p.command for p in proof.permissions if p.wanted is wanted and p.granted is granted]
        if names:
            lines.append(f"  {title}: {', '.join(names)}")
    unknown = [p.command for p in proof.permissions if p.granted is None]
    if unknown:
        lines.append(f"  cannot be told from the user's rules: {', '.join(unknown)}")
    if proof.holds is None:
        lines.append("  → give --admin-url: a user who may ask ACL DRYRUN (Redis 7 or newer)")
    if proof.holds is False:
        lines.append("  → tt-audit acl prints the line for a user that may only read")
    return lines
