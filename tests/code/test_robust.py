"""Whatever a repository holds, the collector answers: mutated syntax, deep nesting, cycles, short deadlines."""

from __future__ import annotations

import time
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from auditor.code.collect import collect
from auditor.code.inventory import inventory
from auditor.code.model import EntryPoint
from tests.code.support import CASES

SOURCES = [path.read_text() for path in sorted(CASES.rglob("*.ts"))]
CRUMBS = [
    "{",
    "}",
    "(",
    ")",
    "[",
    "]",
    "`",
    "${",
    "'",
    '"',
    "=>",
    "...",
    "new ",
    "class ",
    "async ",
    "?.",
    "@",
    "\0",
    "\u2028",
    ";",
    "/*",
    "<T>",
]


def check(folder: Path, text: str) -> None:
    (folder / "a.ts").write_text(text, errors="replace")
    inventory(collect([folder]))


@pytest.mark.parametrize(
    "text",
    [
        "import { Queue } from 'bullmq';\nconst q = new Queue('x', "
        + "[" * 3000
        + "]" * 3000
        + ");\nq.add('x', {});\n",
        "import { Queue } from 'bullmq';\nconst n = " + " + ".join(["'a'"] * 5000) + ";\nnew Queue(n).add('x', {});\n",
        "import { Queue } from 'bullmq';\n" + "if (x) { " * 2000 + "new Queue('x').add('y', {});" + "}" * 2000,
        "import { Queue } from 'bullmq';\nconst a = b;\nconst b = a;\nnew Queue(a).add('x', {}, b);\n",
        "import { Queue } from 'bullmq';\nconst f = (x) => f(x);\nnew Queue(f(1)).add('x', {}, { ...f });\n",
        "import { Queue } from 'bullmq';\nclass A extends B {}\nclass B extends A { q = this.q; }\nnew A().q.add('x', {});\nnew Queue(new A().q);\n",
        "import { Queue } from 'bullmq';\nexport * from './a';\nexport { x } from './a';\nimport { x } from './a';\nnew Queue(x).add('x', {});\n",
        "",
        "'bullmq'",
    ],
)
def test_hostile_programs(tmp_path: Path, text: str) -> None:
    check(tmp_path, text)


@pytest.mark.parametrize("odd", ["5", "true", '"next"', '["next", {"a": 1}]', "null", "{}"])
def test_odd_manifests_cost_only_themselves(tmp_path: Path, odd: str) -> None:
    files = {
        "package.json": f'{{"dependencies": {odd}, "devDependencies": {odd}, "workspaces": {odd}, "name": {odd},'
        ' "scripts": {"start": "next start", "worker": "node worker/index.js"}}',
        "tsconfig.json": f'{{"references": {odd}, "extends": {odd}, "compilerOptions": {odd}}}',
        "worker/index.ts": "import { Queue } from 'bullmq';\nimport { n } from '@/n';\nvoid new Queue('a').add(n, {});\n",
        "pages/index.ts": "export default 1;\n",
        "instrumentation.ts": "export async function register() { await import('./worker/index'); }\n",
    }
    for name, text in files.items():
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(text)
    started = [EntryPoint("app", str(tmp_path / name), 1, "node") for name in ("worker/index.ts", "instrumentation.ts")]
    (producer,) = collect([tmp_path], entry_points=started).producers
    assert (producer.queue, producer.live) == (("a",), True)


def test_a_deadline_keeps_what_was_found(tmp_path: Path) -> None:
    (tmp_path / "a.ts").write_text("import { Queue } from 'bullmq';\nnew Queue('x').add('y', {});\n")
    model = collect([tmp_path], deadline=time.monotonic() - 1)
    assert model.ended_early


@pytest.mark.slow
@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.sampled_from(SOURCES),
    st.lists(st.tuples(st.floats(0, 1), st.sampled_from(CRUMBS), st.integers(0, 12)), min_size=1, max_size=6),
)
def test_mutated_syntax_never_crashes(tmp_path: Path, source: str, edits: list[tuple[float, str, int]]) -> None:
    for at, crumb, cut in edits:
        place = int(at * len(source))
        source = source[:place] + crumb + source[place + cut :]
    check(tmp_path, source)
