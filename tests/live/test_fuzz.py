"""Parsers on arbitrary input: they give what they can read, or the one error that they promise."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from auditor.errors import UsageError
from auditor.live import acl, clients, cluster, info
from auditor.live.address import parse
from auditor.live.asking import whole
from auditor.live.connection import _pack
from auditor.live.detectors import in_json, in_text
from auditor.live.keys import candidates, split_meta
from auditor.live.options import decode, options

LINES = st.lists(
    st.one_of(
        st.text(max_size=60),
        st.sampled_from(
            [
                "id=1 addr=a:1 name=bull:bWFpbA== cmd=bzpopmin flags=b age=1 idle=2 db=0 user=x",
                "id=2 name=bull:mail cmd=evalsha",
                "id= addr= name==:= db=x age=-1",
                "aa :1@2 myself,master - 0 0 1 connected 0-1",
                "bb h:x@1 master - 0 0 1 connected 5",
                "role:master",
                "slave0:ip=,port=,lag=x",
            ]
        ),
    ),
    max_size=8,
).map("\n".join)
JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(max_size=30)
    | st.sampled_from(["4242424242424242", "sk_live_" + "a" * 24]),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(
            st.text(max_size=20)
            | st.sampled_from(["password", "card", "attempts", "backoff", "removeOnComplete", "de", "repeat", "delay"]),
            inner,
            max_size=4,
        )
    ),
    max_leaves=12,
)

pytestmark = pytest.mark.filterwarnings("error")


@given(
    st.text(max_size=80)
    | st.text(max_size=60).map(lambda rest: f"redis://{rest}")
    | st.text(max_size=60).map(lambda rest: f"redis+sentinel://u:p@{rest}")
)
@settings(max_examples=400, deadline=None)
def test_urls(url: str) -> None:
    try:
        address = parse(url)
    except UsageError as error:
        assert error.hint
        return
    assert address.endpoint
    assert 0 <= address.port <= 65_535


@given(
    st.text(min_size=8, max_size=20, alphabet="abcdefghij0123456789!$%^&*()"),
    st.sampled_from(["redis", "rediss", "unix", "redis+sentinel"]),
)
@settings(max_examples=200, deadline=None)
def test_no_password_shows(secret: str, scheme: str) -> None:
    from urllib.parse import quote

    encoded = quote(secret, safe="")
    rest = "/run/s" if scheme == "unix" else "host/service" if scheme.endswith("sentinel") else "host/0"
    address = parse(f"{scheme}://user:{encoded}@{rest}")
    assert address.password == secret
    for shown in (address.endpoint, repr(address)):
        assert secret not in shown
        assert encoded not in shown


@given(LINES)
@settings(max_examples=200, deadline=None)
def test_texts_of_a_server(text: str) -> None:
    clients.read(text, 1)
    read = info.parse(text)
    info.memory(read), info.persistence(read, 0), info.replication(read, 0), info.databases(read), info.product(read)
    info.cluster(text, text)
    cluster.primaries(text, parse("redis://seed"))


@given(JSON)
@settings(max_examples=300, deadline=None)
def test_payloads_and_options(value: Any) -> None:
    text = json.dumps(value)
    in_json(text)
    in_text(text)
    raw = decode(text)
    if raw is not None:
        options(raw)


@given(st.text(max_size=60))
@settings(max_examples=200, deadline=None)
def test_keys(key: str) -> None:
    for prefix, name in candidates(key):
        assert key.startswith(f"{prefix}:{name}:")
    pair = split_meta(key)
    assert pair is None or key.startswith(f"{pair[0]}:{pair[1]}:")
    assert 0 <= cluster.slot(key) < 16_384
    whole(key)
    acl.version(key)


@given(st.binary(max_size=60))
@settings(max_examples=200, deadline=None)
def test_bytes_go_back_as_they_came(raw: bytes) -> None:
    text = raw.decode("utf-8", "surrogateescape")
    assert raw in _pack(("GET", text))
