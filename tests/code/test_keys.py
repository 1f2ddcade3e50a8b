"""Idempotency keys of calls, branch by branch and on the way that each handler takes to them."""

from __future__ import annotations

from pathlib import Path

import pytest

from auditor import plugins
from auditor.code.collect import collect
from auditor.code.model import CodeModel
from auditor.model import Status

HEAD = """
import { Worker } from 'bullmq';
import Stripe from 'stripe';
const stripe = new Stripe(process.env.STRIPE_KEY);
const pay = (options) => options;
"""
PARAMS = "{ amount: 1, currency: 'eur' }"


def judged(root: Path, body: str, rest: str = "") -> list[tuple[Status, str]]:
    """What item 73 says of a handler with that body: its findings, else the evidence of its pass."""
    (root / "worker.ts").write_text(f"{HEAD}{rest}\nnew Worker('payments', async (job) => {{\n{body}\n}});\n")
    return told(collect([root]))


def told(model: CodeModel) -> list[tuple[Status, str]]:
    plugins.mount("checks")
    from auditor.checks.payment import idempotency_key

    verdict = idempotency_key.function(model)
    found = [(one.status, one.message.rsplit(": ", 1)[-1]) for one in verdict.findings]
    return found or [(verdict.status, one.observed.partition(": ")[2]) for one in verdict.evidence]


SAME = (Status.PASS, "key made of job.data.key")


@pytest.mark.parametrize(
    "body",
    [
        f"await stripe.refunds.create({PARAMS}, job.data.key ? {{ idempotencyKey: job.data.key }} : undefined);",
        f"const key = job.data.key; await stripe.refunds.create({PARAMS}, key ? {{ idempotencyKey: key }} : {{}});",
        f"const keyed = !!job.data.key; await stripe.refunds.create({PARAMS}, keyed ? {{ idempotencyKey: job.data.key }} : {{}});",
        f"const options = {{ idempotencyKey: job.data.key }}; await stripe.refunds.create({PARAMS}, options);",
        f"const options = {{}}; if (job.data.key) options.idempotencyKey = job.data.key; await stripe.refunds.create({PARAMS}, options);",
        f"await stripe.refunds.create({PARAMS}, {{ ...(job.data.key && {{ idempotencyKey: job.data.key }}) }});",
        f"const o = {{ idempotencyKey: job.data.key }}; o ? await stripe.refunds.create({PARAMS}, o) : await stripe.refunds.create({PARAMS});",
        f"const o = {{ idempotencyKey: job.data.key }}; if (o) {{ await stripe.refunds.create({PARAMS}, o); return; }} await stripe.refunds.create({PARAMS});",
    ],
)
def test_a_key_that_is_left_out_only_where_there_is_none_to_give_is_given(tmp_path: Path, body: str) -> None:
    assert set(judged(tmp_path, body)) == {SAME}


@pytest.mark.parametrize(
    ("body", "said"),
    [
        (
            f"await stripe.charges.create({PARAMS}, job.data.live ? {{ idempotencyKey: job.data.key }} : undefined);",
            "no idempotency key where `job.data.live` does not hold; a retry does it twice",
        ),
        (
            f"await stripe.charges.create({PARAMS}, job.data.test ? {{}} : {{ idempotencyKey: job.data.key }});",
            "no idempotency key where `job.data.test` holds; a retry does it twice",
        ),
        (
            f"const o = {{}}; if (job.data.live) {{ o.idempotencyKey = job.data.key; }} await stripe.charges.create({PARAMS}, o);",
            "no idempotency key where `job.data.live` does not hold; a retry does it twice",
        ),
        (
            f"await stripe.charges.create({PARAMS}, job.data.key ? {{ idempotencyKey: job.data.key }} : {{ idempotencyKey: String(Date.now()) }});",
            "in one branch a key that a retry makes anew (key made of Date.now()); a retry does it twice",
        ),
        (
            f"const params = {PARAMS}; await stripe.charges.create(params);",
            "no idempotency key; a retry does it twice",
        ),
    ],
)
def test_the_branch_without_a_key_is_named(tmp_path: Path, body: str, said: str) -> None:
    assert judged(tmp_path, body) == [(Status.FAIL, said)]


