"""A warm answer is the cold one: every change that could show in a snapshot is a miss, and only then is it made again."""

from __future__ import annotations

import os
import subprocess
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from auditor import file_sources
from auditor.cache import tool
from auditor.cache.memory import Memory
from auditor.code.model import CodeModel, EntryPoint, ServiceConfig
from auditor.opening import Disk
from auditor.request import Request

FILES = {
    "package.json": '{"name": "top", "workspaces": ["packages/*", "services/*"]}',
    "package-lock.json": '{"packages": {"node_modules/bullmq": {"version": "5.1.0"}}}',
    "tsconfig.base.json": '{"compilerOptions": {"paths": {"@shared/*": ["packages/shared/src/*"]}}}',
    ".gitignore": "ignored/\n",
    "packages/shared/package.json": '{"name": "@acme/shared", "main": "src/index.ts"}',
    "packages/shared/src/index.ts": "export const QUEUE = 'mail';\nexport const OPTIONS = { attempts: 3 };\n",
    "services/mail/package.json": '{"name": "mail", "dependencies": {"bullmq": "^5"}, "scripts": {"start": "node src/main.js"}}',
    "services/mail/tsconfig.json": '{"extends": "../../tsconfig.base.json"}',
    "services/mail/src/main.ts": "import './worker';\nimport './producer';\n",
    "services/mail/src/worker.ts": (
        "import { Worker } from 'bullmq';\nimport { QUEUE } from '@shared/index';\nimport { send } from './send';\n"
        "new Worker(QUEUE, async (job) => { await send(job.data); });\n"
    ),
    "services/mail/src/send.ts": "export async function send(data: unknown) { await fetch('https://mail.example', { method: 'POST' }); }\n",
    "services/mail/src/producer.ts": (
        "import { Queue } from 'bullmq';\nimport { QUEUE, OPTIONS } from '@acme/shared';\n"
        "const queue = new Queue(QUEUE);\nexport const enqueue = () => queue.add('welcome', {}, OPTIONS);\nenqueue();\n"
    ),
}  # fmt: skip


@dataclass
class Scanner:
    """A repository whose service alone is `--code`, scanned with one cache."""

    top: Path
    where: Path
    request: Request
    made: int = 0

    def scan(self, request: Request | None = None) -> CodeModel:
        """The model by way of the cache; `made` counts those that were not in it."""
        request = request or self.request
        before = len(self.entries())
        model = file_sources.collect_code(request, None, time.monotonic() + 60, file_sources.memory(request))
        self.made += len(self.entries()) - before
        return model

    def fresh(self, request: Request | None = None) -> CodeModel:
        """The model without any cache."""
        request = replace(request or self.request, cache=None)
        return file_sources.collect_code(request, None, time.monotonic() + 60, file_sources.memory(request))

    def entries(self) -> list[Path]:
        """Entries of code models."""
        return sorted(self.where.glob("codemodel-*"))

    def write(self, path: str, text: str) -> None:
        """A file of the repository."""
        (self.top / path).parent.mkdir(parents=True, exist_ok=True)
        (self.top / path).write_text(text)


@pytest.fixture
def scanner(tmp_path: Path) -> Scanner:
    """The repository, scanned once."""
    top, where = tmp_path / "repo", tmp_path / "cache"
    made = Scanner(top, where, Request(code=(top / "services/mail",), cache=where))
    for path, text in FILES.items():
        made.write(path, text)
    made.scan()
    assert made.made == 1
    return made


def test_the_second_scan_is_served_and_equal(scanner: Scanner) -> None:
    warm = scanner.scan()
    assert scanner.made == 1
    assert warm == scanner.fresh()
    assert repr(warm) == repr(scanner.fresh())
    (producer,) = warm.producers
    assert (producer.queue, producer.version, producer.options["attempts"].value) == (("mail",), "5.1.0", 3)


def edited(path: str, before: str, after: str) -> Callable[[Scanner], None]:
    def change(scanner: Scanner) -> None:
        text = (scanner.top / path).read_text()
        assert before in text
        scanner.write(path, text.replace(before, after))

    return change


def added(path: str, text: str) -> Callable[[Scanner], None]:
    return lambda scanner: scanner.write(path, text)


