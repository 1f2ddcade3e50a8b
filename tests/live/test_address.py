"""URLs in redis-py's forms, and credentials that never show."""

from __future__ import annotations

import pytest

from auditor.errors import UsageError
from auditor.live.address import Tls, parse

SECRET = "p@ss/w:rd?#%"
ENCODED = "p%40ss%2Fw%3Ard%3F%23%25"


@pytest.mark.parametrize(
    ("url", "endpoint"),
    [
        ("redis://cache", "redis://cache:6379"),
        ("redis://cache:7000/3", "redis://cache:7000/3"),
        ("redis://cache?db=4", "redis://cache:6379/4"),
        ("rediss://cache", "rediss://cache:6379"),
        ("redis://[::1]:6380", "redis://[::1]:6380"),
        ("cache:6380", "redis://cache:6380"),
        ("unix:///run/redis.sock", "unix:///run/redis.sock"),
        ("unix://:secret@/run/redis.sock?db=2", "unix:///run/redis.sock?db=2"),
        ("redis+unix:///run/redis.sock", "unix:///run/redis.sock"),
    ],
)
def test_forms(url: str, endpoint: str) -> None:
    assert parse(url).endpoint == endpoint


@pytest.mark.parametrize(
    "url", ["http://cache", "redis://cache:port", "redis://cache/zero", "unix://", "redis://cache:99999"]
)
def test_what_is_no_redis_url_says_the_forms(url: str) -> None:
    with pytest.raises(UsageError) as caught:
        parse(url)
    assert "rediss://" in caught.value.hint


@pytest.mark.parametrize("url", [f"redis://app:{ENCODED}@cache", f"redis://cache?username=app&password={ENCODED}"])
def test_credentials_are_decoded_and_never_shown(url: str) -> None:
    address = parse(url)
    assert (address.username, address.password) == ("app", SECRET)
    for text in (repr(address), str(address), address.endpoint):
        assert SECRET not in text
        assert ENCODED not in text


@pytest.mark.parametrize(
    "url", [f"redis://app:{ENCODED}@cache:port", f"http://app:{ENCODED}@cache", f"redis://:{ENCODED}@cache/zero"]
)
def test_errors_do_not_repeat_credentials(url: str) -> None:
    with pytest.raises(UsageError) as caught:
        parse(url)
    assert ENCODED not in f"{caught.value.message} {caught.value.hint}"
    assert caught.value.__cause__ is None or ENCODED not in str(caught.value.__cause__)


def test_credentials_given_apart_win() -> None:
    address = parse("redis://app:old@cache", username="audit", password="new")
    assert (address.username, address.password) == ("audit", "new")


def test_an_empty_password_is_given_and_none_is_not() -> None:
    assert parse("redis://:@cache").has_credentials
    assert not parse("redis://cache").has_credentials


def test_tls_options() -> None:
    assert parse("redis://cache").tls is None
    assert parse("redis://cache", tls=Tls(insecure=True)).tls == Tls(insecure=True)
    read = parse("rediss://cache?ssl_cert_reqs=none&ssl_ca_certs=ca.pem").tls
    assert read == Tls(ca_file="ca.pem", insecure=True)


@pytest.mark.parametrize(
    ("url", "local"),
    [
        ("redis://127.0.0.2", True),
        ("redis://[::1]", True),
        ("redis://localhost", True),
        ("redis://10.0.0.1", False),
        ("unix:///s", True),
    ],
)
def test_loopback(url: str, local: bool) -> None:
    assert parse(url).loopback is local
