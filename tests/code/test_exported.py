"""Which files may export a name, by their text: none that does is left out."""

from __future__ import annotations

from pathlib import Path

import pytest

from auditor.code.evaluation.evaluate import Evaluator
from auditor.code.evaluation.values import FunctionValue
from auditor.code.source.program import Program

EXPORTS = {
    "const": "export const wanted = 1;",
    "typed const": "export const wanted: Map<string, number> = new Map();",
    "second of a list": "export const first = 1, wanted = 2;",
    "second of a list on its own line": "export const first = 1,\n  wanted = 2;",
    "function": "export function wanted() {}",
    "async function": "export async function wanted() {}",
    "generator": "export async function* wanted() {}",
    "class": "export abstract class wanted {}",
    "enum": "export const enum wanted { A }",
    "interface": "export interface wanted { a: string }",
    "type": "export type wanted = string;",
    "list": "const a = 1;\nexport {\n  a,\n  wanted,\n};",
    "renamed": "export { a as wanted };",
    "passed on by name": "export { wanted } from './other';",
    "types passed on": "export type { wanted } from './other';",
    "destructured": "export const { a, wanted } = made();",
    "array": "export const [wanted] = made();",
    "namespace": "export * as wanted from './other';",
    "declared": "export declare const wanted: string;",
    "commonjs": "module.exports = { wanted };",
    "commonjs member": "exports.wanted = 1;",
    "typescript's own": "export = { wanted };",
}


def program(root: Path, files: dict[str, str]) -> Program:
    for name, text in files.items():
        (root / name).write_text(text)
    return Program([root])


@pytest.mark.parametrize("text", EXPORTS.values(), ids=EXPORTS.keys())
def test_every_form_of_export_is_seen(tmp_path: Path, text: str) -> None:
    assert program(tmp_path, {"a.ts": text}).exported.may_export("a.ts", "wanted")


@pytest.mark.parametrize(
    "text",
    [
        "import { wanted } from './other';\nexport const a = wanted(1);",
        "export function a() { return wanted; }",
        "const wanted = 1;",
        "export const a = { wanted: 1 };",
    ],
)
def test_a_name_that_is_only_used_is_no_export(tmp_path: Path, text: str) -> None:
    assert not program(tmp_path, {"a.ts": text}).exported.may_export("a.ts", "wanted")


def test_barrels_of_barrels_pass_on_what_the_last_exports(tmp_path: Path) -> None:
    files = {
        "index.ts": "export * from './mid';\nexport * from './users';",
        "mid.ts": "export * from './logger';",
        "logger.ts": "export const logger = console;",
        "users.ts": "import { logger } from './logger';\nexport const users = () => logger.info('');",
    }
    made = program(tmp_path, files)
    assert made.exported.starred("index.ts") == ["mid.ts", "users.ts", "logger.ts"]
    assert made.exported.may_pass_on("index.ts", "logger")
    assert not made.exported.may_pass_on("index.ts", "other")
    assert not made.exported.may_export("users.ts", "logger")


def test_a_name_behind_a_barrel_costs_no_file_that_only_uses_it(tmp_path: Path) -> None:
    users = {
        f"user{at}.ts": f"import {{ add }} from './queue';\nexport const go{at} = () => add('a');" for at in range(30)
    }
    stars = "".join(f"export * from './{name[:-3]}';" for name in users)
    files = {
        **users,
        "index.ts": stars + "export * from './queue';",
        "queue.ts": "import { Queue } from 'bullmq';\nexport const add = (name: string) => new Queue('q').add(name, {});",
        "main.ts": "import { add } from './index';\nadd('b');",
    }
    made = program(tmp_path, files)
    assert isinstance(Evaluator(made).export("index.ts", "add"), FunctionValue)
    assert made.parses == 2
