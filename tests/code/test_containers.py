"""Queues and services that a dependency injection container gives."""

from __future__ import annotations

from pathlib import Path

import pytest

from auditor.code.collect import collect
from auditor.code.model import CodeModel

AWILIX = """import { asClass, asFunction, asValue, aliasTo, createContainer } from 'awilix';
import { Queue, Worker } from 'bullmq';
import { PrismaClient } from '@prisma/client';
class QueueService { createQueue(name) { return new Queue(name, { defaultJobOptions: { attempts: 4 } }); } }
class Orders {
  constructor({ prisma }) { this.prisma = prisma; }
  async pay(id) { await this.prisma.order.update({ where: { id } }); }
}
const makeMailer = ({ mailQueue, label }) => ({ send: (data) => mailQueue.add(label, data) });
export const container = createContainer();
container.register({
  prisma: asValue(new PrismaClient()),
  orders: asClass(Orders).singleton(),
  queueService: asClass(QueueService, { lifetime: 'SINGLETON' }),
  mailer: asFunction(makeMailer).scoped(),
  label: asValue('welcome'),
  posts: aliasTo('mailQueue'),
});
container.register('mailQueue', asValue(container.cradle.queueService.createQueue('mail')));
new Worker('orders', async (job) => container.resolve('orders').pay(job.data.id));
"""


def model(root: Path, *files: str) -> CodeModel:
    for index, text in enumerate(files):
        (root / f"f{index}.ts").write_text(text)
    return collect([root])


def added(found: CodeModel) -> list[tuple[tuple[str, ...], object]]:
    """Queue and attempts of each producer."""
    return [
        (one.queue, one.options["attempts"].value if "attempts" in one.options else None) for one in found.producers
    ]


@pytest.mark.parametrize(
    "use",
    [
        "container.cradle.mailQueue.add('a', {});",
        "container.resolve('mailQueue').add('a', {});",
        "const { mailQueue } = container.cradle;\nmailQueue.add('a', {});",
        "container.cradle.posts.add('a', {});",
        "export const route = async (fastify) => { const mails = fastify.diContainer.cradle.mailQueue; await mails.add('a', {}); };",
        "export const route = async (request) => { await request.diScope.resolve('mailQueue').add('a', {}); };",
    ],
)
def test_what_a_container_holds_is_found_by_its_name(tmp_path: Path, use: str) -> None:
    found = model(tmp_path, AWILIX, f"import {{ container }} from './f0';\n{use}\n")
    assert added(found)[-1] == (("mail",), 4)


def test_the_cradle_is_given_to_what_the_container_makes(tmp_path: Path) -> None:
    found = model(tmp_path, AWILIX)
    assert added(found) == [(("mail",), 4)]
    (worker,) = found.workers
    assert [(effect.role.value, effect.package) for effect in worker.effects] == [("db.write", "@prisma/client")]


def test_parameters_are_given_by_name_in_classic_mode(tmp_path: Path) -> None:
    text = """import { asClass, asValue, createContainer, InjectionMode } from 'awilix';
import { Queue } from 'bullmq';
class Mails {
  constructor(mailQueue, other) { this.mailQueue = mailQueue; }
  send(data) { return this.mailQueue.add('a', data); }
}
const container = createContainer({ injectionMode: InjectionMode.CLASSIC });
container.register({ mails: asClass(Mails), mailQueue: asValue(new Queue('mail')), other: asValue(1) });
"""
    assert added(model(tmp_path, text)) == [(("mail",), None)]


@pytest.mark.parametrize(
    "text",
    [
        "import { Container, inject, injectable } from 'inversify';\nconst TYPES = { Mails: Symbol.for('Mails') };\n"
        "const container = new Container();\ncontainer.bind(TYPES.Mails).toConstantValue(new Queue('mail'));\n"
        "container.get(TYPES.Mails).add('a', {});",
        "import { Container, inject, injectable } from 'inversify';\nconst TYPES = { Mails: Symbol('Mails') };\n"
        "const container = new Container();\ncontainer.bind(TYPES.Mails).toDynamicValue(() => new Queue('mail')).inSingletonScope();\n"
        "@injectable()\nclass S { constructor(@inject(TYPES.Mails) private mails: unknown) {}\n send() { return this.mails.add('a', {}); } }",
        "import { container, inject } from 'tsyringe';\ncontainer.register('Mails', { useValue: new Queue('mail') });\n"
        "class S { constructor(@inject('Mails') private mails: any) {}\n send() { return this.mails.add('a', {}); } }",
        "import { container } from 'tsyringe';\nclass S { queue = new Queue('mail');\n send() { return this.queue.add('a', {}); } }\n"
        "container.registerInstance('Mails', new Queue('mail'));\ncontainer.resolve(S).queue.add('a', {});",
        "import { Container } from 'typedi';\nContainer.set('mails', new Queue('mail'));\nContainer.get('mails').add('a', {});",
        "import { Container } from 'typedi';\nclass S { queue = new Queue('mail'); }\nContainer.set('x', 1);\nContainer.get(S).queue.add('a', {});",
    ],
)
def test_tokens_of_other_containers_are_found(tmp_path: Path, text: str) -> None:
    found = model(tmp_path, f"import {{ Queue }} from 'bullmq';\n{text}\n")
    assert set(added(found)) == {(("mail",), None)}


def test_a_name_that_nobody_registers_is_not_known(tmp_path: Path) -> None:
    found = model(tmp_path, AWILIX, "import { container } from './f0';\ncontainer.resolve('other').add('a', {});\n")
    assert added(found) == added(model(tmp_path, AWILIX))
