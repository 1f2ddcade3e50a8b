"""Kubernetes resources: workloads as deployments (one per container), Redis workloads, autoscalers, scheduled backups."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath

from auditor.infra import environment as environments
from auditor.infra.dockerfile import health_check
from auditor.infra.helm import OPAQUE
from auditor.infra.images import is_backing, is_redis, repository, shipper
from auditor.infra.model import (
    Autoscaler,
    Backup,
    Deployment,
    Environment,
    HealthCheck,
    LogShipper,
    Mount,
    PasswordState,
    Port,
    RedisUnit,
    Setting,
    UnitKind,
)
from auditor.infra.reading import Reading
from auditor.infra.redis_conf import is_server, password_state, read_conf
from auditor.infra.redis_unit import Container, build
from auditor.infra.text import heap_flag, mask, size
from auditor.infra.yaml_tree import Node
from auditor.model import FilePlace

WORKLOADS = frozenset(
    {"Deployment", "StatefulSet", "DaemonSet", "ReplicaSet", "Pod", "Rollout", "DeploymentConfig", "Job", "CronJob"}
)
DEFAULT_GRACE = 30.0
"""Seconds that the kubelet waits before it kills, unless told otherwise."""


@dataclass(frozen=True, slots=True)
class Resource:
    """One resource of a manifest."""

    node: Node
    environment: Environment

    @property
    def kind(self) -> str:
        """`Deployment`, `Service`, ..."""
        return self.node["kind"].text

    @property
    def name(self) -> str:
        """`metadata.name`; of a template's opaque name the literal part, else the file's."""
        name = self.node.at("metadata", "name").text
        if OPAQUE not in name:
            return name
        return name.replace(OPAQUE, "").strip("-_. ") or PurePosixPath(self.node.path).stem

    @property
    def place(self) -> FilePlace:
        """The line of its kind."""
        return (self.node["kind"] or self.node).place


def is_resource(document: Node) -> bool:
    """Whether a YAML document is a Kubernetes resource or a list of them."""
    return bool(document["apiVersion"].text and document["kind"].text)


def resources(document: Node, overlay: Environment = Environment.UNKNOWN) -> Iterator[Resource]:
    """The resources of a document; lists and `kubectl get -o yaml` dumps are opened. `overlay` is kustomize's."""
    if document["kind"].text.endswith("List") and document["items"]:
        for item in document["items"].list():
            yield from resources(item, overlay)
    elif is_resource(document):
        namespace = document.at("metadata", "namespace").text
        labels = " ".join(
            v.text for k, v in document.at("metadata", "labels").items() if k in ("env", "environment", "stage", "tier")
        )
        told = environments.first(
            overlay,
            environments.of_words(namespace),
            environments.of_words(labels),
            environments.of_path(document.path),
        )
        # a cluster is where things run for others: what nothing marks otherwise is production
        yield Resource(document, Environment.PRODUCTION if told is Environment.UNKNOWN else told)


def deployments(found: Sequence[Resource], reading: Reading) -> Iterator[Deployment]:
    """Containers of long-running workloads, but for Redis."""
    for resource in found:
        if resource.kind in WORKLOADS and resource.kind not in ("Job", "CronJob"):
            for container in _pod(resource)["containers"].list():
                if not _is_redis(container):
                    yield _deployment(resource, container, reading)


def redis_units(found: Sequence[Resource], reading: Reading) -> list[RedisUnit]:
    """Redis workloads; config maps that they mount are read as their conf."""
    maps = {r.name: r for r in found if r.kind == "ConfigMap"}
    published = _published(found)
    units = []
    for resource in found:
        if resource.kind in WORKLOADS and resource.kind != "CronJob":
            for container in _pod(resource)["containers"].list():
                if _is_redis(container):
                    units.append(_redis(resource, container, maps, published, reading))
        elif resource.kind in ("Redis", "RedisReplication", "RedisCluster", "RedisFailover", "Valkey", "RedisSentinel"):
            units.append(_operator(resource, reading))
    return units


