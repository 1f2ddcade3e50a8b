"""How long a whole run of a handler may take: `Worker.bound`."""

from __future__ import annotations

from pathlib import Path

import pytest

from auditor.code.collect import collect
from auditor.code.model import OptionState

WITHIN = """
import { Worker } from 'bullmq';
import pTimeout from 'p-timeout';
import { sync } from 'elsewhere';
const MINUTE = 60_000;
async function within<T>(ms: number, work: () => Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => { timer = setTimeout(() => reject(new Error('late')), ms); });
  try { return await Promise.race([work(), late]); } finally { clearTimeout(timer); }
}
function ending<T>(promise: Promise<T>, ms = 5_000): Promise<T> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => reject(new Error('late')), ms);
    promise.then(resolve, reject).finally(() => clearTimeout(timer));
  });
}
const after = (ms) => new Promise((_, reject) => setTimeout(() => reject(new Error('late')), ms));
const send = async (job) => { await fetch(job.data.url); };
"""


def bound(root: Path, handler: str) -> object:
    (root / "a.ts").write_text(f"{WITHIN}new Worker('q', {handler}, {{ connection: {{}} }});\n")
    (worker,) = collect([root]).workers
    found = worker.bound
    if found is None:
        return None
    return found.value if found.state is OptionState.KNOWN else found.state


@pytest.mark.parametrize(
    ("handler", "ms"),
    [
        ("(job) => within(75_000, () => send(job))", 75_000),
        ("async (job) => { console.log(JSON.stringify(job.data)); await within(2 * MINUTE, async () => { await send(job); }); }", 120_000),
        ("(job) => pTimeout(send(job), { milliseconds: 20_000 })", 20_000),
        ("(job) => pTimeout(sync(job.data), 30_000)", 30_000),
        ("(job) => ending(send(job), 9_000)", 9_000),
        ("(job) => Promise.race([send(job), after(15_000)])", 15_000),
        ("(job) => Promise.race([send(job), new Promise((_, no) => setTimeout(no, MINUTE))])", 60_000),
    ],
)  # fmt: skip
def test_a_deadline_around_all_of_it(tmp_path: Path, handler: str, ms: int) -> None:
    assert bound(tmp_path, handler) == ms


@pytest.mark.parametrize(
    "handler",
    [
        "async (job) => { await within(75_000, () => send(job)); await sync(job.data); }",
        "async (job) => { const user = await sync(job.data); return within(75_000, () => send(user)); }",
        "(job) => Promise.race([send(job), sync(job)])",
        "(job) => send(job)",
    ],
)
def test_work_outside_of_the_deadline(tmp_path: Path, handler: str) -> None:
    assert bound(tmp_path, handler) is None


def test_several_deadlines_in_a_row(tmp_path: Path) -> None:
    handler = "async (job) => { await within(10_000, () => send(job)); await within(20_000, () => send(job)); }"
    assert bound(tmp_path, handler) is OptionState.UNKNOWN
