"""Kubernetes: workloads by container, Redis, autoscalers, backups."""

from __future__ import annotations

import json
from pathlib import Path

from auditor.infra.model import Environment, PasswordState

from .support import infra, line, redis, unit

WORKER = """
apiVersion: apps/v1
kind: Deployment
metadata: {name: mailer, namespace: shop}
spec:
  replicas: 2
  template:
    spec:
      terminationGracePeriodSeconds: 120
      containers:
        - name: worker
          image: acme/mailer:1
          command: ["node", "dist/worker.js"]
          env:
            - {name: NODE_OPTIONS, value: "--max-old-space-size=300"}
            - name: REDIS_PASSWORD
              valueFrom: {secretKeyRef: {name: redis, key: password}}
          resources: {limits: {memory: 512Mi}}
          livenessProbe: {exec: {command: ["node", "health.js"]}}
        - name: sidecar
          image: fluent/fluent-bit:3
---
apiVersion: v1
kind: Pod
metadata: {name: once}
spec:
  restartPolicy: Never
  containers: [{name: once, image: acme/mailer:1}]
"""


def test_containers_of_a_workload_are_units(tmp_path: Path) -> None:
    model = infra(tmp_path, {"k8s.yaml": WORKER, "src/worker.ts": ""})
    worker = unit(model, "mailer/worker")
    assert worker.environment is Environment.PRODUCTION
    assert (worker.memory_bytes, worker.heap_bytes) == (512 * 1024**2, 300 * 1024**2)
    assert (worker.grace_seconds, worker.replicas, worker.rolling, worker.restarts) == (120, 2, True, True)
    assert worker.health[0].place.line == line(WORKER, "livenessProbe")
    assert [Path(e.path).name for e in worker.entries] == ["worker.ts"]
    assert not unit(model, "once").restarts
    assert [s.kind for s in model.shippers] == ["Fluent Bit"]


def test_defaults_of_the_platform(tmp_path: Path) -> None:
    bare = {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": "w"},
        "spec": {"template": {"spec": {"containers": [{"name": "w", "image": "a/w"}]}}},
    }
    recreate = json.loads(json.dumps(bare).replace('"w"', '"v"'))
    recreate["spec"]["strategy"] = {"type": "Recreate"}
    model = infra(tmp_path, {"dump.json": json.dumps({"apiVersion": "v1", "kind": "List", "items": [bare, recreate]})})
    assert (unit(model, "w").grace_seconds, unit(model, "w").rolling, unit(model, "w").health) == (30, True, ())
    assert unit(model, "v").rolling is False


def test_environments_by_namespace_and_overlay(tmp_path: Path) -> None:
    model = infra(
        tmp_path,
        {
            "a.yaml": WORKER.replace("namespace: shop", "namespace: shop-staging"),
            "overlays/dev/w.yaml": WORKER.replace("mailer", "other"),
        },
    )
    assert unit(model, "mailer/worker").environment is Environment.STAGING
    assert unit(model, "other/worker").environment is Environment.DEVELOPMENT


REDIS = """
apiVersion: v1
kind: ConfigMap
metadata: {name: redis-conf}
data:
  redis.conf: |
    maxmemory 1gb
    maxmemory-policy noeviction
---
apiVersion: apps/v1
kind: StatefulSet
metadata: {name: redis}
spec:
  replicas: 1
  template:
    metadata: {labels: {app: redis}}
    spec:
      containers:
        - name: redis
          image: redis:7
          command: ["redis-server", "/etc/redis/redis.conf", "--requirepass", "$(REDIS_PASSWORD)"]
          volumeMounts: [{name: conf, mountPath: /etc/redis}]
      volumes: [{name: conf, configMap: {name: redis-conf}}]
---
apiVersion: v1
kind: Service
metadata: {name: redis}
spec: {type: NodePort, selector: {app: redis}, ports: [{port: 6379, nodePort: 31000}]}
"""


def test_redis_reads_the_config_map_that_it_mounts(tmp_path: Path) -> None:
    server = redis(infra(tmp_path, {"redis.yaml": REDIS}))
    assert server.settings["maxmemory-policy"].value == "noeviction"
    assert server.settings["maxmemory-policy"].place.line == line(REDIS, "maxmemory-policy")
    assert server.password is PasswordState.FROM_ENV
    assert [p.published for p in server.ports] == [31000]


def test_autoscalers_on_queues_and_on_cpu(tmp_path: Path) -> None:
    text = """
    apiVersion: autoscaling/v2
    kind: HorizontalPodAutoscaler
    metadata: {name: cpu}
    spec:
      scaleTargetRef: {name: mailer}
      metrics: [{type: Resource, resource: {name: cpu}}]
    ---
    apiVersion: keda.sh/v1alpha1
    kind: ScaledObject
    metadata: {name: keda}
    spec:
      scaleTargetRef: {name: mailer}
      triggers: [{type: redis, metadata: {listName: "bull:mail:wait", listLength: "10"}}]
    ---
    apiVersion: autoscaling/v2
    kind: HorizontalPodAutoscaler
    metadata: {name: external}
    spec:
      scaleTargetRef: {name: mailer}
      metrics: [{type: External, external: {metric: {name: bullmq_queue_waiting}}}]
    """
    found = {s.name: s.on_queue for s in infra(tmp_path, {"hpa.yaml": text}).autoscalers}
    assert found == {"cpu": False, "keda": True, "external": True}


def test_backups_of_redis_alone_count(tmp_path: Path) -> None:
    cron = """
    apiVersion: batch/v1
    kind: CronJob
    metadata: {{name: {name}}}
    spec:
      schedule: "0 3 * * *"
      jobTemplate: {{spec: {{template: {{spec: {{containers: [{{name: b, image: a/b, command: [sh, -c, "{command}"]}}]}}}}}}}}
    """
    model = infra(
        tmp_path,
        {
            "redis.yaml": cron.format(
                name="dump", command="redis-cli --rdb /b/dump.rdb && aws s3 cp /b/dump.rdb s3://b"
            ),
            "pg.yaml": cron.format(name="pg-backup", command="pg_dump shop | aws s3 cp - s3://b"),
        },
    )
    assert [b.place.path for b in model.backups] == ["redis.yaml"]


def test_a_templated_chart_gives_a_note_and_what_it_states(tmp_path: Path) -> None:
    text = """
    {{- if .Values.worker.enabled }}
    apiVersion: apps/v1
    kind: Deployment
    metadata:
      name: {{ .Release.Name }}-worker
    spec:
      template:
        spec:
          terminationGracePeriodSeconds: {{ .Values.grace }}
          containers:
            - name: worker
              image: "{{ .Values.image }}:{{ .Values.tag }}"
              resources:
                {{- toYaml .Values.resources | nindent 12 }}
    {{- end }}
    """
    model = infra(tmp_path, {"chart/Chart.yaml": "name: x\n", "chart/templates/worker.yaml": text})
    (worker,) = model.deployments
    assert worker.grace_seconds is None  # stated, but not here
    assert any("template" in n.text for n in model.notes)
