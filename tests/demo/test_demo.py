"""The whole demo: what was planted is found, what is good passes, and both reports are written."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from auditor.demo.demo import PAGE, SAMPLE, Rendered, run_demo
from auditor.demo.fill import filled
from auditor.demo.server import private_server
from auditor.demo.signals import Interrupts
from auditor.errors import UsageError
from auditor.live.address import parse
from auditor.model import Report, Status
from auditor.scan import Request, scan

ROOT = Path(__file__).parents[2]

PLANTED = {
    1: "refunds and the scheduler's template set no attempts",
    3: "analytics jobs carry the timeout that BullMQ ignores, and fetch has none of its own",
    4: "completed analytics jobs are kept for ever",
    7: "the id of a ticket's mail ends in Date.now()",
    9: "a legacy charge holds a card number",
    10: "one mail carries its PDF in base64",
    11: "the mail handler sends without a look at what was sent",
    14: "refunds add to a sum",
    16: "200 mails at once",
    17: "a mint was taken up twice",
    20: "the mail worker has no error listener",
    21: "the mail worker's last failures go nowhere",
    22: "SIGTERM alone closes the workers",
    29: "fetch and SMTP wait without a bound",
    42: "the workers' gauge is fed by a function that nobody calls",
    43: "nobody publishes the dead letters' metric",
    49: "gas is sent as estimated",
    54: "nobody looks at the wallet",
    65: "a newsletter goes to people who unsubscribed",
    71: "a newsletter runs before the tickets",
    72: "SMTP has its default timeouts",
    73: "a refund goes out without an idempotency key",
    79: "refunds may run twice",
    81: "a refund's errors are all alike",
    85: "card data in a job",
    88: "allkeys-lru",
    90: "nothing is persisted",
    91: "a lone primary",
    93: "no password",
    98: "the worker has no health check",
    100: "compose kills after 10 s, a mint takes up to 180 s",
}

GOOD = {
    13: "no handler tears two writes apart",
    23: "unhandled rejections are logged and lead to the shutdown",
    24: "compose and PM2 restart the worker",
    25: "Redis clients retry with a bound",
    44: "Bull Board is mounted in the server",
    47: "a mint looks at its record first",
    51: "nonce errors are told apart",
    59: "a mint waits for two confirmations",
    60: "a confirmed mint is mailed",
    76: "webhooks are checked and write the payment",
    82: "a declined card is not tried again",
    89: "maxmemory is set and far from full",
    96: "workers have a container of their own",
}


@pytest.fixture(scope="module")
def report() -> Iterator[Report]:
    with private_server(Interrupts()) as socket_path, filled(socket_path):
        yield scan(Request(redis=(parse(f"unix://{socket_path}"),), code=(SAMPLE,), infra=(SAMPLE,))).report


def status_of(report: Report, number: int) -> Status:
    return next(result.verdict.status for result in report.results if result.item.number == number)


def reason_of(report: Report, number: int) -> str:
    return next(result.verdict.reason for result in report.results if result.item.number == number)


@pytest.mark.parametrize("number", PLANTED, ids=lambda n: f"{n} {PLANTED[n]}")
def test_what_was_planted_is_found(report: Report, number: int) -> None:
    assert status_of(report, number) is Status.FAIL, reason_of(report, number)


@pytest.mark.parametrize("number", GOOD, ids=lambda n: f"{n} {GOOD[n]}")
def test_what_is_good_passes(report: Report, number: int) -> None:
    assert status_of(report, number) is Status.PASS, reason_of(report, number)


def test_no_probe_breaks_and_all_items_are_there(report: Report) -> None:
    assert len(report.results) == 102
    assert [r.item.id for r in (*report.results, *report.extra) if r.verdict.status is Status.ERROR] == []


def test_the_card_number_is_nowhere_in_the_report(report: Report) -> None:
    assert "4242424242424242" not in repr(report)


def test_the_scan_reads_all_sources_whole(report: Report) -> None:
    assert {source.name: source.status for source in report.sources} == {
        "live": "ok",
        "code": "ok",
        "infra": "ok",
        "prom": "ok",
    }


def test_the_command_writes_both_reports_and_leaves_nothing_else(tmp_path: Path) -> None:
    temporary, out = tmp_path / "t", tmp_path / "o"
    temporary.mkdir()
    out.mkdir()
    environment = {**os.environ, "TMPDIR": str(temporary), "PYTHONPATH": str(ROOT)}
    command = [sys.executable, "-c", "from auditor.cli import main; main()", "demo", "--width", "100"]
    done = subprocess.run(command, cwd=out, env=environment, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr
    assert "TT088" in done.stdout
    assert "Traceback" not in done.stderr
    page = (out / PAGE).read_text(encoding="utf-8")
    assert page.lstrip().lower().startswith("<!doctype html>")
    assert "TT102" in page
    assert [path.name for path in out.iterdir()] == [PAGE]
    assert list(temporary.iterdir()) == []


def test_the_page_goes_where_it_is_told_and_the_report_to_echo(tmp_path: Path) -> None:
    printed: list[str] = []
    notes: list[str] = []
    seen: list[tuple[str, Path]] = []

    def once(redis_url: str, sample: Path) -> Rendered:
        seen.append((redis_url, sample))
        return Rendered("text", "<p>")

    assert run_demo(tmp_path, once, printed.append, notes.append) == 0
    assert printed == ["text"]
    assert (tmp_path / PAGE).read_text(encoding="utf-8") == "<p>"
    assert seen[0][0].startswith("unix://") and seen[0][1] == SAMPLE
    assert notes[-1].endswith(PAGE)


def test_a_folder_that_is_not_there_is_said_before_anything_starts(tmp_path: Path) -> None:
    def never(_redis_url: str, _sample: Path) -> Rendered:
        raise AssertionError

    with pytest.raises(UsageError, match="no such folder"):
        run_demo(tmp_path / "absent", never, print)
