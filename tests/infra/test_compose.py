"""Compose: services, overrides, interpolation, environments, and Redis as it is really started."""

from __future__ import annotations

from pathlib import Path

import pytest

from auditor.infra.model import Environment, PasswordState, Tls

from .support import infra, line, redis, unit

WORKER = """
services:
  worker:
    build: .
    command: ["node", "--max-old-space-size=400", "dist/worker.js"]
    restart: unless-stopped
    stop_grace_period: 1m30s
    environment:
      - NODE_ENV=production
      - REDIS_URL=redis://redis:6379
      - API_TOKEN=abcdef
    healthcheck:
      test: ["CMD", "node", "-e", "console.log('fine')"]
    deploy:
      replicas: 3
      resources: {limits: {memory: 512M}}
      update_config: {order: start-first}
  redis:
    image: redis:7-alpine
    command: >
      redis-server
      --requirepass ${REDIS_PASSWORD:-hunter2}
      --maxmemory 200mb
      --maxmemory-policy allkeys-lru
    ports: ["127.0.0.1:6379:6379"]
"""


def test_a_service_is_read_with_lines(tmp_path: Path) -> None:
    model = infra(tmp_path, {"docker-compose.yml": WORKER, "src/worker.ts": "", "package.json": "{}"})
    worker = unit(model, "worker")
    assert worker.environment is Environment.PRODUCTION
    assert worker.restarts
    assert worker.grace_seconds == 90
    assert (worker.memory_bytes, worker.heap_bytes) == (512 * 1024**2, 400 * 1024**2)
    assert worker.memory is not None
    assert worker.memory.place.line == line(WORKER, "resources:")
    assert worker.replicas == 3
    assert worker.rolling
    assert [h.can_fail for h in worker.health] == [False]
    assert [Path(e.path).name for e in worker.entries] == ["worker.ts"]


def test_secrets_are_masked_where_they_enter(tmp_path: Path) -> None:
    model = infra(tmp_path, {"docker-compose.yml": WORKER})
    assert unit(model, "worker").env["API_TOKEN"].value == "***"
    assert "hunter2" not in repr(model)


def test_the_command_line_of_redis_is_its_configuration(tmp_path: Path) -> None:
    server = redis(infra(tmp_path, {"docker-compose.yml": WORKER}))
    assert server.settings["maxmemory-policy"].value == "allkeys-lru"
    assert server.settings["maxmemory-policy"].place.line == line(WORKER, "--maxmemory-policy")
    assert server.password is PasswordState.FROM_ENV
    assert server.tls is Tls.OFF
    assert [p.loopback for p in server.ports] == [True]


@pytest.mark.parametrize(
    ("command", "state"),
    [
        ("redis-server", PasswordState.NONE),
        ("redis-server --requirepass redis", PasswordState.WEAK),
        ('redis-server --requirepass ""', PasswordState.WEAK),
        ("redis-server --requirepass kJ8-2xPq91", PasswordState.LITERAL),
        ("redis-server --requirepass $${REDIS_PASSWORD}", PasswordState.FROM_ENV),
        ("redis-server --requirepass $(cat /run/secrets/redis)", PasswordState.UNKNOWN),
        ("sh -c 'redis-server --requirepass $(cat /run/secrets/redis)'", PasswordState.FROM_ENV),
    ],
)
def test_the_state_of_a_password(tmp_path: Path, command: str, state: PasswordState) -> None:
    model = infra(tmp_path, {"compose.yaml": f"services:\n  redis:\n    image: redis\n    command: {command!s}\n"})
    assert redis(model).password is state


