"""From a command to the source files that it starts."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from auditor.infra.entry import Resolver, Start, variants
from auditor.infra.packages import Packages, read_call
from auditor.infra.shell import commands
from auditor.infra.tree import open_tree
from auditor.model import FilePlace

from .support import infra, tree, unit


def package(name: str = "app", **scripts: str) -> str:
    return json.dumps({"name": name, "scripts": scripts}, indent=2)


FILES = {
    "package.json": package(
        worker="node dist/worker.js",
        start="npm run worker",
        all="concurrently 'npm:worker' 'npm:api'",
        api="tsx src/api.ts",
    ),
    "src/worker.ts": "",
    "src/api.ts": "",
    "src/main.ts": "",
    "apps/mail/package.json": package(
        "@acme/mail", start="nest start", go="cross-env A=1 ts-node -r tsconfig-paths/register src/run.ts"
    ),
    "apps/mail/src/main.ts": "",
    "apps/mail/src/run.ts": "",
    "apps/web/package.json": package("@acme/web", start="next start"),
    "apps/web/next.config.js": "",
    "apps/web/src/instrumentation.ts": "",
    "start.sh": '#!/bin/sh\nset -e\nif [ -n "$WORKER" ]; then\n  yarn worker\nelse\n  exec node dist/api.js\nfi\n',
    "deep.sh": "cd apps/mail && npx ts-node src/run.ts\n",
    "pm.sh": "pm2 start dist/main.js --name app\nexec pm2-runtime start app\n",
}


@pytest.mark.parametrize(
    ("command", "expected"),
    [
        ("node dist/worker.js", "src/worker.ts"),
        ("tini -- node --enable-source-maps -r dotenv/config dist/worker", "src/worker.ts"),
        ("npm run worker", "src/worker.ts"),
        ("npm start", "src/worker.ts"),
        ("yarn worker --silent", "src/worker.ts"),
        ("pnpm --filter @acme/mail start", "apps/mail/src/main.ts"),
        ("npm run -w @acme/mail go -- --flag", "apps/mail/src/run.ts"),
        ("yarn workspace @acme/mail go", "apps/mail/src/run.ts"),
        ("npm --prefix apps/mail run go", "apps/mail/src/run.ts"),
        ("turbo run start --filter=mail", "apps/mail/src/main.ts"),
        ("pnpm -C apps/web start", "apps/web/src/instrumentation.ts"),
        ("node apps/web/server.js", "apps/web/src/instrumentation.ts"),
        ("sh -c 'sleep 1 && node dist/worker.js'", "src/worker.ts"),
        ("sh deep.sh", "apps/mail/src/run.ts"),
        ("./start.sh", "src/api.ts"),
        ("sh pm.sh", "src/main.ts"),
        ("pm2-runtime", None),
        ("docker-entrypoint.sh node dist/worker.js", "src/worker.ts"),
        ("/app/entrypoint.sh node dist/worker.js", "src/worker.ts"),
        ("bun run src/api.ts", "src/api.ts"),
        ("npx fastify start -l info --port 3000 dist/api.js", "src/api.ts"),
        ("fastify print-routes dist/api.js", None),
        ("doppler run -- node dist/worker.js", "src/worker.ts"),
        ("node -e 'setTimeout(() => {}, 1000)'", None),
        ("redis-server --appendonly yes", None),
    ],
)
def test_a_command_leads_to_its_source(tmp_path: Path, command: str, expected: str | None) -> None:
    import shlex

    found = open_tree(tree(tmp_path, FILES))
    entries = Resolver(found, Packages(found)).follow(
        shlex.split(command), Start("s", FilePlace("compose.yml", 3), ("",))
    )
    got = [Path(e.path).relative_to(tmp_path.resolve()).as_posix() for e in entries]
    assert got == ([expected] if expected else [])


def test_a_condition_on_a_known_variable_chooses_the_branch(tmp_path: Path) -> None:
    found = open_tree(tree(tmp_path, FILES))
    start = Start("s", FilePlace("compose.yml", 3), ("",), env={"WORKER": "true"})
    (entry,) = Resolver(found, Packages(found)).follow(["./start.sh"], start)
    assert entry.path.endswith("src/worker.ts")
    assert "start.sh" in entry.why


def test_several_programs_at_once(tmp_path: Path) -> None:
    found = open_tree(tree(tmp_path, FILES))
    entries = Resolver(found, Packages(found)).follow(["npm", "run", "all"], Start("s", FilePlace("p"), ("",)))
    assert [Path(e.path).name for e in entries] == ["worker.ts", "api.ts"]


def test_a_script_that_calls_itself_ends(tmp_path: Path) -> None:
    found = open_tree(tree(tmp_path, {"package.json": package(start="npm run start")}))
    assert Resolver(found, Packages(found)).follow(["npm", "start"], Start("s", FilePlace("p"), ("",))) == ()


def test_a_path_in_an_image_is_followed_through_its_copies(tmp_path: Path) -> None:
    files = {
        "docker-compose.yml": "services:\n  mint:\n    build: {context: ., dockerfile: services/mint/Dockerfile}\n",
        "services/mint/Dockerfile": """
            FROM node:22 AS build
            WORKDIR /app
            COPY services/mint ./services/mint
            RUN cd services/mint && npm run build
            FROM node:22
            WORKDIR /srv
            COPY --from=build /app/services/mint/dist ./dist
            CMD ["node", "dist/index.js"]
        """,
        "services/mint/src/index.ts": "",
        "src/index.ts": "",
    }
    mint = unit(infra(tmp_path, files), "mint")
    assert [e.path for e in mint.entries] == [(tmp_path.resolve() / "services/mint/src/index.ts").as_posix()]


@pytest.mark.parametrize(
    "files",
    [
        {
            "package.json": package(build="rspack build"),
            "rspack.config.js": "module.exports = { entry: './src/index' };",
        },
        {"package.json": package(build="tsc --noEmit && esbuild src/index.ts --bundle --outfile=dist/main.cjs")},
        {"package.json": package(build="ncc build src/index.ts -o dist")},
        {
            "package.json": package(),
            "tsup.config.ts": "export default defineConfig({ entry: { main: 'src/index.ts' } });",
        },
        {"package.json": package(), "webpack.config.js": "module.exports = { entry: [\n'./src/index.ts'] };"},
    ],
    ids=["rspack", "esbuild", "ncc", "tsup", "webpack"],
)
def test_a_bundle_under_another_name_leads_to_what_it_is_made_of(tmp_path: Path, files: dict[str, str]) -> None:
    found = open_tree(tree(tmp_path, {"src/index.ts": "", "src/other.ts": "", **files}))
    entries = Resolver(found, Packages(found)).follow(["node", "dist/main.cjs"], Start("s", FilePlace("c"), ("",)))
    assert [Path(e.path).name for e in entries] == ["index.ts"]


def test_a_built_file_without_a_bundler_leads_nowhere(tmp_path: Path) -> None:
    found = open_tree(tree(tmp_path, {"src/index.ts": "", "package.json": package(build="tsc")}))
    assert Resolver(found, Packages(found)).follow(["node", "dist/gone.js"], Start("s", FilePlace("c"), ("",))) == ()


def test_output_below_a_root_above_the_package(tmp_path: Path) -> None:
    files = {
        "compose.yml": "services:\n  q:\n    build: ./backend/services/q\n    command: node dist/services/q/src/index.js\n",
        "backend/services/q/Dockerfile": "FROM node\n",
        "backend/services/q/src/index.ts": "",
    }
    q = unit(infra(tmp_path, files), "q")
    assert [e.path.endswith("backend/services/q/src/index.ts") for e in q.entries] == [True]


def test_start_scripts_and_dockerfiles_are_entry_points_of_their_own(tmp_path: Path) -> None:
    files = {
        "package.json": package(
            start="node dist/main.js",
            **{"start:dev": "nest start --watch", "worker": "node dist/worker.js", "test": "node dist/t.js"},
        ),
        "Dockerfile": 'FROM node\nCOPY . .\nCMD ["node", "dist/api.js"]\n',
        **{f"src/{name}.ts": "" for name in ("main", "worker", "t", "api")},
    }
    entries = infra(tmp_path, files).entry_points
    assert sorted(Path(e.path).name for e in entries) == ["api.ts", "main.ts", "worker.ts"]
    assert {Path(e.path).name: e.why.split(" runs")[0] for e in entries} == {
        "api.ts": "Dockerfile:3",
        "main.ts": "package.json:4",
        "worker.ts": "package.json:6",
    }


def test_a_development_script_starts_a_package_that_nothing_else_does(tmp_path: Path) -> None:
    files = {
        "package.json": package(dev="turbo run dev"),
        "apps/cli/package.json": package(start="node dist/index.js", dev="tsx watch src/other.ts"),
        "apps/api/package.json": package(
            dev="ts-node-dev --respawn --transpile-only src/server.ts", test="node src/t.js"
        ),
        "apps/cli/src/index.ts": "",
        "apps/cli/src/other.ts": "",
        "apps/api/src/server.ts": "",
        "apps/api/src/t.ts": "",
    }
    started = infra(tmp_path / "some", files).entry_points
    assert sorted(e.path.split("apps/")[1] for e in started) == ["api/src/server.ts", "cli/src/index.ts"]
    files["apps/cli/package.json"] = package(dev="tsx watch src/other.ts")
    assert infra(tmp_path / "none", files).entry_points == ()


def test_variants_put_sources_before_what_is_built() -> None:
    assert variants("dist/a.js")[:3] == ["dist/a.js", "dist/a.ts", "dist/a.tsx"]
    assert variants("dist/a.js").index("src/a.ts") < variants("dist/a.js").index("src/a.js")


def test_calls_of_package_managers() -> None:
    assert read_call(["npm", "run", "-w", "@a/b", "worker", "--", "--x"]).workspaces == ("@a/b",)
    assert read_call(["yarn", "--cwd", "apps/x", "start"]).folder == "apps/x"
    assert read_call(["npm", "ci"]).name == "ci"


def test_shell_text_with_cd_continuations_and_comments() -> None:
    text = "# hi\ncd api \\\n  && node a.js > log 2>&1 # no\nA=1 node b.js; node c.js &\n"
    assert [(c.words[:2], c.folder) for c in commands(text)] == [
        (("node", "a.js"), "api"),
        (("node", "b.js"), "api"),
        (("node", "c.js"), "api"),
    ]
