"""Redis in Kubernetes: workloads with the config maps that they mount, and operators' resources."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from auditor.infra.kubernetes import (
    WORKLOADS,
    Resource,
    command_of,
    env_of,
    mounts_of,
    pod_of,
    probes_of,
    runs_redis,
    unit_name,
)
from auditor.infra.model import PasswordState, Port, RedisUnit, Setting
from auditor.infra.reading import Reading
from auditor.infra.redis_conf import read_conf
from auditor.infra.redis_unit import Container, build
from auditor.infra.text import size
from auditor.infra.yaml_tree import Node
from auditor.model import FilePlace


def redis_units(found: Sequence[Resource], reading: Reading) -> list[RedisUnit]:
    """Redis workloads; config maps that they mount are read as their conf."""
    maps = {r.name: r for r in found if r.kind == "ConfigMap"}
    published = _published(found)
    services = _services(found)
    units = []
    for resource in found:
        if resource.kind in WORKLOADS and resource.kind != "CronJob":
            for container in pod_of(resource)["containers"].list():
                if runs_redis(container):
                    unit = _redis(resource, container, maps, published, reading)
                    units.append(replace(unit, hosts=(*unit.hosts, *_hosts(resource, services))))
        elif resource.kind in ("Redis", "RedisReplication", "RedisCluster", "RedisFailover", "Valkey", "RedisSentinel"):
            units.append(_operator(resource, reading))
    return units


def _redis(
    resource: Resource,
    container: Node,
    maps: Mapping[str, Resource],
    published: Mapping[str, list[Port]],
    reading: Reading,
) -> RedisUnit:
    pod = pod_of(resource)
    env = env_of(container)
    confs: dict[str, Mapping[str, Setting]] = dict(reading.confs)
    mounts = list(mounts_of(container, pod))
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
            name=unit_name(resource, container), kind="kubernetes", place=resource.place, environment=resource.environment,
            root=reading.root, image=container["image"].setting, command=command_of(container), command_place=place,
            lines=reading.lines(place.path, place.line, place.line + 40), env={n: s for n, (s, _) in env.items()},
            secrets={n: state for n, (_, state) in env.items()},
            ports=tuple(p for label in labels for p in published.get(label, [])), mounts=tuple(mounts),
            health=tuple(probes_of(container)), memory=memory,
            memory_bytes=size(memory.value, decimal=True) if memory else None, replicas=replicas, confs=confs,
        )
    )  # fmt: skip


def _services(found: Sequence[Resource]) -> list[tuple[str, set[str]]]:
    """Names of services with the values of their selectors."""
    return [(r.name, {v.text for _, v in r.node.at("spec", "selector").items()}) for r in found if r.kind == "Service"]


def _hosts(resource: Resource, services: Sequence[tuple[str, set[str]]]) -> list[str]:
    """The services that select a workload's pods."""
    labels = {v.text for _, v in resource.node.at("spec", "template", "metadata", "labels").items()}
    return [name for name, selector in services if selector and selector <= labels]


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