def autoscalers(found: Sequence[Resource]) -> Iterator[Autoscaler]:
    """HPAs and KEDA's ScaledObjects."""
    for resource in found:
        spec = resource.node["spec"]
        target = spec.at("scaleTargetRef", "name").text
        if resource.kind == "HorizontalPodAutoscaler":
            names = [_metric_name(m) for m in spec["metrics"].list()]
            names += ["cpu"] if spec["targetCPUUtilizationPercentage"] else []
            yield _scaler("hpa", resource, target, names)
        elif resource.kind in ("ScaledObject", "ScaledJob"):
            names = [_trigger_name(t) for t in spec["triggers"].list()]
            yield _scaler("keda", resource, target or resource.name, names)


def backups(found: Sequence[Resource]) -> Iterator[Backup]:
    """CronJobs that dump or copy Redis, and Velero schedules."""
    for resource in found:
        if resource.kind == "Schedule" and "velero" in resource.node["apiVersion"].text:
            yield Backup("velero", resource.node.at("spec", "schedule").text, resource.place, resource.environment)
        elif resource.kind == "CronJob":
            said = (
                " ".join(v.text for _, v in resource.node.walk(2000))
                + " "
                + " ".join(
                    t for c in _pod(resource)["containers"].list() for k in ("command", "args") for t in c[k].texts()
                )
            )
            if saves_redis(said) or (re.search("backup|snapshot", resource.name) and re.search("redis|valkey", said)):
                yield Backup("cronjob", resource.node.at("spec", "schedule").text, resource.place, resource.environment)


def saves_redis(text: str) -> bool:
    """Whether a command takes a copy of a Redis away: a dump, or its files copied to a store."""
    return bool(
        re.search(
            r"redis-cli\b.*(--rdb\b|\bBGSAVE\b|\bSAVE\b)|\b(dump\.rdb|appendonly\w*)\b.*\b(s3|gs|rclone|restic|cp|tar)\b|(s3|rclone|restic|gsutil|tar|cp)\b.*dump\.rdb",
            text,
            re.I | re.S,
        )
    )


def shippers(found: Sequence[Resource]) -> Iterator[LogShipper]:
    """Log collectors: DaemonSets and sidecars."""
    for resource in found:
        if resource.kind in WORKLOADS:
            for container in _pod(resource)["containers"].list():
                if label := shipper(container["image"].text):
                    yield LogShipper(label, container["image"].place, resource.environment)


def _pod(resource: Resource) -> Node:
    spec = resource.node["spec"]
    if resource.kind == "Pod":
        return spec
    if resource.kind == "CronJob":
        spec = spec.at("jobTemplate", "spec")
    return spec.at("template", "spec")


def _is_redis(container: Node) -> bool:
    return is_redis(container["image"].text) or (
        is_server(_command(container)) and "exporter" not in repository(container["image"].text)
    )


def _command(container: Node) -> tuple[str, ...]:
    return (*container["command"].texts(), *container["args"].texts())


def _deployment(resource: Resource, container: Node, reading: Reading) -> Deployment:
    pod = _pod(resource)
    own = _command(container)
    place = (container["command"] or container["args"] or container["name"] or container).place
    env = {n: s for n, (s, _) in _env(container).items()}
    memory = container.at("resources", "limits", "memory").setting
    image = reading.image_of(container["image"].text, resource.name, container["name"].text)
    command = (
        own
        if container["command"]
        else ((*image.entrypoint, *own) if own and image else own or (image.command if image else ()))
    )
    heap = heap_flag(env, command, place)
    grace = pod["terminationGracePeriodSeconds"].setting
    policy = pod["restartPolicy"].setting
    strategy = (
        resource.node.at("spec", "strategy", "type").setting
        or resource.node.at("spec", "updateStrategy", "type").setting
    )
    return Deployment(
        kind=UnitKind.KUBERNETES, name=_unit_name(resource, container), environment=resource.environment,
        place=resource.place, root=reading.root, image=container["image"].setting, dockerfile=image, command=command,
        command_place=place if own else (image.place if image else None),
        entries=reading.entries(_unit_name(resource, container), command, place, image=image, context="" if image else None, env=env),
        env=env, ports=tuple(_container_ports(container)), restart=policy or Setting(resource.kind, resource.place),
        restarts=resource.kind != "Pod" or policy is None or policy.value != "Never",
        memory=memory, memory_bytes=size(memory.value, decimal=True) if memory else None,
        heap=heap, heap_bytes=size(heap.value + "m") if heap else None,
        grace=grace, grace_seconds=float(grace.value) if grace and grace.value.isdigit() else (None if grace else DEFAULT_GRACE),
        health=tuple(_probes(container)), replicas=resource.node.at("spec", "replicas").number,
        strategy=strategy or _rollout(resource), rolling=_rolls(resource, strategy),
        volumes=tuple(_mounts(container, pod)), controller=resource.kind,
        labels={k: v.text for k, v in resource.node.at("spec", "template", "metadata", "labels").items()},
        backing=is_backing(container["image"].text),
    )  # fmt: skip