def removed(path: str) -> Callable[[Scanner], None]:
    return lambda scanner: (scanner.top / path).unlink()


def linked(path: str, target: str) -> Callable[[Scanner], None]:
    def change(scanner: Scanner) -> None:
        (scanner.top / path).unlink(missing_ok=True)
        (scanner.top / path).symlink_to(target)

    return change


def committed(scanner: Scanner) -> None:
    subprocess.run(["git", "-C", str(scanner.top), "init", "-q"], check=True)
    scanner.write("services/mail/.gitignore", "producer.ts\n")


CHANGES: dict[str, Callable[[Scanner], None]] = {
    "a file of the service": edited("services/mail/src/producer.ts", "'welcome'", "'goodbye'"),
    "a file with as many bytes": edited("services/mail/src/send.ts", "POST", "HEAD"),
    "a package outside of --code": edited("packages/shared/src/index.ts", "attempts: 3", "attempts: 4"),
    "the name of a package outside": edited("packages/shared/package.json", "@acme/shared", "@acme/sharing"),
    "the entry of a package outside": edited("packages/shared/package.json", "src/index.ts", "src/other.ts"),
    "a lockfile": edited("package-lock.json", "5.1.0", "5.2.0"),
    "paths of a tsconfig above": edited("tsconfig.base.json", "packages/shared/src/*", "nowhere/*"),
    "workspaces of the package.json above": edited("package.json", "packages/*", "nothing/*"),
    "the start script": edited("services/mail/package.json", "src/main.js", "src/send.js"),
    "a new file": added("services/mail/src/more.ts", "import { Queue } from 'bullmq';\nnew Queue('more');\n"),
    "a new file outside that an import now means": added("packages/shared/src/index.mts", "export const QUEUE = 'other';\n"),
    "a file that takes another's place": added("services/mail/src/send.tsx", "export const send = 1;\n"),
    "a nearer package.json": added("services/mail/src/package.json", '{"name": "inner"}'),
    "a nearer lockfile": added("services/mail/pnpm-lock.yaml", "packages:\n  bullmq@4.0.0:\n"),
    "a mark of a repository above": added("lerna.json", "{}"),
    "a file gone": removed("services/mail/src/producer.ts"),
    "a file outside gone": removed("packages/shared/src/index.ts"),
    "a lockfile gone": removed("package-lock.json"),
    "a file ignored": added("services/mail/.gitignore", "producer.ts\n"),
    "a repository made": committed,
    "a file turned into a link": linked("services/mail/src/send.ts", "worker.ts"),
    "a link out of the repository": linked("services/mail/src/send.ts", "/etc/hosts"),
    "a file too large": added("services/mail/src/send.ts", "// " + "x" * 1_000_001),
    "a file binary": added("services/mail/src/send.ts", "\0" * 100),
}  # fmt: skip


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES.keys())
def test_after_any_change_the_answer_is_the_fresh_one(scanner: Scanner, change: Callable[[Scanner], None]) -> None:
    change(scanner)
    fresh = scanner.fresh()
    assert scanner.scan() == fresh
    assert scanner.scan() == fresh


@pytest.mark.parametrize("name", ["a file of the service", "a package outside of --code", "a lockfile", "a file gone"])
def test_a_change_is_seen_at_all(scanner: Scanner, name: str) -> None:
    before = scanner.fresh()
    CHANGES[name](scanner)
    assert scanner.scan() != before
    assert scanner.made == 2


def test_a_change_with_the_old_time_is_seen(scanner: Scanner) -> None:
    path = scanner.top / "services/mail/src/producer.ts"
    times = path.stat()
    edited("services/mail/src/producer.ts", "welcome", "goodbye")(scanner)
    os.utime(path, ns=(times.st_atime_ns, times.st_mtime_ns))
    assert scanner.scan() == scanner.fresh()
    assert scanner.scan().producers[0].job == "goodbye"


def test_a_change_back_is_served(scanner: Scanner) -> None:
    edited("services/mail/src/producer.ts", "welcome", "goodbye")(scanner)
    scanner.scan()
    edited("services/mail/src/producer.ts", "goodbye", "welcome")(scanner)
    assert scanner.scan().producers[0].job == "welcome"
    assert scanner.made == 2