def test_a_conf_counts_only_where_it_is_mounted(tmp_path: Path) -> None:
    conf = "maxmemory-policy noeviction\nappendonly yes\nrequirepass kJ8-2xPq91\n"
    mounted = """
    services:
      redis:
        image: redis:7
        command: redis-server /etc/redis/redis.conf --appendonly no
        volumes: ["./ops/redis.conf:/etc/redis/redis.conf:ro"]
    """
    model = infra(tmp_path / "a", {"compose.yml": mounted, "ops/redis.conf": conf})
    server = redis(model)
    assert server.settings["maxmemory-policy"].place.path == "ops/redis.conf"
    assert server.settings["appendonly"].value == "no"  # the command line comes after the file
    assert server.password is PasswordState.LITERAL
    assert "kJ8-2xPq91" not in repr(model)
    loose = infra(
        tmp_path / "b", {"compose.yml": mounted.replace("/etc/redis/redis.conf --", "--"), "ops/redis.conf": conf}
    )
    assert "maxmemory-policy" not in redis(loose).settings
    assert [c.loaded_by for c in loose.confs] == [()]


def test_an_override_is_merged_over_the_file_that_it_changes(tmp_path: Path) -> None:
    base = """
    services:
      worker:
        image: acme/worker
        restart: always
        environment: {A: base, B: base}
      redis: {image: "redis:7"}
    """
    over = """
    services:
      worker:
        environment: {A: prod}
        mem_limit: 256m
    """
    model = infra(tmp_path, {"docker-compose.yml": base, "docker-compose.prod.yml": over})
    prod = next(d for d in model.deployments if d.name == "worker" and d.environment is Environment.PRODUCTION)
    assert prod.restarts
    assert prod.memory_bytes == 256 * 1024**2
    assert (prod.env["A"].value, prod.env["B"].value) == ("prod", "base")
    assert prod.place.path == "docker-compose.prod.yml"
    assert sorted(u.environment for u in model.redis) == [Environment.PRODUCTION, Environment.UNKNOWN]


def test_extends_anchors_and_env_files(tmp_path: Path) -> None:
    common = "services:\n  base:\n    image: acme/app\n    restart: on-failure\n"
    text = """
    x-limits: &limits {mem_limit: "${MEM:-128m}"}
    services:
      worker:
        <<: *limits
        extends: {file: common.yml, service: base}
        command: node worker.js
    """
    model = infra(tmp_path, {"compose.yml": text, "common.yml": common, ".env": "MEM=64m\n"})
    worker = unit(model, "worker")
    assert worker.restarts
    assert worker.memory_bytes == 64 * 1024**2


@pytest.mark.parametrize(
    ("path", "text", "environment"),
    [
        ("docker-compose.prod.yml", "services: {a: {image: acme/a}}", Environment.PRODUCTION),
        ("deploy/staging/compose.yml", "services: {a: {image: acme/a}}", Environment.STAGING),
        ("docker-compose.dev.yml", "services: {a: {image: acme/a}}", Environment.DEVELOPMENT),
        ("docker-compose.override.yml", "services: {a: {image: acme/a}}", Environment.DEVELOPMENT),
        (".devcontainer/docker-compose.yml", "services: {a: {image: acme/a}}", Environment.DEVELOPMENT),
        ("e2e/docker-compose.yml", "services: {a: {image: acme/a}}", Environment.TEST),
        ("examples/compose.yml", "services: {a: {image: acme/a}}", Environment.DEVELOPMENT),
        ("docker-compose.yml", "name: acme-prod\nservices: {a: {image: acme/a}}", Environment.PRODUCTION),
        ("docker-compose.yml", "# Local development only\nservices: {a: {image: acme/a}}", Environment.DEVELOPMENT),
        ("docker-compose.yml", "services: {a: {build: {context: ., target: development}}}", Environment.DEVELOPMENT),
        (
            "docker-compose.yml",
            "services: {a: {image: acme/a, environment: {NODE_ENV: development}}}",
            Environment.UNKNOWN,
        ),
        ("docker-compose.yml", "services: {a: {image: acme/a}}", Environment.UNKNOWN),
        ("docker-compose.yml", "services: {db: {image: postgres}, cache: {image: redis}}", Environment.DEVELOPMENT),
    ],
)
def test_environments_are_told_apart(tmp_path: Path, path: str, text: str, environment: Environment) -> None:
    model = infra(tmp_path, {path: text})
    assert {d.environment for d in model.deployments} == {environment}


