"""Repositories that mean harm, or are merely broken: a scan of all their sources ends soon, and says what it did not read."""

from __future__ import annotations

import copy
import json
import os
import random
import shutil
import socket
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import yaml

from auditor import opening, scan
from auditor.code.collect import collect as collect_code
from auditor.code.model import CodeModel
from auditor.code.source.files import SourceTree
from auditor.infra.collect import collect as collect_infra
from auditor.model import SourceStatus, Status
from auditor.request import Request

SECONDS = 25
FILES: dict[str, str] = {
    "package.json": '{"name":"app","workspaces":["packages/*"],"scripts":{"start":"node src/main.ts"},"dependencies":'
    '{"bullmq":"^5.0.0","next":"1"},"exports":{".":{"import":"./src/main.ts","default":["./a"]},"./*":"./src/*.ts"},"main":"src/main.ts"}',
    "package-lock.json": '{"packages":{"":{"name":"app"},"node_modules/bullmq":{"version":"5.1.0"}}}',
    "pnpm-lock.yaml": 'lockfileVersion: "9.0"\npackages:\n  bullmq@5.1.0:\n    resolution: {integrity: x}\n',
    "bun.lock": '{"packages": {"bullmq": ["bullmq@5.1.0"]}}',
    "pnpm-workspace.yaml": 'packages:\n  - "packages/*"\ncatalog:\n  bullmq: ^5.0.0\n',
    "turbo.json": '{"pipeline":{"build":{"dependsOn":["^build"]}}}',
    "tsconfig.json": '{"extends":"./tsconfig.base.json","compilerOptions":{"baseUrl":".","paths":{"@/*":["src/*"]}},"references":[{"path":"packages/a"}]}',
    "tsconfig.base.json": '{"extends":["./tsconfig.json"],"compilerOptions":{"rootDirs":["src"]}}',
    "packages/a/package.json": '{"name":"@x/a","main":"../b"}',
    "packages/b/package.json": '{"name":"@x/b","main":"../a"}',
    "src/main.ts": "import { Queue, Worker } from 'bullmq';\nimport { n } from '@x/a';\nimport { m } from '@/m';\nimport c from './c.json';\n"
    "new Queue('sound').add('x', {}, { attempts: c.attempts });\nnew Worker('sound', async () => [n, m]);\n",
    "src/m.ts": "export const m = 1;\n",
    "src/c.json": '{"attempts": 3}',
    "docker-compose.yml": "services:\n  redis: {image: 'redis:7', command: [redis-server, --maxmemory, 1gb], ports: ['6379:6379']}\n"
    "  worker: {build: ., command: node src/main.ts, environment: {REDIS_URL: 'redis://redis:6379'}, healthcheck: {test: [CMD, x]}}\n",
    "k8s/w.yaml": "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: w}\nspec: {template: {spec: {terminationGracePeriodSeconds: 30, "
    "containers: [{name: w, image: x/w, command: [node, src/main.ts], resources: {limits: {memory: 1Gi}}, env: [{name: A, value: b}]}]}}}\n",
    "chart/Chart.yaml": "name: c\ndependencies: [{name: redis, repository: x}]\n",
    "chart/values.yaml": "redis: {auth: {enabled: true}, master: {persistence: {enabled: true}}}\nimage: {tag: x}\n",
    "chart/templates/d.yaml": "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: {{ .Values.image.tag }}}\nspec: {template: {spec: {containers: [{name: a, image: b}]}}}\n",
    "main.tf": 'resource "aws_elasticache_replication_group" "r" {\n  engine = "redis"\n  parameter { name = "maxmemory-policy" }\n}\n',
    "job.nomad": 'job "a" { group "g" { task "t" { config { image = "a/b" args = ["src/main.ts"] } } } }\n',
    "ecs.json": '{"containerDefinitions":[{"name":"w","image":"x","command":["node","src/main.ts"],"memory":512}]}',
    "prometheus.yml": "rule_files: [rules.yml]\nscrape_configs:\n  - {job_name: w, static_configs: [{targets: ['w:9000']}]}\n",
    "rules.yml": "groups:\n  - name: g\n    rules:\n      - {alert: Depth, expr: bullmq_waiting > 100, for: 5m, labels: {severity: page}}\n",
    "dash.json": '{"title":"q","panels":[{"title":"p","targets":[{"expr":"bullmq_waiting"}],"panels":[]}],"templating":{"list":[{"name":"a"}]}}',
    "datadog.json": '{"type":"metric alert","query":"avg(last_5m):avg:bullmq.waiting{*} > 5","name":"x"}',
    "ecosystem.config.js": "module.exports = { apps: [{ name: 'w', script: 'src/main.ts', kill_timeout: 3000 }] };\n",
    "fly.toml": 'app = "a"\n[processes]\n  w = "node src/main.ts"\n',
    "Dockerfile": 'FROM node\nCOPY . .\nCMD ["node","src/main.ts"]\n',
    "redis.conf": "maxmemory 1gb\nsave 60 1\n",
    ".gitignore": "node_modules\n",
}
ALL = tuple(FILES)
JSON = tuple(n for n in ALL if n.endswith(".json") or n == "bun.lock")
YAML = tuple(n for n in ALL if n.endswith((".yml", ".yaml")))
HCL = ("main.tf", "job.nomad")


