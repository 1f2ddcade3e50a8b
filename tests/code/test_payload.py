"""What a payload holds: keys, what JSON loses, what is encrypted or bulky; and dead letters."""

from __future__ import annotations

from pathlib import Path

import pytest

from auditor.code.collect import collect
from auditor.code.model import Producer


def producers(root: Path, body: str) -> tuple[Producer, ...]:
    (root / "a.ts").write_text(
        "import { Queue, Worker } from 'bullmq';\nimport fs from 'node:fs';\nconst queue = new Queue('q');\n" + body
    )
    return collect([root]).producers


def test_keys_come_with_their_lines(tmp_path: Path) -> None:
    (one,) = producers(
        tmp_path, "const extra = { deep: { token: 1 } };\nqueue.add('x', {\n  id: 1,\n  ...extra,\n});\n"
    )
    assert {key: span.start for key, span in one.data_keys} == {"id": 6, "deep": 5, "deep.token": 4}


def test_a_declared_type_tells_keys_too(tmp_path: Path) -> None:
    (one,) = producers(
        tmp_path,
        "interface Payload { id: string; card: { number: string } }\nexport const put = (data: Payload) => queue.add('x', data);\n",
    )
    assert {key for key, _ in one.data_keys} == {"id", "card", "card.number"}


def test_what_json_loses(tmp_path: Path) -> None:
    (one,) = producers(
        tmp_path,
        "queue.add('x', { map: new Map(), run: () => 1, big: 10n, raw: Buffer.from('x'), when: new Date(), at: new Error('x') });\n",
    )
    assert {(path, what) for path, what, _ in one.unserializable} == {
        ("map", "a Map"), ("run", "a function"), ("big", "a BigInt"), ("raw", "a Buffer"), ("at", "an Error"),
    }  # fmt: skip
    assert {path for path, _, _ in one.bulky} == {"raw"}


def test_encrypted_members(tmp_path: Path) -> None:
    (one,) = producers(
        tmp_path, "declare function encrypt(x: string): string;\nqueue.add('x', { secret: encrypt('s'), hash: 'x' });\n"
    )
    assert one.encrypted == ("secret",)


def test_a_dead_letter_queue_is_told_by_its_failure_path(tmp_path: Path) -> None:
    made = producers(
        tmp_path,
        "const parked = new Queue('parked');\nconst worker = new Worker('q', async () => 1);\n"
        "worker.on('failed', async (job) => { await parked.add('x', job.data); });\nqueue.add('y', {});\n",
    )
    assert {producer.queue: producer.dead_letter for producer in made} == {("parked",): True, ("q",): False}


def test_unknown_option_names(tmp_path: Path) -> None:
    (one,) = producers(tmp_path, "queue.add('x', {}, { attempts: 1, removeOnFailed: true });\n")
    assert [name for name, _ in one.unknown_options] == ["removeOnFailed"]


def test_unawaited_adds(tmp_path: Path) -> None:
    made = producers(
        tmp_path,
        "async function f() {\n  queue.add('a', {});\n  await queue.add('b', {});\n  return queue.add('c', {});\n}\nf();\n",
    )
    assert [(producer.job, producer.awaited) for producer in made] == [("a", False), ("b", True), ("c", True)]


def test_one_of_many_things_that_are_not_known_is_no_buffer(tmp_path: Path) -> None:
    (one,) = producers(
        tmp_path,
        "import { read } from 'elsewhere';\nconst table = { a: read(), b: Buffer.from('x') };\nconst raw = table[read()];\nqueue.add('x', { raw });\n",
    )
    assert not one.unserializable


def test_a_queues_own_type_tells_keys(tmp_path: Path) -> None:
    (one,) = producers(
        tmp_path,
        "declare function load(): any;\ntype Mail = { to: string } & Partial<Parts>;\ninterface Parts { body: string }\n"
        "const mails = new Queue<Mail>('mails');\nmails.add('x', load());\n",
    )
    assert {key for key, _ in one.data_keys} == {"to", "body"}


def test_what_is_made_from_a_buffer_is_not_the_buffer(tmp_path: Path) -> None:
    (one,) = producers(
        tmp_path,
        "declare const s: string;\nconst held = Buffer.from(s);\n"
        "queue.add('x', { size: held.length, id: Buffer.concat([held]).toString('hex').slice(0, 9), name: held.toString(),\n"
        "  field: held.account, text: fs.readFileSync('x').toString() });\n",
    )
    assert one.unserializable == ()
    assert [path for path, _, _ in one.bulky] == ["text"]


HEAD = """import msgpack from 'msgpack5';
import { encode } from '@msgpack/msgpack';
import superjson from 'superjson';
import v8 from 'node:v8';
import { encrypt } from './crypto';
const held = { userId: 1, deep: { pin: 2 } };
"""


@pytest.mark.parametrize(
    "data",
    [
        "JSON.stringify(held)",
        "encode(held)",
        "Buffer.from(encode(held)).toString('base64')",
        "superjson.stringify(held)",
        "v8.serialize(held)",
        "pack(held)",
    ],
)
def test_keys_of_what_is_serialized(tmp_path: Path, data: str) -> None:
    pack = "const pack = (value) => Buffer.concat([Buffer.alloc(4), msgpack.encode(value)]).toString('base64');\n"
    (one,) = producers(tmp_path, f"{HEAD}{pack}queue.add('x', {{ body: {data} }});\n")
    assert {key for key, _ in one.data_keys} == {"body", "body.userId", "body.deep", "body.deep.pin"}


def test_what_is_encrypted_before_it_is_serialized_stays_shut(tmp_path: Path) -> None:
    (one,) = producers(tmp_path, f"{HEAD}queue.add('x', {{ body: encrypt(JSON.stringify(held)) }});\n")
    assert ([key for key, _ in one.data_keys], one.encrypted) == (["body"], ("body",))


def test_what_callers_give_in_a_branch_that_none_is_seen_to_take(tmp_path: Path) -> None:
    (one,) = producers(
        tmp_path,
        """
class Notes {
  async note(event, data, more) {
    const { quiet } = more;
    const payload = { event, data };
    if (quiet) await this.put(event, payload);
  }
  async put(event, payload) { await queue.add(event, payload); }
}
new Notes().note('x', { id: 1 }, {});
""",
    )
    assert {key for key, _ in one.data_keys} == {"event", "data", "data.id"}
