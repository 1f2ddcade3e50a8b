"""What a call gives decides what the function that it runs does: other callers' callbacks are not this handler's."""

from __future__ import annotations

from pathlib import Path

import pytest

from auditor.code.collect import collect

HEAD = """
import { Worker } from 'bullmq';
import { PrismaClient } from '@prisma/client';
const prisma = new PrismaClient();
"""


def calls(root: Path, text: str) -> dict[str, list[str]]:
    """What each worker's handler reaches, by queue."""
    (root / "worker.ts").write_text(HEAD + text)
    return {worker.queue[0]: [effect.call for effect in worker.effects] for worker in collect([root]).workers}


@pytest.mark.parametrize(
    "text",
    [
        pytest.param(
            """
enum Way { OLD = 'OLD', NEW = 'NEW' }
async function choose(ways) { return process.env.NEW === 'true' ? ways[Way.NEW]() : ways[Way.OLD](); }
new Worker('a', async (job) => {
  await choose({ [Way.OLD]: () => prisma.order.create(job.data), [Way.NEW]: async () => { await prisma.order.upsert(job.data); } });
});
new Worker('b', async (job) => {
  await choose({ [Way.OLD]: async () => prisma.user.create(job.data), [Way.NEW]: () => prisma.user.upsert(job.data) });
});
""",
            id="a map of callbacks by a computed key",
        ),
        pytest.param(
            """
const ways = {
  order: async (data) => { await prisma.order.upsert(data); await prisma.order.create(data); },
  user: async (data) => { await prisma.user.create(data); await prisma.user.upsert(data); },
};
const run = async (kind, data) => ways[kind](data);
new Worker('a', async (job) => run('order', job.data));
new Worker('b', async (job) => run('user', job.data));
""",
            id="a table that the call chooses from",
        ),
        pytest.param(
            """
const attempt = async ({ first, last }) => { await first(); return finish(last); };
const finish = async (step) => step?.();
new Worker('a', async (job) => attempt({
  async first() { await prisma.order.upsert(job.data); }, last: () => prisma.order.create(job.data),
}));
new Worker('b', async (job) => {
  const last = () => prisma.user.create(job.data);
  await attempt({ first: () => prisma.user.upsert(job.data), last });
});
""",
            id="members that are taken apart and handed on",
        ),
        pytest.param(
            """
class Orders { async save(data) { await prisma.order.create(data); await prisma.order.upsert(data); } }
class Users { async save(data) { await prisma.user.create(data); await prisma.user.upsert(data); } }
const store = async (repository, data) => { const into = repository; await into.save(data); };
new Worker('a', async (job) => store(new Orders(), job.data));
new Worker('b', async (job) => store(new Users(), job.data));
""",
            id="an object with a method",
        ),
    ],
)
def test_a_helper_runs_what_this_call_gives_it(tmp_path: Path, text: str) -> None:
    found = calls(tmp_path, text)
    assert sorted(found["a"]) == ["prisma.order.create", "prisma.order.upsert"]
    assert sorted(found["b"]) == ["prisma.user.create", "prisma.user.upsert"]


def test_a_callback_that_is_not_given_is_not_run(tmp_path: Path) -> None:
    text = """
const load = async (id, found) => { await prisma.order.findUnique({ where: { id } }); await found?.(); };
new Worker('a', async (job) => load(job.data.id));
new Worker('b', async (job) => load(job.data.id, () => prisma.order.create(job.data)));
"""
    assert calls(tmp_path, text) == {
        "a": ["prisma.order.findUnique"],
        "b": ["prisma.order.findUnique", "prisma.order.create"],
    }


def test_members_of_an_object_that_is_not_given_are_not_run(tmp_path: Path) -> None:
    text = """
const writer = (params) => ({ write: async (id) => { if (params?.ready) { await params.ready(id); } await prisma.order.findUnique({ where: { id } }); } });
new Worker('a', async (job) => { await writer().write(job.data.id); });
new Worker('b', async (job) => { await writer({ ready: async (id) => { await prisma.order.create({ id }); } }).write(job.data.id); });
"""
    found = calls(tmp_path, text)
    assert "prisma.order.create" not in found["a"]
    assert "prisma.order.create" in found["b"]


def test_what_this_call_does_not_tell_is_what_all_calls_give(tmp_path: Path) -> None:
    text = """
const run = async (step, kind, job) => { await step(job); await prisma[kind].create(job.data); };
function outer(step) { return async (job) => run(step, 'order', job); }
new Worker('a', outer(async (job) => { await prisma.user.update(job.data); }));
new Worker('b', async (job) => run(job.data.step, 'user', job));
"""
    found = calls(tmp_path, text)
    assert "prisma.user.update" in found["a"]
    assert "prisma.user.update" in found["b"]


def test_a_small_helper_is_walked_a_few_times_only(tmp_path: Path) -> None:
    many = "".join(f"await note({at});" for at in range(30))
    text = f"const note = async (at) => prisma.note.create({{ at }});\nnew Worker('a', async () => {{ {many} }});\n"
    assert len(calls(tmp_path, text)["a"]) == 8


def test_what_was_not_seen_yet_comes_before_what_was(tmp_path: Path) -> None:
    inner = "".join(f"const f{at} = async (d) => {{ await prisma.a{at}.create(d); }};\n" for at in range(250))
    calls_of_all = "".join(f"await f{at}(d);" for at in range(250))
    text = (
        f"{inner}const all = async (d) => {{ {calls_of_all} }};\n"
        "const first = async (d) => all(d);\nconst second = async (d) => all(d);\nconst third = async (d) => all(d);\n"
        "const last = async (d) => { await prisma.done.create(d); };\n"
        + "".join(f"const g{at} = async (d) => {{ await prisma.b{at}.create(d); }};\n" for at in range(250))
        + "new Worker('a', async (job) => { await first(job.data); await second(job.data); await third(job.data);"
        + "".join(f"await g{at}(job.data);" for at in range(250))
        + " await last(job.data); });\n"
    )
    (tmp_path / "worker.ts").write_text(HEAD + text)
    (worker,) = collect([tmp_path]).workers
    assert (worker.followed, worker.effects[-1].call) == (True, "prisma.done.create")


def test_only_what_a_function_uses_of_an_argument_tells_calls_apart(tmp_path: Path) -> None:
    found = calls(
        tmp_path,
        """
type Options = { send: (data: unknown) => Promise<void>; label: string };
async function named(options: Options) { console.log(options.label); await options.send(1); }
async function taken({ send, label }: Options) { await send(label); }
async function typed(label: string, parts: Record<string, number[]>, send: (data: unknown) => Promise<void>) { label.trim(); await send(parts); }
async function later(options: Options) { const { send: deliver } = options; const one = options.label; await deliver(one); }
new Worker('named', async (job) => named({ send: (data) => prisma.named.create(data), label: job.name }));
new Worker('taken', async (job) => taken({ send: (data) => prisma.taken.create(data), label: job.name }));
new Worker('typed', async (job) => typed(job.name, {}, (data) => prisma.typed.create(data)));
new Worker('later', async (job) => later({ send: (data) => prisma.later.create(data), label: job.name }));
new Worker('others', async (job) => {
  await named({ send: (data) => prisma.other.update(data), label: '' });
  await taken({ send: (data) => prisma.other.upsert(data), label: '' });
  await typed('', {}, (data) => prisma.other.delete(data));
  await later({ send: (data) => prisma.other.findMany(data), label: '' });
});
""",
    )
    for name in ("named", "taken", "typed", "later"):
        assert [call for call in found[name] if "prisma" in call] == [f"prisma.{name}.create"], name
