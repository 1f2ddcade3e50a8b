"""The file side of items 88 to 95."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from auditor.checks import redis_files
from auditor.checks.redis_files import FileSide

from auditor.infra.collect import collect
from auditor.infra.model import InfraModel
from auditor.model import Status

from ..infra.support import tree

Judge = Callable[[InfraModel], FileSide]


def compose(command: str = "", more: str = "", app: str = "NODE_ENV: production") -> str:
    """A production stack: an application and its Redis."""
    said = f"    command: {command}\n" if command else ""
    lines = "".join(f"    {line}\n" for line in more.splitlines())
    return f"services:\n  app:\n    image: acme/app\n    environment: {{{app}}}\n  redis:\n    image: redis:7\n{said}{lines}"


def status(side: FileSide) -> Status | None:
    """What the side alone would decide; None when it is silent."""
    if side.silent:
        return None
    found = {f.status for f in side.findings}
    return Status.FAIL if Status.FAIL in found else Status.UNVERIFIED if Status.UNVERIFIED in found else Status.PASS


CASES: list[tuple[Judge, str, Status]] = [
    (redis_files.maxmemory_policy, compose("redis-server --maxmemory-policy noeviction"), Status.PASS),
    (redis_files.maxmemory_policy, compose("redis-server --maxmemory-policy allkeys-lru"), Status.FAIL),
    (redis_files.maxmemory_policy, compose("redis-server --maxmemory-policy volatile-ttl"), Status.FAIL),
    (redis_files.maxmemory_policy, compose(), Status.UNVERIFIED),
    (redis_files.maxmemory_policy, compose("redis-server --maxmemory-policy ${POLICY}"), Status.UNVERIFIED),
    (redis_files.maxmemory, compose("redis-server --maxmemory 400mb", "mem_limit: 512m"), Status.PASS),
    (redis_files.maxmemory, compose("redis-server --maxmemory 400mb"), Status.PASS),
    (redis_files.maxmemory, compose("redis-server --maxmemory 512mb", "mem_limit: 512m"), Status.FAIL),
    (redis_files.maxmemory, compose("redis-server --maxmemory 0"), Status.FAIL),
    (redis_files.maxmemory, compose(), Status.UNVERIFIED),
    (redis_files.persistence, compose("redis-server --appendonly yes"), Status.PASS),
    (redis_files.persistence, compose("redis-server --save 60 1000"), Status.PASS),
    (redis_files.persistence, compose("redis-server --save '' --appendonly no"), Status.FAIL),
    (redis_files.persistence, compose("redis-server --appendonly yes --appendfsync no"), Status.FAIL),
    (redis_files.persistence, compose("", "volumes: ['data:/data']"), Status.UNVERIFIED),
    (redis_files.high_availability, compose(), Status.FAIL),
    (redis_files.high_availability, compose("redis-server --appendonly yes"), Status.FAIL),
    (redis_files.tls, compose("redis-server --port 0 --tls-port 6379"), Status.PASS),
    (redis_files.tls, compose("", "ports: ['6379:6379']"), Status.FAIL),
    (redis_files.tls, compose("", "", "REDIS_URL: 'redis://redis:6379', NODE_ENV: production"), Status.FAIL),
    (redis_files.tls, compose("redis-server --tls-port 6380", "ports: ['6379:6379']"), Status.FAIL),
    (redis_files.tls, compose("", "ports: ['127.0.0.1:6379:6379']"), Status.UNVERIFIED),
    (redis_files.authentication, compose("redis-server --requirepass ${REDIS_PASSWORD}"), Status.PASS),
    (redis_files.authentication, compose("redis-server --requirepass kJ8-2xPq91"), Status.PASS),
    (redis_files.authentication, compose(), Status.FAIL),
    (redis_files.authentication, compose("redis-server --requirepass redis"), Status.FAIL),
    (redis_files.connection_limits, compose("redis-server --timeout 300"), Status.FAIL),
    (redis_files.connection_limits, compose("redis-server --tcp-keepalive 0"), Status.FAIL),
    (redis_files.connection_limits, compose("redis-server --timeout 0 --tcp-keepalive 60"), Status.UNVERIFIED),
    (redis_files.backups, compose(), Status.UNVERIFIED),
]


@pytest.mark.parametrize(("judge", "text", "expected"), CASES)
def test_a_production_stack(tmp_path: Path, judge: Judge, text: str, expected: Status) -> None:
    side = judge(collect([tree(tmp_path, {"docker-compose.yml": text})]))
    assert status(side) is expected
    assert all(f.place is not None and f.evidence for f in side.findings)
    assert all(e.place is not None for e in side.evidence)
    assert side.evidence or expected is not Status.PASS


@pytest.mark.parametrize(
    "judge", [redis_files.high_availability, redis_files.tls, redis_files.authentication, redis_files.maxmemory_policy]
)
def test_what_is_for_development_fails_nothing(tmp_path: Path, judge: Judge) -> None:
    text = compose("redis-server --maxmemory-policy allkeys-lru", "ports: ['6379:6379']", "A: b")
    side = judge(collect([tree(tmp_path, {"docker-compose.dev.yml": text})]))
    assert status(side) is Status.UNVERIFIED


@pytest.mark.parametrize(
    "judge",
    [redis_files.maxmemory_policy, redis_files.maxmemory, redis_files.persistence, redis_files.authentication],
)
def test_what_is_for_development_passes_nothing(tmp_path: Path, judge: Judge) -> None:
    services = """
services:
  redis:
    image: redis:7
    command: redis-server --appendonly yes --requirepass ${PASSWORD} --maxmemory 1gb --maxmemory-policy noeviction
    ports: ['127.0.0.1:6379:6379']
  postgres:
    image: postgres:16
