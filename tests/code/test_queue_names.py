"""Queues whose name is an environment variable: one queue for all who read it, and no name to the outside."""

from __future__ import annotations

from pathlib import Path

from auditor import scan
from auditor.code.collect import collect
from auditor.code.inventory import inventory
from auditor.code.model import is_named
from auditor.model import Result, Status
from auditor.request import Request

PRODUCER = "import { Queue } from 'bullmq';\nexport const put = () => new Queue(process.env.ORDERS).add('x', {}, { attempts: 3 });\n"
WORKER = "import { Worker } from 'bullmq';\nnew Worker(process.env.ORDERS, async () => 1);\n"


def write(root: Path, **files: str) -> None:
    for name, text in files.items():
        (root / name).mkdir()
        (root / name / "package.json").write_text(f'{{"name": "{name}"}}')
        (root / name / "main.ts").write_text(text)


def results(root: Path) -> dict[str, Result]:
    report = scan.scan(Request(code=(root,))).report
    return {result.item.id: result for result in (*report.results, *report.extra)}


def test_one_variable_is_one_queue(tmp_path: Path) -> None:
    write(tmp_path, shop=PRODUCER, works=WORKER)
    model = collect([tmp_path])
    (producer,), (worker,) = model.producers, model.workers
    assert producer.queue == worker.queue == ("${ORDERS}",)
    assert not is_named(producer) and not is_named(worker)
    assert [queue["name"] for queue in inventory(model)["queues"]] == [None]  # type: ignore[attr-defined]  # a list of tables
    assert inventory(model)["producers"][0]["queue"] is None  # type: ignore[index]  # as above


def test_parts_of_a_name_count_too_and_nests_registrations(tmp_path: Path) -> None:
    write(
        tmp_path,
        shop="import { BullModule } from '@nestjs/bullmq';\nimport { InjectQueue } from '@nestjs/bullmq';\n"
        "BullModule.registerQueue({ name: `${process.env.PREFIX}-mail`, defaultJobOptions: { attempts: 4 } });\n"
        "export class S { constructor(@InjectQueue(`${process.env.PREFIX}-mail`) private q) {} go() { return this.q.add('x', {}); } }\n",
        works="import { Worker } from 'bullmq';\nnew Worker(`${process.env.PREFIX}-mail`, async () => 1);\n",
    )
    model = collect([tmp_path])
    assert [queue.name for queue in model.queues] == ["${PREFIX}-mail"]
    assert model.producers[0].queue == model.workers[0].queue == ("${PREFIX}-mail",)
    assert model.producers[0].options["attempts"].value == 4


def test_a_setting_may_hold_any_name(tmp_path: Path) -> None:
    """A worker on a variable may take the queue that is filled by name: no orphan, either way."""
    write(tmp_path, shop=PRODUCER.replace("process.env.ORDERS", "'orders'"), works=WORKER)
    found = results(tmp_path)
    wired = [one for one in found.values() if one.item.probe in ("queue.consumed", "queue.filled")]
    assert len(wired) == 2
    assert all(one.verdict.status is not Status.FAIL and not one.findings for one in wired)