def _unit_name(resource: Resource, container: Node) -> str:
    several = len(_pod(resource)["containers"].list()) > 1
    return f"{resource.name}/{container['name'].text}" if several else resource.name


def _rollout(resource: Resource) -> Setting | None:
    strategy = resource.node.at("spec", "strategy")
    name = next((k for k, _ in strategy.items()), "")
    return Setting(name, strategy.place) if name and resource.kind == "Rollout" else None


def _rolls(resource: Resource, strategy: Setting | None) -> bool | None:
    if resource.kind in ("Pod", "ReplicaSet"):
        return False
    return strategy is None or strategy.value not in ("Recreate", "OnDelete")


def _env(container: Node) -> dict[str, tuple[Setting, PasswordState]]:
    found: dict[str, tuple[Setting, PasswordState]] = {}
    for item in container["env"].list():
        name, value = item["name"].text, item["value"]
        source = item["valueFrom"]
        if source:
            found[name] = (Setting(f"${{{name}}}", item.place), PasswordState.FROM_ENV)
        elif name:
            found[name] = (Setting(mask(name, value.text), (value or item).place), password_state(value.text))
    return found


def _container_ports(container: Node) -> Iterator[Port]:
    for port in container["ports"].list():
        yield Port(port["containerPort"].number, port["hostPort"].number, "", port.place)


def _probes(container: Node) -> Iterator[HealthCheck]:
    for key in ("livenessProbe", "readinessProbe", "startupProbe"):
        probe = container[key]
        kind = key.removesuffix("Probe")
        if probe["exec"]:
            check = health_check(" ".join(probe.at("exec", "command").texts()), probe.place, kind=kind)
            yield check
        for way in ("httpGet", "tcpSocket", "grpc"):
            if probe[way]:
                port = probe[way]["port"]
                yield HealthCheck(
                    kind,
                    f"{way} {probe[way]['path'].text} {port.text}".replace("  ", " "),
                    probe.place,
                    True,
                    port.number,
                )


def _mounts(container: Node, pod: Node) -> Iterator[Mount]:
    volumes = {v["name"].text: v for v in pod["volumes"].list()}
    for mount in container["volumeMounts"].list():
        volume = volumes.get(mount["name"].text, Node(None, mount.path))
        source = (
            volume.at("configMap", "name").text
            or volume.at("persistentVolumeClaim", "claimName").text
            or mount["name"].text
        )
        target = mount["mountPath"].text
        key = mount["subPath"].text
        yield Mount(f"{source}/{key}" if key else source, target, mount.place)


