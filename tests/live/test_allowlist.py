"""Nothing but listed reads leaves the tool: by the list itself, and by what a real server saw."""

from __future__ import annotations

import contextlib
import socket
from collections.abc import Iterator

import pytest

from auditor.live.allowlist import ALLOWED, SETTINGS, ForbiddenError, check

from ..support.node import drive, driving
from ..support.redis_server import RunningServer, redis_server
from .support import scan

WRITES = [
    ("SET", "k", "v"),
    ("DEL", "k"),
    ("KEYS", "*"),
    ("EVAL", "return 1", 0),
    ("EVALSHA", "0", 0),
    ("FLUSHALL",),
    ("CONFIG", "SET", "maxmemory", 1),
    ("CLIENT", "KILL", "ID", 1),
    ("CLIENT", "SETNAME", "x"),
    ("CLIENT", "SETINFO", "LIB-NAME", "x"),
    ("HELLO", 3),
    ("MULTI",),
    ("MONITOR",),
    ("DEBUG", "SLEEP", 1),
    ("ACL", "LIST"),
    ("SUBSCRIBE", "x"),
    ("SORT", "k", "STORE", "l"),
    ("MEMORY", "PURGE"),
    ("MEMORY", "USAGE", "k"),
    ("MEMORY", "USAGE", "k", "SAMPLES", 0),
    ("MEMORY", "USAGE", "k", "SAMPLES", 100_000),
]


@pytest.mark.parametrize("command", WRITES, ids=lambda command: " ".join(map(str, command)))
def test_writes_and_heavy_reads_are_refused(command: tuple[str | int, ...]) -> None:
    with pytest.raises(ForbiddenError):
        check(command)


@pytest.mark.parametrize("name", ["requirepass", "masterauth", "*", "max*"])
def test_settings_that_hold_secrets_are_never_asked_for(name: str) -> None:
    with pytest.raises(ForbiddenError):
        check(("CONFIG", "GET", name))


def test_other_users_are_not_asked_for() -> None:
    with pytest.raises(ForbiddenError):
        check(("ACL", "GETUSER", "admin"))


@pytest.mark.node
@pytest.mark.usefixtures("npm")
def test_a_real_server_saw_reads_alone() -> None:
    """MONITOR and INFO commandstats of a server with queues, workers, schedulers and a suspect job."""
    with redis_server() as server:
        _fill(server)
        with driving(
            server,
            library="bullmq5",
            queue="held",
            work={"mode": "hang", "options": {"metrics": {"maxDataPoints": 10}}, "settle": 300},
        ):
            pass  # killed: its job is active and nobody's
        with server.client() as client:
            client.delete("bull:held:1:lock")
            client.config_resetstat()
            with _monitor(server) as lines:
                live = scan(server)
            stats = client.info("commandstats")
    assert {"old", "mail", "held"} == {each.name for each in live.queues}
    assert len(lines) > 50
    for line in lines:
        words = [word.strip('"').lower() for word in line.split('] "', 1)[1].split('" "')]
        assert {words[0], "|".join(words[:2])} & ALLOWED, line
        if words[:2] == ["config", "get"]:
            assert words[2:] in [[name] for name in SETTINGS], line
    ours = {name.removeprefix("cmdstat_"): facts["calls"] for name, facts in stats.items()}
    for name in ("monitor", "config|resetstat"):  # the test's own
        ours.pop(name, None)
    assert ours == dict(live.report.commands)


@pytest.mark.node
@pytest.mark.usefixtures("npm")
def test_a_scan_leaves_every_key_as_it_was() -> None:
    with redis_server("--enable-debug-command", "local") as server:
        _fill(server)
        before = _digest(server)
        scan(server)
        assert _digest(server) == before


def _digest(server: RunningServer) -> str:
    with server.client() as client:
        return str(client.execute_command("DEBUG", "DIGEST"))


def _fill(server: RunningServer) -> None:
    drive(server, library="bull", queue="old", add=[{"name": "a", "data": {"n": 1}, "times": 3}], pause=True)
    drive(
        server,
        library="bullmq5",
        queue="mail",
        add=[{"name": "a", "data": {"n": 1}, "times": 20}, {"name": "late", "opts": {"delay": 60000}}],
        schedulers=[{"id": "tick", "repeat": {"every": 60000}, "template": {"opts": {"attempts": 2}}}],
        work={"jobs": 10, "options": {"metrics": {"maxDataPoints": 10}}},
    )
    drive(server, library="bullmq5", queue="held", add=[{"name": "a"}])


@contextlib.contextmanager
def _monitor(server: RunningServer) -> Iterator[list[str]]:
    """What MONITOR prints while the block runs."""
    lines: list[str] = []
    with socket.socket(socket.AF_UNIX) as watch:
        watch.connect(str(server.socket))
        watch.sendall(b"MONITOR\r\n")
        watch.settimeout(0.5)
        assert watch.recv(5) == b"+OK\r\n"
        yield lines
        text = b""
        with contextlib.suppress(TimeoutError):
            while data := watch.recv(1 << 16):
                text += data
    lines += [line for line in text.decode("utf-8", "replace").split("\r\n") if '] "' in line]
