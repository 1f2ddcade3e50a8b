"""PM2, systemd, Procfile, Render, docker run, Dockerfiles."""

from __future__ import annotations

from pathlib import Path

import pytest

from auditor.infra import dockerfile
from auditor.infra.dockerfile import cannot_fail
from auditor.infra.model import Environment, PasswordState, UnitKind

from .support import infra, redis, unit


def test_pm2_reads_a_literal_and_runs_nothing(tmp_path: Path) -> None:
    text = """
    const shared = { autorestart: false, kill_timeout: 30 * 1000 };
    require('fs').writeFileSync('pwned', '');
    module.exports = {
      apps: [
        {
          name: 'mailer', script: './dist/worker.js', instances: 2, max_memory_restart: '300M', kill_timeout: 45_000,
          node_args: '--max-old-space-size=256', env: { NODE_ENV: 'production', API_SECRET: 'abc' },
        },
        { ...shared, name: 'other', script: 'npm', args: 'run web', max_memory_restart: process.env.MEM || '1G' },
      ],
    };
    """
    model = infra(tmp_path, {"ecosystem.config.js": text, "src/worker.ts": "", "package.json": "{}"})
    mailer, other = unit(model, "mailer"), unit(model, "other")
    assert (mailer.restarts, mailer.memory_bytes, mailer.heap_bytes) == (True, 300 * 1024**2, 256 * 1024**2)
    assert (mailer.grace_seconds, mailer.replicas, mailer.environment) == (45, 2, Environment.PRODUCTION)
    assert mailer.place.line == 6
    assert mailer.env["API_SECRET"].value == "***"
    assert [Path(e.path).name for e in mailer.entries] == ["worker.ts"]
    assert (other.restarts, other.memory_bytes, other.grace_seconds) == (False, 1024**3, None)
    assert not (tmp_path / "pwned").exists()


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("pm2.json", '{"apps": [{"name": "w", "script": "w.js", "max_memory_restart": "1G"}]}'),
        ("ecosystem.config.yml", "apps:\n  - name: w\n    script: w.js\n    max_memory_restart: 1G\n"),
        (
            "ecosystem.config.ts",
            "export default { apps: [{ name: 'w', script: 'w.js', max_memory_restart: '1G' }] } as Config;",
        ),
        (
            "ecosystem.config.cjs",
            "const apps = [{ name: `w`, script: 'w.js', max_memory_restart: '1G' }];\nmodule.exports = { apps };",
        ),
    ],
)
def test_pm2_in_its_other_forms(tmp_path: Path, name: str, text: str) -> None:
    app = unit(infra(tmp_path, {name: text, "w.js": ""}), "w")
    assert (app.kind, app.memory_bytes, app.grace_seconds) == (UnitKind.PM2, 1024**3, 1.6)


def test_systemd(tmp_path: Path) -> None:
    text = """
    [Service]
    ExecStart=/usr/bin/node /srv/app/dist/worker.js
    WorkingDirectory=/srv/app
    Environment=NODE_ENV=production "DB_PASSWORD=secret word"
    Restart=on-failure
    MemoryMax=1G
    TimeoutStopSec=2min 30s
    """
    model = infra(tmp_path, {"deploy/mail.service": text, "src/worker.ts": "", "package.json": "{}"})
    mail = unit(model, "mail")
    assert (mail.restarts, mail.memory_bytes, mail.grace_seconds) == (True, 1024**3, 150)
    assert mail.env["DB_PASSWORD"].value == "***"
    assert [Path(e.path).name for e in mail.entries] == ["worker.ts"]


def test_procfile(tmp_path: Path) -> None:
    model = infra(
        tmp_path, {"Procfile": "web: npm start\nworker: node worker.js\nrelease: npm run migrate\n", "worker.js": ""}
    )
    assert [d.name for d in model.deployments] == ["web", "worker"]
    assert unit(model, "worker").restarts


def test_render(tmp_path: Path) -> None:
    text = """
    services:
      - type: worker
        name: mail
        startCommand: node worker.js
        maxShutdownDelaySeconds: 120
      - type: keyvalue
        name: queue
        maxmemoryPolicy: noeviction
        ipAllowList: []
    """
    model = infra(tmp_path, {"render.yaml": text, "worker.js": ""})
    assert unit(model, "mail").grace_seconds == 120
    assert redis(model, "queue").settings["maxmemory-policy"].value == "noeviction"
    assert redis(model, "queue").managed == "render"


