"""What refuses, hangs or is no Redis: a clear message with the next step, in time, and never a secret."""

from __future__ import annotations

import contextlib
import socket
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from auditor.errors import SourceError
from auditor.live.address import Tls, parse
from auditor.live.budget import Budget
from auditor.live.model import Refused
from auditor.model import SourceStatus

from ..support.redis_server import free_port, make_certificates, redis_server
from .support import QUICK, deny, scan

PASSWORD = "correct-horse-battery"


def refusal(target: object, **way: object) -> str:
    """The message and hint of a scan that gives nothing."""
    with pytest.raises(SourceError) as caught:
        scan(target, **way)  # type: ignore[arg-type]  # a server or a URL
    text = f"{caught.value.message} | {caught.value.hint}"
    assert PASSWORD not in text
    return text


def test_refused_port() -> None:
    port = free_port()
    assert f"redis://127.0.0.1:{port}: cannot connect: connection refused" in refusal(
        f"redis://:{PASSWORD}@127.0.0.1:{port}"
    )


def test_unknown_host() -> None:
    assert "the host's name is not known" in refusal("redis://no-such-host.invalid")


def test_missing_socket(tmp_path: Path) -> None:
    assert "no such file" in refusal(f"unix://{tmp_path}/none.sock")


def test_wrong_password() -> None:
    with redis_server(tcp=True, password="another-one") as server:
        text = refusal(f"redis://:{PASSWORD}@127.0.0.1:{server.port}")
    assert "refused the user name or password" in text


def test_no_password_given() -> None:
    with redis_server(tcp=True, password=PASSWORD) as server:
        text = refusal(f"redis://127.0.0.1:{server.port}")
    assert "asks for a password, and none was given" in text


def test_a_password_that_the_server_does_not_have_is_said_by_item_93_alone() -> None:
    with redis_server(tcp=True) as server:
        live = scan(f"redis://:{PASSWORD}@127.0.0.1:{server.port}")
    assert live.servers[0].authentication.anonymous == "accepted"


def test_unix_socket_and_password_beside_the_url() -> None:
    with redis_server(password=PASSWORD) as server:
        live = scan(f"unix://{server.socket}", password=PASSWORD)
    assert live.servers[0].transport.unix
    assert PASSWORD not in repr(live)


def test_percent_encoded_password() -> None:
    odd = "p@ss/w:rd?#%"
    with redis_server(tcp=True, password=odd) as server:
        live = scan(f"redis://:p%40ss%2Fw%3Ard%3F%23%25@127.0.0.1:{server.port}")
    assert odd not in repr(live)
    assert "p%40ss" not in repr(live)


def test_a_database_that_does_not_exist() -> None:
    with redis_server(tcp=True) as server:
        assert "database 99 cannot be used" in refusal(f"redis://127.0.0.1:{server.port}/99")


def test_tls_on_a_plaintext_port_ends_in_time() -> None:
    with redis_server(tcp=True) as server:
        began = time.monotonic()
        text = refusal(f"rediss://127.0.0.1:{server.port}", budget=Budget(connect_s=1.0))
        assert time.monotonic() - began < 3
    assert "TLS" in text
    assert "redis://" in text


def test_the_deadline_comes_before_the_patience() -> None:
    with redis_server(tcp=True) as server:
        began = time.monotonic()
        refusal(f"rediss://127.0.0.1:{server.port}", budget=Budget(connect_s=30.0), seconds=1.0)
        assert time.monotonic() - began < 3


def test_plaintext_on_a_tls_port() -> None:
    with redis_server(tls=True) as server:
        text = refusal(f"redis://127.0.0.1:{server.tls_port}")
    assert "rediss://" in text


def test_tls_with_the_authority_and_without() -> None:
    with redis_server(tls=True) as server:
        assert server.certificates is not None
        url = f"rediss://127.0.0.1:{server.tls_port}"
        live = scan(url, tls=Tls(ca_file=str(server.certificates.ca)))
        unchecked = scan(url, tls=Tls(insecure=True))
        text = refusal(url)
    assert live.servers[0].transport.tls_version == "TLSv1.3"
    assert live.servers[0].transport.verified
    assert not unchecked.servers[0].transport.verified
    assert "certificate does not hold" in text


def test_certificate_of_another_host(tmp_path: Path) -> None:
    certificates = make_certificates(tmp_path, name="queues.example")
    with redis_server(tls=True, certificates=certificates) as server:
        url = f"rediss://127.0.0.1:{server.tls_port}"
        text = refusal(url, tls=Tls(ca_file=str(certificates.ca)))
        named = scan(url, tls=Tls(ca_file=str(certificates.ca), server_name="queues.example"))
    assert "certificate does not hold" in text
    assert named.servers[0].transport.verified