def test_a_file_that_nothing_asks_for_changes_nothing(scanner: Scanner) -> None:
    scanner.write("docs/notes.txt", "new")
    scanner.scan()
    assert scanner.made == 1


def requests(request: Request) -> Iterator[Request]:
    yield replace(request, exclude=("**/send.ts",))
    yield replace(request, kinds={"mail": "payment"})
    yield replace(request, roles={"./send#send": "email.send"})
    yield replace(request, services=(ServiceConfig("post", str(request.code[0])),))
    yield replace(request, code=(request.code[0] / "src",))
    yield replace(request, code=(*request.code, request.code[0].parents[1] / "packages"))


def test_every_setting_has_an_answer_of_its_own(scanner: Scanner) -> None:
    for made, request in enumerate(requests(scanner.request), 2):
        assert scanner.scan(request) == scanner.fresh(request)
        assert scanner.made == made


def test_a_relative_root_is_another_folder_elsewhere(scanner: Scanner, monkeypatch: pytest.MonkeyPatch) -> None:
    request = replace(scanner.request, code=(Path(),))
    monkeypatch.chdir(scanner.top / "services/mail")
    assert len(scanner.scan(request).producers) == 1
    monkeypatch.chdir(scanner.top / "packages/shared")
    assert scanner.scan(request) == scanner.fresh(request)
    assert not scanner.scan(request).producers


def test_a_root_that_is_a_file_is_another_than_a_folder(scanner: Scanner) -> None:
    path = scanner.top / "services/mail/src/producer.ts"
    request = replace(scanner.request, code=(path,))
    assert len(scanner.scan(request).producers) == 1
    path.unlink()
    path.mkdir()
    assert scanner.scan(request) == scanner.fresh(request)
    assert not scanner.scan(request).producers


def test_a_folder_that_becomes_a_file_is_another_root(scanner: Scanner) -> None:
    path = scanner.top / "services/mail/src/folder.ts"
    path.mkdir()
    request = replace(scanner.request, code=(path,))
    assert not scanner.scan(request).producers
    path.rmdir()
    path.write_text(FILES["services/mail/src/producer.ts"])
    assert scanner.scan(request).producers


def test_a_repository_around_it_is_seen(scanner: Scanner) -> None:
    """A workspace's mark above puts lockfiles above in reach."""

    def version() -> str:
        cache = file_sources.memory(scanner.request)
        model = file_sources.collect_code(scanner.request, (), time.monotonic() + 60, cache)
        return model.producers[0].version

    removed("package-lock.json")(scanner)
    assert version() == "^5"
    scanner.write("../lerna.json", "{}")
    scanner.write("../package-lock.json", FILES["package-lock.json"].replace("5.1.0", "5.3.0"))
    assert version() == "5.3.0"


def test_entry_points_of_infra_are_part_of_the_question(scanner: Scanner) -> None:
    def scan(*starts: EntryPoint) -> CodeModel:
        entries = tuple(replace(one, path=str(scanner.top / one.path)) for one in starts)
        cache = file_sources.memory(scanner.request)
        return file_sources.collect_code(scanner.request, entries, time.monotonic() + 60, cache)

    main = EntryPoint("mail", "services/mail/src/main.ts", 1, "Dockerfile:1")
    assert all(site.live for site in scan(main).producers)
    assert not any(site.live for site in scan(replace(main, path="services/mail/src/send.ts")).producers)


@pytest.mark.parametrize("what", ["identity", "version"])
def test_another_tool_is_not_served(scanner: Scanner, monkeypatch: pytest.MonkeyPatch, what: str) -> None:
    monkeypatch.setattr(tool, "identity", lambda: what)
    scanner.scan()
    assert scanner.made == 2


def test_the_tool_is_its_source_its_python_and_its_parsers(monkeypatch: pytest.MonkeyPatch) -> None:
    names = {name for name, _ in tool._sources()}
    assert {
        "code/collect.py",
        "code/evaluation/evaluate.py",
        "infra/tree.py",
        "prom/promql.py",
        "auditor/opening.py",
    } <= names
    assert any(name.startswith("catalogue/") and name.endswith(".yaml") for name in names)
    assert all(tool._installed(parser) for parser in tool._PARSERS)

    def digest() -> str:
        tool.identity.cache_clear()
        return tool.identity()

    before = digest()
    assert digest() == before
    sources_ = list(tool._sources())
    with monkeypatch.context() as patch:
        patch.setattr(tool, "_sources", lambda: [*sources_[:-1], (sources_[-1][0], sources_[-1][1] + b"\n")])
        assert digest() != before
    with monkeypatch.context() as patch:
        patch.setattr(tool.sys, "version", "4.0")
        assert digest() != before
    with monkeypatch.context() as patch:
        patch.setattr(tool, "_installed", lambda parser: "other")
        assert digest() != before
    tool.identity.cache_clear()


