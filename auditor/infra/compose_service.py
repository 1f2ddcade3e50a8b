"""Compose files: one service over its layers, as a deployment or a Redis unit."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import PurePosixPath

from auditor.infra import environment as environments
from auditor.infra.dockerfile import health_check
from auditor.infra.images import is_backing, is_redis
from auditor.infra.model import (
    Deployment,
    Environment,
    HealthCheck,
    Image,
    Mount,
    PasswordState,
    Port,
    RedisUnit,
    Setting,
    UnitKind,
)
from auditor.infra.reading import Reading
from auditor.infra.redis_conf import is_server, password_state
from auditor.infra.redis_unit import Container, build
from auditor.infra.text import argv, heap_flag, interpolate, mask, seconds, size
from auditor.infra.tree import join
from auditor.infra.yaml_tree import Node
from auditor.model import FilePlace

_SWARM = ("placement", "mode", "endpoint_mode", "update_config")
"""Parts of `deploy` that Docker Swarm alone heeds: there a service is started again unless told otherwise."""
DEFAULT_GRACE = 10.0
"""Seconds that Docker waits before it kills, unless told otherwise."""


@dataclass(frozen=True, slots=True)
class Stack:
    """A compose file as it runs: its own layer, then those that it stands on."""

    path: str
    name: str
    environment: Environment
    services: Mapping[str, tuple[Node, ...]]
    """Layers of each service, the strongest first."""
    variables: Mapping[str, str] = field(default_factory=dict)

    @property
    def folder(self) -> str:
        """Folder of the file."""
        return join(str(PurePosixPath(self.path).parent), "")


@dataclass(frozen=True, slots=True)
class Service:
    """One service over its layers."""

    name: str
    layers: tuple[Node, ...]
    stack: Stack
    reading: Reading

    def at(self, *keys: str) -> Node:
        """The first layer's value that there is."""
        return next((n for layer in self.layers if (n := layer.at(*keys))), Node(None, self.stack.path))

    def text(self, node: Node) -> str:
        """A scalar with variables put in."""
        return interpolate(node.text, self.stack.variables)

    def setting(self, *keys: str) -> Setting | None:
        """The scalar under nested keys, with its place."""
        node = self.at(*keys)
        return Setting(self.text(node), node.place) if node.text else None

    @property
    def place(self) -> FilePlace:
        """Where the service is declared in the strongest layer."""
        return self.layers[0].place

    @property
    def environment(self) -> Environment:
        """The stack's, unless its profiles keep it to another."""
        told = environments.of_words(" ".join(self.at("profiles").texts()))
        return self.stack.environment if told is Environment.UNKNOWN else told

    @property
    def redis(self) -> bool:
        """Whether it runs a Redis server."""
        built = self.image() if self.at("build") else None
        if is_redis(built.base if built else self.text(self.at("image"))):
            return True
        return is_server(self.command()[0]) and not self.text(self.at("image")).count("exporter")

    def words(self, node: Node) -> tuple[str, ...]:
        """A command in either form as words."""
        if node.kind == "sequence":
            return tuple(self.text(n) for n in node.list())
        return argv(self.text(node))

    def image(self) -> Image | None:
        """What is built for it, or the Dockerfile that its image bears the name of."""
        build = self.at("build")
        if not build:
            return self.reading.image_of(self.text(self.at("image")), self.name)
        context = self.context()
        if context is None:
            file = build["dockerfile"].text
            return self.reading.image(file, build["target"].text) if file else None
        return self.reading.image(join(context, build["dockerfile"].text or "Dockerfile"), build["target"].text)

    def context(self) -> str | None:
        """Build context in the tree; None when it is a URL or there is no build."""
        build = self.at("build")
        text = self.text(build["context"] or build)
        if not build or "://" in text or text.startswith("git@"):
            return None
        owner = next((layer.path for layer in self.layers if layer["build"]), self.stack.path)
        return join(str(PurePosixPath(owner).parent), text)

    def command(self) -> tuple[tuple[str, ...], FilePlace | None]:
        """The effective command: the service's own, else the image's."""
        image = self.image()
        own, entry = self.at("command"), self.at("entrypoint")
        if entry:
            return (*self.words(entry), *self.words(own)), (own or entry).place
        if own:
            return (*self._entrypoint(image), *self.words(own)), own.place
        return (image.command, image.place) if image else ((), None)

    def _entrypoint(self, image: Image | None) -> tuple[str, ...]:
        """The image's entrypoint before a command of the service's own; a script there may decide what runs."""
        return image.entrypoint if image else ()

    def env(self) -> dict[str, Setting]:
        """Variables of all layers over the image's."""
        found: dict[str, Setting] = {}
        for layer in self.layers:
            for name, value in variables_of(layer, self.stack.variables).items():
                found.setdefault(name, value)
        image = self.image()
        return {**(dict(image.env) if image else {}), **found}

    def ports(self) -> tuple[Port, ...]:
        """Ports of all layers."""
        found = []
        for layer in self.layers:
            found += [p for n in layer["ports"].list() if (p := self._port(n))]
        return tuple({(p.target, p.published): p for p in reversed(found)}.values())

    def _port(self, node: Node) -> Port | None:
        if node.kind == "mapping":
            stated = self.text(node["published"])
            return Port(
                node["target"].number, int(stated) if stated.isdigit() else None, node["host_ip"].text, node.place
            )
        text = self.text(node).split("/")[0]
        *host, target = text.rsplit(":", 2)
        inside = target.split("-")[0]
        if not inside.isdigit():
            return None
        outside = host[-1].split("-")[0] if host else ""
        published = int(outside) if outside.isdigit() else (0 if outside else None)
        return Port(int(inside), published, host[0] if len(host) > 1 else "", node.place)

    def mounts(self) -> tuple[Mount, ...]:
        """Volumes and bind mounts of all layers."""
        found = []
        for node in (n for layer in self.layers for n in layer["volumes"].list()):
            if node.kind == "mapping":
                found.append(Mount(node["source"].text, node["target"].text, node.place))
            else:
                source, _, rest = (
                    self.text(node).rpartition(":")
                    if self.text(node).count(":") == 1
                    else self.text(node).partition(":")
                )
                found.append(Mount(source, rest.split(":")[0], node.place))
        return tuple(found)

    def health(self) -> tuple[HealthCheck, ...]:
        """Its health check, else the image's."""
        check = self.at("healthcheck")
        if check:
            test = check["test"]
            words = [self.text(n) for n in test.list()] or [self.text(test)]
            if check["disable"].truth or words == ["NONE"]:
                return ()
            if words[0] in ("CMD", "CMD-SHELL"):
                words = words[1:]
            if any(words):
                return (health_check(" ".join(words), test.place),)
        image = self.image()
        return (image.healthcheck,) if image and image.healthcheck else ()

    def memory(self) -> tuple[Setting | None, int | None]:
        """The memory limit in either form, and its bytes."""
        setting = self.setting("deploy", "resources", "limits", "memory") or self.setting("mem_limit")
        return setting, size(setting.value) if setting else None

    def restart(self) -> tuple[Setting | None, bool | None]:
        """The restart policy in either form, and whether it restarts after a crash."""
        policy = self.at("deploy", "restart_policy")
        setting = self.setting("restart")
        if policy and (setting is None or setting.value == "no"):
            condition = policy["condition"]
            stated = Setting(condition.text or "any", (condition or policy).place)
            return stated, stated.value != "none"
        swarm = next((part for key in _SWARM if (part := self.at("deploy", key))), None)
        if setting is None and swarm is not None:
            return Setting("any, Swarm's default", swarm.place), True
        return setting, setting is not None and not setting.value.lower().startswith(("no", "false"))

    def rolling(self) -> tuple[Setting | None, bool | None]:
        """How an update rolls out, where that is stated."""
        order = self.setting("deploy", "update_config", "order")
        update = self.at("deploy", "update_config")
        if order is not None:
            return order, True
        return (Setting("update_config", update.place), True) if update else (None, None)

    def deployment(self) -> Deployment:
        """The service as a deployment."""
        command, command_place = self.command()
        env = self.env()
        memory, memory_bytes = self.memory()
        restart, restarts = self.restart()
        strategy, rolling = self.rolling()
        grace = self.setting("stop_grace_period")
        image = self.image()
        heap = heap_flag(env, command, command_place or self.place)
        return Deployment(
            kind=UnitKind.COMPOSE, name=self.name, stack=self.stack.path, environment=self.environment, place=self.place,
            root=self.reading.root, image=self.setting("image"), context=self.context() or "", dockerfile=image,
            command=command, command_place=command_place,
            entries=self.reading.entries(self.name, command, command_place or self.place, image=image, context=self.context(), env=env),
            env=env, ports=self.ports(), restart=restart, restarts=restarts, memory=memory, memory_bytes=memory_bytes,
            heap=heap, heap_bytes=size(heap.value + "m") if heap else None, grace=grace,
            grace_seconds=seconds(grace.value) if grace else DEFAULT_GRACE, health=self.health(),
            replicas=self.at("deploy", "replicas").number or self.at("scale").number, strategy=strategy, rolling=rolling,
            volumes=self.mounts(), logging=self.setting("logging", "driver"), needs=self._needs(),
            backing=is_backing(self.text(self.at("image"))) and not self.at("build"),
        )  # fmt: skip

    def _needs(self) -> tuple[str, ...]:
        node = self.at("depends_on")
        return tuple(k for k, _ in node.items()) or node.texts()

    def redis_unit(self) -> RedisUnit:
        """The service as a Redis."""
        command, command_place = self.command()
        memory, memory_bytes = self.memory()
        raw = self.at("command") or self.at("entrypoint")
        lines = self.reading.lines(raw.path, raw.line, raw.line + 60) if raw else ()
        return build(
            Container(
                name=self.name, kind="compose", stack=self.stack.path, hosts=self._hosts(), place=self.place, environment=self.environment,
                root=self.reading.root, image=self.setting("image"), command=command, command_place=command_place,
                lines=lines, env=self.env(), secrets=self._secrets(), password=_password_said(raw), ports=self.ports(),
                mounts=(*self.mounts(), *self._copied()), health=self.health(), memory=memory, memory_bytes=memory_bytes,
                folder=self.stack.folder, confs=self.reading.confs,
            )
        )  # fmt: skip

    def _copied(self) -> tuple[Mount, ...]:
        """What its image copies in, as if it were mounted."""
        image = self.image() if self.at("build") else None
        context = self.context() or ""
        return tuple(Mount(join(context, s), t, image.place) for s, t in image.copies) if image else ()

    def _hosts(self) -> tuple[str, ...]:
        """Further names on its networks."""
        networks = [v for _, v in self.at("networks").items()]
        named = (self.text(self.at("container_name")), self.text(self.at("hostname")))
        return (*(n for n in named if n), *(a for n in networks for a in n["aliases"].texts()))

    def _secrets(self) -> dict[str, PasswordState]:
        states: dict[str, PasswordState] = {}
        for layer in reversed(self.layers):
            states.update({n: password_state(v.text) for n, v in _pairs(layer["environment"])})
        return states


