"""Redis that Terraform runs itself: Docker's containers, Kubernetes' workloads, Helm's releases of a chart."""

from __future__ import annotations

from collections.abc import Iterator

from auditor.infra import helm_redis
from auditor.infra.images import is_redis
from auditor.infra.kustomize import Layered
from auditor.infra.model import Mount, PasswordState, Port, RedisUnit, Setting
from auditor.infra.reading import Reading
from auditor.infra.redis_conf import password_state
from auditor.infra.redis_unit import Container, build
from auditor.infra.terraform import Block, Scope
from auditor.infra.text import mask, size
from auditor.infra.yaml_tree import Node, documents

_WORKLOADS = frozenset(
    f"kubernetes_{kind}{version}"
    for kind in ("deployment", "stateful_set", "daemonset", "replication_controller", "pod")
    for version in ("", "_v1")
)
_SERVICES = ("kubernetes_service", "kubernetes_service_v1")


def units(scope: Scope, reading: Reading) -> Iterator[RedisUnit]:
    """The Redis servers that a folder's resources run, as far as they are written out."""
    for block in scope.blocks:
        if block.kind == "docker_container":
            yield from _docker(block, reading)
        elif block.kind in _WORKLOADS:
            yield from _workload(block, reading)
        elif block.kind == "helm_release":
            yield from _release(block, reading)


def _docker(block: Block, reading: Reading) -> Iterator[RedisUnit]:
    image = block.get("image")
    made = block.scope.referred(image)
    image = made.get("name") if made is not None and made.kind == "docker_image" else image
    if image is None or not is_redis(image.value):
        return
    stated = [(*node.text.partition("="), node.place) for node in block.node["env"].list()]
    env = {name: Setting(mask(name, value), place) for name, _, value, place in stated}
    secrets = {name: password_state(block.scope.value(value)) for name, _, value, place in stated}
    memory = block.get("memory")
    ports = tuple(
        Port(inner, port["external"].number, port["ip"].text, port.place)
        for port in block.inner("ports")
        if (inner := port["internal"].number) is not None
    )
    mounts = tuple(
        Mount(volume["volume_name"].text or volume["host_path"].text, volume["container_path"].text, volume.place)
        for volume in block.inner("volumes")
    )
    yield build(
        Container(
            name=_named(block, block.node), kind="docker", place=block.place, environment=block.environment,
            root=reading.root, stack=block.scope.folder, image=image, command=_words(block, block.node, "command"),
            command_place=block.node["command"].place if block.node["command"] else block.place, env=env, secrets=secrets,
            ports=ports, mounts=mounts, memory=memory, memory_bytes=size(f"{memory.value}m") if memory else None,
            confs=reading.confs,
        )
    )  # fmt: skip


def _workload(block: Block, reading: Reading) -> Iterator[RedisUnit]:
    template = _first(_first(block.node["spec"])["template"]) or block.node
    pod = _first(template["spec"])
    labels = {node.text for _, node in _first(template["metadata"])["labels"].items()}
    for container in pod["container"].list():
        image = container["image"].setting
        if image is None or not is_redis(block.scope.value(image.value)):
            continue
        env, secrets = _variables(block, container)
        memory = _first(container["resources"])["limits"]["memory"].setting
        words = (*_words(block, container, "command"), *_words(block, container, "args"))
        said = container["args"] or container["command"] or container
        yield build(
            Container(
                name=_named(block, _first(block.node["metadata"])), kind="kubernetes", place=container.place,
                environment=block.environment, root=reading.root, stack=block.scope.folder,
                image=Setting(block.scope.value(image.value), image.place), command=words, command_place=said.place, env=env,
                secrets=secrets, ports=tuple(_published(block.scope, labels)), mounts=tuple(_mounts(container, pod)),
                memory=memory, memory_bytes=size(memory.value, decimal=True) if memory else None,
            )
        )  # fmt: skip


def _release(block: Block, reading: Reading) -> Iterator[RedisUnit]:
    chart = block.get("chart")
    name = chart.value.rstrip("/").rsplit("/", 1)[-1] if chart is not None else ""
    if name not in helm_redis.CHARTS:
        return
    layers = (*_set(block), *_values(block, reading))
    node = Layered(layers) if layers else Node(None, block.place.path)
    yield helm_redis.unit(
        node, _named(block, block.node), name, environment=block.environment, root=reading.root, place=block.place
    )


def _set(block: Block) -> Iterator[Node]:
    """`set { name = "auth.enabled" value = "false" }`, the last one first: each as the values that it states."""
    stated = [*block.inner("set"), *block.inner("set_sensitive")]
    for node in reversed(stated):
        keys, value = node["name"].text.replace("\\.", "\0").split("."), block.scope.value(node["value"].text)
        text = value.replace("'", "''")
        for key in reversed(keys):
            text = f"{{{key.replace(chr(0), '.')!r}: {text if text.startswith('{') else _scalar(text)}}}"
        for found in documents(text, node.path)[0]:
            found.shift = node.line - 1
            yield found


def _scalar(text: str) -> str:
    return text if text in ("true", "false") or text.isdigit() else f"'{text}'"


def _values(block: Block, reading: Reading) -> Iterator[Node]:
    """`values`: objects that are encoded, YAML texts; the last one weighs most."""
    for node in reversed(block.node["values"].list()):
        if node.kind == "mapping":
            yield node
        elif node.text:
            for found in documents(node.text, node.path)[0]:
                found.shift = node.text_line - 1
                yield found


def _variables(block: Block, container: Node) -> tuple[dict[str, Setting], dict[str, PasswordState]]:
    env: dict[str, Setting] = {}
    secrets: dict[str, PasswordState] = {}
    for node in container["env"].list():
        name, value = node["name"].text, block.scope.value(node["value"].text)
        env[name] = Setting(mask(name, value), node.place)
        secrets[name] = password_state(value) if value else PasswordState.FROM_ENV
    return env, secrets


def _mounts(container: Node, pod: Node) -> Iterator[Mount]:
    passing = {node["name"].text for node in pod["volume"].list() if node["empty_dir"]}
    for mount in container["volume_mount"].list():
        name = mount["name"].text
        yield Mount(name, mount["mount_path"].text, mount.place, ephemeral=name in passing)


def _published(scope: Scope, labels: set[str]) -> Iterator[Port]:
    """Ports that a service puts outside the cluster for pods with these labels."""
    for service in scope.of(*_SERVICES):
        spec = _first(service.node["spec"])
        selected = {node.text for _, node in spec["selector"].items()}
        if spec["type"].text in ("NodePort", "LoadBalancer") and selected and selected <= labels:
            for port in spec["port"].list():
                inner = port["target_port"].number or port["port"].number
                if inner is not None:
                    yield Port(inner, port["node_port"].number or port["port"].number, "", port.place)


def _words(block: Block, node: Node, key: str) -> tuple[str, ...]:
    return tuple(block.scope.value(text) for text in node[key].texts())


def _named(block: Block, node: Node) -> str:
    stated = block.scope.value(node["name"].text)
    return stated if stated and "${" not in stated else f"{block.kind}.{block.name}"


def _first(node: Node) -> Node:
    """The one block of a type."""
    return next(iter(node.list()), node if node.kind == "mapping" else Node(None, node.path))
