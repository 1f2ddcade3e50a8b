"""Ids and names of jobs that hold what no key should: told as hits, masked wherever they are shown."""

from __future__ import annotations

import json
import time

import pytest

from auditor.live.cards import without_cards
from auditor.live.model import LockSureness

from ..cli.support import tt_audit
from ..support.node import drive, driving
from ..support.redis_server import redis_server
from .support import queue, scan

CARD = "5555555555554444"
SPACED = "4242 4242 4242 4242"


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        (f"pan-{CARD}", "pan-***44"),
        (f"card:{CARD}:refund", "card:***44:refund"),
        (f"charge {SPACED}", "charge ***42"),
        (f"order-{CARD}", f"order-{CARD}"),  # of 16-digit order numbers one in ten passes for a card's
        (CARD, CARD),
        ("charge-o17", "charge-o17"),
        ("pan-1795523351315", "pan-1795523351315"),
        ("0b2f7a52-4d6c-4a55-9a6e-1c2d3e4f5061", "0b2f7a52-4d6c-4a55-9a6e-1c2d3e4f5061"),
    ],
)
def test_card_numbers_in_ids(text: str, shown: str) -> None:
    assert without_cards(text) == shown


@pytest.mark.node
@pytest.mark.usefixtures("npm")
def test_an_id_with_a_card_number_is_a_hit_and_shown_nowhere() -> None:
    with redis_server(tcp=True) as server:
        added = [
            {"name": "charge", "opts": {"jobId": f"pan-{CARD}"}},
            {"name": f"card {SPACED}"},
            {"name": "charge", "opts": {"jobId": f"order-{CARD}"}},
        ]
        drive(
            server,
            library="bullmq5",
            queue="pay",
            add=added,
            schedulers=[{"id": f"pan-{CARD}", "repeat": {"every": 3600000}}],
        )
        outcome = tt_audit(
            "scan", server.url, "--no-infra", "--format", "json", "--quiet", "--fail-on", "none", "--verbose"
        )
        live = scan(server)
    for number in (9, 85):
        item = outcome.items()[number]
        assert item["status"] == "fail"
        assert {finding["message"] for finding in item["findings"]} >= {
            "pay/charge: the job id holds a card number in 1 of 2 sampled jobs",
            "pay/card ***42: name holds a card number in 1 of 1 sampled jobs",
        }
    told = json.dumps(outcome.report())
    assert f"pan-{CARD}" not in told
    assert SPACED not in told
    assert "pan-***44" in told
    assert "pan-***44" in {scheduler.key for scheduler in queue(live, "pay").schedulers}


@pytest.mark.node
@pytest.mark.usefixtures("npm")
def test_locks_and_orphans_are_read_by_the_id_that_redis_holds() -> None:
    options = {"lockDuration": 900, "stalledInterval": 60000}
    with redis_server() as server:
        drive(server, library="bullmq5", queue="pay", add=[{"name": "a", "opts": {"jobId": f"pan-{CARD}"}}])
        work = {"mode": "hang", "settle": 100, "options": options}
        with driving(server, library="bullmq5", queue="pay", work=work):
            held = queue(scan(server), "pay")
        time.sleep(1.2)
        lost = queue(scan(server), "pay")
    assert held.stalls.orphans == ()
    assert held.lock is not None
    assert held.lock.job_id == "pan-***44"
    assert held.lock.sureness in (LockSureness.EXACT, LockSureness.BOUNDS)
    assert lost.stalls.orphans == ("pan-***44",)
