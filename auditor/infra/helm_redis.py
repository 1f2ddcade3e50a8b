"""Redis from Bitnami's chart and its kin: what the values say of a subchart, a HelmRelease, an Argo application."""

from __future__ import annotations

from collections.abc import Iterator

from auditor.infra import environment as environments
from auditor.infra.helm import Chart
from auditor.infra.kustomize import Layered
from auditor.infra.model import Environment, PasswordState, RedisUnit, Setting, Tls
from auditor.infra.redis_conf import password_state, read_command, read_conf
from auditor.infra.text import argv, size
from auditor.infra.tree import Tree
from auditor.infra.yaml_tree import Node, documents
from auditor.model import FilePlace

CHARTS = ("redis", "valkey", "redis-cluster", "redis-ha", "valkey-cluster")


def of_chart(chart: Chart, tree: Tree) -> Iterator[RedisUnit]:
    """The Redis of a chart's subcharts, by the values under their aliases, but for one that is switched off."""
    names = [(name, alias) for name, alias in chart.dependencies if name in CHARTS]
    paths = dict.fromkeys((chart.values_path, f"{chart.folder}/values.yaml".lstrip("/")))
    layers = tuple(d[0] for p in paths if (d := documents(tree.text(p), p)[0]))
    told = environments.of_path(chart.values_path)
    for name, alias in names if layers else ():
        node = Layered(layers)[alias]
        if node["enabled"].truth is not False:
            environment = Environment.PRODUCTION if told is Environment.UNKNOWN else told
            place = node.place if node else FilePlace(chart.values_path)
            yield unit(node, alias, name, environment=environment, root=str(tree.root), place=place)


def of_release(document: Node, environment: Environment, root: str) -> Iterator[RedisUnit]:
    """The Redis of a HelmRelease (Flux) or an Application (Argo CD) of such a chart."""
    spec = document["spec"]
    name = document.at("metadata", "name").text
    if document["kind"].text == "HelmRelease" and spec.at("chart", "spec", "chart").text in CHARTS:
        yield unit(
            spec["values"],
            name,
            spec.at("chart", "spec", "chart").text,
            environment=environment,
            root=root,
            place=document.place,
        )
    if document["kind"].text == "Application" and spec.at("source", "chart").text in CHARTS:
        values = spec.at("source", "helm", "valuesObject")
        yield unit(
            values, name, spec.at("source", "chart").text, environment=environment, root=root, place=document.place
        )


def unit(node: Node, name: str, chart: str, *, environment: Environment, root: str, place: FilePlace) -> RedisUnit:
    """The Redis that one of `CHARTS` runs with these values."""
    primary = node["master"] or node["primary"]
    settings = {"appendonly": Setting("yes", place)}  # the chart's own common configuration
    for conf in (node["commonConfiguration"], node["configuration"], primary["configuration"]):
        if conf.text:
            settings.update(
                {
                    k: Setting(s.value, FilePlace(conf.path, conf.text_line + s.place.line - 1))
                    for k, s in read_conf(conf.text, conf.path).items()
                }
            )
    flags = primary["extraFlags"]
    settings.update(
        read_command(("redis-server", *(w for f in flags.texts() for w in argv(f))), flags.place)[0] if flags else {}
    )
    cluster = "cluster" in chart
    sentinel = node["sentinel"]
    alone = node["architecture"].text == "standalone"
    count = (node["replica"] or node["replicas"])["replicaCount"].number
    auth = node["auth"]
    limits = primary.at("resources", "limits", "memory").setting
    encrypted = node.at("tls", "enabled").truth
    kept = (primary["persistence"] or node["persistence"])["enabled"]
    return RedisUnit(
        name=name, kind="helm", environment=environment, place=place, root=root, managed="", settings=settings,
        password=_password(auth, place), password_place=(auth or node).place if auth or node else place,
        tls=Tls.ON if encrypted else Tls.OFF, tls_place=node["tls"].place if node["tls"] else None,
        replicas=0 if alone else (3 if count is None else count), replicas_place=(node["architecture"] or node["replica"]).place if node["architecture"] or node["replica"] else place,
        sentinel=sentinel.place if sentinel["enabled"].truth else None, cluster=cluster, failover=True if cluster or chart == "redis-ha" else None,
        ephemeral=kept.place if kept.truth is False else None, memory=limits, memory_bytes=size(limits.value, decimal=True) if limits else None,
    )  # fmt: skip


def _password(auth: Node, place: FilePlace) -> PasswordState:
    if auth["enabled"].truth is False:
        return PasswordState.NONE
    stated = auth["password"].text
    return password_state(stated) if stated else PasswordState.FROM_ENV  # the chart makes one
