"""What a handler's calls mean, by the package that its receiver comes from."""

from __future__ import annotations

from pathlib import Path

import pytest

from auditor.code.collect import collect


def roles(root: Path, **files: str) -> list[str]:
    """`role call` of what the only worker's handler does."""
    for name, text in files.items():
        (root / f"{name}.ts").write_text(text)
    (worker,) = collect([root]).workers
    return [f"{effect.role.value} {effect.call}" for effect in worker.effects]


@pytest.mark.parametrize(
    "head",
    [
        "import { Model } from 'sequelize';",
        "import pkg from 'sequelize';\nconst { Model } = pkg;",
        "const { Model } = require('sequelize');",
    ],
)
def test_static_calls_of_a_class_that_extends_a_package_are_the_package_s(tmp_path: Path, head: str) -> None:
    found = roles(
        tmp_path,
        model=f"{head}\nexport class Upload extends Model {{}}\n",
        worker="""
import { Worker } from 'bullmq';
import { Upload } from './model';
new Worker('a', async (job) => {
  const upload = await Upload.findOne({ where: { id: job.data.id } });
  await Upload.bulkCreate([upload]);
});
""",
    )
    assert found == ["db.read Upload.findOne", "db.write Upload.bulkCreate"]


def test_a_name_alone_is_no_construction(tmp_path: Path) -> None:
    worker = "import { Worker } from 'bullmq';\nnew Worker('a', async (job) => { await job.db.User.bulkCreate([job.data]); });\n"
    assert roles(tmp_path, worker=worker) == ["db.write job.db.User.bulkCreate"]


def test_a_cache_of_results_is_not_the_work_itself(tmp_path: Path) -> None:
    worker = """
import crypto from 'crypto';
import { Worker } from 'bullmq';
const keys = new WeakMap();
function derive(secret) {
  const known = keys.get(secret);
  if (known) return known;
  const key = crypto.scryptSync(secret, 'salt', 32);
  keys.set(secret, key);
  return key;
}
new Worker('a', async (job) => derive(job.data));
"""
    assert roles(tmp_path, worker=worker) == ["cpu crypto.scryptSync"]


@pytest.mark.parametrize(
    ("request_", "role"),
    [
        ("fetch('https://id.example.com/oauth/token', { method: 'POST', body })", "read"),
        ("fetch(`${base}/realms/main/protocol/openid-connect/token`, { method: 'POST', body })", "read"),
        ("fetch(url, { method: 'POST', body: new URLSearchParams({ grant_type: 'refresh_token' }) })", "read"),
        ("fetch(url, { method: 'POST', body: new URLSearchParams(grant) })", "read"),
        ("fetch(url, { method: 'POST', body: `grant_type=client_credentials&scope=${scope}` })", "read"),
        ("fetch(config.tokenEndpoint, { method: 'POST', body })", "read"),
        ("fetch(either, { method: 'POST', body })", "read"),
        ("axios.post(url, grant)", "read"),
        ("axios({ method: 'post', url: 'https://x.example/oauth2/v4/introspect', data: body })", "read"),
        ("axios.post('https://x.example/api/login', body)", "read"),
        ("axios.post('https://x.example/api/tokens', body)", "write"),
        ("axios.post('https://x.example/auth/login/email', body)", "write"),
        ("axios.post('https://x.example/orders', { token })", "write"),
        ("axios.delete('https://x.example/oauth/token')", "write"),
        ("fetch(mixed, { method: 'POST', body })", "write"),
    ],
)
def test_a_request_for_a_token_changes_nothing(tmp_path: Path, request_: str, role: str) -> None:
    worker = f"""
import axios from 'axios';
import {{ Worker }} from 'bullmq';
import {{ base, body, config, scope, token, url }} from 'settings';
const grant = {{ grant_type: 'client_credentials', scope }};
let either = 'https://a.example/oauth/token';
if (config.b) either = 'https://b.example/site/oauth2/access_token';
let mixed = 'https://a.example/oauth/token';
if (config.b) mixed = 'https://b.example/orders';
new Worker('a', async (job) => {{ await {request_}; }});
"""
    assert [one.split()[0] for one in roles(tmp_path, worker=worker)] == [f"http.{role}"]


def test_calls_with_type_arguments_are_calls_whose_await_the_grammar_puts_inside(tmp_path: Path) -> None:
    (tmp_path / "worker.ts").write_text("""
import { Queue, Worker } from 'bullmq';
import axios from 'axios';
import knex from 'knex';
const db = knex({ client: 'pg' });
const queue = new Queue('mail', {});
async function send<T>(data: T): Promise<void> {
  await queue.add<T>('welcome', data, { attempts: 3 });
}
new Worker('orders', async (job) => {
  const known = await db<Order>('orders').where({ id: job.data.id }).first();
  if (known) return;
  await send<Order>({ id: job.data.id });
  const { data } = await axios.post<Answer>('https://example.com/orders', { id: job.data.id });
});
""")
    model = collect([tmp_path])
    (producer,) = model.producers
    (worker,) = model.workers
    assert (producer.queue, producer.job, producer.awaited) == (("mail",), "welcome", True)
    said = [(one.role.value, one.call, one.awaited, one.guards) for one in worker.effects]
    assert said == [
        ("db.read", "db.where.first", True, True),
        ("enqueue", "queue.add", True, False),
        ("http.write", "axios.post", True, False),
    ]


@pytest.mark.parametrize(
    ("options", "role"),
    [
        ("{ method: 'post', body }", "http.write"),
        ("{ method: 'GET' }", "http.read"),
        ("{ headers: {} }", "http.read"),
        ("Object.assign({ method: 'PUT' }, { body })", "http.write"),
    ],
)
def test_what_fetch_does_is_told_by_the_options_that_it_is_handed(tmp_path: Path, options: str, role: str) -> None:
    worker = f"""
import {{ Worker }} from 'bullmq';
import {{ fetch }} from 'undici';
async function request(send, url, given) {{
  const options = {{ ...given, redirect: 'manual' }};
  return send(url, options);
}}
new Worker('hooks', async (job) => {{
  const body = JSON.stringify(job.data);
  await request(fetch, job.data.url, {options});
}});
"""
    assert roles(tmp_path, worker=worker) == [f"{role} send"]


def test_what_is_queued_between_multi_and_exec_is_one_transaction(tmp_path: Path) -> None:
    (tmp_path / "worker.ts").write_text("""
import { Worker } from 'bullmq';
import Redis from 'ioredis';
const redis = new Redis();
new Worker('exports', async (job) => {
  if (!(await redis.hgetBuffer('entries', job.data.id))) return;
  await redis.multi().hincrby(job.data.id, 'sent', 1).hincrby('all', 'sent', 1).exec();
  const multi = redis.multi();
  multi.hincrby(job.data.id, 'done', 1);
  await multi.exec();
  await redis.hincrby('all', 'done', 1);
});
""")
    (worker,) = collect([tmp_path]).workers
    said = [(one.role.value, one.span.start, "transaction" in one.within) for one in worker.effects if one.text != "x"]
    assert ("db.read", 6, False) in said
    assert {(at, within) for role, at, within in said if role == "db.increment"} == {(7, True), (9, True), (11, False)}
