"""Builds a `RedisUnit` from a container: its command line over the conf that is really mounted, and its image's variables."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import PurePosixPath

from auditor.infra.images import repository
from auditor.infra.model import ConfFile, Environment, HealthCheck, Mount, PasswordState, Port, RedisUnit, Setting, Tls
from auditor.infra.redis_conf import password_state, read_command
from auditor.infra.text import argv, size
from auditor.infra.tree import join
from auditor.model import FilePlace


@dataclass(frozen=True, slots=True)
class Container:
    """What a compose service or a pod's container says that matters for a Redis."""

    name: str
    kind: str
    place: FilePlace
    environment: Environment
    root: str = ""
    stack: str = ""
    hosts: tuple[str, ...] = ()
    """Names by which others reach it, beside its own."""
    image: Setting | None = None
    command: tuple[str, ...] = ()
    command_place: FilePlace | None = None
    lines: tuple[tuple[str, int], ...] = ()
    """Raw lines of the unit, with numbers."""
    env: Mapping[str, Setting] = field(default_factory=dict)
    secrets: Mapping[str, PasswordState] = field(default_factory=dict)
    """State of the secret variables, taken before they were masked."""
    password: PasswordState | None = None
    """State of `requirepass` on the command line, taken before interpolation."""
    ports: tuple[Port, ...] = ()
    mounts: tuple[Mount, ...] = ()
    health: tuple[HealthCheck, ...] = ()
    memory: Setting | None = None
    memory_bytes: int | None = None
    replicas: int | None = None
    folder: str = ""
    """Folder that relative mounts start from."""
    confs: Mapping[str, Mapping[str, Setting]] = field(default_factory=dict)
    """Conf files of the tree, and of config maps, by path."""


def build(container: Container) -> RedisUnit:
    """The unit, with settings in the order of weight: command line, conf, the image's variables."""
    settings, conf = read_command(container.command, container.command_place or container.place, container.lines)
    extra = (
        container.env.get("REDIS_ARGS")
        or container.env.get("VALKEY_EXTRA_FLAGS")
        or container.env.get("REDIS_EXTRA_FLAGS")
    )
    if extra is not None:
        more, _ = read_command(argv(extra.value), extra.place)
        settings = {**more, **settings}
    loaded, unread = _conf(container, conf)
    for path in loaded:
        settings = {**container.confs[path], **settings}
    settings = {**_of_variables(container), **settings}
    password, at = _password(container, settings)
    tls, tls_at = _tls(settings, unread)
    return RedisUnit(
        name=container.name, kind=container.kind, environment=container.environment, place=container.place,
        root=container.root, stack=container.stack, hosts=(container.name, *container.hosts), image=container.image, settings=settings, conf=tuple(loaded), password=password,
        password_place=at, tls=tls, tls_place=tls_at, ports=container.ports, volumes=container.mounts,
        health=container.health, memory=container.memory, memory_bytes=container.memory_bytes,
        sentinel=next((s.place for n, s in settings.items() if n == "sentinel monitor"), None),
        cluster=_on(settings.get("cluster-enabled")), ephemeral=next((m.place for m in container.mounts if m.ephemeral and _holds_data(m, settings)), None),
        notes=(f"loads {unread}, which is not among the files",) if unread else (),
    )  # fmt: skip


def _holds_data(mount: Mount, settings: Mapping[str, Setting]) -> bool:
    """Whether the dump and the log lie in a mount: the image's `/data`, or the directory that is set."""
    folder = settings["dir"].value.strip("\"'") if "dir" in settings else "/data"
    return folder.rstrip("/") == mount.target.rstrip("/")


def link(units: Sequence[RedisUnit]) -> list[RedisUnit]:
    """Tell primaries from replicas within a stack: a primary that others replicate from has replicas, and so on."""
    linked: list[RedisUnit] = []
    for unit in units:
        peers = [u for u in units if u is not unit and _together(u, unit)]
        followers = [u for u in peers if replica_of(u) and replica_of(u) in unit.hosts]
        sentinel = next((u.sentinel for u in peers if u.sentinel is not None), unit.sentinel)
        nodes = [u for u in peers if u.cluster] if unit.cluster else []
        replicas = unit.replicas if unit.replicas is not None else len(followers) or None
        place = followers[0].place if followers else unit.replicas_place
        if nodes and replicas is None:
            replicas, place = max(len(nodes) + 1 - 3, 0), nodes[0].place
        linked.append(replace(unit, replicas=replicas, replicas_place=place, sentinel=sentinel))
    return linked


