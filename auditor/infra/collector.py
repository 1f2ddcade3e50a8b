"""Collects one tree: each kind of file by its reader, then the units put together."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import PurePosixPath

from auditor.code.model import EntryPoint
from auditor.infra import (
    backups,
    clients,
    compose,
    docker_run,
    documents,
    ecs,
    fly,
    helm,
    helm_redis,
    kubernetes,
    kubernetes_redis,
    kustomize,
    nesting,
    nomad,
    plain_units,
    platforms,
    pm2,
    redis_conf,
    render,
    scaling,
    scripts,
    start_scripts,
    terraform,
    terraform_redis,
    terraform_workloads,
    transports,
)
from auditor.infra.images import SHIPPING_DRIVERS, shipper
from auditor.infra.model import (
    FAULT,
    Autoscaler,
    Backup,
    ConfFile,
    Deployment,
    Document,
    InfraModel,
    LogShipper,
    Note,
    RedisClient,
    RedisUnit,
    Rollout,
)
from auditor.infra.reading import Reading
from auditor.infra.redis_unit import link, loaded_confs
from auditor.infra.tree import Tree
from auditor.infra.yaml_tree import Node
from auditor.infra.yaml_tree import documents as yaml_documents
from auditor.model import FilePlace


@dataclass(slots=True)
class Collector:
    """Collects one tree; the model's lists grow as files are read."""

    tree: Tree
    deadline: float | None
    starts_only: bool = False
    """Only what starts programs is wanted: documents, env files and log transports are left out."""
    reading: Reading = field(init=False)
    deployments: list[Deployment] = field(default_factory=list)
    redis: list[RedisUnit] = field(default_factory=list)
    clients: list[RedisClient] = field(default_factory=list)
    confs: list[ConfFile] = field(default_factory=list)
    autoscalers: list[Autoscaler] = field(default_factory=list)
    shippers: list[LogShipper] = field(default_factory=list)
    backups: list[Backup] = field(default_factory=list)
    rollouts: list[Rollout] = field(default_factory=list)
    documents: list[Document] = field(default_factory=list)
    _manifests: dict[str, list[Node]] = field(default_factory=dict)
    _overlays: dict[str, Node] = field(default_factory=dict)
    _charts: list[helm.Chart] = field(default_factory=list)
    _composes: dict[str, Node] = field(default_factory=dict)
    _pm2: list[Deployment] = field(default_factory=list)
    _workflows: list[tuple[str, Node]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.reading = Reading(self.tree)

    def run(self) -> InfraModel:
        """Read every file that may matter, then put the units together."""
        self._each(("*.conf",), self._conf)
        self._each(("*.sh",), self._builds)
        self._charts = helm.charts(self.tree)
        self._each(("*.yml", "*.yaml"), self._yaml)
        self._each(("*.json",), self._json)
        self._terraform()
        self._each(("*.js", "*.cjs", "*.mjs", "*.ts"), self._script_file)
        self._each(("*.service",), self._service)
        self._each(("*.toml",), self._toml)
        self._each(("crontab*", "*.cron", "*.crontab"), self._crontab)
        self._each(("*.nomad", "*.nomad.hcl", "*.hcl"), self._nomad)
        self._each(("procfile*",), self._procfile)
        self._each(("*.sh",), self._shell)
        if not self.starts_only:
            self._each((".env*", "*.env"), self._env_file)
            self._each(("*.md", "*.mdx", "*.rst", "*.adoc", "*.txt"), self._document)
            self.shippers += transports.shippers(self.reading)
        self._units()
        return self._model()

    def _each(self, patterns: tuple[str, ...], read: Callable[[str], None]) -> None:
        for path in self.tree.named(*patterns):
            if self.deadline is not None and time.monotonic() > self.deadline:
                self.tree.skipped["."] = "the time ran out before every file was read"
                return
            try:
                read(path)
            except RecursionError:
                self.reading.notes.append(Note(FilePlace(path), "nested too deep: not read"))
            except (ValueError, LookupError, TypeError, AttributeError) as error:
                # a file of a shape nobody thought of costs itself, not the scan
                text = f"{FAULT} ({type(error).__name__}: {error})"
                self.reading.notes.append(Note(FilePlace(path), text))

    def _conf(self, path: str) -> None:
        text = self.tree.head(path)
        if redis_conf.looks_like_conf(text):
            settings = redis_conf.read_conf(self.tree.text(path), path)
            self.reading.confs[path] = settings
            sentinel = any(n.startswith("sentinel ") for n in settings)
            self.confs.append(ConfFile(path, settings, sentinel=sentinel))

    def _yaml(self, path: str) -> None:
        head = self.tree.head(path)
        workflow = _is_workflow(path)
        overlay = kustomize.is_kustomization(path)
        if (
            not workflow
            and not overlay
            and not re.search(r"^\s*(services|workers|apiVersion|apps|type)\s*:", head, re.M)
        ):
            return
        text = self.tree.text(path)
        chart = helm.chart_of(path, self._charts)
        if chart is not None:
            text = helm.render(text, chart)
            self.reading.notes.append(Note(FilePlace(path), f"a template: read with {chart.values_path}"))
        found, notes = yaml_documents(text, path)
        self.reading.notes += notes
        for document in found:
            if workflow:
                self.reading.builds.update({name: (file, target) for name, file, target in scripts.built_by(document)})
                self._workflows.append((path, document))
            elif overlay:
                self._overlays[path.rpartition("/")[0]] = document
            elif kubernetes.is_resource(document):
                self._manifests.setdefault(path, []).append(document)
            elif render.is_blueprint(document):
                self.deployments += render.deployments(document, self.reading)
                self.redis += render.redis_units(document, self.reading)
            elif platforms.is_app_spec(document) or platforms.is_copilot(document):
                self.deployments += platforms.deployments(document, self.reading)
            elif compose.is_compose(document):
                self._composes[path] = document
            elif document["apps"] and pm2.is_ecosystem(path, head):
                self._ecosystem(path, self.tree.text(path))

    def _json(self, path: str) -> None:
        head = self.tree.head(path, 4096)
        if '"apiVersion"' in head and '"kind"' in head:
            found, notes = yaml_documents(self.tree.text(path), path)
            self.reading.notes += notes
            self._manifests.setdefault(path, []).extend(found)
        elif '"containerDefinitions"' in head:
            found, notes = yaml_documents(self.tree.text(path), path)
            self.reading.notes += notes
            self.deployments += [u for document in found for u in ecs.of_task_file(document, self.reading)]
        elif '"deploy"' in head and "railway" in PurePosixPath(path).name:
            found, notes = yaml_documents(self.tree.text(path), path)
            self.reading.notes += notes
            self.deployments += [u for document in found for u in platforms.deployments(document, self.reading)]
        elif '"apps"' in head and pm2.is_ecosystem(path, head):
            self._ecosystem(path, self.tree.text(path))

    def _terraform(self) -> None:
        texts = {p: self.tree.text(p) for p in self.tree.named("*.tf", "*.tfvars")}
        for scope in terraform.scopes(texts) if texts else ():
            self.redis += terraform_redis.units(scope)
            self.redis += terraform_workloads.units(scope, self.reading)
            self.deployments += ecs.deployments(scope, self.reading)
            self.autoscalers += ecs.autoscalers(scope)
            for block in scope.blocks:
                data = block.node["user_data"] or block.node["metadata_startup_script"]
                if "docker" in data.text:
                    self._scripts([scripts.Script(data.path, data.text, data.text_line)])

    def _script_file(self, path: str) -> None:
        name = PurePosixPath(path).name.lower()
        if ("ecosystem" in name or "pm2" in name) and pm2.is_ecosystem(path, self.tree.text(path)):
            self._ecosystem(path, self.tree.text(path))

    def _ecosystem(self, path: str, text: str) -> None:
        found = list(pm2.deployments(path, text, self.reading))
        self._pm2 += found
        self.deployments += found

    def _service(self, path: str) -> None:
        if plain_units.is_systemd(self.tree.head(path)):
            self.deployments += plain_units.systemd(path, self.tree.text(path), self.reading)

    def _toml(self, path: str) -> None:
        if fly.is_fly(self.tree.head(path)) and "fly" in PurePosixPath(path).name:
            self.deployments += fly.deployments(path, self.tree.text(path), self.reading)

    def _crontab(self, path: str) -> None:
        self.backups += backups.of_crontab(path, self.tree.text(path))

    def _nomad(self, path: str) -> None:
        if nomad.is_job(self.tree.head(path)):
            self._sort(nomad.units(path, self.tree.text(path), self.reading))

    def _sort(self, found: Iterable[Deployment | RedisUnit]) -> None:
        for unit in found:
            if isinstance(unit, RedisUnit):
                self.redis.append(unit)
            else:
                self.deployments.append(unit)

    def _procfile(self, path: str) -> None:
        self.deployments += plain_units.procfile(path, self.tree.text(path), self.reading)

    def _shell(self, path: str) -> None:
        if re.search(r"docker|podman|kubectl", self.tree.head(path)):
            self._scripts([scripts.of_file(path, self.tree.text(path))])

    def _builds(self, path: str) -> None:
        if "docker" in self.tree.head(path):
            found = scripts.builds(scripts.Script(path, self.tree.text(path)))
            self.reading.builds.update({name: (file, target) for name, file, target in found})

    def _scripts(self, found: list[scripts.Script]) -> None:
        for script in found:
            if script.deploys:
                self._sort(docker_run.units(script, self.reading))
            self.rollouts += scripts.rollouts(script)

    def _env_file(self, path: str) -> None:
        self.clients += clients.of_env_file(path, self.tree.text(path))

    def _document(self, path: str) -> None:
        name = PurePosixPath(path).name.lower()
        if name.startswith(("license", "changelog", "robots")):
            return
        document = documents.read(path, self.tree.text(path))
        if document is not None:
            self.documents.append(document)

    def _units(self) -> None:
        for path, document in self._workflows:
            self._scripts(list(scripts.of_workflow(document, path)))
            self.backups += backups.of_workflow(document, path)
        for stack in compose.stacks(self._composes, self.reading):
            self.deployments += compose.deployments(stack, self.reading)
            self.redis += compose.redis_units(stack, self.reading)
        self._cluster()
        self.shippers += [s for d in self.deployments if (s := _driver(d))]
        for unit in self.deployments:
            if unit.image is not None and (label := shipper(unit.image.value)) and unit.kind != "kubernetes":
                self.shippers.append(LogShipper(label, unit.image.place, unit.environment))
        apps = self._apps()
        self.deployments = nesting.fold(self.deployments, apps)
        used = {d.dockerfile.path for d in self.deployments if d.dockerfile is not None}
        self.deployments += nesting.fold(list(start_scripts.images(self.reading, used)), apps)
        self.clients += clients.of_units(self.deployments)
        self.redis = link(self.redis)
        self.backups += backups.sidecars(self.deployments, self.redis)
        self.confs = loaded_confs(self.confs, self.redis)

    def _apps(self) -> dict[str, list[Deployment]]:
        """PM2 apps by the absolute paths of their ecosystem files."""
        apps: dict[str, list[Deployment]] = {}
        for unit in self._pm2:
            apps.setdefault(self.tree.absolute(unit.place.path), []).append(unit)
        return apps

    def _cluster(self) -> None:
        """What runs in Kubernetes: manifests as overlays patch them, and charts of Redis."""
        overlays = kustomize.Kustomizations(self._overlays, self._manifests)
        patched = [r for node, told in overlays.resources() for r in kubernetes.resources(node, told)]
        loose = [d for path, found in self._manifests.items() if path not in overlays.taken for d in found]
        resources = [*patched, *(r for document in loose for r in kubernetes.resources(document))]
        self.deployments += kubernetes.deployments(resources, self.reading)
        self.redis += kubernetes_redis.redis_units(resources, self.reading)
        self.autoscalers += scaling.autoscalers(resources)
        self.backups += backups.backups(resources)
        self.shippers += kubernetes.shippers(resources)
        for resource in resources:
            self.redis += helm_redis.of_release(resource.node, resource.environment, self.reading.root)
        for chart in self._charts:
            self.redis += helm_redis.of_chart(chart, self.tree)

    def _model(self) -> InfraModel:
        stated = [e for d in sorted(self.deployments, key=lambda d: not d.environment.decides) for e in d.entries]
        entries: dict[str, EntryPoint] = {}
        for entry in (*stated, *nesting.unfolded(list(start_scripts.of_packages(self.reading)), self._apps())):
            entries.setdefault(entry.path, entry)
        for entry in start_scripts.of_development(self.reading, tuple(entries)):
            entries.setdefault(entry.path, entry)
        return InfraModel(
            trees=(self.tree.target(),),
            deployments=tuple(self.deployments),
            redis=tuple(self.redis),
            clients=tuple(self.clients),
            confs=tuple(self.confs),
            autoscalers=tuple(self.autoscalers),
            shippers=tuple(self.shippers),
            backups=tuple(self.backups),
            rollouts=tuple(self.rollouts),
            documents=tuple(self.documents),
            packages=tuple(self.tree.absolute(f) for f in self.reading.packages.folders()),
            entry_points=tuple(entries.values()),
            notes=tuple(self.reading.notes),
        )


def _is_workflow(path: str) -> bool:
    parts = PurePosixPath(path).parts
    return (".github" in parts and "workflows" in parts) or parts[-1] in (
        ".gitlab-ci.yml",
        "bitbucket-pipelines.yml",
        "azure-pipelines.yml",
    )


def _driver(unit: Deployment) -> LogShipper | None:
    """A logging driver that sends a unit's logs away."""
    if unit.logging is None or unit.logging.value not in SHIPPING_DRIVERS:
        return None
    return LogShipper(f"logging driver {unit.logging.value}", unit.logging.place, unit.environment)
