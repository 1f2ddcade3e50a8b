"""What a user may do, proven on a real server."""

from __future__ import annotations

import time

import pytest

from auditor.live.acl import auditor_line
from auditor.live.address import parse
from auditor.live.proof import Means, Proof, prove
from tests.support.redis_server import RunningServer, redis_server


def proven(server: RunningServer, user: str, *rules: str, admin: bool = False) -> Proof:
    client = server.client()
    client.execute_command("ACL", "SETUSER", user, "reset", "on", ">secret-of-user", *rules)
    address = parse(server.url, username=user, password="secret-of-user")
    return prove(address, parse(server.url) if admin else None, time.monotonic() + 10)


def test_our_own_line_lets_a_user_read_and_nothing_else() -> None:
    with redis_server() as server:
        words = auditor_line("7.0").split()
        rules = words[words.index("on") + 1 :]
        got = proven(server, "tt-audit", *[word for word in rules if not word.startswith(">")], admin=True)
    assert (got.means, got.holds, got.user) == (Means.DRYRUN, True, "tt-audit")
    assert {p.command for p in got.permissions if p.granted} >= {"SCAN", "HMGET", "CONFIG GET", "CLIENT LIST"}
    assert not any(
        p.granted for p in got.permissions if p.command in ("SET", "EVAL", "FLUSHALL", "CONFIG SET", "ACL SETUSER")
    )


def test_a_user_who_may_write_is_told_without_an_administrator() -> None:
    with redis_server() as server:
        got = proven(server, "app", "~*", "+@all")
    assert (got.means, got.holds) == (Means.DRYRUN, False)
    assert {"SET", "FLUSHALL"} <= {p.command for p in got.permissions if not p.right}


def test_without_dryrun_the_users_own_rules_are_judged() -> None:
    with redis_server() as server:
        narrow = proven(server, "narrow", "~*", "-@all", "+ping", "+acl|whoami", "+acl|getuser", "+get", "+set")
        broad = proven(server, "broad", "~*", "+@read", "+acl|whoami", "+acl|getuser")
    assert (narrow.means, narrow.holds) == (Means.RULES, False)
    assert "ACL DRYRUN" in narrow.why
    by_name = {p.command: p.granted for p in narrow.permissions}
    assert (by_name["GET"], by_name["SET"], by_name["SCAN"], by_name["ACL WHOAMI"]) == (True, True, False, True)
    assert {p.command: p.granted for p in broad.permissions}["GET"] is None, "a category's members are the server's"


def test_what_cannot_be_proven_is_said_to_be_so() -> None:
    with redis_server() as server:
        got = proven(server, "blind", "~*", "-@all", "+ping", "+get")
    assert (got.means, got.holds, got.permissions) == (Means.NOTHING, None, ())
    assert "ACL GETUSER" in got.why


@pytest.mark.parametrize("secret", ["secret-of-user"])
def test_no_secret_is_kept(secret: str) -> None:
    with redis_server() as server:
        got = proven(server, "app", "~*", "+@all")
    assert secret not in repr(got)
