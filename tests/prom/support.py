"""A real Prometheus on loopback, and a page of metrics for it to scrape."""

from __future__ import annotations

import shutil
import socket
import subprocess
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

PROMETHEUS = shutil.which("prometheus")
needs_prometheus = pytest.mark.skipif(PROMETHEUS is None, reason="prometheus is not on PATH")


@contextmanager
def serving(answer: Callable[[str, dict[str, str]], tuple[int, str, str]]) -> Iterator[str]:
    """A loopback server; `answer(path, headers)` gives status, content type and body. Yields `host:port`."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            status, kind, body = answer(self.path, dict(self.headers.items()))
            data = body.encode()
            # whoever asked may be gone; a traceback of this thread would land in another test's output
            with suppress(ConnectionError):
                self.send_response(status)
                self.send_header("Content-Type", kind)
                self.send_header("Content-Length", str(len(data)))
                self.end_headers()
                self.wfile.write(data)

        def log_message(self, format: str, *args: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        server.server_close()


@contextmanager
def exposing(text: str) -> Iterator[str]:
    """A page of metrics at /metrics."""
    with serving(lambda _path, _headers: (200, "text/plain; version=0.0.4", text)) as address:
        yield address


@dataclass(frozen=True)
class Running:
    """A started Prometheus."""

    url: str
    folder: Path


@contextmanager
def prometheus(folder: Path, config: str, rules: str = "groups: []\n") -> Iterator[Running]:
    """Start one on a free port with these files; it is up and has scraped when this yields."""
    assert PROMETHEUS is not None
    (folder / "prometheus.yml").write_text(config)
    (folder / "rules.yml").write_text(rules)
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    log = (folder / "prometheus.log").open("wb")
    process = subprocess.Popen(
        [
            PROMETHEUS,
            f"--config.file={folder / 'prometheus.yml'}",
            f"--storage.tsdb.path={folder / 'data'}",
            f"--web.listen-address=127.0.0.1:{port}",
        ],
        stdout=log,
        stderr=log,
    )
    try:
        _wait(lambda: _get(f"{url}/-/ready"), process, folder)
        yield Running(url, folder)
    finally:
        process.terminate()
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        log.close()


def wait_for_series(url: str, name: str) -> None:
    """Until a scrape has brought the metric."""
    deadline = time.monotonic() + 20
    while f'"{name}"' not in _get(f"{url}/api/v1/label/__name__/values"):
        assert time.monotonic() < deadline, f"{name} was never scraped"
        time.sleep(0.2)


def wait_for_health(url: str, word: str = "") -> None:
    """Until every target has been scraped and every rule evaluated once; with a word, until the rules' page holds it: a
    rule that was evaluated before the first scrape tells nothing yet."""
    deadline = time.monotonic() + 20
    while (
        '"health":"unknown"' in (page := _get(f"{url}/api/v1/rules") + _get(f"{url}/api/v1/targets"))
        or word not in page
    ):
        assert time.monotonic() < deadline, "not all rules were evaluated and targets scraped"
        time.sleep(0.2)


def free_port() -> int:
    """A port that nothing listens on right now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _wait(ready: Callable[[], str], process: subprocess.Popen[bytes], folder: Path) -> None:
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline:
        if process.poll() is not None:
            break
        if ready():
            return
        time.sleep(0.1)
    raise AssertionError(f"prometheus did not start: {(folder / 'prometheus.log').read_text()[-2000:]}")


def _get(url: str) -> str:
    try:
        with urllib.request.urlopen(url, timeout=5) as response:
            return str(response.read().decode())
    except (urllib.error.URLError, ConnectionError):
        return ""
