"""Terraform: HCL with lines, managed Redis, ECS, user data."""

from __future__ import annotations

import random
import time
from pathlib import Path

import pytest

from auditor.infra.hcl import read
from auditor.infra.model import PasswordState, Tls, UnitKind

from .support import infra, line, redis, unit

GOOD = """
variable "retention" { default = 7 }
locals { policy = "noeviction" }

resource "aws_elasticache_parameter_group" "queue" {
  family = "redis7"
  parameter {
    name  = "maxmemory-policy"
    value = local.policy
  }
}

resource "aws_elasticache_replication_group" "queue" {
  description                = <<-EOT
    a heredoc with } and "quotes"
  EOT
  engine                     = "redis"
  num_cache_clusters         = 3
  automatic_failover_enabled = true
  transit_encryption_enabled = true
  auth_token                 = var.token
  snapshot_retention_limit   = var.retention
  parameter_group_name       = aws_elasticache_parameter_group.queue.name
}
"""


def test_elasticache_with_its_parameter_group(tmp_path: Path) -> None:
    server = redis(infra(tmp_path, {"main.tf": GOOD}), "aws_elasticache_replication_group.queue")
    assert server.managed == "elasticache"
    assert server.settings["maxmemory-policy"].value == "noeviction"
    assert server.settings["maxmemory-policy"].place.line == line(GOOD, "value = local")
    assert (server.replicas, server.failover, server.tls, server.password) == (2, True, Tls.ON, PasswordState.FROM_ENV)
    assert server.snapshots is not None
    assert server.snapshots.value == "7"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (
            'resource "aws_elasticache_cluster" "q" {\n engine = "redis"\n}',
            ("elasticache", 0, False, Tls.OFF, PasswordState.NONE),
        ),
        ('resource "aws_elasticache_cluster" "q" {\n engine = "memcached"\n}', None),
        (
            'resource "aws_memorydb_cluster" "q" {\n acl_name = "open-access"\n}',
            ("memorydb", 1, True, Tls.ON, PasswordState.NONE),
        ),
        (
            'resource "google_redis_instance" "q" {\n tier = "BASIC"\n auth_enabled = true\n}',
            ("memorystore", 0, False, Tls.OFF, PasswordState.FROM_ENV),
        ),
        (
            'resource "google_redis_instance" "q" {\n tier = "STANDARD_HA"\n transit_encryption_mode = "SERVER_AUTHENTICATION"\n}',
            ("memorystore", 1, True, Tls.ON, PasswordState.NONE),
        ),
        (
            'resource "azurerm_redis_cache" "q" {\n sku_name = "Basic"\n non_ssl_port_enabled = true\n}',
            ("azure", 0, False, Tls.OFF, PasswordState.FROM_ENV),
        ),
        (
            'resource "digitalocean_database_cluster" "q" {\n engine = "valkey"\n node_count = 2\n}',
            ("digitalocean", 1, True, Tls.ON, PasswordState.FROM_ENV),
        ),
        ('resource "digitalocean_database_cluster" "q" {\n engine = "pg"\n}', None),
        (
            'module "q" {\n source = "terraform-aws-modules/elasticache/aws"\n transit_encryption_enabled = true\n auth_token = "hunter-2-long"\n}',
            ("elasticache", None, None, Tls.ON, PasswordState.LITERAL),
        ),
    ],
)
def test_managed_services(tmp_path: Path, text: str, expected: tuple[object, ...] | None) -> None:
    model = infra(tmp_path, {"main.tf": text})
    assert [(u.managed, u.replicas, u.failover, u.tls, u.password) for u in model.redis] == (
        [expected] if expected else []
    )
    assert "hunter-2-long" not in repr(model)


def test_serverless_evicts_locks(tmp_path: Path) -> None:
    model = infra(tmp_path, {"main.tf": 'resource "aws_elasticache_serverless_cache" "q" {\n engine = "valkey"\n}'})
    assert model.redis[0].settings["maxmemory-policy"].value == "volatile-lru"


def test_an_ecs_service_and_its_task(tmp_path: Path) -> None:
    text = """
    resource "aws_ecs_task_definition" "mail" {
      family = "mail"
      container_definitions = jsonencode([
        {
          name = "mail", image = "acme/mail:1", memory = 512, stopTimeout = 110,
          command = ["node", "worker.js"],
          environment = [{ name = "NODE_OPTIONS", value = "--max-old-space-size=600" }]
          logConfiguration = { logDriver = "awslogs" }
        }
      ])
    }
    resource "aws_ecs_service" "mail" {
      task_definition = aws_ecs_task_definition.mail.arn
      desired_count   = 2
    }
    """
    model = infra(tmp_path, {"ecs.tf": text, "worker.js": ""})
    mail = unit(model, "mail")
    assert (mail.kind, mail.restarts, mail.rolling, mail.replicas) == (UnitKind.ECS, True, True, 2)
    assert (mail.memory_bytes, mail.heap_bytes, mail.grace_seconds) == (512 * 1024**2, 600 * 1024**2, 110)
    assert [Path(e.path).name for e in mail.entries] == ["worker.js"]
    assert [s.kind for s in model.shippers] == ["logging driver awslogs"]