def test_docker_run_in_a_script_and_how_it_rolls_out(tmp_path: Path) -> None:
    text = """
    #!/bin/bash
    docker build -t registry.io/acme/mailer:latest -f worker.Dockerfile .
    ssh host << 'EOF'
      docker rm -f mailer || true
      docker run -d \\
        --name mailer --restart unless-stopped -m 256m \\
        -e REDIS_URL=$REDIS_URL --health-cmd "curl -f http://localhost:3000/health" \\
        registry.io/acme/mailer:latest
      docker run -d --name cache -p 6379:6379 redis:7 redis-server --requirepass admin
    EOF
    """
    model = infra(
        tmp_path, {"deploy.sh": text, "worker.Dockerfile": 'FROM node\nCMD ["node", "worker.js"]\n', "worker.js": ""}
    )
    mailer = unit(model, "mailer")
    assert (mailer.restarts, mailer.memory_bytes, len(mailer.health), mailer.grace_seconds) == (
        True,
        256 * 1024**2,
        1,
        10,
    )
    assert mailer.place.line == 5
    assert [Path(e.path).name for e in mailer.entries] == ["worker.js"]
    (rollout,) = model.rollouts
    assert (rollout.kind, rollout.kills, rollout.place.line) == ("stop-first", True, 4)
    assert redis(model, "cache").password is PasswordState.WEAK


def test_docker_run_in_a_workflow(tmp_path: Path) -> None:
    text = """
    on: push
    jobs:
      deploy:
        steps:
          - uses: appleboy/ssh-action@v1
            with:
              script: |
                docker stop api || true
                docker rm api
                docker run -d --name api ${{ secrets.USER }}/api:${{ github.sha }}
    """
    model = infra(
        tmp_path,
        {
            ".github/workflows/deploy.yml": text,
            "Dockerfile": 'FROM node\nCMD ["sh", "run.sh"]\n',
            "package.json": '{"name": "@acme/api"}',
            "run.sh": "pm2 start a.js\n",
            "a.js": "",
        },
    )
    api = unit(model, "api")
    assert api.place.line == 10
    assert api.restarts  # PM2 within the container
    assert [(r.kind, r.kills, r.place.line) for r in model.rollouts] == [("stop-first", False, 8)]


def test_stages_of_a_dockerfile() -> None:
    text = """\
FROM node:22 AS base
WORKDIR /app
ENV NODE_OPTIONS="--max-old-space-size=512" TOKEN=abc
HEALTHCHECK --interval=5s CMD node health.js || exit 1
FROM base AS worker
RUN <<EOF
CMD not an instruction
EOF
ENTRYPOINT ["tini", "--"]
CMD ["node", \\
     "worker.js"]
FROM base
CMD npm start
"""
    images = dockerfile.read(text, "Dockerfile")
    worker = images["worker"]
    assert worker.command == ("tini", "--", "node", "worker.js")
    assert worker.exec_form
    assert worker.place.line == 10
    assert worker.healthcheck is not None
    assert worker.healthcheck.can_fail
    assert worker.env["TOKEN"].value == "***"
    assert images[""].command == ("sh", "-c", "npm start")
    assert not images[""].exec_form


@pytest.mark.parametrize(
    ("test", "cannot"),
    [
        ("node -e console.log('ok')", True),
        ("node -e console.log('x'); process.exit(0)", True),
        ("exit 0", True),
        ("true", True),
        ("curl -f http://localhost:3000/health || exit 0", True),
        ("curl -f http://localhost:3000/health || exit 1", False),
        ("node health.js", False),
        ("node -e try { require('bull'); process.exit(0); } catch(e) { process.exit(1); }", False),
        ("pgrep -f worker", False),
    ],
)
def test_checks_that_cannot_fail(test: str, cannot: bool) -> None:
    assert cannot_fail(test) is cannot


def test_fly_process_groups(tmp_path: Path) -> None:
    text = """
    app = "shop"
    kill_timeout = "120s"
    [processes]
      web = "node web.js"
      worker = "node worker.js"
    [[vm]]
      memory = "512mb"
    [http_service]
      processes = ["web"]
      [[http_service.checks]]
        path = "/health"
    """
    model = infra(tmp_path, {"fly.toml": text, "worker.js": "", "web.js": ""})
    worker, web = unit(model, "worker"), unit(model, "web")
    assert (worker.restarts, worker.rolling, worker.grace_seconds, worker.memory_bytes) == (
        True,
        True,
        120,
        512 * 1024**2,
    )
    assert (len(worker.health), len(web.health)) == (0, 1)
    assert worker.place.line == 5
    assert [Path(e.path).name for e in worker.entries] == ["worker.js"]
    assert infra(tmp_path / "b", {"fly.toml": "app = [broken"}).deployments == ()


def test_nomad(tmp_path: Path) -> None:
    text = """
    job "shop" {
      group "workers" {
        count = 2
        update { max_parallel = 1 }
        restart {
          attempts = 3
        }
        task "mail" {
          driver       = "docker"
          kill_timeout = "90s"
          config {
            image   = "acme/mail"
            command = "node"
            args    = ["worker.js"]
          }
          resources { memory = 256 }
        }
        task "redis" {
          config {
            image = "redis:7"
            args  = ["redis-server", "--maxmemory-policy", "noeviction"]
          }
        }
      }
    }
    """
    model = infra(tmp_path, {"shop.nomad": text, "worker.js": ""})
    mail = unit(model, "mail")
    assert (mail.kind, mail.grace_seconds, mail.memory_bytes, mail.replicas) == (UnitKind.NOMAD, 90, 256 * 1024**2, 2)
    assert (mail.restarts, mail.rolling) == (True, True)
    assert [Path(e.path).name for e in mail.entries] == ["worker.js"]
    assert redis(model).settings["maxmemory-policy"].value == "noeviction"


