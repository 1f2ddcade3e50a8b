"""Compose files: services as deployments or Redis units, overrides merged over the file that they change."""

from __future__ import annotations

import re
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
from auditor.infra.redis_unit import Container, build, link
from auditor.infra.text import argv, env_file, heap_flag, interpolate, mask, seconds, size
from auditor.infra.tree import join
from auditor.infra.yaml_tree import Node
from auditor.model import FilePlace

_WATCHES = re.compile(
    r"\b(npm|yarn|pnpm|bun)( run)? (\S+:)?(dev|watch)(:\S+)?\b|\bnodemon\b|\b(tsx|bun) watch\b|--watch\b|\bts-node-dev\b"
)
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


def is_compose(document: Node) -> bool:
    """Whether a YAML document is a compose file: services that are built, run or extended."""
    services = document["services"]
    if services.kind != "mapping" or document["apiVersion"]:
        return False
    keys = {
        "image",
        "build",
        "extends",
        "command",
        "ports",
        "environment",
        "volumes",
        "deploy",
        "restart",
        "depends_on",
        "env_file",
    }
    return any(key in keys for _, service in services.items() for key, _ in service.items())


def stacks(files: Mapping[str, Node], reading: Reading) -> list[Stack]:
    """The stacks of a tree. A file whose services lack image and build changes the base file beside (or above) it."""
    found = []
    for path, document in files.items():
        base = _base(path, document, files)
        services: dict[str, tuple[Node, ...]] = {}
        for name, service in document["services"].items():
            layers = _layers(service, path, files)
            if base and not any(layer["image"] or layer["build"] for layer in layers):
                layers += _layers(files[base]["services"][name], base, files)
            services[name] = layers
        if base and PurePosixPath(base).parent == PurePosixPath(path).parent:
            for name, service in files[base]["services"].items():
                services.setdefault(name, _layers(service, base, files))
        variables = {
            k: v for k, (v, _) in env_file(reading.tree.text(join(str(PurePosixPath(path).parent), ".env"))).items()
        }
        found.append(
            Stack(path, document["name"].text, _environment(path, document, services, reading), services, variables)
        )
    return found


def _base(path: str, document: Node, files: Mapping[str, Node]) -> str:
    bare = [n for n, s in document["services"].items() if not (s["image"] or s["build"] or s["extends"])]
    if not bare:
        return ""
    for folder in PurePosixPath(path).parents:
        for name in (
            "docker-compose.yml",
            "docker-compose.yaml",
            "compose.yml",
            "compose.yaml",
            "docker-compose.base.yml",
        ):
            other = join(str(folder), name)
            if other != path and other in files and any(files[other]["services"][n] for n in bare):
                return other
    return ""


def _layers(service: Node, path: str, files: Mapping[str, Node], depth: int = 0) -> tuple[Node, ...]:
    """The service and what it extends."""
    extends = service["extends"]
    if not extends or depth > 5:
        return (service,)
    file = extends["file"].text
    other = join(str(PurePosixPath(path).parent), file) if file else path
    name = extends["service"].text or extends.text
    if other not in files or (target := files[other]["services"][name]).kind != "mapping":
        return (service,)
    return (service, *_layers(target, other, files, depth + 1))


def _environment(path: str, document: Node, services: Mapping[str, tuple[Node, ...]], reading: Reading) -> Environment:
    told = environments.first(
        environments.of_path(path),
        environments.of_words(document["name"].text),
        environments.of_header(reading.tree.text(path)),
    )
    if told is not Environment.UNKNOWN:
        return told
    layers = [layer for layer_set in services.values() for layer in layer_set]
    if any(environments.of_words(layer.at("build", "target").text) is Environment.DEVELOPMENT for layer in layers):
        return Environment.DEVELOPMENT
    if _all_watch(
        [_Service(name, found, Stack(path, "", told, services), reading) for name, found in services.items()]
    ):
        return Environment.DEVELOPMENT
    modes = [
        s.value
        for layer in layers
        for n, s in _env(layer, {}).items()
        if n in ("NODE_ENV", "APP_ENV", "ENVIRONMENT", "RAILS_ENV")
    ]
    if (found := environments.of_variables(modes)) is not Environment.UNKNOWN:
        return found
    # nothing but published datastores: what a developer starts beside an app that runs outside of containers
    if layers and all(is_backing(layer["image"].text) and not layer["build"] for layer in layers):
        return Environment.DEVELOPMENT
    return Environment.UNKNOWN