def write(root: Path, files: dict[str, str | bytes] | dict[str, str]) -> Path:
    for name, text in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return root


def scanned(root: Path) -> list[str]:
    """What went wrong with a scan of everything in a folder: crashes, faults, sources that ended early, delays."""
    begun = time.monotonic()
    report = scan.scan(Request(code=(root,), infra=(root,), timeout=60)).report
    wrong = [
        f"{source.name}: {source.why}"
        for source in report.sources
        if source.status is SourceStatus.UNAVAILABLE or source.ended_early or "fault" in source.why
    ]
    wrong += [f"{r.item.id}: {r.verdict.reason}" for r in report.results if r.verdict.status is Status.ERROR]
    wrong += [f"{note.place.label()}: {note.text}" for note in collect_infra([root]).notes if "fault" in note.text]
    if time.monotonic() - begun > SECONDS:
        wrong.append(f"took {time.monotonic() - begun:.0f} s")
    return wrong


DEEP = 10_000
BOMB = 'a0: &a0 ["x","x","x","x","x","x","x","x","x"]\n' + "".join(
    f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]\n" for n in range(1, 9)
)
MERGES = "services: &n0\n  x: {image: redis}\n" + "".join(
    f"  s{n}: &n{n} {{<<: *n{n - 1}, k: [*n{n - 1}, *n{n - 1}]}}\n" for n in range(1, 25)
)
ITSELF = "a: &a\n  b: *a\nservices: &s\n  w: *s\ngroups: &g\n  - *g\n"
Edit = Callable[[str], str | bytes]
EDITS: dict[str, tuple[tuple[str, ...], Edit]] = {
    "JSON nested deep": (JSON, lambda t: '{"a":' * DEEP + "1" + "}" * DEEP),
    "JSON lists nested deep": (JSON, lambda t: "[" * DEEP + "]" * DEEP),
    "JSON with a deep part": (JSON, lambda t: t[:-1] + ',"deep":' + "[" * DEEP + "]" * DEEP + "}"),
    "YAML nested deep": (YAML, lambda t: f"{t}\ndeep: {'[' * DEEP}{']' * DEEP}\n"),
    "YAML mappings nested deep": (YAML, lambda t: f"{t}\ndeep: {'{a: ' * DEEP}{'}' * DEEP}\n"),
    "YAML blocks nested deep": (YAML, lambda t: "".join(" " * n + "a:\n" for n in range(1500))),
    "a YAML bomb": (YAML, lambda t: f"{t}\n{BOMB}"),
    "a YAML bomb of merges": (YAML, lambda t: MERGES),
    "YAML that holds itself": (YAML, lambda t: f"{t}\n{ITSELF}"),
    "HCL blocks nested deep": (HCL, lambda t: t + "a " + "{ b " * DEEP + "}" * DEEP),
    "HCL lists nested deep": (HCL, lambda t: t + "x = " + "[" * DEEP + "]" * DEEP),
    "HCL templates nested deep": (HCL, lambda t: t + 'x = "' + '${"' * 3000 + '"}' * 3000 + '"'),
    "PromQL nested deep": (("rules.yml",), lambda t: t.replace("bullmq_waiting", "(" * 3000 + "up" + ")" * 3000)),
    "PromQL with many signs": (("rules.yml",), lambda t: t.replace("bullmq_waiting", "-" * 5000 + "up")),
    "panels nested deep": (("dash.json",), lambda t: t.replace('"panels":[]', '"panels":[{"panels":' * 3000 + "[]" + "}]" * 3000)),
    "templates nested deep": (("chart/templates/d.yaml",), lambda t: "{{ if x }}" * 3000 + t + "{{ end }}" * 3000),
    "TOML nested deep": (("fly.toml",), lambda t: t + "\nx = " + "[" * DEEP + "]" * DEEP),
    "a deep command": (("Dockerfile",), lambda t: t + "CMD " + "[" * DEEP + "\n"),
    "ignore patterns that backtrack": ((".gitignore",), lambda t: "**/" * 500 + "a\n" + "*a" * 300 + "b\n[a-\n[!]\n\\\n"),
    "scripts in a circle": (("package.json",), lambda t: t.replace("node src/main.ts", "npm run start && npm start")),
    "paths to the root": (("tsconfig.json",), lambda t: t.replace('"src/*"', '"/"')),
    "paths out of the repository": (("tsconfig.json",), lambda t: t.replace('"src/*"', '"../../../../etc/*"')),
    "NUL bytes": (ALL, lambda t: t.replace("e", "e\0", 3)),
    "a byte order mark": (ALL, lambda t: "\ufeff" + t),
    "UTF-16": (ALL, lambda t: t.encode("utf-16")),
    "no UTF-8": (ALL, lambda t: t.encode() + b"\xff\xfe\xc3\x28"),
    "carriage returns": (ALL, lambda t: t.replace("\n", "\r")),
    "nothing": (ALL, lambda t: ""),
    "noise": (ALL, lambda t: random.Random(1).randbytes(3000)),
}  # fmt: skip