def _password_said(node: Node) -> PasswordState | None:
    """State of `requirepass` as written, so that `${X:-word}` counts as the environment's, not as the word."""
    raw = list(node.texts()) if node.kind == "sequence" else list(argv(node.text))
    shell = bool(raw) and PurePosixPath(raw[0]).name in ("sh", "bash", "ash")
    words = [w for word in raw for w in (argv(word) if " " in word else (word,))]
    for index, word in enumerate(words[:-1]):
        if word == "--requirepass":
            return password_state(words[index + 1], by_shell=shell)
    return None


def _pairs(node: Node) -> Iterator[tuple[str, Node]]:
    """Names and values of `environment`, in either form; a bare name has an empty value."""
    yield from node.items()
    for item in node.list():
        name, sign, _ = item.text.partition("=")
        if name:
            yield name, _Part(item, len(name) + 1 if sign else len(item.text))


class _Part(Node):
    """The tail of a scalar."""

    __slots__ = ("_skip",)

    def __init__(self, node: Node, skip: int) -> None:
        super().__init__(node._node, node.path, node.shift)
        self._skip = skip

    @property
    def text(self) -> str:
        return super().text[self._skip :]


def variables_of(service: Node, variables: Mapping[str, str]) -> dict[str, Setting]:
    """`environment` of a service, secrets masked."""
    return {n: Setting(mask(n, interpolate(v.text, variables)), v.place) for n, v in _pairs(service["environment"])}
