"""What infra files show: deployments, Redis servers as deployed, clients' URLs, documents, backups.

Paths in places are relative to the `--infra` folder that they came from (to the repository where that folder
lies inside `--code`'s). Sizes are bytes, durations seconds. Passwords never get in: only their state does.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import ClassVar

from auditor.code.model import EntryPoint
from auditor.model import FilePlace, Snapshot, TreeTarget

FAULT = "not read, by a fault of tt-audit"
"""How the note on a file begins that a reader broke on."""


class UnitKind(StrEnum):
    """What kind of file deploys a unit."""

    COMPOSE = "compose"
    KUBERNETES = "kubernetes"
    PM2 = "pm2"
    SYSTEMD = "systemd"
    PROCFILE = "procfile"
    ECS = "ecs"
    NOMAD = "nomad"
    FLY = "fly"
    RENDER = "render"
    RAILWAY = "railway"
    APP_PLATFORM = "app platform"
    DOCKERFILE = "dockerfile"
    """An image that nothing in the files runs: it says what would run, not how it is kept."""
    DOCKER_RUN = "docker run"
    """A `docker run` line in a deploy script, a CI workflow or Terraform's user data."""


class Environment(StrEnum):
    """Which environment a file is for, told by its folder, name, namespace or project name."""

    PRODUCTION = "production"
    STAGING = "staging"
    DEVELOPMENT = "development"
    TEST = "test"
    UNKNOWN = "unknown"

    @property
    def decides(self) -> bool:
        """Whether its failures count: what nothing marks as development or test may well be production."""
        return self in (Environment.PRODUCTION, Environment.STAGING, Environment.UNKNOWN)


@dataclass(frozen=True, slots=True)
class Setting:
    """A value as written (after interpolation), with the line that says so."""

    value: str
    place: FilePlace


@dataclass(frozen=True, slots=True)
class Port:
    """A port that a unit offers; `published` is on the host, None for one seen only inside the network."""

    target: int | None
    published: int | None
    host_ip: str
    place: FilePlace

    @property
    def loopback(self) -> bool:
        """Published on the host's loopback only."""
        return self.host_ip in ("127.0.0.1", "::1", "localhost")


@dataclass(frozen=True, slots=True)
class Mount:
    """A volume or bind mount."""

    source: str
    target: str
    place: FilePlace
    ephemeral: bool = False
    """It goes with the pod: an emptyDir."""


@dataclass(frozen=True, slots=True)
class HealthCheck:
    """A check on a unit: `healthcheck` (compose, Docker), `liveness`, `readiness`, `startup`, `http`."""

    kind: str
    test: str
    place: FilePlace
    can_fail: bool = True
    """False for one that only prints and exits 0."""
    port: int | None = None
    from_image: bool = False
    """Stated by the image's Dockerfile."""


@dataclass(frozen=True, slots=True)
class Image:
    """A Dockerfile's stage as it would run."""

    path: str
    stage: str
    command: tuple[str, ...]
    """ENTRYPOINT and CMD joined; a shell form is `sh -c TEXT`."""
    entrypoint: tuple[str, ...]
    """ENTRYPOINT alone."""
    exec_form: bool
    place: FilePlace
    """The line of CMD, else ENTRYPOINT, else FROM."""
    base: str = ""
    """The image that it is built on, through the file's own stages."""
    workdir: str = ""
    healthcheck: HealthCheck | None = None
    env: Mapping[str, Setting] = field(default_factory=dict)
    copies: tuple[tuple[str, str], ...] = ()
    """(source in the build context, target in the image) of COPY lines."""