"""
    side = judge(collect([tree(tmp_path, {"docker-compose.yml": services})]))
    assert status(side) is Status.UNVERIFIED
    assert side.findings[0].message.endswith(
        "but docker-compose.yml is for development only, and nothing shows production"
    )


@pytest.mark.parametrize("judge", [redis_files.authentication, redis_files.maxmemory_policy])
def test_production_decides(tmp_path: Path, judge: Judge) -> None:
    files = {
        "docker-compose.dev.yml": compose("", "", "A: b"),
        "docker-compose.prod.yml": compose("redis-server --requirepass ${P} --maxmemory-policy noeviction"),
    }
    assert status(judge(collect([tree(tmp_path, files)]))) is Status.PASS


def test_a_conf_that_nothing_mounts_is_a_note(tmp_path: Path) -> None:
    files = {"docker-compose.yml": compose(), "redis.conf": "maxmemory-policy allkeys-lru\nmaxmemory 1gb\n"}
    side = redis_files.maxmemory_policy(collect([tree(tmp_path, files)]))
    assert status(side) is Status.UNVERIFIED
    notes = [f for f in side.findings if f.status is Status.PASS]
    assert [f.place.label() for f in notes if f.place] == ["redis.conf:1"]
    assert "nothing in the files mounts it" in notes[0].message


def test_replicas_with_sentinel_are_highly_available(tmp_path: Path) -> None:
    text = compose() + (
        "  replica:\n    image: redis:7\n    command: redis-server --replicaof redis 6379\n"
        "  sentinel:\n    image: redis:7\n    command: redis-sentinel /s.conf\n"
    )
    assert status(redis_files.high_availability(collect([tree(tmp_path, {"compose.yml": text})]))) is Status.PASS
    without = text[: text.index("  sentinel:")]
    assert status(redis_files.high_availability(collect([tree(tmp_path, {"compose.yml": without})]))) is Status.FAIL


def test_a_production_client_without_tls_fails_though_its_redis_is_elsewhere(tmp_path: Path) -> None:
    text = "services:\n  app: {image: acme/app, environment: {NODE_ENV: production, REDIS_URL: 'redis://cache.internal:6379'}}\n"
    assert status(redis_files.tls(collect([tree(tmp_path / "a", {"compose.yml": text})]))) is Status.FAIL
    safe = text.replace("redis://", "rediss://")
    assert redis_files.tls(collect([tree(tmp_path / "b", {"compose.yml": safe})])).silent


def test_no_redis_is_silence(tmp_path: Path) -> None:
    side = redis_files.authentication(collect([tree(tmp_path, {"compose.yml": "services: {a: {image: acme/a}}"})]))
    assert side.silent
    assert side.reason == "no Redis in the infra files"


def test_a_client_of_another_stack_says_nothing_of_this_redis(tmp_path: Path) -> None:
    other = "services:\n  app: {image: a/a, environment: {NODE_ENV: production, REDIS_URL: 'redis://redis:6379'}}\n  redis: {image: redis}\n"
    mine = "services:\n  app: {image: a/b, environment: {NODE_ENV: production}}\n  redis: {image: redis}\n"
    side = redis_files.tls(collect([tree(tmp_path, {"a/compose.yml": other, "b/compose.yml": mine})]))
    assert [(f.subject.name, f.status) for f in side.findings] == [
        ("redis (a/compose.yml)", Status.FAIL),
        ("redis (b/compose.yml)", Status.UNVERIFIED),
    ]


def test_a_cluster_reaches_redis_by_its_service(tmp_path: Path) -> None:
    text = """\
apiVersion: apps/v1
kind: Deployment
metadata: {name: cache}
spec: {template: {metadata: {labels: {app: cache}}, spec: {containers: [{name: redis, image: redis:7}]}}}
---
apiVersion: v1
kind: Service
metadata: {name: redis-service}
spec: {selector: {app: cache}, ports: [{port: 6379}]}
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: mail}
spec: {template: {spec: {containers: [{name: mail, image: a/mail, env: [{name: REDIS_HOST, value: redis-service.default.svc}]}]}}}
"""
    side = redis_files.tls(collect([tree(tmp_path, {"all.yaml": text})]))
    assert [f.place.label() for f in side.findings if f.place] == ["all.yaml:14"]
    assert status(side) is Status.FAIL


def chart(values: str) -> dict[str, str]:
    """A chart with Bitnami's Redis as a dependency."""
    return {"chart/Chart.yaml": "name: shop\ndependencies: [{name: redis}]\n", "chart/values.yaml": values}


def pod(volume: str) -> dict[str, str]:
    """A Redis of its own in Kubernetes, with its log on a volume."""
    return {
        "k8s/redis.yaml": f"""\
apiVersion: apps/v1
kind: StatefulSet
metadata: {{name: redis}}
spec:
  template:
    spec:
      containers:
        - {{name: redis, image: "redis:7", args: [--appendonly, "yes"], volumeMounts: [{{name: data, mountPath: /data}}]}}
      volumes: [{{name: data, {volume}}}]
"""
    }


@pytest.mark.parametrize(
    ("files", "expected"),
    [
        (chart("redis: {master: {persistence: {enabled: false}}}\n"), Status.FAIL),
        (chart("redis: {master: {persistence: {size: 8Gi}}}\n"), Status.PASS),
        (pod("emptyDir: {}"), Status.FAIL),
        (pod("persistentVolumeClaim: {claimName: redis}"), Status.PASS),
    ],
)
def test_data_on_a_volume_that_goes_with_the_pod_is_not_kept(
    tmp_path: Path, files: dict[str, str], expected: Status
) -> None:
    assert status(redis_files.persistence(collect([tree(tmp_path, files)]))) is expected