@pytest.mark.parametrize("what", EDITS)
def test_broken_files_cost_themselves_at_most(tmp_path: Path, what: str) -> None:
    names, edit = EDITS[what]
    assert scanned(write(tmp_path, {**FILES, **{name: edit(FILES[name]) for name in names}})) == []


def test_huge_files_are_not_read(tmp_path: Path) -> None:
    write(tmp_path, FILES)
    for name in ALL:
        os.truncate(tmp_path / name, 50_000_000)
    assert scanned(tmp_path) == []
    skipped = {one.path for one in collect_infra([tmp_path]).trees[0].files_skipped}
    assert {"docker-compose.yml", "main.tf", "Dockerfile", "redis.conf"} <= skipped
    assert ("src/main.ts", "larger than 1 MB") in why_skipped(collect_code([tmp_path]))


CODE = {
    "brackets": "new Queue('x', " + "(" * DEEP + "1" + ")" * DEEP + ");\n",
    "blocks": "if(a){" * DEEP + "new Queue('x')" + "}" * DEEP,
    "calls": "const a = " + "a.b(" * DEEP + ")" * DEEP + "; new Queue(a)",
    "signs": "const a = " + "!" * DEEP + "x; new Queue(a)",
    "templates": "new Queue(`" + "${`" * 500 + "`}" * 500 + "`)",
    "arrows": "const f = " + "(x) => " * DEEP + "x; new Queue(f(1))",
    "ternaries": "const s = " + "x ? 'a' : " * 3000 + "'b'; new Queue(s).add('x', {}, {...s})",
    "names": "const v0 = 'q';\n" + "".join(f"const v{n} = v{n - 1};\n" for n in range(1, 3000)) + "new Queue(v2999);",
    "functions": "".join(f"function g{n}(x) {{ return g{n + 1}(x); }}\n" for n in range(2000)) + "new Queue(g0('z'));",
}


