"""Retries against the time that a provider remembers a key."""

from __future__ import annotations

import pytest
from auditor.checks._horizon import horizon_s, outlives

from auditor.code.model import Effect, Role
from auditor.model import CodeSpan

from .facts import known, producer


@pytest.mark.parametrize(
    ("attempts", "backoff", "seconds"),
    [
        (1, {"type": "exponential", "delay": 1000}, 0),
        (3, 5000, 10),
        (3, {"type": "fixed", "delay": 5000}, 10),
        (5, {"type": "exponential", "delay": 1000}, 15),
        (5, None, 0),
    ],
)
def test_horizon(attempts: int, backoff: object, seconds: float) -> None:
    job = producer(options={"attempts": known(attempts), "backoff": known(backoff)})
    assert horizon_s(job) == seconds


def test_the_ninth_attempt_comes_after_the_key_is_forgotten() -> None:
    call = Effect(Role.PAYMENT_CREATE, CodeSpan("src/pay.ts", 1), "orders.captureOrder", "@paypal/paypal-server-sdk")
    slow = producer(options={"attempts": known(9), "backoff": known({"type": "exponential", "delay": 120_000})})
    assert "8.5 h" in outlives([slow], call)
    quick = producer(options={"attempts": known(3), "backoff": known(1000)})
    assert outlives([quick], call) == ""
