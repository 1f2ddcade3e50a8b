"""The audit document's own snippets: its bad ones fail, its good ones pass, and where it errs the code's truth holds."""

from __future__ import annotations

import json
import textwrap
from pathlib import Path

import pytest

from auditor import scan
from auditor.model import Result, Status
from auditor.request import Request

RULES = """
groups:
  - name: bullmq
    rules:
      - alert: HighQueueDepth
        expr: bullmq_queue_depth{status="waiting"} > 1000
        for: 5m
      - alert: StalledJobs
        expr: increase(bullmq_jobs_stalled_total[5m]) > 0
      - alert: HighFailureRate
        expr: rate(bullmq_jobs_failed_total[5m]) / rate(bullmq_jobs_completed_total[5m]) > 0.05
        for: 2m
      - alert: NoWorkers
        expr: bullmq_workers_active == 0
        for: 1m
"""
EXPORTER = """
import { Queue, Worker } from 'bullmq';
import express from 'express';
import { Counter, Histogram, Gauge, register } from 'prom-client';

const connection = { host: process.env.REDIS_HOST };
const queue = new Queue('main', { connection });
const worker = new Worker('main', async (job) => job.data, { connection });

const jobCompletedCounter = new Counter({
  name: 'bullmq_jobs_completed_total', help: 'Total completed jobs', labelNames: ['queue', 'jobName'],
});
const jobDurationHistogram = new Histogram({
  name: 'bullmq_job_duration_seconds', help: 'Job processing duration', labelNames: ['queue', 'jobName'], buckets: [0.1, 0.5, 1, 2, 5, 10, 30, 60],
});
const queueDepthGauge = new Gauge({ name: 'bullmq_queue_depth', help: 'Current queue depth by status', labelNames: ['queue', 'status'] });

worker.on('completed', (job) => {
  jobCompletedCounter.inc({ queue: 'main', jobName: job.name });
  const duration = (Date.now() - job.processedOn) / 1000;
  jobDurationHistogram.observe({ queue: 'main', jobName: job.name }, duration);
});

setInterval(async () => {
  const counts = await queue.getJobCounts();
  for (const [status, count] of Object.entries(counts)) {
    queueDepthGauge.set({ queue: 'main', status }, count);
  }
}, 60000);

const app = express();
app.get('/metrics', async (_req, res) => res.send(await register.metrics()));
app.listen(9464);
"""


def results(root: Path, code: str, **files: str) -> dict[str, Result]:
    """What a scan says of the code and the files beside it, by item id."""
    uses = {"bullmq": "5.61.0", "stripe": "^14.0.0", "prom-client": "^15.0.0", "express": "^4.19.0"}
    package = {"name": "document", "scripts": {"start": "node src/index.js"}, "dependencies": uses}
    (root / "src").mkdir()
    (root / "src/index.ts").write_text(textwrap.dedent(code))
    (root / "package.json").write_text(json.dumps(package))
    for name, text in files.items():
        (root / name.replace("__", ".")).write_text(text)
    report = scan.scan(Request(code=(root,), infra=(root,))).report
    return {result.item.id: result for result in (*report.results, *report.extra)}


def messages(result: Result) -> str:
    return "\n".join(finding.message for finding in result.verdict.findings)


def test_the_ticket_sale_job_id_ends_in_the_clock(tmp_path: Path) -> None:
    """4.4 says that it prevents duplicates; each of its ids is another one."""
    found = results(
        tmp_path,
        """
        import { Queue } from 'bullmq';
        const connection = { host: process.env.REDIS_HOST };
        const saleQueue = new Queue('ticket-sale', {
          connection,
          defaultJobOptions: { attempts: 3, backoff: { type: 'fixed', delay: 500 }, removeOnComplete: { count: 10000 } }
        });
        export async function purchase({ eventId, userId, ticketTypeId, quantity }) {
          await saleQueue.add('purchase', { eventId, userId, ticketTypeId, quantity, requestTime: Date.now() }, {
            priority: 0,
            jobId: `purchase_${eventId}_${userId}_${Date.now()}`
          });
        }
        addEventListener('purchase', purchase);
        """,
    )
    assert found["TT007"].verdict.status is Status.FAIL
    assert "Date.now()" in messages(found["TT007"])
    assert [found[item].verdict.status for item in ("TT001", "TT002", "TT004", "TT005")] == [Status.PASS] * 4


