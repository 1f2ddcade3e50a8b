"""The main job end to end: a real Redis with real BullMQ jobs, code and infra files, three reports, the gate."""

from __future__ import annotations

import json
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.resources import files
from pathlib import Path

import jsonschema
import pytest

from tests.support.node import drive, install
from tests.support.redis_server import free_port, redis_server

from .support import Ran, tt_audit

SOUND = {"attempts": 3, "backoff": {"type": "exponential", "delay": 1000}, "removeOnComplete": 100}

CODE = """\
import { Queue, Worker } from 'bullmq';
const connection = { host: 'redis', port: 6379 };
const reports = new Queue('reports', { connection });
export const ask = (id: string) => reports.add('build', { id }, OPTIONS);
const worker = new Worker('reports', async (job) => job.data.id, { connection, concurrency: 5 });
worker.on('error', (error) => console.error(error));
void ask('first').catch(console.error);
"""


@pytest.fixture(scope="module", autouse=True)
def _libraries() -> None:
    if why := install():
        pytest.skip(why)


@pytest.fixture
def service(tmp_path: Path) -> Path:
    folder = tmp_path / "service"
    (folder / "src").mkdir(parents=True)
    (folder / "package.json").write_text(
        json.dumps(
            {"name": "reports", "dependencies": {"bullmq": "^5.58.0"}, "scripts": {"start": "node dist/index.js"}}
        )
    )
    (folder / "src" / "index.ts").write_text(
        CODE.replace("OPTIONS", "{ attempts: 3, backoff: { type: 'exponential', delay: 1000 } }")
    )
    return folder


def scan_json(*arguments: str | Path, **more: object) -> Ran:
    return tt_audit("scan", *arguments, "--format", "json", **more)  # type: ignore[arg-type]


def status(ran: Ran, number: int) -> str:
    return str(ran.items()[number]["status"])


def test_a_redis_that_is_wrong_fails_with_the_evidence_and_set_right_it_passes() -> None:
    with redis_server("--maxmemory", "64mb", "--maxmemory-policy", "allkeys-lru", tcp=True) as server:
        drive(server, library="bullmq5", queue="mail", add=[{"name": "welcome", "data": {"id": 1}, "opts": {}}])
        ran = scan_json(server.url, "--only", "1,88,93")
        assert ran.code == 1
        items = ran.items()
        assert [items[n]["status"] for n in (1, 88, 93)] == ["fail", "fail", "fail"]
        (policy,) = items[88]["findings"]
        assert "allkeys-lru" in json.dumps(policy["evidence"])
        assert items[1]["findings"][0]["subject"]["queue"] == "mail"
        assert items[93]["findings"][0]["place"]["endpoint"] == server.url

    with redis_server(
        "--maxmemory", "64mb", "--maxmemory-policy", "noeviction", tcp=True, password="long-enough-7Qx"
    ) as server:
        drive(server, library="bullmq5", queue="mail", add=[{"name": "welcome", "data": {"id": 1}, "opts": SOUND}])
        ran = scan_json("--only", "1,88,93", env={"REDIS_URL": server.url})
        assert [status(ran, n) for n in (1, 88, 93)] == ["pass", "pass", "pass"]
        assert ran.code == 0
        assert "long-enough-7Qx" not in ran.out + ran.err
        assert all(ran.items()[n]["evidence"] for n in (1, 88, 93))


def test_every_source_together_writes_every_report(service: Path, tmp_path: Path) -> None:
    (service / "docker-compose.yml").write_text(
        "services:\n  worker:\n    build: .\n    command: node dist/index.js\n    restart: always\n"
    )
    with redis_server(tcp=True) as server:
        drive(server, library="bullmq5", queue="reports", add=[{"name": "build", "data": {"id": 1}, "opts": SOUND}])
        ran = tt_audit(
            "scan",
            server.url,
            "--code",
            service,
            "--infra",
            service,
            "-o",
            "r.html",
            "-o",
            "r.json",
            "-o",
            "r.sarif",
            "-o",
            "r.xml",
            "-o",
            "r.md",
            cwd=tmp_path,
        )
    assert "TT088" in ran.out
    assert (tmp_path / "r.html").read_text().startswith("<!doctype html>")
    report = json.loads((tmp_path / "r.json").read_text())
    schema = json.loads((files("auditor") / "schemas" / "report.schema.json").read_text())
    jsonschema.validate(report, schema)
    assert [item["number"] for item in report["items"]] == list(range(1, 103))
    assert {source["name"]: source["status"] for source in report["sources"]}["live"] == "ok"
    assert {item["number"]: item["status"] for item in report["items"]}[24] == "pass"


@pytest.mark.parametrize(
    "arguments", [["--code", "service"], ["--infra", "service"], ["--code", "service", "--no-infra"]]
)
def test_any_one_source_is_enough(service: Path, arguments: list[str]) -> None:
    ran = scan_json(*arguments, "--fail-on", "none", cwd=service.parent)
    assert ran.code == 0, ran.err
    assert status(ran, 88) == "unverified"


def test_items_whose_source_was_not_given_are_folded(service: Path) -> None:
    ran = tt_audit("scan", "--code", service, "--no-infra", "--fail-on", "none")
    assert "TT089" not in ran.out
    assert "source not given (88-95)" in ran.out


