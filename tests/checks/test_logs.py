"""What item 45 says of the log line that it points at."""

from __future__ import annotations

from pathlib import Path

import pytest

from auditor.model import Status

from .support import Case, judge

HEAD = "import { Worker } from 'bullmq';\nconst save = (data: unknown, id?: string) => { console.log('saved', id); };\n"
PACKAGE = '{"scripts": {"start": "node src/index.js"}, "dependencies": {"bullmq": "5.61.0"}}'


@pytest.mark.parametrize(
    ("handler", "verdict", "told"),
    [
        ("save(job.data, job.id);", Status.PASS, "src/index.ts:2 in its helper save carries the job's id"),
        ("save(job.data);", Status.FAIL, "(src/index.ts:2 in its helper save) without the job's id"),
        ("console.log('begun');", Status.FAIL, "its handler logs (src/index.ts:3) without the job's id"),
        (
            "const c = new Client(); c.on('error', (e) => { console.error(e); }); await c.put(job.data.id);",
            Status.FAIL,
            "neither its handler nor its listeners log anything by job id",
        ),
        (
            "const c = new Client(); c.on('data', (row) => { console.log(row); }); await c.put(job.data.id);",
            Status.FAIL,
            "its handler logs (src/index.ts:3) without the job's id",
        ),
        ("save(job.data); console.log(job.id);", Status.PASS, "console.log at src/index.ts:3 carries the job's id"),
    ],
)
def test_a_line_in_a_helper_is_called_one(tmp_path: Path, handler: str, verdict: Status, told: str) -> None:
    text = f"{HEAD}new Worker('mail', async (job) => {{ {handler} }});\n"
    result = judge(Case("TT045", verdict, "", {"src/index.ts": text, "package.json": PACKAGE}), tmp_path)
    said = [finding.finding.message for finding in result.findings]
    said += [evidence.observed for evidence in result.verdict.evidence]
    assert result.verdict.status is verdict
    assert any(told in text for text in said), said