CHARGE = """
import {{ Worker }} from 'bullmq';
import Stripe from 'stripe';
{source}
const stripe = new Stripe(process.env.STRIPE_KEY);
new Worker('payments', async (job) => {{
  const {{ orderId, customerId }} = job.data;
  const idempotencyKey = `payment_${{orderId}}_${{timestamp}}`;
  await stripe.paymentIntents.create({{ amount: 2000, currency: 'usd', customer: customerId }}, {{ idempotencyKey: idempotencyKey }});
}}, {{ connection: {{}} }});
"""


@pytest.mark.parametrize(
    ("source", "status"),
    [
        ("import { timestamp } from 'company-clock';", Status.UNVERIFIED),
        ("const timestamp = Date.now();", Status.FAIL),
        ("const timestamp = '2026';", Status.PASS),
    ],
)
def test_a_key_with_a_timestamp(tmp_path: Path, source: str, status: Status) -> None:
    """1.5: a clock makes another key on each attempt; what `timestamp` is, the document does not say."""
    found = results(tmp_path, CHARGE.format(source=source))
    assert [found[item].verdict.status for item in ("TT012", "TT073")] == [status, status]


def test_bullmq_ignores_a_jobs_timeout(tmp_path: Path) -> None:
    """2.3 sets one."""
    found = results(
        tmp_path,
        """
        import { Queue } from 'bullmq';
        const queue = new Queue('api', { connection: {} });
        await queue.add('api-call', { id: 1 }, {
          timeout: 30000  // 30 second timeout
        });
        """,
    )
    assert found["TT003"].verdict.status is Status.FAIL
    assert "ignores" in messages(found["TT003"])


def test_a_tenants_queue_has_a_name_that_bullmq_refuses(tmp_path: Path) -> None:
    """4.2 parts it by colons."""
    found = results(
        tmp_path,
        """
        import { Queue } from 'bullmq';
        const connection = { host: process.env.REDIS_HOST };
        const getQueueForTenant = (tenantId: string, jobType: string) => {
          return new Queue(`tenant:${tenantId}:${jobType}`, { connection });
        };
        const plain = new Queue('tenant-mail', { connection });
        await getQueueForTenant(process.argv[2], 'mail').add('mint', {});
        await plain.add('mint', {});
        """,
    )
    assert found["X012"].verdict.status is Status.FAIL
    refused = [f for f in found["X012"].verdict.findings if "colon" in f.message]
    assert [f.place.label() for f in refused] == ["src/index.ts:5"]


def test_a_worker_has_no_process(tmp_path: Path) -> None:
    """2.1 and 2.6 call `worker.process(…)`: BullMQ has no such method, so there is no handler that could be judged."""
    found = results(
        tmp_path,
        """
        import { Queue, Worker } from 'bullmq';
        import Stripe from 'stripe';
        import { worker } from './elsewhere';
        const stripe = new Stripe(process.env.STRIPE_KEY);
        const charges = new Queue('charges', { connection: {} });
        await charges.add('charge', { amount: 1 });
        worker.process(async (job) => {
          await stripe.charges.create({ amount: job.data.amount, customer: job.data.customerId });
        });
        """,
    )
    assert [found[item].verdict.status for item in ("TT016", "TT020", "TT028")] == [Status.NOT_APPLICABLE] * 3


def test_alerts_on_metrics_that_its_code_never_publishes(tmp_path: Path) -> None:
    """1.6: the exporter counts depth, completions and durations; three of the four rules are about something else."""
    found = results(tmp_path, EXPORTER, rules__yml=RULES)
    assert found["TT039"].verdict.status is Status.PASS
    assert [found[item].verdict.status for item in ("TT040", "TT041", "TT042")] == [Status.FAIL] * 3
    assert "bullmq_jobs_stalled_total" in messages(found["TT040"])
    assert "bullmq_jobs_failed_total" in messages(found["TT041"])
    assert "bullmq_workers_active" in messages(found["TT042"])
    assert [found[item].verdict.status for item in ("TT031", "TT035")] == [Status.PASS] * 2