def test_a_task_definition_in_json(tmp_path: Path) -> None:
    text = '{"family": "mail", "containerDefinitions": [{"name": "mail", "image": "a/mail", "command": ["node", "w.js"], "memory": 256}]}'
    model = infra(tmp_path, {"task.json": text, "w.js": ""})
    assert unit(model, "mail").memory_bytes == 256 * 1024**2


def test_docker_run_in_user_data(tmp_path: Path) -> None:
    text = """
    resource "aws_instance" "worker" {
      user_data = <<-EOF
        #!/bin/bash
        docker run -d \\
          --restart always --name mail acme/mail
      EOF
    }
    """
    mail = unit(infra(tmp_path, {"main.tf": text}), "mail")
    assert mail.place.line == line(text, "docker run")
    assert mail.restarts


def test_hcl_never_fails_and_stays_linear() -> None:
    source = random.Random(1)
    for _ in range(200):
        list(read("".join(source.choice('{}[]()="\n a.1<<-EOF#/*$,') for _ in range(400)), "x.tf").walk(100))
    start = time.process_time()
    for text in ("a = " + "[" * 100_000, "a {" * 5000, '"${' * 50_000, "/*" * 100_000, "<<A\n" * 20_000):
        read(text, "x.tf")
    assert time.process_time() - start < 3


DOCKER = """
variable "redis_password" {}
resource "docker_image" "redis" { name = "redis:7-alpine" }
resource "docker_container" "queue" {
  name    = "${var.project}-redis"
  image   = docker_image.redis.image_id
  command = ["redis-server", "--appendonly", "yes", "--maxmemory-policy", "noeviction", "--requirepass", var.redis_password]
  memory  = 512
  ports {
    internal = 6379
    external = 6380
    ip       = "127.0.0.1"
  }
  volumes {
    volume_name    = "redis-data"
    container_path = "/data"
  }
}
resource "docker_container" "web" { image = "nginx:1" }
"""


def test_a_container_of_docker(tmp_path: Path) -> None:
    [server] = infra(tmp_path, {"main.tf": DOCKER}).redis
    assert (server.name, server.kind, server.environment.value) == ("docker_container.queue", "docker", "production")
    said = {name: setting.value for name, setting in server.settings.items()}
    assert (said["appendonly"], said["maxmemory-policy"]) == ("yes", "noeviction")
    assert server.settings["appendonly"].place.line == line(DOCKER, "command = [")
    assert (server.password, server.memory_bytes) == (PasswordState.FROM_ENV, 512 * 2**20)
    assert [(p.target, p.published, p.loopback) for p in server.ports] == [(6379, 6380, True)]


WORKLOAD = """
resource "kubernetes_stateful_set_v1" "redis" {
  metadata { name = "redis" }
  spec {
    service_name = "redis"
    template {
      metadata { labels = { app = "redis" } }
      spec {
        container {
          name  = "redis"
          image = "redis:7"
          args  = ["--save", "", "--appendonly", "no"]
          resources { limits = { memory = "1Gi" } }
          volume_mount {
            name       = "scratch"
            mount_path = "/data"
          }
        }
        container {
          name  = "exporter"
          image = "oliver006/redis_exporter"
        }
        volume {
          name = "scratch"
          empty_dir {}
        }
      }
    }
  }
}
resource "kubernetes_service" "redis" {
  spec {
    type     = "LoadBalancer"
    selector = { app = "redis" }
    port { port = 6379 }
  }
}
"""


def test_a_workload_of_kubernetes(tmp_path: Path) -> None:
    [server] = infra(tmp_path, {"redis.tf": WORKLOAD}).redis
    assert (server.name, server.kind, server.password) == ("redis", "kubernetes", PasswordState.NONE)
    assert (server.settings["appendonly"].value, server.settings["save"].value) == ("no", "")
    assert server.ephemeral is not None and server.ephemeral.line == line(WORKLOAD, "volume_mount")
    assert [(p.target, p.published) for p in server.ports] == [(6379, 6379)]
    assert server.memory_bytes == 2**30


RELEASE = """
resource "helm_release" "queue" {
  name       = "queue"
  repository = "oci://registry-1.docker.io/bitnamicharts"
  chart      = "redis"
  values = [
    <<-EOT
    architecture: replication
    sentinel:
      enabled: true
    auth:
      enabled: true
    commonConfiguration: |
      maxmemory-policy allkeys-lru
    EOT
    , yamlencode({ tls = { enabled = true } })
  ]
  set {
    name  = "auth.enabled"
    value = "false"
  }
  set {
    name  = "replica.replicaCount"
    value = 2
  }
}
resource "helm_release" "other" { chart = "postgresql" }
"""


def test_a_release_of_a_chart(tmp_path: Path) -> None:
    [server] = infra(tmp_path, {"helm.tf": RELEASE}).redis
    assert (server.name, server.kind, server.replicas) == ("queue", "helm", 2)
    assert (server.password, server.tls) == (PasswordState.NONE, Tls.ON)
    assert server.password_place is not None and server.password_place.line == line(RELEASE, "auth.enabled") - 1
    assert server.settings["maxmemory-policy"].value == "allkeys-lru"
    assert server.settings["maxmemory-policy"].place.line == line(RELEASE, "maxmemory-policy")
    assert server.sentinel is not None and server.sentinel.line == line(RELEASE, "sentinel:")