@dataclass(frozen=True, slots=True)
class Deployment:
    """A unit that runs a program: one container of a pod, one compose service, one PM2 app, ..."""

    kind: UnitKind
    name: str
    environment: Environment
    place: FilePlace
    """Where the unit is declared."""
    root: str = ""
    """The `--infra` folder that it came from."""
    stack: str = ""
    """The compose file that it runs by, overrides included; empty for other kinds."""
    image: Setting | None = None
    context: str = ""
    """Build context, relative to `root`; empty when it is not built from the tree."""
    dockerfile: Image | None = None
    command: tuple[str, ...] = ()
    """Effective argv: the unit's own, else the image's."""
    command_place: FilePlace | None = None
    entries: tuple[EntryPoint, ...] = ()
    """Source files that the command starts, as far as they can be told."""
    env: Mapping[str, Setting] = field(default_factory=dict)
    """Environment variables stated in the file; values that look secret are masked."""
    ports: tuple[Port, ...] = ()
    restart: Setting | None = None
    """The restart policy as stated; None when unstated."""
    restarts: bool | None = None
    """Whether a crashed process is started again, by statement or by the platform; None: can't be told."""
    memory: Setting | None = None
    """The memory limit as stated; `max_memory_restart` and MemoryMax count."""
    memory_bytes: int | None = None
    heap: Setting | None = None
    """`--max-old-space-size`, from the command or NODE_OPTIONS."""
    heap_bytes: int | None = None
    grace: Setting | None = None
    """The stop grace period as stated."""
    grace_seconds: float | None = None
    """Effective grace, the platform's default included; None: can't be told."""
    health: tuple[HealthCheck, ...] = ()
    replicas: int | None = None
    """None when unstated."""
    strategy: Setting | None = None
    """How a new version replaces the old, as stated: `RollingUpdate`, `Recreate`, `start-first`, ..."""
    rolling: bool | None = None
    """Whether that is a rolling update, the platform's default included; None: can't be told."""
    volumes: tuple[Mount, ...] = ()
    logging: Setting | None = None
    """The logging driver."""
    needs: tuple[str, ...] = ()
    """Names of units that it depends on."""
    labels: Mapping[str, str] = field(default_factory=dict)
    backing: bool = False
    """A well-known datastore, proxy or monitoring image: runs none of the project's own code."""
    controller: str = ""
    """Kubernetes kind, Render's type, Fly's process group, ..."""


class PasswordState(StrEnum):
    """What can be said of a Redis password without showing it."""

    NONE = "none"
    WEAK = "weak"
    """Empty, or a well-known word."""
    LITERAL = "literal"
    """Written out in a file, and not a well-known word."""
    FROM_ENV = "from environment"
    UNKNOWN = "unknown"


class Tls(StrEnum):
    """Whether a Redis or its client speaks TLS."""

    ON = "on"
    OFF = "off"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class RedisUnit:
    """A Redis (Valkey, KeyDB, Dragonfly) that the files deploy."""

    name: str
    kind: str
    """`compose`, `kubernetes`, `render`, `terraform`, `helm`, ..."""
    environment: Environment
    place: FilePlace
    root: str = ""
    stack: str = ""
    """The compose file that it runs by, overrides included; empty for other kinds."""
    hosts: tuple[str, ...] = ()
    """Names by which others reach it."""
    managed: str = ""
    """Provider's product for a managed one (`elasticache`, `memorydb`, `memorystore`, `azure`, `render`, ...); else empty."""
    image: Setting | None = None
    settings: Mapping[str, Setting] = field(default_factory=dict)
    """Directives by lower-case name: the command line over the conf that it loads. `save` lines are joined by `; `."""
    conf: tuple[str, ...] = ()
    """Conf files that it really loads."""
    password: PasswordState = PasswordState.NONE
    password_place: FilePlace | None = None
    tls: Tls = Tls.UNKNOWN
    tls_place: FilePlace | None = None
    ports: tuple[Port, ...] = ()
    replicas: int | None = None
    """Further copies of the data: replica nodes; None: can't be told."""
    replicas_place: FilePlace | None = None
    sentinel: FilePlace | None = None
    cluster: bool = False
    failover: bool | None = None
    """Managed: automatic failover or multi-AZ."""
    volumes: tuple[Mount, ...] = ()
    health: tuple[HealthCheck, ...] = ()
    memory: Setting | None = None
    memory_bytes: int | None = None
    snapshots: Setting | None = None
    """Managed: snapshot retention."""
    ephemeral: FilePlace | None = None
    """Where its data is said to go with the pod: `persistence.enabled: false`, an emptyDir."""
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class RedisClient:
    """How a unit is told to reach Redis: a URL, or a host variable."""

    unit: str
    """Name of the deployment; empty for a sample env file."""
    variable: str
    environment: Environment
    place: FilePlace
    host: str
    port: int | None
    tls: Tls
    password: PasswordState
    stack: str = ""
    """The compose file of the unit; empty for other kinds."""
    sample: bool = False
    """From a sample file (`.env.example`): shows how it is meant, not what runs."""

    @property
    def loopback(self) -> bool:
        """The host is this machine."""
        return self.host in ("localhost", "127.0.0.1", "::1", "[::1]")