def _together(one: RedisUnit, other: RedisUnit) -> bool:
    """Whether two units run side by side: in one stack, or in one environment of a cluster."""
    return (one.kind, one.stack, one.environment, one.root) == (other.kind, other.stack, other.environment, other.root)


def replica_of(unit: RedisUnit) -> str:
    """Host of the primary that it follows; empty for a primary."""
    stated = unit.settings.get("replicaof") or unit.settings.get("slaveof")
    return stated.value.split()[0] if stated and stated.value.split() and stated.value.lower() != "no one" else ""


def loaded_confs(confs: Sequence[ConfFile], units: Sequence[RedisUnit]) -> list[ConfFile]:
    """The conf files, each with the names of the units that load it."""
    return [replace(c, loaded_by=tuple(u.name for u in units if c.path in u.conf)) for c in confs]


def _conf(container: Container, named: str) -> tuple[list[str], str]:
    """Conf files of the tree that the server reads, and the name of one that it reads and we have not."""
    if not named:
        return [], ""
    for mount in container.mounts:
        source = mount.source if not mount.source.startswith(("./", "../")) else join(container.folder, mount.source)
        rest = named[len(mount.target.rstrip("/")) :] if named.startswith(mount.target.rstrip("/") + "/") else ""
        copied = join("", source) if rest and PurePosixPath(source).name == rest else ""  # a file into a folder
        whole = join("", source) if named == mount.target else ""
        for path in (whole, join(source, rest) if rest else "", copied):
            if path and path in container.confs:
                return [path], ""
    return [], named


def _of_variables(container: Container) -> dict[str, Setting]:
    """Settings that Bitnami's images take from variables: AOF is on unless said otherwise."""
    if container.image is None or "bitnami" not in repository(container.image.value):
        return {}
    found: dict[str, Setting] = {}
    aof = next((container.env[n] for n in ("REDIS_AOF_ENABLED", "VALKEY_AOF_ENABLED") if n in container.env), None)
    found["appendonly"] = Setting(aof.value if aof else "yes", aof.place if aof else container.image.place)
    mode = container.env.get("REDIS_REPLICATION_MODE") or container.env.get("VALKEY_REPLICATION_MODE")
    host = container.env.get("REDIS_MASTER_HOST") or container.env.get("VALKEY_PRIMARY_HOST")
    if mode is not None and mode.value in ("slave", "replica") and host is not None:
        found["replicaof"] = host
    return found


def _password(container: Container, settings: Mapping[str, Setting]) -> tuple[PasswordState, FilePlace | None]:
    stated = settings.get("requirepass")
    if stated is not None:
        state = container.password or next((s for s in PasswordState if s.value == stated.value), PasswordState.UNKNOWN)
        return state, stated.place
    users = settings.get("user") or settings.get("aclfile")
    if users is not None:
        return PasswordState.UNKNOWN, users.place
    for name in ("REDIS_PASSWORD", "VALKEY_PASSWORD", "REDIS_PASS", "REDIS_PASSWORD_FILE", "VALKEY_PASSWORD_FILE"):
        # the official image reads no such variable; Bitnami's, redis-stack's scripts and most operators' do
        if (
            name in container.env
            and container.image is not None
            and repository(container.image.value).rpartition("/")[0]
        ):
            state = container.secrets.get(name, PasswordState.FROM_ENV)
            return state, container.env[name].place
    unread = any("conf" in a and not a.startswith("--") for a in container.command) and not settings
    return (PasswordState.UNKNOWN if unread else PasswordState.NONE), None


def _tls(settings: Mapping[str, Setting], unread: str) -> tuple[Tls, FilePlace | None]:
    port, tls = settings.get("port"), settings.get("tls-port")
    if tls is not None and tls.value not in ("0", ""):
        return (Tls.ON if port is not None and port.value == "0" else Tls.OFF), tls.place
    return (Tls.UNKNOWN if unread else Tls.OFF), None


def _on(setting: Setting | None) -> bool:
    return setting is not None and setting.value.lower() in ("yes", "true", "1")


def bytes_of(setting: Setting | None) -> int | None:
    """A `maxmemory` in bytes; None where it is unstated or comes from outside. Redis: `1g` is 10^9, `1gb` 2^30."""
    if setting is None:
        return None
    text = setting.value.strip().lower()
    return size(text, decimal=not text.endswith("b"))


__all__ = ["Container", "build", "bytes_of", "link", "loaded_confs", "password_state", "replica_of"]
