"""Autoscalers of Kubernetes, and what counts as a queue's length in any of them."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from auditor.infra.kubernetes import Resource
from auditor.infra.model import Autoscaler
from auditor.infra.yaml_tree import Node


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
