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


CHART = """
{{- if .Values.worker.enabled }}
apiVersion: apps/v1
kind: Deployment
metadata:
  name: {{ .Release.Name }}-worker
  {{- with .Values.annotations }}
  annotations:
    {{- toYaml . | nindent 4 }}
  {{- end }}
spec:
  {{- if not .Values.autoscaling.enabled }}
  replicas: {{ .Values.worker.replicas | default 2 }}
  {{- end }}
  template:
    spec:
      terminationGracePeriodSeconds: {{ .Values.grace }}
      containers:
        - name: worker
          image: "{{ .Values.image.name }}:{{ .Values.image.tag | default .Chart.AppVersion }}"
          command: {{ toJson .Values.worker.command }}
          {{- if .Values.probe }}
          livenessProbe:
            {{- toYaml .Values.probe | nindent 12 }}
          {{- end }}
          resources:
            {{- toYaml .Values.worker.resources | nindent 12 }}
          env:
            {{- range $name, $value := .Values.env }}
            - name: {{ $name }}
              value: {{ $value | quote }}
            {{- end }}
{{- end }}
---
{{- if .Values.autoscaling.enabled }}
apiVersion: autoscaling/v2
kind: HorizontalPodAutoscaler
metadata: {name: never}
{{- end }}
"""
VALUES = """
grace: 90
image: {name: acme/mail}
probe: {exec: {command: [node, health.js]}}
worker:
  enabled: true
  command: [node, dist/worker.js]
  resources: {limits: {memory: 256Mi}}
autoscaling: {enabled: false}
redis:
  architecture: standalone
  auth: {enabled: false}
  master: {extraFlags: ["--maxmemory-policy noeviction"]}
"""


def test_a_chart_is_read_with_its_values(tmp_path: Path) -> None:
    about = "name: shop\ndependencies: [{name: redis, version: 20.x.x}]\n"
    files = {
        "chart/Chart.yaml": about,
        "chart/values.yaml": VALUES,
        "chart/templates/worker.yaml": CHART,
        "src/worker.ts": "",
    }
    model = infra(tmp_path, files)
    worker = unit(model, "shop-worker")
    assert (worker.grace_seconds, worker.memory_bytes, worker.replicas, len(worker.health)) == (90, 256 * 1024**2, 2, 1)
    assert worker.grace is not None
    assert worker.grace.place.line == line(CHART, "terminationGrace")
    assert [Path(e.path).name for e in worker.entries] == ["worker.ts"]
    assert model.autoscalers == ()
    server = redis(model)
    assert (server.kind, server.password, server.replicas) == ("helm", PasswordState.NONE, 0)
    assert server.settings["maxmemory-policy"].value == "noeviction"


def test_production_values_are_laid_over_the_charts_own(tmp_path: Path) -> None:
    files = {
        "chart/Chart.yaml": "name: shop\n",
        "chart/values.yaml": VALUES,
        "chart/values-prod.yaml": "grace: 300\nworker: {resources: {limits: {memory: 1Gi}}}\n",
        "chart/templates/worker.yaml": CHART,
    }
    worker = unit(infra(tmp_path, files), "shop-worker")
    assert (worker.grace_seconds, worker.memory_bytes) == (300, 1024**3)


def test_what_a_chart_switches_off_is_not_there(tmp_path: Path) -> None:
    files = {
        "chart/Chart.yaml": "name: shop\n",
        "chart/values.yaml": "worker: {enabled: false}\n",
        "chart/templates/worker.yaml": CHART,
    }
    model = infra(tmp_path, files)
    assert model.deployments == ()
    assert any("a template: read with chart/values.yaml" in n.text for n in model.notes)


def test_a_flux_release_of_redis(tmp_path: Path) -> None:
    text = """
    apiVersion: helm.toolkit.fluxcd.io/v2
    kind: HelmRelease
    metadata: {name: queue, namespace: production}
    spec:
      chart: {spec: {chart: redis}}
      values:
        sentinel: {enabled: true}
        replica: {replicaCount: 2}
    """
    server = redis(infra(tmp_path, {"queue.yaml": text}), "queue")
    assert (server.replicas, server.sentinel is not None, server.password) == (2, True, PasswordState.FROM_ENV)


BASE = """
apiVersion: apps/v1
kind: Deployment
metadata: {name: mail}
spec:
  replicas: 1
  template:
    spec:
      containers:
        - name: mail
          image: acme/mail
          livenessProbe: {tcpSocket: {port: 3000}}
"""
PATCH = """
apiVersion: apps/v1
kind: Deployment
metadata: {name: mail}
spec:
  template:
    spec:
      terminationGracePeriodSeconds: 120
      containers:
        - name: mail
          resources: {limits: {memory: 512Mi}}
"""


def test_an_overlay_is_its_base_with_its_patches(tmp_path: Path) -> None:
    files = {
        "k8s/base/kustomization.yaml": "resources: [mail.yaml]\n",
        "k8s/base/mail.yaml": BASE,
        "k8s/overlays/production/kustomization.yaml": "resources: [../../base]\npatches: [{path: mail.yaml}]\nreplicas: [{name: mail, count: 4}]\n",
        "k8s/overlays/production/mail.yaml": PATCH,
        "k8s/overlays/dev/kustomization.yaml": "resources: [../../base]\n",
    }
    model = infra(tmp_path, files)
    found = {d.environment: d for d in model.deployments}
    assert set(found) == {Environment.PRODUCTION, Environment.DEVELOPMENT}
    prod = found[Environment.PRODUCTION]
    assert (prod.memory_bytes, prod.grace_seconds, prod.replicas, len(prod.health)) == (512 * 1024**2, 120, 4, 1)
    assert prod.memory is not None
    assert prod.memory.place.label() == f"k8s/overlays/production/mail.yaml:{line(PATCH, 'resources')}"
    assert found[Environment.DEVELOPMENT].memory is None
