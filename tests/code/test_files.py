"""Which files are read, and which are left out with a reason."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from auditor import scan
from auditor.code.collect import collect
from auditor.code.source.files import LARGEST, LARGEST_MADE, SourceTree, is_test, repository_root
from auditor.errors import SourceError
from auditor.model import SourceStatus
from auditor.request import Request

QUEUE = "import { Queue } from 'bullmq';\nnew Queue('x').add('y', {});\n"


def write(root: Path, **files: str) -> None:
    for name, text in files.items():
        path = root / name.replace("__", "/").replace("_ts", ".ts").replace("_js", ".js")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)


def test_folders_that_hold_no_code_of_the_project_are_skipped(tmp_path: Path) -> None:
    for folder in ("src", "node_modules/a", "dist", "src/generated", "tests", "src/__tests__"):
        (tmp_path / folder).mkdir(parents=True)
        (tmp_path / folder / "a.ts").write_text(QUEUE)
    (tmp_path / "src/a.test.ts").write_text(QUEUE)
    (tmp_path / "src/types.d.ts").write_text(QUEUE)
    (tmp_path / "src/b.min.js").write_text(QUEUE)
    tree = SourceTree([tmp_path])
    assert tree.paths == ["src/a.ts"]
    assert {skipped.why for skipped in tree.skipped} == {"test"}


@pytest.mark.parametrize(
    ("path", "tests"),
    [
        ("src/a.servertest.ts", True),
        ("src/a.clienttest.tsx", True),
        ("src/a.int-spec.ts", True),
        ("src/a.itest.ts", True),
        ("src/__test__/setup.ts", True),
        ("src/__e2e__/a.ts", True),
        ("load-tests/queue.js", True),
        ("apps/api-e2e/src/main.ts", True),
        ("src/contest.ts", False),
        ("src/api.latest.ts", False),
        ("src/contests/a.ts", False),
        ("src/servertest/a.ts", False),
        ("src/__data__/a.ts", False),
    ],
)
def test_kinds_of_tests_are_told_by_their_names(path: str, tests: bool) -> None:
    assert is_test(path) is tests


def test_gitignore_holds_without_git(tmp_path: Path) -> None:
    (tmp_path / ".gitignore").write_text("/private\n*.local.ts\n!keep.local.ts\nnested/**/deep\n")
    for name in ("private/a.ts", "a.local.ts", "keep.local.ts", "nested/x/deep/a.ts", "src/private/a.ts"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text("")
    assert sorted(SourceTree([tmp_path]).paths) == ["keep.local.ts", "src/private/a.ts"]


def test_git_tells_what_it_ignores(tmp_path: Path) -> None:
    subprocess.run(["git", "init", "-q", str(tmp_path)], check=True)
    (tmp_path / ".gitignore").write_text("ignored.ts\n")
    for name in ("a.ts", "ignored.ts", "new.ts"):
        (tmp_path / name).write_text("")
    assert sorted(SourceTree([tmp_path]).paths) == ["a.ts", "new.ts"]


def test_compiled_files_beside_their_source_are_skipped(tmp_path: Path) -> None:
    (tmp_path / "a.ts").write_text(QUEUE)
    (tmp_path / "a.js").write_text(QUEUE)
    assert SourceTree([tmp_path]).paths == ["a.ts"]


def test_what_cannot_be_read_costs_itself_alone(tmp_path: Path) -> None:
    (tmp_path / "good.ts").write_text(QUEUE)
    (tmp_path / "binary.ts").write_bytes(b"import 'bullmq'\0\1\2")
    (tmp_path / "latin.ts").write_bytes(QUEUE.encode() + b"// caf\xe9\n")
    (tmp_path / "huge.ts").write_text("// bullmq 'bullmq'\n" + "x" * LARGEST)
    (tmp_path / "loop").symlink_to(tmp_path)
    model = collect([tmp_path])
    assert {producer.span.path for producer in model.producers} == {"good.ts", "latin.ts"}
    assert {skipped.path: skipped.why for skipped in model.trees[0].files_skipped} == {
        "binary.ts": "binary",
        "huge.ts": "larger than 1 MB",
    }


def test_excluded_files_are_counted(tmp_path: Path) -> None:
    (tmp_path / "legacy").mkdir()
    (tmp_path / "legacy/a.ts").write_text(QUEUE)
    model = collect([tmp_path], exclude=["legacy/*"])
    assert model.empty
    assert [skipped.why for skipped in model.trees[0].files_skipped] == ["excluded"]


def test_a_root_that_does_not_exist_is_a_source_error(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match="no such folder"):
        collect([tmp_path / "nowhere"])


def test_the_repository_is_found_above_a_service(tmp_path: Path) -> None:
    (tmp_path / "package.json").write_text('{"workspaces": ["services/*"]}')
    (tmp_path / "services/mail/src").mkdir(parents=True)
    (tmp_path / "services/mail/package.json").write_text("{}")
    assert repository_root(tmp_path / "services/mail") == tmp_path


def test_imports_that_leave_the_root_are_followed_and_not_listed(tmp_path: Path) -> None:
    (tmp_path / "package.json").write_text('{"workspaces": ["*"]}')
    for name in ("shared", "service"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "package.json").write_text(f'{{"name": "@acme/{name}"}}')
    (tmp_path / "shared/index.ts").write_text(
        "import { Queue } from 'bullmq';\nexport const mail = new Queue('mail', { defaultJobOptions: { attempts: 4 } });\n"
    )
    (tmp_path / "service/main.ts").write_text(
        "import 'bullmq';\nimport { mail } from '@acme/shared';\nmail.add('x', {});\n"
    )
    model = collect([tmp_path / "service"])
    assert [(p.span.path, p.queue, p.options["attempts"].value) for p in model.producers] == [("main.ts", ("mail",), 4)]
    assert [origin.path for p in model.producers if (origin := p.options["attempts"].origin)] == ["../shared/index.ts"]
    assert model.queues == ()


@pytest.mark.parametrize(("rows", "known"), [(10, True), (LARGEST_MADE // 10, False)])
def test_a_large_generated_file_is_not_parsed(tmp_path: Path, rows: int, known: bool) -> None:
    (tmp_path / "generated").mkdir()
    filler = "".join(f"f({n % 10});\n" for n in range(rows)) + "// padded\n" * rows
    (tmp_path / "generated/names.ts").write_text(f"export const NAME = 'mail';\n{filler}")
    (tmp_path / "a.ts").write_text(
        "import { Queue } from 'bullmq';\nimport { NAME } from './generated/names';\nexport const q = new Queue(NAME);\n"
    )
    model = collect([tmp_path])
    assert [queue.name for queue in model.queues] == (["mail"] if known else [None])
    assert not model.gaps


def test_files_left_out_on_purpose_leave_the_source_complete(tmp_path: Path) -> None:
    (tmp_path / "a.ts").write_text("import { Queue } from 'bullmq';\nexport const q = new Queue('a');\n")
    (tmp_path / "a.spec.ts").write_text("import './a';\n")
    (report,) = scan.scan(Request(code=(tmp_path,))).report.sources
    assert (report.status, report.why) == (SourceStatus.OK, "")
