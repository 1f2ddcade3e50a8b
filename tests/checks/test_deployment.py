"""Items 24, 27, 96 to 102 on infra files, joined with code."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from auditor.checks.deployment import health_checks, memory_limit, restarts
from auditor.checks.operations import disaster_recovery, log_aggregation
from auditor.checks.rollout import grace_period, rolling_update
from auditor.checks.scaling import autoscaling, separate_workers

from auditor.code.model import Option, OptionState
from auditor.infra.collect import collect
from auditor.model import Cause, CodeSpan, Confidence, Status, Verdict
from auditor.probes import Probe

from ..infra.support import tree
from .deployments import code, no_bull

SOURCES = {"package.json": "{}", "src/worker.ts": "", "src/web.ts": ""}


def compose(worker: str, extra: str = "") -> dict[str, str]:
    """A compose file whose worker has these lines, and a web server without any care."""
    lines = "".join(f"    {line}\n" for line in worker.splitlines())
    web = "  web:\n    build: .\n    command: node dist/web.js\n"
    return {
        **SOURCES,
        "docker-compose.yml": f"services:\n  worker:\n    build: .\n    command: node dist/worker.js\n{lines}{web}{extra}",
    }


def k8s(spec: str = "", container: str = "", kind: str = "Deployment") -> dict[str, str]:
    """A Deployment of the worker."""
    text = f"""\
apiVersion: apps/v1
kind: {kind}
metadata: {{name: mail}}
spec:
  {spec or "replicas: 1"}
  template:
    spec:
      containers:
        - name: mail
          image: acme/mail
          command: [node, dist/worker.js]
          {container or "ports: []"}