def test_certificate_that_has_expired(tmp_path: Path) -> None:
    certificates = make_certificates(tmp_path, days=0)
    time.sleep(1.1)
    with redis_server(tls=True, certificates=certificates) as server:
        text = refusal(f"rediss://127.0.0.1:{server.tls_port}", tls=Tls(ca_file=str(certificates.ca)))
    assert "certificate has expired" in text


def test_client_certificate() -> None:
    with redis_server("--tls-auth-clients", "yes", tls=True) as server:
        made = server.certificates
        assert made is not None
        url = f"rediss://127.0.0.1:{server.tls_port}"
        text = refusal(url, tls=Tls(ca_file=str(made.ca)))
        live = scan(url, tls=Tls(str(made.ca), str(made.cert("client")), str(made.key("client"))))
    assert "certificate" in text
    assert live.servers[0].transport.tls


def test_files_that_are_no_certificates(tmp_path: Path) -> None:
    (tmp_path / "ca.pem").write_text("nothing", encoding="ascii")
    assert "give PEM files" in refusal("rediss://127.0.0.1:1", tls=Tls(ca_file=str(tmp_path / "ca.pem")))


@contextlib.contextmanager
def impostor(answer: bytes, *, drip: float = 0.0) -> Iterator[int]:
    """A server that answers everything alike; with `drip` one byte at a time."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.settimeout(10)

        def serve() -> None:
            with contextlib.suppress(OSError):
                while True:
                    client, _ = listener.accept()
                    with client:
                        client.recv(1024)
                        for byte in answer:
                            client.sendall(bytes([byte]))
                            time.sleep(drip)
                        if not answer or drip:
                            time.sleep(5)

        threading.Thread(target=serve, daemon=True).start()
        yield listener.getsockname()[1]


@pytest.mark.parametrize(
    "answer",
    [
        b"HTTP/1.1 400 Bad Request\r\n\r\n",
        b"SSH-2.0-OpenSSH_9.2\r\n",
        b"220 mail.example ESMTP\r\n",
        b"+HELLO\r\n",
        b"\x00\xff\x00",
        b"*-7\r\n",
        b"$9999999999999999999999\r\n",
    ],
)
def test_what_is_no_redis(answer: bytes) -> None:
    with impostor(answer) as port:
        text = refusal(f"redis://127.0.0.1:{port}", budget=Budget(connect_s=1.0))
    assert "no Redis" in text or "no answer" in text or "closed the connection" in text


def test_silence_ends_in_time() -> None:
    with impostor(b"") as port:
        began = time.monotonic()
        text = refusal(f"redis://127.0.0.1:{port}", budget=Budget(connect_s=1.0))
        assert time.monotonic() - began < 3
    assert "no answer within 1 s" in text


def test_a_reply_that_drips_ends_in_time() -> None:
    """Each byte comes in time, the whole never does."""
    with impostor(b"$1000\r\n" + b"x" * 1000, drip=0.2) as port:
        began = time.monotonic()
        refusal(f"redis://127.0.0.1:{port}", budget=Budget(connect_s=1.0))
        assert time.monotonic() - began < 3


def test_user_without_config_costs_its_own_facts_alone() -> None:
    with redis_server(tcp=True) as server:
        live = scan(deny(server, "-config"))
    facts = live.servers[0]
    policy = facts.setting("maxmemory-policy")
    assert isinstance(policy, Refused)
    assert policy.grant == "+config|get"
    assert not isinstance(facts.memory, Refused)
    assert facts.memory.policy == "noeviction"
    assert live.report.status is SourceStatus.PARTIAL
    assert "+config|get" in live.report.why
    assert not live.report.ended_early


def test_renamed_config_names_no_grant() -> None:
    with redis_server("--rename-command", "CONFIG", "", tcp=True) as server:
        policy = scan(server).servers[0].setting("maxmemory-policy")
    assert isinstance(policy, Refused)
    assert not policy.grant
    assert "renamed" in policy.why


def test_user_who_may_do_nothing() -> None:
    with redis_server(tcp=True) as server:
        text = refusal(deny(server, "-@all"))
    assert "may read nothing" in text
    assert "ACL SETUSER tt-audit" in text


def test_maxclients_reached() -> None:
    with redis_server("--maxclients", "3", tcp=True) as server, contextlib.ExitStack() as held:
        for _ in range(3):
            held.enter_context(socket.create_connection(("127.0.0.1", server.port)))
        text = refusal(f"redis://127.0.0.1:{server.port}")
    assert "maxclients" in text


def test_one_of_two_targets_is_unreachable() -> None:
    port = free_port()
    with redis_server(tcp=True) as server:
        live = scan(server, parse(f"redis://127.0.0.1:{port}"))
    assert [gone.endpoint for gone in live.unreached] == [f"redis://127.0.0.1:{port}"]
    assert live.report.ended_early
    assert len(live.servers) == 1


def test_an_empty_redis() -> None:
    with redis_server(tcp=True) as server:
        live = scan(server)
    assert live.queues == ()
    assert live.report.status is SourceStatus.OK
    assert QUICK.commands > sum(live.report.commands.values())
