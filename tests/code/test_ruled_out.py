"""What a call passes rules out branches of the function that it runs, and of those that this one runs in turn."""

from __future__ import annotations

from pathlib import Path

import pytest

from auditor.code.collect import collect

HEAD = """
import { Worker } from 'bullmq';
import { PrismaClient } from '@prisma/client';
const prisma = new PrismaClient();
const mail = (data) => prisma.mail.create(data);
const mint = (data) => prisma.mint.create(data);
const burn = (data) => prisma.burn.create(data);
"""


def reached(root: Path, text: str, call: str) -> list[str]:
    """Models that the handler writes, where it makes this call."""
    (root / "worker.ts").write_text(f"{HEAD}{text}\nnew Worker('a', async (job) => {{ await {call}; }});\n")
    (worker,) = collect([root]).workers
    return list(dict.fromkeys(effect.call.split(".")[1] for effect in worker.effects))


DRY = "async function send(job, options) { if (options.dryRun) return; await mail(job.data); }"
KINDS = """
async function run(kind, data) {
  switch (kind) {
    case 'mint': await mint(data); break;
    case 'both': await mint(data);
    case 'burn': await burn(data); break;
    default: await mail(data);
  }
}
"""
MODES = "async function run(mode, data) { if (mode === 'mint') { await mint(data); } else { await burn(data); } }"
LATER = "async function later(data, { notify = true, how } = {}) { await mint(data); if (notify) await mail(data); how === 'x' && (await burn(data)); }"


@pytest.mark.parametrize(
    ("text", "call", "expected"),
    [
        pytest.param(DRY, "send(job, { dryRun: true })", [], id="an early return"),
        pytest.param(DRY, "send(job, { dryRun: false })", ["mail"], id="an early return that is not taken"),
        pytest.param(DRY, "send(job, { dryRun: job.data.dry })", ["mail"], id="a value of the job"),
        pytest.param(DRY, "send(job, { dryRun: process.env.DRY ?? true })", ["mail"], id="the environment"),
        pytest.param(DRY, "send(job, { dryRun: true, ...job.data })", ["mail"], id="a spread that may say otherwise"),
        pytest.param(MODES, "run('mint', job.data)", ["mint"], id="then"),
        pytest.param(MODES, "run('burn', job.data)", ["burn"], id="else"),
        pytest.param(MODES, "run(job.name, job.data)", ["mint", "burn"], id="either"),
        pytest.param(
            f"{MODES} const go = (mode, data) => run(mode, data);", "go('burn', job.data)", ["burn"], id="handed on"
        ),
        pytest.param(
            f"enum Mode {{ MINT = 'mint', BURN = 'burn' }} {MODES.replace(chr(39) + 'mint' + chr(39), 'Mode.MINT')}",
            "run(Mode.BURN, job.data)",
            ["burn"],
            id="an enum",
        ),
        pytest.param(KINDS, "run('mint', job.data)", ["mint"], id="a case"),
        pytest.param(KINDS, "run('both', job.data)", ["mint", "burn"], id="a case that falls through"),
        pytest.param(KINDS, "run('other', job.data)", ["mail"], id="no case"),
        pytest.param(KINDS, "run(job.name, job.data)", ["mint", "burn", "mail"], id="any case"),
        pytest.param(LATER, "later(job.data)", ["mint", "mail"], id="defaults"),
        pytest.param(LATER, "later(job.data, { notify: false, how: 'x' })", ["mint", "burn"], id="members taken apart"),
        pytest.param(
            "async function run(data, options) { const { kind } = options; const minting = kind === 'mint';"
            " if (!minting && data.ready) { await burn(data); return; } await mint(data); }",
            "run(job.data, { kind: 'mint' })",
            ["mint"],
            id="a variable made of what is given",
        ),
        pytest.param(
            "async function run(data, kind) { kind = data.kind; if (kind === 'mint') await mint(data); else await burn(data); }",
            "run(job.data, 'mint')",
            ["mint", "burn"],
            id="a parameter that is assigned to",
        ),
        pytest.param(
            "let kind; if (process.env.MINT) { kind = 'mint'; }"
            " async function run(data, kind) { if (kind === 'mint') await mint(data); else await burn(data); }",
            "run(job.data, kind)",
            ["mint", "burn"],
            id="a variable that may be set",
        ),
        pytest.param(
            "async function run(items, kind) { for (const item of items) { if (kind === 'mint') { await mint(item); continue; } await burn(item); } }",
            "run(job.data.items, 'mint')",
            ["mint"],
            id="continue",
        ),
        pytest.param(
            "async function run(data, kind) { return finish(); async function finish() { if (kind === 'mint') await mint(data); else await burn(data); } }",
            "run(job.data, 'burn')",
            ["burn"],
            id="a function that is written after the return",
        ),
        pytest.param(
            "async function run(data, kind) { const step = async () => { if (kind === 'mint') await mint(data); }; await step(); }",
            "run(job.data, 'none'); await run(job.data, 'mint')",
            ["mint"],
            id="an inner function at two calls",
        ),
        pytest.param(
            "function handler(kind) { return async (data) => { if (kind === 'mint') await mint(data); else await burn(data); }; }",
            "handler('burn')(job.data)",
            ["burn"],
            id="a closure",
        ),
    ],
)
def test_a_branch_that_the_call_rules_out_is_not_followed(
    tmp_path: Path, text: str, call: str, expected: list[str]
) -> None:
    assert reached(tmp_path, text, call) == expected
