"""`tt-audit acl`: the line, and the proof."""

from __future__ import annotations

from tests.support.redis_server import redis_server

from .support import tt_audit


def test_the_line_is_for_the_servers_version_and_works_on_it() -> None:
    with redis_server(tcp=True) as server:
        line = tt_audit("acl", server.url, "--name", "reader").out.strip()
        assert line.startswith("ACL SETUSER reader reset on >PASSWORD %R~* ")
        server.client().execute_command(*line.replace(">PASSWORD", ">readers-own-1").split())
        url = f"redis://reader@127.0.0.1:{server.port}"
        checked = tt_audit("acl", url, "--check", "--admin-url", server.url, env={"REDISCLI_AUTH": "readers-own-1"})
        assert checked.code == 0, checked.out
        assert "may do all that a scan needs" in checked.out
        scanned = tt_audit("scan", url, "--fail-on", "none", "--allow-empty", env={"REDISCLI_AUTH": "readers-own-1"})
        assert scanned.code == 0, scanned.err
        assert "partial" not in scanned.out


def test_without_a_server_the_line_is_for_the_version_given() -> None:
    assert " ~* " in tt_audit("acl", "--server-version", "6.2").out
    assert " %R~bull:* " in tt_audit("acl", "--prefix", "bull").out
    assert "+evalsha" in tt_audit("acl", "--for", "bullmq").out
    assert "+publish" in tt_audit("acl", "--for", "bull", "--library-version", "4").out


def test_a_user_who_may_write_is_wrong() -> None:
    with redis_server(tcp=True) as server:
        checked = tt_audit("acl", server.url, "--check")
    assert checked.code == 1
    assert "MAY, and should not: SET" in checked.out


def test_check_needs_a_user() -> None:
    assert tt_audit("acl", "--check").code == 2
