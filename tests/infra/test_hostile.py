"""Files that are broken, hostile or of an unforeseen shape: never a crash, never a fault of ours, bounded time."""

from __future__ import annotations

import random
import time
from pathlib import Path

import pytest

from auditor.infra.collect import collect

from .support import tree
from .test_compose import WORKER
from .test_kubernetes import CHART, REDIS, VALUES
from .test_terraform import GOOD

FILES = {
    "docker-compose.yml": WORKER,
    "k8s/redis.yaml": REDIS,
    "chart/Chart.yaml": "name: shop\ndependencies: [{name: redis}]\n",
    "chart/values.yaml": VALUES,
    "chart/templates/worker.yaml": CHART,
    "k8s/kustomization.yaml": "resources: [redis.yaml]\npatches: [{path: redis.yaml}]\n",
    "main.tf": GOOD,
    "job.nomad": 'job "a" { group "g" { task "t" { config { image = "a/b" } } } }\n',
    "fly.toml": 'app = "a"\nprimary_region = "x"\n[processes]\n  w = "node w.js"\n',
    "render.yaml": "services:\n  - {type: worker, name: w, startCommand: node w.js}\n",
    "ecosystem.config.js": "module.exports = { apps: [{ name: 'w', script: 'w.js', env: { A: `b${c}` } }] };\n",
    "Dockerfile": 'FROM node AS a\nCOPY --from=a /x /y\nRUN <<EOF\nx\nEOF\nHEALTHCHECK CMD true\nCMD ["node", "w.js"]\n',
    "railway.json": '{"deploy": {"startCommand": "node w.js"}}',
    ".do/app.yaml": "name: a\nworkers:\n  - {name: w, run_command: node w.js, github: {repo: a/b}}\n",
    "copilot/w/manifest.yml": "name: w\ntype: Worker Service\nimage: {build: Dockerfile, healthcheck: {command: [CMD, x]}}\n",
    "task.json": '{"containerDefinitions": [{"name": "w", "image": "a/w", "healthCheck": {"command": ["CMD", "x"]}}]}',
    "Procfile": "worker: node w.js\n",
    "unit.service": "[Service]\nExecStart=/usr/bin/node w.js\n",
    "deploy.sh": "ssh h << EOF\ndocker rm -f w\ndocker run -d --name w acme/w \\\nEOF\n",
    ".github/workflows/deploy.yml": "jobs: {a: {steps: [{run: 'ssh h docker run -d x'}]}}\n",
    "package.json": '{"name": "w", "scripts": {"start": "node w.js"}}',
    "docs/dr.md": "# DR\nRPO 5 min RTO 5 min restore Redis\n",
    ".env": "REDIS_URL=redis://:pw@h:6379\n",
    "redis.conf": "maxmemory 1gb\nmaxmemory-policy noeviction\nsave 60 1\n",
    "w.js": "",
}


def faults(root: Path) -> list[str]:
    """What the collector blames on itself."""
    return [n.text for n in collect([root]).notes if "fault" in n.text]


def mutated(text: str, source: random.Random) -> str:
    """The text with a few characters, lines or values changed."""
    for _ in range(source.randint(1, 4)):
        at = source.randrange(len(text) + 1)
        match source.randrange(5):
            case 0:
                text = text[:at]
            case 1:
                text = (
                    text[:at]
                    + source.choice(
                        [
                            "\t",
                            "{{",
                            "}}",
                            "[",
                            "]",
                            '"',
                            "'",
                            ": ",
                            "- ",
                            "&a ",
                            "*a ",
                            "$(",
                            "${",
                            "\0",
                            "é",
                            "\n---\n",
                            "null",
                            "!!x ",
                        ]
                    )
                    + text[at:]
                )
            case 2:
                text = text[:at] + text[at + source.randint(1, 30) :]
            case 3:
                lines = text.splitlines(keepends=True)
                source.shuffle(lines)
                text = "".join(lines)
            case 4:
                text = text.replace(
                    source.choice(["image", "services", "name", "spec", "node", "redis", "["]),
                    source.choice(["", "[]", "{}", "1", "~"]),
                )
    return text


@pytest.mark.parametrize("seed", range(25))
def test_mutated_files_are_notes_at_most(tmp_path: Path, seed: int) -> None:
    source = random.Random(seed)
    assert faults(tree(tmp_path, {name: mutated(text, source) for name, text in FILES.items()})) == []


@pytest.mark.parametrize(
    "content",
    [
        "",
        "null",
        "[]",
        "{}",
        "1",
        "- - -",
        "a: b",
        '"x"',
        "services: []",
        "services: {a: }",
        "services: {a: [1]}",
        "apiVersion: v1\nkind: List\nitems: [1, {}]",
        "apiVersion: apps/v1\nkind: Deployment",
        "apps: 1\nscript: 2",
    ],
)
def test_values_of_the_wrong_kind(tmp_path: Path, content: str) -> None:
    root = tree(tmp_path, dict.fromkeys(FILES, content))
    assert faults(root) == []


def test_a_chain_of_extends_and_a_kustomization_of_itself_end(tmp_path: Path) -> None:
    loop = "services:\n  a: {extends: {file: b.yml, service: a}}\n"
    files = {
        "docker-compose.yml": loop,
        "b.yml": loop.replace("b.yml", "docker-compose.yml"),
        "k/kustomization.yaml": "resources: [., ../k, x.yaml]\n",
        "k/x.yaml": REDIS,
    }
    assert faults(tree(tmp_path, files)) == []


def test_many_aliases_in_a_compose_file_stay_cheap(tmp_path: Path) -> None:
    lines = ["x: &a {A: b}"]
    for before, after in zip("abcdefghijklmno", "bcdefghijklmnop", strict=True):
        lines.append(f"x{after}: &{after} {{{', '.join(f'K{i}: *{before}' for i in range(9))}}}")
    lines.append("services: {w: {image: acme/w, environment: *p, deploy: *p, labels: *p}}")
    start = time.process_time()
    assert faults(tree(tmp_path, {"compose.yml": "\n".join(lines)})) == []
    assert time.process_time() - start < 5
