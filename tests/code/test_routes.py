"""Whether a process serves application routes, by the text of its files."""

from __future__ import annotations

import pytest

from auditor.code.running.routes import serves

EXPRESS = "import express from 'express';\nconst app = express();\n"


def where(files: dict[str, str], entry: str = "main.ts") -> str:
    """`path:line` of the listen, or empty."""
    found = serves(files, entry, lambda path: files[path].encode(), lambda _: True)
    return found.label() if found else ""


@pytest.mark.parametrize(
    ("files", "expected"),
    [
        ({"main.ts": EXPRESS + "app.get('/orders', list);\napp.listen(3000);\n"}, "main.ts:4"),
        ({"main.ts": EXPRESS + "app.get('/health', ok);\napp.get('/metrics', all);\napp.listen(3000);\n"}, ""),
        ({"main.ts": EXPRESS + "app.use('/admin/queues', board.getRouter());\napp.listen(3000);\n"}, ""),
        (
            {"main.ts": EXPRESS + "app.all('/debug/cron/:type', run);\napp.get('/metrics', all);\napp.listen(3000);\n"},
            "",
        ),
        ({"main.ts": EXPRESS + "app.get('/debugger', page);\napp.listen(3000);\n"}, "main.ts:4"),
        ({"main.ts": EXPRESS + "app.use('/api', router);\nrouter.get('/ready', ok);\napp.listen(3000);\n"}, ""),
        ({"main.ts": EXPRESS + "autoload(app);\napp.listen(3000);\n"}, "main.ts:4"),
        (
            {
                "main.ts": "import { app } from './app.js';\napp.listen(3000);\n",
                "app.ts": EXPRESS + "app.post('/pay', pay);\n",
            },
            "main.ts:2",
        ),
        (
            {
                "main.ts": "import { NestFactory } from '@nestjs/core';\nawait app.listen(3000);\n",
                "c.ts": "@Controller('orders')\n",
            },
            "main.ts:2",
        ),
        (
            {
                "main.ts": "import { NestFactory } from '@nestjs/core';\nawait app.listen(3000);\n",
                "c.ts": "@Controller('health')\n",
            },
            "",
        ),
        (
            {"main.ts": "import { createServer } from 'node:http';\ncreateServer((q, r) => r.end('ok')).listen(80);\n"},
            "",
        ),
        (
            {
                "main.ts": "import http from 'http';\ns = http.createServer((q, r) => { if (q.url === '/livez') ok(r); });\ns.listen(80);\n"
            },
            "",
        ),
        (
            {
                "main.ts": "import http from 'http';\ns = http.createServer((q, r) => { if (q.url === '/cart') ok(r); });\ns.listen(80);\n"
            },
            "main.ts:3",
        ),
        ({"main.ts": "import net from 'net';\nnet.createServer().listen(80);\n"}, ""),
        (
            {
                "main.ts": EXPRESS + "app.get('/health', ok);\napp.listen(1);\n",
                "sms.ts": "this.instance.post('/sms/send', body);\n",
            },
            "",
        ),
        ({"main.ts": "histogram.observe(3);\naxios.get('/orders');\n"}, ""),
    ],
)
def test_application_routes(files: dict[str, str], expected: str) -> None:
    assert where(files) == expected


def test_the_entrys_own_listen_comes_first() -> None:
    ops = "import { createServer } from 'http';\ns = createServer((q, r) => { if (q.url === '/livez') ok(r); });\ns.listen(9);\n"
    assert where({"a/ops.ts": ops, "main.ts": EXPRESS + "app.get('/x', x);\napp.listen(1);\n"}) == "main.ts:4"