class TestBadSources:
    """A source that gives nothing: a clear message, exit code 3, and the other sources' items still decided."""

    def run(self, service: Path, *arguments: str, **more: object) -> Ran:
        ran = scan_json(*arguments, "--code", service, "--fail-on", "none", "--timeout", "20", **more)
        assert status(ran, 1) == "pass", "code still decides its items"
        return ran

    def test_a_refused_port(self, service: Path) -> None:
        port = free_port()
        ran = self.run(service, f"redis://127.0.0.1:{port}")
        assert ran.code == 3
        assert f"127.0.0.1:{port}" in ran.err
        assert "refused" in ran.err.lower()
        assert ran.items()[88]["cause"] == "refused"

    def test_a_wrong_password(self, service: Path) -> None:
        with redis_server(tcp=True, password="the-right-one") as server:
            ran = self.run(service, f"redis://:the-wrong-one@127.0.0.1:{server.port}")
        assert ran.code == 3
        assert "password" in ran.err.lower()
        assert "the-wrong-one" not in ran.out + ran.err

    def test_a_user_without_config(self, service: Path) -> None:
        with redis_server(
            "--maxmemory", "64mb", "--maxmemory-policy", "noeviction", tcp=True, password="admins-own-1"
        ) as server:
            drive(server, library="bullmq5", queue="mail", add=[{"name": "welcome", "data": {}, "opts": SOUND}])
            server.client().execute_command(
                "ACL", "SETUSER", "auditor", "on", ">auditors-own-1", "~*", "+@all", "-config"
            )
            ran = self.run(
                service,
                f"redis://127.0.0.1:{server.port}",
                "--user",
                "auditor",
                env={"REDISCLI_AUTH": "auditors-own-1"},
            )
        assert ran.code == 0, ran.err
        assert status(ran, 88) == "pass", "INFO tells the policy where CONFIG is refused"
        live = next(source for source in ran.report()["sources"] if source["name"] == "live")
        assert (live["status"], "CONFIG" in live["why"].upper()) == ("partial", True)

    def test_tls_on_a_plaintext_port_does_not_hang(self, service: Path) -> None:
        with redis_server(tcp=True) as server:
            begun = time.monotonic()
            ran = self.run(service, f"rediss://127.0.0.1:{server.port}", "--timeout", "8")
        assert ran.code == 3
        assert "tls" in ran.err.lower()
        assert time.monotonic() - begun < 12

    def test_a_server_that_is_no_redis(self, service: Path) -> None:
        with web_server() as port:
            ran = self.run(service, f"redis://127.0.0.1:{port}")
        assert ran.code == 3
        assert "redis" in ran.err.lower()

    def test_a_code_path_that_does_not_exist(self) -> None:
        with redis_server(tcp=True) as server:
            drive(server, library="bullmq5", queue="mail", add=[{"name": "welcome", "data": {}, "opts": {}}])
            ran = scan_json(server.url, "--code", "no/such/folder", "--fail-on", "none")
        assert ran.code == 3
        assert "no/such/folder" in ran.err
        assert status(ran, 1) == "fail", "Redis still decides its items"

    def test_a_binary_ts_file_costs_itself_only(self, service: Path) -> None:
        (service / "src" / "blob.ts").write_bytes(
            b"import { Queue } from 'bullmq';\x00\xff\xfe" + bytes(range(256)) * 40
        )
        ran = self.run(service)
        (tree,) = ran.report()["targets"]["code"]
        assert any(skipped["path"].endswith("src/blob.ts") and skipped["why"] for skipped in tree["files_skipped"])
        assert ran.code == 0


def test_an_empty_redis_is_incomplete_unless_allowed() -> None:
    with redis_server(tcp=True) as server:
        ran = scan_json(server.url, "--fail-on", "none")
        assert ran.code == 3
        assert "--allow-empty" in " ".join(ran.report()["gate"]["because"])
        assert scan_json(server.url, "--fail-on", "none", "--allow-empty").code == 0


def test_a_password_in_argv_is_warned_about() -> None:
    with redis_server(tcp=True, password="seen-by-ps-99") as server:
        ran = tt_audit("scan", server.url, "--fail-on", "none")
    assert "visible" in ran.err
    assert "--password-stdin" in ran.err
    assert "seen-by-ps-99" not in ran.out + ran.err


def test_nothing_but_allowlisted_reads_is_sent() -> None:
    from auditor.live.allowlist import ALLOWED

    with redis_server(tcp=True) as server:
        drive(
            server,
            library="bullmq5",
            queue="mail",
            add=[{"name": "welcome", "data": {"n": n}, "opts": SOUND} for n in range(5)],
        )
        drive(server, library="bull", queue="old", add=[{"name": "welcome", "data": {}, "opts": {}}])
        server.client().config_resetstat()
        ran = scan_json(server.url, "--fail-on", "none")
        sent = {name.removeprefix("cmdstat_") for name in server.client().info("commandstats")}
    own = {"config|resetstat", "info", "client|setinfo", "hello", "select", "ping", "auth"}  # of the test's own client
    assert sent - ALLOWED <= own
    assert {"eval", "evalsha", "keys", "set", "del", "hset", "flushall", "multi"} & sent == set()
    assert "hmget" in sent, "jobs were read"
    assert sum(next(s for s in ran.report()["sources"] if s["name"] == "live")["commands"].values()) > 20


@contextmanager
def web_server() -> Iterator[int]:
    """Something that speaks HTTP."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        listening.settimeout(10)

        def serve() -> None:
            for _ in range(8):
                try:
                    connection, _address = listening.accept()
                except OSError:
                    return
                with connection:
                    connection.recv(4096)
                    connection.sendall(b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n")

        threading.Thread(target=serve, daemon=True).start()
        yield listening.getsockname()[1]