"""
    return {**SOURCES, "k8s/mail.yaml": text}


def judge(probe: Probe, root: Path, files: dict[str, str], **about: object) -> Verdict:
    """The probe's verdict on such files and the worker's code."""
    given = {"infra": collect([tree(root, files)]), "code": code(root, **about), "live": None}  # type: ignore[arg-type]
    verdict: Verdict = probe.function(**{need.parameter: given[need.parameter] for need in probe.needs})
    return verdict


@pytest.mark.parametrize(
    ("files", "status"),
    [
        (compose("restart: unless-stopped"), Status.PASS),
        (compose("deploy: {restart_policy: {condition: any}}"), Status.PASS),
        (k8s(), Status.PASS),
        ({**SOURCES, "Procfile": "worker: node dist/worker.js\n"}, Status.PASS),
        (
            {**SOURCES, "ecosystem.config.js": "module.exports = {apps: [{script: 'dist/worker.js', name: 'w'}]}"},
            Status.PASS,
        ),
        (compose(""), Status.FAIL),
        (compose('restart: "no"'), Status.FAIL),
        (compose("deploy: {restart_policy: {condition: none}}"), Status.FAIL),
        (
            {
                **SOURCES,
                "ecosystem.config.js": "module.exports = {apps: [{script: 'dist/worker.js', name: 'w', autorestart: false}]}",
            },
            Status.FAIL,
        ),
        (
            {
                **SOURCES,
                "deploy.sh": "docker build -t w .\ndocker run -d --name worker w\n",
                "Dockerfile": 'FROM node\nCMD ["node", "dist/worker.js"]\n',
            },
            Status.FAIL,
        ),
        (SOURCES, Status.UNVERIFIED),
    ],
)
def test_24_restarts(tmp_path: Path, files: dict[str, str], status: Status) -> None:
    assert judge(restarts, tmp_path, files).status is status


@pytest.mark.parametrize(
    ("files", "status"),
    [
        (compose("mem_limit: 512m"), Status.PASS),
        (
            compose(
                "deploy: {resources: {limits: {memory: 1G}}}\nenvironment: [NODE_OPTIONS=--max-old-space-size=768]"
            ),
            Status.PASS,
        ),
        (k8s(container="resources: {limits: {memory: 512Mi}}"), Status.PASS),
        (compose(""), Status.FAIL),
        (k8s(container="resources: {requests: {memory: 512Mi}}"), Status.FAIL),
        (compose("mem_limit: 512m\nenvironment: [NODE_OPTIONS=--max-old-space-size=1024]"), Status.FAIL),
    ],
)
def test_27_memory_limit(tmp_path: Path, files: dict[str, str], status: Status) -> None:
    assert judge(memory_limit, tmp_path, files).status is status


def test_27_points_at_the_heap_and_the_limit(tmp_path: Path) -> None:
    verdict = judge(
        memory_limit, tmp_path, compose("mem_limit: 512m\nenvironment: [NODE_OPTIONS=--max-old-space-size=1024]")
    )
    (found,) = verdict.findings
    assert found.place is not None
    assert (found.place.label(), [p.label() for p in found.related]) == (
        "docker-compose.yml:6",
        ["docker-compose.yml:2", "docker-compose.yml:5"],
    )


@pytest.mark.parametrize(
    ("files", "status"),
    [
        (compose("healthcheck: {test: [CMD, node, health.js]}"), Status.PASS),
        (k8s(container="readinessProbe: {tcpSocket: {port: 3000}}"), Status.PASS),
        ({**compose(""), "Dockerfile": "FROM node\nHEALTHCHECK CMD node health.js\n"}, Status.PASS),
        (compose(""), Status.FAIL),
        (compose('healthcheck: {test: ["CMD", "node", "-e", "console.log(1)"]}'), Status.FAIL),
        (compose("healthcheck: {disable: true}"), Status.FAIL),
        (k8s(container="startupProbe: {tcpSocket: {port: 3000}}"), Status.FAIL),
        ({**SOURCES, "Procfile": "worker: node dist/worker.js\n"}, Status.UNVERIFIED),
    ],
)
def test_98_health_checks(tmp_path: Path, files: dict[str, str], status: Status) -> None:
    assert judge(health_checks, tmp_path, files).status is status


def test_the_worker_is_judged_and_not_what_lies_beside_it(tmp_path: Path) -> None:
    verdict = judge(restarts, tmp_path, compose("restart: always", "  db:\n    image: postgres\n"))
    assert verdict.status is Status.PASS
    assert verdict.confidence is Confidence.CERTAIN
    assert [e.source for e in verdict.evidence] == ["docker-compose.yml:5"]


def test_a_program_in_another_language_runs_no_worker(tmp_path: Path) -> None:
    fraud = "  fraud:\n    build: fraud\n    command: uvicorn main:app --workers 2\n"
    jobs = "  jobs:\n    build: jobs\n    command: dumb-init -- celery -A app worker\n"
    verdict = judge(memory_limit, tmp_path, compose("mem_limit: 512m", fraud + jobs))
    assert verdict.status is Status.PASS, verdict.reason


def test_production_decides(tmp_path: Path) -> None:
    good, bad = compose("restart: always"), compose("")
    files = {
        **SOURCES,
        "docker-compose.prod.yml": good["docker-compose.yml"],
        "docker-compose.dev.yml": bad["docker-compose.yml"],
    }
    assert judge(restarts, tmp_path, files).status is Status.PASS


def test_a_development_file_alone_fails_nothing(tmp_path: Path) -> None:
    verdict = judge(restarts, tmp_path, {**SOURCES, "docker-compose.dev.yml": compose("")["docker-compose.yml"]})
    assert verdict.status is Status.UNVERIFIED
    assert "development only" in verdict.reason


def test_one_program_in_two_places_is_judged_in_both(tmp_path: Path) -> None:
    files = {**compose(""), **k8s()}
    files["docker-compose.yml"] = files["docker-compose.yml"].replace(
        "    build: .\n", "    build: .\n    environment: {NODE_ENV: production}\n", 1
    )
    verdict = judge(restarts, tmp_path, files)
    assert verdict.status is Status.FAIL
    assert [f.subject.name for f in verdict.findings] == ["compose service worker"]


@pytest.mark.parametrize(
    ("probe", "image", "status"),
    [
        (restarts, "", Status.UNVERIFIED),
        (memory_limit, "", Status.UNVERIFIED),
        (memory_limit, "ENV NODE_OPTIONS=--max-old-space-size=512\n", Status.PASS),
        (health_checks, "", Status.UNVERIFIED),
        (health_checks, "HEALTHCHECK CMD node health.js\n", Status.PASS),
        (rolling_update, "", Status.UNVERIFIED),
    ],
)
def test_an_image_alone_fails_nothing(tmp_path: Path, probe: Probe, image: str, status: Status) -> None:
    files = {**SOURCES, "Dockerfile": f'FROM node\n{image}CMD ["node", "dist/worker.js"]\n'}
    assert judge(probe, tmp_path, files).status is status


def test_without_code_a_unit_is_told_by_its_name(tmp_path: Path) -> None:
    model = collect([tree(tmp_path, compose(""))])
    verdict: Verdict = restarts.function(model, None)
    assert verdict.status is Status.FAIL
    assert verdict.confidence is Confidence.LIKELY
    assert [f.subject.name for f in verdict.findings] == ["compose service worker"]


@pytest.mark.parametrize(
    "probe", [restarts, memory_limit, health_checks, separate_workers, autoscaling, grace_period, rolling_update]
)
def test_no_bull_at_all_is_not_applicable(tmp_path: Path, probe: Probe) -> None:
    given = {"infra": collect([tree(tmp_path, compose(""))]), "code": no_bull(tmp_path), "live": None}
    assert (
        probe.function(**{need.parameter: given[need.parameter] for need in probe.needs}).status
        is Status.NOT_APPLICABLE
    )
    without = {**given, "infra": None}
    assert (
        probe.function(**{need.parameter: without[need.parameter] for need in probe.needs}).status
        is Status.NOT_APPLICABLE
    )


def test_96_one_process_for_web_and_workers(tmp_path: Path) -> None:
    mixed = judge(separate_workers, tmp_path, compose(""), serves_http=True)
    assert mixed.status is Status.FAIL
    assert [p.label() for p in mixed.findings[0].related][:1] == ["docker-compose.yml:2"]
    apart = judge(separate_workers, tmp_path, compose(""))
    assert (apart.status, apart.confidence) == (Status.PASS, Confidence.CERTAIN)


def test_96_one_program_in_two_roles_is_apart(tmp_path: Path) -> None:
    start = "node dist/web.js --services"
    files = {**SOURCES, "Procfile": f"web: {start}=web\nworker: {start}=worker\n"}
    verdict = judge(separate_workers, tmp_path, files, serves_http=True, entry="src/web.ts")
    assert (verdict.status, verdict.confidence) == (Status.PASS, Confidence.LIKELY)
    restarted = judge(restarts, tmp_path, files, entry="src/web.ts")
    assert [e.source for e in restarted.evidence] == ["Procfile:2"]
    same = {**SOURCES, "Procfile": f"web: {start}=all\n"}
    assert judge(separate_workers, tmp_path / "b", same, serves_http=True, entry="src/web.ts").status is Status.FAIL


HPA = """
apiVersion: autoscaling/v2
kind: HorizontalPodAutoscaler
metadata: {{name: scaler}}
spec:
  scaleTargetRef: {{name: mail}}
  metrics: [{metric}]