@dataclass(frozen=True, slots=True)
class ConfFile:
    """A redis.conf, valkey.conf or sentinel.conf, with what loads it."""

    path: str
    settings: Mapping[str, Setting]
    loaded_by: tuple[str, ...] = ()
    """Names of Redis units that load it; empty: nothing mounts it, so it is evidence neither way."""
    sentinel: bool = False


@dataclass(frozen=True, slots=True)
class Autoscaler:
    """Something that changes the number of a unit's copies."""

    kind: str
    """`hpa`, `keda`, `ecs`, `fly`, ..."""
    name: str
    target: str
    metrics: tuple[str, ...]
    on_queue: bool
    """At least one metric is a queue's length."""
    environment: Environment
    place: FilePlace


@dataclass(frozen=True, slots=True)
class LogShipper:
    """A log collector, a logging driver that sends logs away, or a logger's transport."""

    kind: str
    place: FilePlace
    environment: Environment = Environment.UNKNOWN
    packages: tuple[str, ...] = ()
    """Absolute folders of the packages whose logs it sends; empty: those of everything deployed."""


@dataclass(frozen=True, slots=True)
class Backup:
    """A scheduled backup that covers Redis."""

    kind: str
    """`cronjob`, `velero`, `sidecar`, `snapshot retention`, `cron`, `workflow`."""
    schedule: str
    place: FilePlace
    environment: Environment = Environment.UNKNOWN


@dataclass(frozen=True, slots=True)
class Rollout:
    """How a script or workflow brings out a new version of a container: in which order it stops and starts."""

    unit: str
    """Container or deployment name; empty when unknown."""
    kind: str
    """`stop-first` (the old one is stopped or removed, then the new one started), `rolling`."""
    kills: bool
    """The old one is killed without a grace period (`docker rm -f`, `docker kill`)."""
    place: FilePlace
    related: tuple[FilePlace, ...] = ()
    environment: Environment = Environment.UNKNOWN


@dataclass(frozen=True, slots=True)
class Document:
    """A document that speaks of recovery; each place is the line that says so, None where nothing does."""

    path: str
    rpo: FilePlace | None
    rto: FilePlace | None
    restore: FilePlace | None
    redis: FilePlace | None

    @property
    def complete(self) -> bool:
        """It has RPO and RTO, restore steps and Redis."""
        return None not in (self.rpo, self.rto, self.restore, self.redis)


@dataclass(frozen=True, slots=True)
class Note:
    """Something about a file that a reader should know: a template that was not evaluated, a broken document."""

    place: FilePlace
    text: str


@dataclass(frozen=True, slots=True)
class InfraModel(Snapshot):
    """Everything that infra files show."""

    source: ClassVar[str] = "infra"

    trees: tuple[TreeTarget, ...] = ()
    deployments: tuple[Deployment, ...] = ()
    redis: tuple[RedisUnit, ...] = ()
    clients: tuple[RedisClient, ...] = ()
    confs: tuple[ConfFile, ...] = ()
    autoscalers: tuple[Autoscaler, ...] = ()
    shippers: tuple[LogShipper, ...] = ()
    backups: tuple[Backup, ...] = ()
    rollouts: tuple[Rollout, ...] = ()
    documents: tuple[Document, ...] = ()
    packages: tuple[str, ...] = ()
    """Absolute folders that have a package.json."""
    entry_points: tuple[EntryPoint, ...] = ()
    """Of all deployments and Dockerfiles, and of the start scripts of package.json files; each file once."""
    notes: tuple[Note, ...] = ()

    @property
    def whole(self) -> bool:
        """No reader broke."""
        return not any(note.text.startswith(FAULT) for note in self.notes)