def _all_watch(services: list[_Service]) -> bool:
    """Whether every program of the project's own runs by a development script: `npm run dev`, a watcher."""
    own = [s.command()[0] for s in services if not is_backing(s.text(s.at("image"))) or s.at("build")]
    stated = [" ".join(words) for words in own if words]
    return bool(stated) and all(_WATCHES.search(text) for text in stated)


def deployments(stack: Stack, reading: Reading) -> Iterator[Deployment]:
    """The services that are not Redis."""
    for name, layers in stack.services.items():
        service = _Service(name, layers, stack, reading)
        if not service.redis:
            yield service.deployment()


def redis_units(stack: Stack, reading: Reading) -> list[RedisUnit]:
    """The Redis services, primaries told from replicas."""
    services = [_Service(name, layers, stack, reading) for name, layers in stack.services.items()]
    return link([s.redis_unit() for s in services if s.redis])


@dataclass(frozen=True, slots=True)
class _Service:
    """One service over its layers."""

    name: str
    layers: tuple[Node, ...]
    stack: Stack
    reading: Reading

    def at(self, *keys: str) -> Node:
        """The first layer's value that there is."""
        return next((n for layer in self.layers if (n := layer.at(*keys))), Node(None, self.stack.path))

    def text(self, node: Node) -> str:
        return interpolate(node.text, self.stack.variables)

    def setting(self, *keys: str) -> Setting | None:
        node = self.at(*keys)
        return Setting(self.text(node), node.place) if node.text else None

    @property
    def place(self) -> FilePlace:
        return self.layers[0].place

    @property
    def redis(self) -> bool:
        image = self.text(self.at("image"))
        if image and is_redis(image):
            return True
        return is_server(self.command()[0]) and not self.text(self.at("image")).count("exporter")

    def words(self, node: Node) -> tuple[str, ...]:
        if node.kind == "sequence":
            return tuple(self.text(n) for n in node.list())
        return argv(self.text(node))

    def image(self) -> Image | None:
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
        found: dict[str, Setting] = {}
        for layer in self.layers:
            for name, value in _env(layer, self.stack.variables).items():
                found.setdefault(name, value)
        image = self.image()
        return {**(dict(image.env) if image else {}), **found}

    def ports(self) -> tuple[Port, ...]:
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
        setting = self.setting("deploy", "resources", "limits", "memory") or self.setting("mem_limit")
        return setting, size(setting.value) if setting else None

    def restart(self) -> tuple[Setting | None, bool | None]:
        policy = self.at("deploy", "restart_policy")
        setting = self.setting("restart")
        if policy and (setting is None or setting.value == "no"):
            condition = policy["condition"]
            stated = Setting(condition.text or "any", (condition or policy).place)
            return stated, stated.value != "none"
        return setting, setting is not None and not setting.value.lower().startswith(("no", "false"))

    def rolling(self) -> tuple[Setting | None, bool | None]:
        order = self.setting("deploy", "update_config", "order")
        update = self.at("deploy", "update_config")
        if order is not None:
            return order, True
        return (Setting("update_config", update.place), True) if update else (None, None)

    def deployment(self) -> Deployment:
        command, command_place = self.command()
        env = self.env()
        memory, memory_bytes = self.memory()
        restart, restarts = self.restart()
        strategy, rolling = self.rolling()
        grace = self.setting("stop_grace_period")
        image = self.image()
        heap = heap_flag(env, command, command_place or self.place)
        return Deployment(
            kind=UnitKind.COMPOSE, name=self.name, environment=self.stack.environment, place=self.place,
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
        command, command_place = self.command()
        memory, memory_bytes = self.memory()
        raw = self.at("command") or self.at("entrypoint")
        lines = self.reading.lines(raw.path, raw.line, raw.line + 60) if raw else ()
        return build(
            Container(
                name=self.name, kind="compose", place=self.place, environment=self.stack.environment,
                root=self.reading.root, image=self.setting("image"), command=command, command_place=command_place,
                lines=lines, env=self.env(), secrets=self._secrets(), password=_password_said(raw), ports=self.ports(),
                mounts=self.mounts(), health=self.health(), memory=memory, memory_bytes=memory_bytes,
                folder=self.stack.folder, confs=self.reading.confs,
            )
        )  # fmt: skip

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


def _env(service: Node, variables: Mapping[str, str]) -> dict[str, Setting]:
    return {n: Setting(mask(n, interpolate(v.text, variables)), v.place) for n, v in _pairs(service["environment"])}
