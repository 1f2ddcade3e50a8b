"""Calls that living code makes outside of job handlers."""

from __future__ import annotations

from pathlib import Path

from auditor.code.collect import collect
from auditor.code.model import EntryPoint, Role
from auditor.code.reach.elsewhere import MOST_FILES

HOOK = (
    "import Stripe from 'stripe';\nconst stripe = new Stripe('k');\n"
    "export function hook(req) { return stripe.webhooks.constructEvent(req.body, req.headers.sig, 's'); }\n"
)
BOUNCED = (
    "import { prisma } from './db';\n// what a mail's bounce does\n"
    "export async function bounced(to) { await prisma.user.update({ where: { to }, data: { bounced: true } }); }\n"
)
DB = "import { PrismaClient } from '@prisma/client';\nexport const prisma = new PrismaClient();\n"
MAIN = (
    "import { Worker } from 'bullmq';\nimport { hook } from './z_hook';\nimport { bounced } from './z_bounced';\n"
    "new Worker('q', async () => 1);\nhook({});\nbounced('a');\n"
)


def found(root: Path, **files: str) -> set[tuple[str, str]]:
    """Role and file of each call outside of jobs, of a program that main.ts starts."""
    for name, text in files.items():
        (root / f"{name}.ts").write_text(text)
    entry = EntryPoint("app", str(root / "main.ts"), 1, "a test")
    return {(str(effect.role), effect.span.path) for effect in collect([root], entry_points=[entry]).elsewhere}


def test_files_that_never_run_take_no_place_of_those_that_do(tmp_path: Path) -> None:
    dead = {f"a{n}": HOOK + BOUNCED for n in range(MOST_FILES)}
    assert found(tmp_path, main=MAIN, z_hook=HOOK, z_bounced=BOUNCED, db=DB, **dead) == {
        (str(Role.PAYMENT_WEBHOOK), "z_hook.ts"),
        (str(Role.EMAIL_BOUNCE), "z_bounced.ts"),
    }


def test_a_bounce_of_no_mail_is_none(tmp_path: Path) -> None:
    other = BOUNCED.replace("mail's", "ball's")
    assert found(tmp_path, main=MAIN, z_hook="export function hook(req) {}\n", z_bounced=other, db=DB) == set()