def told(disk: Disk, folder: Path) -> CodeModel:
    disk.names(str(folder))
    return CodeModel((), (), False, (), (), (), (), ())


def test_what_is_not_whole_or_too_late_is_not_kept(tmp_path: Path) -> None:
    memory = Memory(tmp_path / "cache", {})

    def scan(question: str, whole: bool, deadline: float) -> None:
        memory.remembered(
            CodeModel, [question], lambda disk: told(disk, tmp_path), whole=lambda _: whole, deadline=deadline
        )

    scan("broken", False, time.monotonic() + 60)
    scan("late", True, time.monotonic() - 1)
    assert not (tmp_path / "cache").exists()
    scan("whole", True, time.monotonic() + 60)
    assert len(list((tmp_path / "cache").iterdir())) == 1


def test_a_model_with_a_gap_is_not_whole(scanner: Scanner, monkeypatch: pytest.MonkeyPatch) -> None:
    from auditor.code import collect

    def breaks(*_: object) -> Sequence[object]:
        raise RuntimeError("broken")

    monkeypatch.setattr(collect.misuse, "find", breaks)
    scanner.write("services/mail/src/new.ts", "")
    assert scanner.scan().gaps
    assert scanner.made == 1


def test_a_model_that_ended_early_is_not_whole(scanner: Scanner) -> None:
    assert scanner.fresh().whole
    assert not replace(scanner.fresh(), ended_early=True).whole


def test_an_entry_that_lies_is_passed_over(scanner: Scanner) -> None:
    """A foreign trace names no question that is asked, and no listing that is run."""
    from auditor.cache.witness import Checker

    checker = Checker({})
    for trace in ([("holds", [], {"x": "y"})], [("__init__", [], {"x": "y"})], [("files", ["os.system"], {"x": "y"})]):
        with pytest.raises((LookupError, TypeError, ValueError)):
            checker.holds(trace)


def test_no_secret_of_the_code_gets_in(scanner: Scanner) -> None:
    """Connections, job data, ids, options and log lines are masked where they enter the model."""
    scanner.write(
        "services/mail/src/secret.ts",
        "import { Queue, Worker } from 'bullmq';\nimport Stripe from 'stripe';\n"
        "const stripe = new Stripe('sk_live_abcdefghijk1');\n"
        "new Queue('s', { connection: { host: 'redis.example', password: 'hunter2hunter2' } });\n"
        "const queue = new Queue('t', { connection: { url: 'redis://user:hunter2hunter2@redis.example:6379' } });\n"
        "queue.add('x', { token: 'sk_live_abcdefghijk2', of: [`a ${'sk_live_abcdefghijk3'}`] }, { jobId: 'sk_live_abcdefghijk4' });\n"
        "new Worker('t', async (job) => {\n"
        "  console.log('sk_live_abcdefghijk5' + job.id);\n"
        "  await stripe.paymentIntents.create({ amount: 1 }, { idempotencyKey: 'sk_live_abcdefghijk6' });\n"
        "});\n",
    )  # fmt: skip
    assert scanner.scan() == scanner.fresh()
    assert scanner.made == 2
    kept = "".join(path.read_text() for path in scanner.where.iterdir())
    assert "redis://user:***@redis.example:6379" in kept
    assert "hunter2" not in kept
    assert "sk_live_abcdef" not in kept


def test_a_secret_where_nobody_thought_of_one_is_not_kept(scanner: Scanner) -> None:
    scanner.write("services/mail/src/odd.ts", "import { Queue } from 'bullmq';\nnew Queue('sk_live_abcdefghijklm');\n")
    assert scanner.scan() == scanner.fresh()
    assert scanner.made == 1
    assert not any("sk_live_a" in path.read_text() for path in scanner.where.iterdir())