@pytest.mark.parametrize("what", CODE)
def test_deep_code_costs_itself_at_most(tmp_path: Path, what: str) -> None:
    deep = "import { Queue } from 'bullmq';\n" + CODE[what]
    assert scanned(write(tmp_path, {**FILES, "src/deep.ts": deep})) == []
    assert "sound" in {name for worker in collect_code([tmp_path]).workers for name in worker.queue}


# Wrong types at each place

ODD: list[object] = [
    None,
    5,
    True,
    "x",
    "",
    [],
    {},
    [1],
    ["a", {"b": 1}],
    {"a": [1]},
    -1,
    [[["x"]]],
    "..",
    "/",
    "*",
    "**/*",
    10**30,
]


def places(value: object, before: tuple[object, ...] = ()) -> Iterator[tuple[object, ...]]:
    yield before
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, member in inner:
        yield from places(member, (*before, key))


def with_odd(value: object, place: tuple[object, ...], odd: object) -> object:
    if not place:
        return odd
    made = at = copy.deepcopy(value)
    for key in place[:-1]:
        at = at[key]  # type: ignore[index]  # the way was found in it
    at[place[-1]] = odd  # type: ignore[index]  # as above
    return made


def wrong_types(seed: int, rounds: int, root: Path) -> None:
    """Scans with one value of another type in each file, at random places."""
    source = random.Random(seed)
    names = [name for name in (*JSON, *YAML) if "templates" not in name]
    for _ in range(rounds):
        changed: dict[str, str] = {}
        for name in names:
            as_json = name in JSON
            value = json.loads(FILES[name]) if as_json else yaml.safe_load(FILES[name])
            other = with_odd(value, source.choice(list(places(value))), source.choice(ODD))
            changed[name] = json.dumps(other) if as_json else yaml.safe_dump(other)
        assert scanned(write(root, {**FILES, **changed})) == [], changed


def test_a_value_of_another_type_is_nothing(tmp_path: Path) -> None:
    wrong_types(1, 12, tmp_path)


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(2, 8))
def test_values_of_other_types_are_nothing(tmp_path: Path, seed: int) -> None:
    wrong_types(seed, 100, tmp_path)


# Files that are none

NAMES = (
    "src/a.ts", "x.json", "src/tsconfig.json", "f.yml", "Dockerfile.x", "b.tf", "rules2.yml", "redis2.conf", "n.nomad", ".env", "README.md",
    "x.sh", "crontab", "x.service", "fly2.toml", "Procfile", "yarn.lock", "src/.gitignore", "src/package.json", "dash2.json", "ecosystem2.config.js",
)  # fmt: skip


def pipe(path: Path) -> None:
    os.mkfifo(path)


def listening(path: Path) -> None:
    with socket.socket(socket.AF_UNIX) as one:
        there = Path.cwd()
        os.chdir(path.parent)  # a socket's path is short
        try:
            one.bind(path.name)
        finally:
            os.chdir(there)


def endless(path: Path) -> None:
    path.symlink_to("/dev/zero")


def to_itself(path: Path) -> None:
    path.symlink_to(path.name)


def dangling(path: Path) -> None:
    path.symlink_to("nowhere")


def outside(path: Path) -> None:
    path.symlink_to("/etc/passwd")