WRAPPER = f"""
async function charge(amount, key) {{
  return stripe.charges.create({PARAMS}, key ? {{ idempotencyKey: key }} : undefined);
}}
async function pay2(options = {{}}) {{
  const sent = {{}};
  if (options.key) sent.idempotencyKey = options.key;
  return stripe.charges.create({PARAMS}, sent);
}}
new Worker('payments-keyed', async (job) => {{ await charge(1, `charge-${{job.data.id}}`); }});
new Worker('payments-made', async (job) => {{ await pay2({{ key: job.data.key }}); }});
"""


@pytest.mark.parametrize("body", ["await charge(1);", "await pay2();"])
def test_a_shared_helper_is_judged_by_what_each_handler_gives_it(tmp_path: Path, body: str) -> None:
    assert judged(tmp_path, body, WRAPPER) == [(Status.FAIL, "no idempotency key; a retry does it twice")]


def test_a_key_that_callers_who_are_not_seen_may_give_is_open(tmp_path: Path) -> None:
    (tmp_path / "gateway.ts").write_text(
        f"""{HEAD}
const options = (key) => key ? {{ idempotencyKey: key }} : undefined;
export class Gateway {{
  charge(given) {{
    const {{ key }} = given || {{}};
    return stripe.charges.create({PARAMS}, options(key));
  }}
}}
new Worker('payments', async (job) => {{ await stripe.charges.create({PARAMS}, {{ idempotencyKey: job.data.key }}); }});
"""
    )
    assert told(collect([tmp_path])) == [SAME]


def test_http_says_itself_that_a_delete_may_be_repeated(tmp_path: Path) -> None:
    body = """
      const api = axios.create({ baseURL: 'https://api.mollie.com/v2' });
      await api.delete(`/payments/${job.data.id}`);
      await stripe.charges.create({ amount: 1, currency: 'eur' }, { idempotencyKey: job.data.key });
    """
    assert judged(tmp_path, body, "import axios from 'axios';") == [SAME]


REQUESTS = "import axios from 'axios';"
URL = "https://api.paystack.co"


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        (
            "const headers = { 'Idempotency-Key': job.data.key };"
            "await axios.post('https://api.mollie.com/v2/payments', { amount: 1 }, { headers });",
            SAME,
        ),
        (
            "const headers = { Authorization: 'x' };"
            "await axios.post('https://api.mollie.com/v2/payments', { amount: 1 }, { headers });",
            (Status.FAIL, "no idempotency key; a retry does it twice"),
        ),
        (f"await axios.post('{URL}/transfer', {{ amount: 1, reference: job.data.key }}, {{ headers: {{}} }});", SAME),
        (
            f"const base = '{URL}'; const sent = {{ amount: 1, reference: job.data.key }};"
            "await fetch(`${base}/transfer`, { method: 'POST', body: JSON.stringify(sent) });",
            SAME,
        ),
        (
            f"await axios.post('{URL}/transfer', {{ amount: 1, reference: `r-${{Date.now()}}` }}, {{ headers: {{}} }});",
            (
                Status.FAIL,
                "a key that a retry makes anew (key made of 'r-', Date.now()); a retry does it twice",
            ),
        ),
        (
            f"await axios.post('{URL}/transfer', {{ amount: 1 }}, {{ headers: {{}} }});",
            (Status.FAIL, "no idempotency key; a retry does it twice"),
        ),
    ],
)
def test_a_request_carries_its_key_in_a_header_or_in_the_providers_reference(
    tmp_path: Path, body: str, expected: tuple[Status, str]
) -> None:
    assert judged(tmp_path, body, REQUESTS) == [expected]


def test_asking_a_provider_for_a_token_or_a_state_pays_nothing(tmp_path: Path) -> None:
    body = """
      await axios.post('https://api-m.paypal.com/v1/oauth2/token', 'grant_type=client_credentials');
      await axios.post('https://api-m.paypal.com/v1/notifications/verify-webhook-signature', job.data.event);
      await axios.post('https://api-m.paypal.com/v2/checkout/orders', {}, { headers: { 'PayPal-Request-Id': job.data.key } });
    """
    assert judged(tmp_path, body, REQUESTS) == [SAME]