def test_replicas_and_sentinel_of_one_stack(tmp_path: Path) -> None:
    text = """
    services:
      redis: {image: "redis:7"}
      replica: {image: "redis:7", command: redis-server --replicaof redis 6379}
      sentinel: {image: "redis:7", command: redis-sentinel /etc/sentinel.conf}
    """
    server = redis(infra(tmp_path, {"compose.yml": text}))
    assert server.replicas == 1
    assert server.sentinel is not None


def test_broken_files_are_notes(tmp_path: Path) -> None:
    model = infra(
        tmp_path, {"docker-compose.yml": "services:\n\tworker: {}\n", "compose.yml": "services: {a: {image: x/a}}"}
    )
    assert [d.name for d in model.deployments] == ["a"]
    assert [n.place.path for n in model.notes] == ["docker-compose.yml"]


def test_a_stack_that_watches_its_sources_is_for_development(tmp_path: Path) -> None:
    text = """
    services:
      api: {build: ., command: npm run start:dev}
      worker: {build: ., command: ["npx", "tsx", "watch", "src/worker.ts"]}
      redis: {image: redis}
    """
    model = infra(tmp_path / "a", {"docker-compose.yml": text})
    found = {d.environment for d in model.deployments} | {u.environment for u in model.redis}
    assert found == {Environment.DEVELOPMENT}
    mixed = infra(tmp_path / "b", {"docker-compose.yml": text.replace("npm run start:dev", "npm start")})
    assert {d.environment for d in mixed.deployments} == {Environment.UNKNOWN}


def test_profiles_keep_a_service_to_an_environment(tmp_path: Path) -> None:
    text = """
    services:
      worker: {image: acme/worker, command: node worker.js}
      seed: {image: acme/seed, profiles: [dev]}
      redis: {image: redis, profiles: ["test"]}
    """
    model = infra(tmp_path, {"docker-compose.prod.yml": text})
    assert unit(model, "worker").environment is Environment.PRODUCTION
    assert unit(model, "seed").environment is Environment.DEVELOPMENT
    assert redis(model).environment is Environment.TEST


def test_a_redis_of_an_own_image_with_its_conf_copied_in(tmp_path: Path) -> None:
    files = {
        "compose.yml": "services:\n  cache: {build: ./ops/redis}\n  other: {build: ./ops/redis, command: redis-server --save ''}\n",
        "ops/redis/Dockerfile": 'FROM redis:7-alpine\nCOPY redis.conf /etc/redis/redis.conf\nCMD ["redis-server", "/etc/redis/redis.conf"]\n',
        "ops/redis/redis.conf": "maxmemory-policy noeviction\nappendonly yes\n",
    }
    model = infra(tmp_path, files)
    assert redis(model, "cache").settings["maxmemory-policy"].place.label() == "ops/redis/redis.conf:1"
    assert "maxmemory-policy" not in redis(model, "other").settings
    assert [c.loaded_by for c in model.confs] == [("cache",)]


def test_swarm_starts_a_service_again_unless_told_otherwise(tmp_path: Path) -> None:
    stack = """
    services:
      worker:
        image: acme/worker
        deploy: {replicas: 2, placement: {constraints: ["node.labels.kind == io"]}}
      once:
        image: acme/worker
        deploy: {placement: {constraints: ["node.labels.kind == io"]}, restart_policy: {condition: none}}
      local:
        image: acme/worker
        deploy: {replicas: 2}
    """
    found = {d.name: d.restarts for d in infra(tmp_path, {"stack.yml": stack}).deployments}
    assert found == {"worker": True, "once": False, "local": False}