@pytest.mark.parametrize("make", [pipe, listening, endless, to_itself, dangling, outside])
def test_what_is_no_file_is_not_opened(tmp_path: Path, make: Callable[[Path], None]) -> None:
    write(tmp_path, FILES)
    for name in NAMES:
        make(tmp_path / name)
    assert scanned(tmp_path) == []
    skipped = {one.path: one.why for one in collect_code([tmp_path]).trees[0].files_skipped}
    assert "src/a.ts" in skipped
    assert "f.yml" in {one.path for one in collect_infra([tmp_path]).trees[0].files_skipped}


def test_links_lead_nowhere_else(tmp_path: Path) -> None:
    elsewhere = write(tmp_path / "elsewhere", {"b.ts": "import { Queue } from 'bullmq';\nnew Queue('stolen');\n"})
    root = write(tmp_path / "repo", {**FILES, "src/link.ts": "import '../out/b';\nexport * from './up/../../out/b';\n"})
    for name, target in (("loop", "."), ("src/up", ".."), ("out", elsewhere), ("root", "/"), ("etc", "/etc")):
        (root / name).symlink_to(target)
    assert scanned(root) == []
    assert {queue.name for queue in collect_code([root]).queues} == {"sound"}


def test_a_file_that_vanishes_is_listed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write(tmp_path, {**FILES, "src/gone.ts": "import { Queue } from 'bullmq';\nnew Queue('gone');\n"})
    real = SourceTree.__init__

    def then_gone(self: SourceTree, *given: object, **named: object) -> None:
        real(self, *given, **named)  # type: ignore[arg-type]  # passed on as they came
        (tmp_path / "src/gone.ts").unlink(missing_ok=True)

    monkeypatch.setattr(SourceTree, "__init__", then_gone)
    model = collect_code([tmp_path])
    assert {queue.name for queue in model.queues} == {"sound"}
    assert ("src/gone.ts", "No such file or directory") in why_skipped(model)


def test_a_file_that_may_not_be_read_is_listed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Root reads everything, so the refusal is the system call's."""
    write(tmp_path, {**FILES, "src/locked.ts": "x", "k8s/locked.yaml": "kind: Pod\n"})
    real = open

    def refusing(path: str, *given: str) -> object:
        if "locked" in path:
            raise PermissionError(13, "Permission denied")
        return real(path, *given)

    monkeypatch.setattr(opening, "open", refusing, raising=False)
    assert scanned(tmp_path) == []
    assert ("src/locked.ts", "Permission denied") in why_skipped(collect_code([tmp_path]))
    infra = collect_infra([tmp_path]).trees[0].files_skipped
    assert ("k8s/locked.yaml", "Permission denied") in [(one.path, one.why) for one in infra]


def why_skipped(model: CodeModel) -> list[tuple[str, str]]:
    return [(one.path, one.why) for one in model.trees[0].files_skipped]


def test_the_report_counts_what_was_not_read(tmp_path: Path) -> None:
    write(tmp_path, {**FILES, "src/big.ts": "x" * 1_000_001, "tsconfig.json": "{", "src/c.json": '{"a":' * 5000})
    model = collect_code([tmp_path])
    assert set(why_skipped(model)) >= {
        ("src/big.ts", "larger than 1 MB"),
        ("tsconfig.json", "no valid JSON"),
        ("src/c.json", "nested too deep"),
    }
    report = scan.scan(Request(code=(tmp_path,))).report
    (source,) = [one for one in report.sources if one.name == "code"]
    assert source.status is SourceStatus.PARTIAL and "files were not read" in source.why


def test_a_text_with_a_stray_nul_byte_is_read(tmp_path: Path) -> None:
    name = "export const key = (a: string, b: string) => `${a}\0${b}`;\n"
    write(tmp_path, {"a.ts": f"import {{ Queue }} from 'bullmq';\n{name}new Queue('stray');\n"})
    assert [queue.name for queue in collect_code([tmp_path]).queues] == ["stray"]
    shutil.rmtree(tmp_path)
