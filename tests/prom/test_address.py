"""Addresses keep their credentials to themselves."""

from __future__ import annotations

import pytest

from auditor.errors import UsageError
from auditor.prom.address import parse


@pytest.mark.parametrize(
    ("given", "endpoint"),
    [
        ("http://prom:9090", "http://prom:9090"),
        ("prom:9090/", "http://prom:9090"),
        ("https://host/prometheus/", "https://host/prometheus"),
        ("https://host/prometheus/api/v1", "https://host/prometheus"),
        ("http://host:9090/graph?g0.expr=up", "http://host:9090"),
        ("http://[::1]:9090", "http://[::1]:9090"),
        ("https://ann:hunter22@host:9090/x", "https://host:9090/x"),
    ],
)
def test_the_endpoint_is_the_base_without_credentials(given: str, endpoint: str) -> None:
    assert parse(given).endpoint == endpoint


def test_credentials_are_kept_and_never_shown() -> None:
    address = parse("https://ann:p%40ss-w0rd@host", token=" token-123456\n")
    assert (address.username, address.password, address.token) == ("ann", "p@ss-w0rd", "token-123456")
    for text in (repr(address), str(address), address.endpoint):
        assert "p@ss" not in text
        assert "ann" not in text
        assert "token-123456" not in text


@pytest.mark.parametrize(
    "given", ["ftp://host", "http://", "http://host:port", "http://user:secret99@host:99999x", "redis://h"]
)
def test_what_is_no_address_is_refused_without_its_credentials(given: str) -> None:
    with pytest.raises(UsageError) as caught:
        parse(given)
    assert "secret99" not in f"{caught.value} {caught.value.hint}"