def test_a_docker_run_on_a_ci_runner_or_for_developers_is_no_deployment(tmp_path: Path) -> None:
    workflow = """
    on: push
    jobs:
      test:
        runs-on: ubuntu-latest
        steps:
          - run: docker run -d --name redis -p 6379:6379 redis
          - uses: docker/build-push-action@v6
            with: {context: ., file: ops/api.Dockerfile, target: run, push: true, tags: "ghcr.io/acme/shop:latest"}
    """
    files = {
        ".github/workflows/ci.yml": workflow,
        "start-redis.sh": "docker run -d redis\n",
        "ops/api.Dockerfile": "FROM node AS run\nCMD node api.js\nFROM node AS dev\nCMD node dev.js\n",
        "compose.prod.yml": "services: {shop: {image: 'ghcr.io/acme/shop'}}",
        "api.js": "",
    }
    model = infra(tmp_path, files)
    assert model.redis == ()
    assert [Path(e.path).name for e in unit(model, "shop").entries] == ["api.js"]


def test_a_dockerfile_that_nothing_runs_is_an_image_alone(tmp_path: Path) -> None:
    files = {
        "Dockerfile": 'FROM node\nENV NODE_OPTIONS=--max-old-space-size=512\nHEALTHCHECK CMD node health.js\nCMD ["node", "worker.js"]\n',
        "Dockerfile.dev": "FROM node\nCMD npm run dev\n",
        "worker.js": "",
        "package.json": '{"name": "mail"}',
    }
    model = infra(tmp_path, files)
    (image,) = model.deployments
    assert (image.kind, image.restarts, image.grace_seconds, len(image.health)) == (UnitKind.DOCKERFILE, None, None, 1)
    assert [Path(e.path).name for e in image.entries] == ["worker.js"]
    used = infra(tmp_path, {"compose.yml": "services: {mail: {build: .}}"})
    assert [d.kind for d in used.deployments] == [UnitKind.COMPOSE]


def test_pm2_within_a_container_is_one_unit(tmp_path: Path) -> None:
    files = {
        "ecosystem.config.cjs": "module.exports = {apps: [{name: 'mail', script: 'worker.js', max_memory_restart: '300M', kill_timeout: 5000}]}",
        "compose.prod.yml": "services:\n  mail:\n    image: acme/x\n    command: pm2-runtime ecosystem.config.cjs\n    stop_grace_period: 60s\n",
        "package.json": '{"name": "x", "scripts": {"start": "pm2-runtime ecosystem.config.cjs"}}',
        "worker.js": "",
    }
    model = infra(tmp_path, files)
    (mail,) = model.deployments
    assert (mail.kind, mail.restarts, mail.memory_bytes) == (UnitKind.COMPOSE, True, 300 * 1024**2)
    assert mail.grace_seconds == 5  # PM2 kills before the container is killed
    assert mail.grace is not None
    assert mail.grace.place.path == "ecosystem.config.cjs"
    assert [Path(e.path).name for e in model.entry_points] == ["worker.js"]
    alone = infra(tmp_path / "b", {"ecosystem.config.cjs": files["ecosystem.config.cjs"], "worker.js": ""})
    assert [d.kind for d in alone.deployments] == [UnitKind.PM2]


def test_smaller_platforms(tmp_path: Path) -> None:
    files = {
        "railway.json": '{"deploy": {"startCommand": "node worker.js", "restartPolicyType": "NEVER", "healthcheckPath": "/health"}}',
        ".do/app.yaml": "name: shop\nworkers:\n  - {name: mail, run_command: node worker.js, instance_count: 2, github: {repo: a/b}}\n",
        "copilot/mint/manifest.yml": "name: mint\ntype: Backend Service\nimage: {build: ops/Dockerfile}\nmemory: 512\ncount: 1\n",
        "ops/Dockerfile": 'FROM node\nCMD ["node", "worker.js"]\n',
        "worker.js": "",
    }
    model = infra(tmp_path, files)
    found = {d.kind: d for d in model.deployments}
    assert set(found) == {UnitKind.RAILWAY, UnitKind.APP_PLATFORM, UnitKind.ECS}
    assert (found[UnitKind.RAILWAY].restarts, len(found[UnitKind.RAILWAY].health)) == (False, 1)
    assert (found[UnitKind.APP_PLATFORM].name, found[UnitKind.APP_PLATFORM].replicas) == ("mail", 2)
    assert found[UnitKind.ECS].memory_bytes == 512 * 1024**2
    assert all([Path(e.path).name for e in d.entries] == ["worker.js"] for d in model.deployments)
