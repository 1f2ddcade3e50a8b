"""Kubernetes resources: resources of manifests, and workloads as deployments (one per container)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath

from auditor.infra import environment as environments
from auditor.infra.dockerfile import health_check
from auditor.infra.helm import OPAQUE
from auditor.infra.images import is_backing, is_redis, repository, shipper
from auditor.infra.model import (
    Deployment,
    Environment,
    HealthCheck,
    LogShipper,
    Mount,
    PasswordState,
    Port,
    Setting,
    UnitKind,
)
from auditor.infra.reading import Reading
from auditor.infra.redis_conf import is_server, password_state
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
            for container in pod_of(resource)["containers"].list():
                if not runs_redis(container):
                    yield _deployment(resource, container, reading)


def shippers(found: Sequence[Resource]) -> Iterator[LogShipper]:
    """Log collectors: DaemonSets and sidecars."""
    for resource in found:
        if resource.kind in WORKLOADS:
            for container in pod_of(resource)["containers"].list():
                if label := shipper(container["image"].text):
                    yield LogShipper(label, container["image"].place, resource.environment)


def pod_of(resource: Resource) -> Node:
    """The pod's specification."""
    spec = resource.node["spec"]
    if resource.kind == "Pod":
        return spec
    if resource.kind == "CronJob":
        spec = spec.at("jobTemplate", "spec")
    return spec.at("template", "spec")


def runs_redis(container: Node) -> bool:
    """Whether a container runs a Redis server."""
    return is_redis(container["image"].text) or (
        is_server(command_of(container)) and "exporter" not in repository(container["image"].text)
    )


def command_of(container: Node) -> tuple[str, ...]:
    """Command and arguments of a container."""
    return (*container["command"].texts(), *container["args"].texts())


def _deployment(resource: Resource, container: Node, reading: Reading) -> Deployment:
    pod = pod_of(resource)
    own = command_of(container)
    place = (container["command"] or container["args"] or container["name"] or container).place
    env = {n: s for n, (s, _) in env_of(container).items()}
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
        kind=UnitKind.KUBERNETES, name=unit_name(resource, container), environment=resource.environment,
        place=resource.place, root=reading.root, image=container["image"].setting, dockerfile=image, command=command,
        command_place=place if own else (image.place if image else None),
        entries=reading.entries(unit_name(resource, container), command, place, image=image, context="" if image else None, env=env),
        env=env, ports=tuple(_container_ports(container)), restart=policy or Setting(resource.kind, resource.place),
        restarts=resource.kind != "Pod" or policy is None or policy.value != "Never",
        memory=memory, memory_bytes=size(memory.value, decimal=True) if memory else None,
        heap=heap, heap_bytes=size(heap.value + "m") if heap else None,
        grace=grace, grace_seconds=float(grace.value) if grace and grace.value.isdigit() else (None if grace else DEFAULT_GRACE),
        health=tuple(probes_of(container)), replicas=resource.node.at("spec", "replicas").number,
        strategy=strategy or _rollout(resource), rolling=_rolls(resource, strategy),
        volumes=tuple(mounts_of(container, pod)), controller=resource.kind,
        labels={k: v.text for k, v in resource.node.at("spec", "template", "metadata", "labels").items()},
        backing=is_backing(container["image"].text),
    )  # fmt: skip


def unit_name(resource: Resource, container: Node) -> str:
    """The workload's name, with the container's where there are several."""
    several = len(pod_of(resource)["containers"].list()) > 1
    return f"{resource.name}/{container['name'].text}" if several else resource.name


def _rollout(resource: Resource) -> Setting | None:
    strategy = resource.node.at("spec", "strategy")
    name = next((k for k, _ in strategy.items()), "")
    return Setting(name, strategy.place) if name and resource.kind == "Rollout" else None


def _rolls(resource: Resource, strategy: Setting | None) -> bool | None:
    if resource.kind in ("Pod", "ReplicaSet"):
        return False
    return strategy is None or strategy.value not in ("Recreate", "OnDelete")


def env_of(container: Node) -> dict[str, tuple[Setting, PasswordState]]:
    """Variables of a container, masked, each with the state that it would have as a password."""
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


def probes_of(container: Node) -> Iterator[HealthCheck]:
    """Liveness, readiness and startup probes of a container."""
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


def mounts_of(container: Node, pod: Node) -> Iterator[Mount]:
    """Mounts of a container; the source of a config map is its name, with the key where only one is mounted."""
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
        ephemeral = any(name == "emptyDir" for name, _ in volume.items())
        yield Mount(f"{source}/{key}" if key else source, target, mount.place, ephemeral)