"""


@pytest.mark.parametrize(
    ("metric", "status"),
    [
        ("{type: External, external: {metric: {name: queue_waiting}}}", Status.PASS),
        ("{type: Pods, pods: {metric: {name: bullmq_jobs_waiting}}}", Status.PASS),
        ("{type: Resource, resource: {name: cpu}}", Status.FAIL),
        ("{type: Resource, resource: {name: memory}}", Status.FAIL),
    ],
)
def test_97_autoscaling(tmp_path: Path, metric: str, status: Status) -> None:
    assert judge(autoscaling, tmp_path, {**k8s(), "hpa.yaml": HPA.format(metric=metric)}).status is status


def test_97_nothing_found_is_unverified(tmp_path: Path) -> None:
    assert judge(autoscaling, tmp_path, k8s()).status is Status.UNVERIFIED


@pytest.mark.parametrize(
    ("files", "timeout", "status"),
    [
        (compose("stop_grace_period: 60s"), 30_000, Status.PASS),
        (k8s(), 20_000, Status.PASS),
        (compose(""), 30_000, Status.FAIL),
        (k8s(), 300_000, Status.FAIL),
        (compose("stop_grace_period: 60s"), None, Status.UNVERIFIED),
    ],
)
def test_100_grace_period(tmp_path: Path, files: dict[str, str], timeout: int | None, status: Status) -> None:
    assert judge(grace_period, tmp_path, files, timeout=timeout).status is status


def test_100_each_unit_is_held_to_its_own_jobs(tmp_path: Path) -> None:
    files = compose(
        "stop_grace_period: 60s", "  slow:\n    build: .\n    command: node dist/web.js\n    stop_grace_period: 400s\n"
    )
    root = tree(tmp_path, files)
    model = code(root, timeout=30_000)
    slow = replace(model.workers[0], span=CodeSpan("src/slow.ts", 1), queue=("slow",))
    job = replace(model.producers[0], queue=("slow",), options={"timeout": Option(OptionState.KNOWN, 300_000)})
    process = replace(model.processes[0], entry=CodeSpan("src/web.ts", 1), workers=(slow.span,))
    both = replace(
        model, workers=(*model.workers, slow), producers=(*model.producers, job), processes=(*model.processes, process)
    )
    verdict = grace_period.function(collect([root]), both, None)
    assert [(f.subject.service, f.status) for f in verdict.findings] == [("web", Status.FAIL)]  # 10 s against 300 s


def test_100_no_shutdown_fails_whatever_the_grace(tmp_path: Path) -> None:
    assert (
        judge(grace_period, tmp_path, compose("stop_grace_period: 60s"), timeout=30_000, closed=("SIGTERM",)).status
        is Status.FAIL
    )
    assert judge(grace_period, tmp_path, compose("stop_grace_period: 60s"), closed=()).status is Status.FAIL


DEPLOY = "docker build -t w .\ndocker {stop} worker\ndocker run -d --name worker --restart always w\n"
IMAGE = 'FROM node\nCMD ["node", "dist/worker.js"]\n'


def test_100_a_deploy_that_kills_fails(tmp_path: Path) -> None:
    files = {**SOURCES, "Dockerfile": IMAGE, "deploy.sh": DEPLOY.format(stop="rm -f")}
    verdict = judge(grace_period, tmp_path, files, timeout=1_000)
    assert verdict.status is Status.FAIL
    assert [f.place.label() for f in verdict.findings if f.place] == ["deploy.sh:2"]


@pytest.mark.parametrize(
    ("files", "status"),
    [
        (k8s(), Status.PASS),
        (k8s("strategy: {type: RollingUpdate}"), Status.PASS),
        (compose("deploy: {update_config: {order: start-first}}"), Status.PASS),
        (k8s("strategy: {type: Recreate}"), Status.FAIL),
        ({**SOURCES, "Dockerfile": IMAGE, "deploy.sh": DEPLOY.format(stop="stop")}, Status.FAIL),
        (compose(""), Status.UNVERIFIED),
    ],
)
def test_101_rolling_update(tmp_path: Path, files: dict[str, str], status: Status) -> None:
    assert judge(rolling_update, tmp_path, files).status is status


@pytest.mark.parametrize(
    ("files", "status"),
    [
        (compose("", "  logs:\n    image: grafana/promtail:3\n"), Status.PASS),
        (compose("logging: {driver: awslogs}"), Status.PASS),
        (
            {
                **SOURCES,
                "package.json": '{"dependencies": {"pino-loki": "1"}}',
                "src/log.ts": "pino({ transport: { target: 'pino-loki' } })",
            },
            Status.PASS,
        ),
        ({**SOURCES, "package.json": '{"dependencies": {"pino-loki": "1"}}'}, Status.UNVERIFIED),
        (compose("logging: {driver: json-file}"), Status.UNVERIFIED),
        (compose(""), Status.UNVERIFIED),
    ],
)
def test_99_log_aggregation(tmp_path: Path, files: dict[str, str], status: Status) -> None:
    verdict = judge(log_aggregation, tmp_path, files)
    assert verdict.status is status
    assert verdict.cause in (None, Cause.NEEDS_PERSON)


PLAN = "# Disaster recovery\nRedis: RPO 5 min, RTO 30 min\n## Restore\nCopy the dump back.\n"


def test_102_disaster_recovery(tmp_path: Path) -> None:
    assert judge(disaster_recovery, tmp_path, {**SOURCES, "docs/dr.md": PLAN}).status is Status.PASS
    partial = judge(
        disaster_recovery, tmp_path / "b", {**SOURCES, "docs/dr.md": "# Runbook\nRestore Redis from the dump.\n"}
    )
    assert (partial.status, partial.cause) == (Status.UNVERIFIED, Cause.NEEDS_PERSON)
    assert "lacks RPO, RTO" in partial.reason


def test_102_another_services_plan_does_not_count(tmp_path: Path) -> None:
    files = {
        "package.json": "{}",
        "services/mint/package.json": "{}",
        "services/mint/docs/dr.md": PLAN,
        "services/mail/package.json": "{}",
    }
    root = tree(tmp_path, files)
    model = collect([root])
    assert disaster_recovery.function(model, code(root / "services/mail")).status is Status.UNVERIFIED
    assert disaster_recovery.function(model, code(root / "services/mint")).status is Status.PASS
    assert disaster_recovery.function(model, code(root)).status is Status.PASS


@pytest.mark.parametrize(
    ("command", "noted"),
    [
        ("node dist/worker.js", False),
        ('["sh", "-c", "exec node dist/worker.js"]', False),
        ('["sh", "-c", "sleep 1 && node dist/worker.js"]', True),
        ("npm run worker", True),
    ],
)
def test_100_notes_what_stands_before_the_program(tmp_path: Path, command: str, noted: bool) -> None:
    files = compose("stop_grace_period: 60s")
    files["docker-compose.yml"] = files["docker-compose.yml"].replace(
        "command: node dist/worker.js", f"command: {command}"
    )
    files["package.json"] = '{"scripts": {"worker": "node dist/worker.js"}}'
    verdict = judge(grace_period, tmp_path, files, timeout=30_000)
    assert verdict.status is Status.PASS
    assert bool(verdict.findings) is noted
