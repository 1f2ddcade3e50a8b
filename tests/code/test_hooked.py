"""Workers that a framework's shutdown closes through an interface, whose objects only run time knows."""

from __future__ import annotations

from pathlib import Path

import pytest

from auditor.code.collect import collect

CORE = {
    "strategy": "export interface Injectable { destroy?: () => Promise<void>; }\n"
    "export interface JobStrategy extends Injectable { add(job: unknown): Promise<void>; }\n",
    "index": "export * from './strategy';\nexport * from './bootstrap';\n",
    "bootstrap": "import { NestFactory } from '@nestjs/core';\n"
    "export async function start(config) {\n  const { AppModule } = await import('./app.module');\n"
    "  const app = await NestFactory.createApplicationContext(AppModule);\n  app.enableShutdownHooks();\n}\n",
    "app.module": "import { Module, OnApplicationShutdown } from '@nestjs/common';\nimport { load } from 'settings';\n"
    "import { Injectable } from './strategy';\n@Module({})\nexport class AppModule implements OnApplicationShutdown {\n"
    "  async onApplicationShutdown() { for (const one of this.strategies()) { await one.destroy?.(); } }\n"
    "  private strategies(): Injectable[] { return load('strategies'); }\n}\n",
}
PLUGIN = (
    "import { Worker } from 'bullmq';\nimport { JobStrategy } from './index';\nexport class Bull implements JobStrategy {\n"
    "  private worker = new Worker('jobs', async (job) => { console.log(job.id); });\n"
    "  async add(job: unknown) {}\n  async destroy() { await this.worker.close(); }\n}\n"
)
MAIN = "import { start } from './index';\nimport { Bull } from './plugin';\nstart({ strategy: new Bull() });\n"


def closed_on(root: Path, **files: str) -> tuple[str, ...]:
    for name, text in {**CORE, "plugin": PLUGIN, "main": MAIN, **files}.items():
        (root / f"{name}.ts").write_text(text)
    (root / "package.json").write_text('{"dependencies": {"bullmq": "5.61.0", "@nestjs/core": "^10.0.0"}}')
    (worker,) = collect([root]).workers
    return worker.closed_on


def test_a_hook_that_destroys_strategies_closes_the_worker_of_one(tmp_path: Path) -> None:
    assert set(closed_on(tmp_path)) == {"SIGTERM", "SIGINT", "SIGHUP"}


def test_a_signal_handler_that_stops_services_closes_the_worker_of_one(tmp_path: Path) -> None:
    main = (
        "import { Injectable } from './strategy';\nimport { Bull } from './plugin';\nimport { load } from 'settings';\n"
        "export const known = [Bull];\nprocess.on('SIGTERM', async () => {\n"
        "  const all: Injectable[] = load();\n  for (const one of all) await one.destroy();\n});\n"
    )
    assert closed_on(tmp_path, bootstrap="export const start = (config) => config;\n", main=main) == ("SIGTERM",)


@pytest.mark.parametrize(
    ("file", "old", "new"),
    [
        ("app.module", "one.destroy?.()", "one.init?.()"),
        ("app.module", "import { Injectable } from './strategy';", "import { Other } from './other';"),
        ("plugin", " implements JobStrategy", ""),
        ("strategy", "destroy?: () => Promise<void>;", "init?: () => Promise<void>;"),
        ("bootstrap", "  app.enableShutdownHooks();\n", ""),
    ],
    ids=["another method", "another interface", "no interface", "a method that it does not declare", "no hooks"],
)
def test_what_is_no_such_call_closes_nothing(tmp_path: Path, file: str, old: str, new: str) -> None:
    text = {**CORE, "plugin": PLUGIN}[file].replace(old, new)
    if old.startswith("import { Injectable"):
        text = text.replace("Injectable[]", "Other[]")
    assert closed_on(tmp_path, **{file: text}) == ()