def _redis(
    resource: Resource,
    container: Node,
    maps: Mapping[str, Resource],
    published: Mapping[str, list[Port]],
    reading: Reading,
) -> RedisUnit:
    pod = _pod(resource)
    env = _env(container)
    confs: dict[str, Mapping[str, Setting]] = dict(reading.confs)
    mounts = list(_mounts(container, pod))
    for mount in mounts:
        name, _, key = mount.source.partition("/")
        for file, text in maps[name].node["data"].items() if name in maps else ():
            settings = {
                k: Setting(s.value, FilePlace(text.path, text.line + s.place.line))
                for k, s in read_conf(text.text, text.path).items()
            }
            if not key or key == file:
                confs[f"{name}/{file}" if not key else mount.source] = settings
    memory = container.at("resources", "limits", "memory").setting
    replicas = resource.node.at("spec", "replicas").number
    labels = {v.text for _, v in resource.node.at("spec", "template", "metadata", "labels").items()}
    place = (container["command"] or container["args"] or resource.node["kind"]).place
    return build(
        Container(
            name=_unit_name(resource, container), kind="kubernetes", place=resource.place, environment=resource.environment,
            root=reading.root, image=container["image"].setting, command=_command(container), command_place=place,
            lines=reading.lines(place.path, place.line, place.line + 40), env={n: s for n, (s, _) in env.items()},
            secrets={n: state for n, (_, state) in env.items()},
            ports=tuple(p for label in labels for p in published.get(label, [])), mounts=tuple(mounts),
            health=tuple(_probes(container)), memory=memory,
            memory_bytes=size(memory.value, decimal=True) if memory else None, replicas=replicas, confs=confs,
        )
    )  # fmt: skip


def _published(found: Sequence[Resource]) -> dict[str, list[Port]]:
    """Ports that NodePort and LoadBalancer services put outside the cluster, by the values of their selectors."""
    ports: dict[str, list[Port]] = {}
    for resource in found:
        if resource.kind == "Service" and resource.node.at("spec", "type").text in ("NodePort", "LoadBalancer"):
            for port in resource.node.at("spec", "ports").list():
                outside = Port(
                    port["targetPort"].number or port["port"].number,
                    port["nodePort"].number or port["port"].number,
                    "",
                    port.place,
                )
                for _, value in resource.node.at("spec", "selector").items():
                    ports.setdefault(value.text, []).append(outside)
    return ports


def _operator(resource: Resource, reading: Reading) -> RedisUnit:
    """A Redis that an operator runs: its custom resource says how many and whether with Sentinel."""
    spec = resource.node["spec"]
    count = spec["clusterSize"].number or spec.at("redis", "replicas").number or spec["replicas"].number
    settings = {k: v.setting for k, v in spec.at("redisConfig", "config").items()} if spec["redisConfig"] else {}
    secret = spec["kubernetesConfig"]["redisSecret"] or spec["auth"]
    return RedisUnit(
        name=resource.name, kind="kubernetes", environment=resource.environment, place=resource.place, root=reading.root,
        managed="operator", settings={k: v for k, v in settings.items() if v is not None},
        password=PasswordState.FROM_ENV if secret else PasswordState.NONE, password_place=secret.place if secret else None,
        replicas=max(count - 1, 0) if count is not None else None,
        sentinel=resource.place if resource.kind in ("RedisFailover", "RedisSentinel") or spec["sentinel"] else None,
        cluster=resource.kind == "RedisCluster", failover=resource.kind in ("RedisFailover", "RedisCluster") or None,
    )  # fmt: skip


def _scaler(kind: str, resource: Resource, target: str, names: Sequence[str]) -> Autoscaler:
    on_queue = any(measures_queue(n) for n in names)
    return Autoscaler(kind, resource.name, target, tuple(names), on_queue, resource.environment, resource.place)


def measures_queue(name: str) -> bool:
    """Whether a metric's name, query or trigger is a queue's length."""
    return bool(
        re.search(
            r"queue|bull|waiting|backlog|depth|\bjobs?\b|jobs?_|redis(-\w+)?[ :]|list_?length|listName", name, re.I
        )
    )


def _metric_name(metric: Node) -> str:
    for key in ("external", "pods", "object"):
        if metric[key]:
            return metric.at(key, "metric", "name").text or metric.at(key, "metricName").text or key
    return metric.at("resource", "name").text or metric.at("containerResource", "name").text or metric["type"].text


def _trigger_name(trigger: Node) -> str:
    kind = trigger["type"].text
    meta = trigger["metadata"]
    said = meta["listName"].text or meta["query"].text or meta["metricName"].text or meta["queueName"].text
    return (
        f"{kind} {said}".strip()
        if kind in ("cpu", "memory", "cron", "prometheus", "external", "metrics-api", "postgresql")
        else f"{kind}: {said}"
    )
