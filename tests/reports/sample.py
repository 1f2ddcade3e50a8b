"""A report that holds everything a renderer may meet: every status, place kind and waiver, two services, hostile text."""

from __future__ import annotations

import hashlib
from dataclasses import replace

from auditor.model import (
    Cause,
    CodeSpan,
    Confidence,
    Evidence,
    FileDigest,
    FilePlace,
    Finding,
    GateOutcome,
    Item,
    MetricPlace,
    PrometheusTarget,
    Recorded,
    RedisPlace,
    RedisTarget,
    Report,
    Result,
    Severity,
    SkippedFile,
    SourceReport,
    SourceStatus,
    Status,
    Subject,
    SubjectType,
    Targets,
    TreeTarget,
    Verdict,
    Waiver,
)
from auditor.summary import summarise

ESCAPE = "\x1b[31mred\x1b[0m"
LINK = "\x1b]8;;https://evil.test\x1b\\click\x1b]8;;\x1b\\"
TAG = "<script>window.pwned = true</script>"
COMMAND = "line\n::error file=x::pwned"
OVERRIDE = "invoice\u202egpj.exe"
CDATA = "]]><x/>"
HOSTILE = f"{TAG} {ESCAPE} {COMMAND} {OVERRIDE} {CDATA} \x00 | `tick` [md](javascript:alert(1)) \"quote' {{{{ 7*7 }}}} %0A ${{x}} --> {LINK}"
LONG = "queue-" + "very-long-name-" * 20 + "end"

SECTIONS = (
    ("General Job Configuration", 10),
    ("Idempotency Verification", 5),
    ("Core Worker Settings", 10),
    ("Resource Management", 5),
    ("Queue Monitoring", 8),
    ("Alerting", 7),
    ("NFT Minting Jobs", 15),
    ("Email Jobs", 12),
    ("Payment Processing Jobs", 15),
    ("Redis Configuration", 8),
    ("Infrastructure", 7),
)
CRITICAL = frozenset({88})
HIGH = frozenset({1, 2, 7, 9, 11, 12, 15, 17, 20, 21, 22, 73, 74, 77, 89, 90, 91, 92, 93, 95, 100})
LOW = frozenset({6, 18, 19, 44, 97, 99})
REDIS = "redis://127.0.0.1:6379"

TITLES = {
    1: "Every job has explicit attempts configured",
    2: "Every job has appropriate backoff strategy",
    6: "Job priority set appropriately",
    7: "Job IDs are deterministic when idempotency needed",
    9: "Sensitive data encrypted or excluded from job payload",
    20: "Error handler attached (worker.on('error'))",
    22: "Graceful shutdown on SIGTERM/SIGINT",
    39: "Alert on high queue depth",
    73: "Idempotency key for every charge",
    88: "maxmemory-policy set to noeviction",
    92: "TLS encryption enabled",
    95: "Backup schedule in place",
    102: "Disaster recovery plan documented",
}

WHY = "A job without `attempts` is tried once: the first blip turns a payment into a failed job that nobody retries."
FIX = """\
Set it once on the queue and override it per job. The options belong to the `Queue` object.
```ts
export const payments = new Queue('payments', {
  connection,
  defaultJobOptions: { attempts: 3, backoff: { type: 'exponential', delay: 2000 } },
});
```
Where they differ:
- Bull stores `attempts: 1` whether set or not.
- BullMQ stores `attempts: 0` where unset.
"""


def item(number: int) -> Item:
    """The checklist's item of that number, with a text of its kind."""
    severity = (
        Severity.CRITICAL
        if number in CRITICAL
        else Severity.HIGH
        if number in HIGH
        else Severity.LOW
        if number in LOW
        else Severity.MEDIUM
    )
    return Item(
        id=f"TT{number:03}",
        number=number,
        section=_section(number),
        title=TITLES.get(number, f"Item number {number} of the audit document"),
        severity=severity,
        probe="some.probe",
        params={},
        why=WHY if number in TITLES else "It hurts in production.",
        fix=FIX if number in TITLES else "Mend it.",
        references=("https://docs.bullmq.io/guide/retrying-failing-jobs", "audit document 1.2"),
    )


def _section(number: int) -> str:
    last = 0
    for title, count in SECTIONS:
        last += count
        if number <= last:
            return title
    raise ValueError(number)


def record(finding: Finding, owner: Item, *, ordinal: int = 0, waived: Waiver | None = None) -> Recorded:
    """A finding as the engine records it."""
    return Recorded(
        finding,
        hashlib.sha256(f"{owner.id} {ordinal}".encode()).hexdigest(),
        finding.severity or owner.severity,
        waived,
    )


def result(number: int, verdict: Verdict, *, waivers: dict[int, Waiver] | None = None, selected: bool = True) -> Result:
    """A result with its findings recorded."""
    owner = item(number)
    recorded = tuple(record(f, owner, ordinal=i, waived=(waivers or {}).get(i)) for i, f in enumerate(verdict.findings))
    return Result(owner, verdict, recorded, seconds=0.01, selected=selected)


def producer(
    name: str, line: int, *, queue: str = "payments", service: str = "payment-service", **change: object
) -> Finding:
    """A producer without attempts."""
    made = Finding(
        message=f"{queue}.add('{name}') sets no attempts: the job is tried once",
        subject=Subject(SubjectType.PRODUCER, f"{queue}.add('{name}')", queue, service),
        place=CodeSpan(f"{service}/src/jobs/{queue}.ts", line, line + 3),
        evidence=(
            Evidence(
                f"{service}/src/jobs/{queue}.ts:{line}",
                "attempts absent",
                "attempts >= 1",
                excerpt=f"await {queue}.add('{name}', {{ orderId }}, {{\n\tremoveOnComplete: true,\n}})",
            ),
        ),
    )
    return replace(made, **change)  # type: ignore[arg-type]  # test helper


def _attempts() -> Result:
    names = ("charge", "refund", "capture", "settle", "payout", "notify")
    findings = [producer(name, 40 + 11 * place) for place, name in enumerate(names)]
    findings.append(
        producer(
            "mail",
            12,
            queue="email",
            service="notification-service",
            confidence=Confidence.LIKELY,
            fix="Pass `attempts: 5` in `sendMail()`.",
        )
    )
    findings.append(producer(HOSTILE, 99, queue=HOSTILE, service=HOSTILE, related=(FilePlace("package.json", 3),)))
    findings.append(producer("long", 7, queue=LONG))
    verdict = Verdict(Status.FAIL, "9 of 31 producers set no attempts", findings=tuple(findings))
    return result(1, verdict, waivers={2: Waiver("legacy, goes away with v2", "ciaran", "2027-01-31")})


def _policy() -> Result:
    finding = Finding(
        "allkeys-lru lets Redis evict the keys of waiting jobs when memory is full",
        Subject(SubjectType.SERVER, "127.0.0.1:6379"),
        RedisPlace(REDIS, "maxmemory-policy"),
        related=(FilePlace("infra/redis/redis.conf", 14),),
        evidence=(
            Evidence("CONFIG GET maxmemory-policy", "allkeys-lru", "noeviction", RedisPlace(REDIS, "maxmemory-policy")),
            Evidence("INFO stats: evicted_keys", "1,204", "0"),
        ),
        fix="`CONFIG SET maxmemory-policy noeviction`, and the same line in infra/redis/redis.conf.",
    )
    return result(88, Verdict(Status.FAIL, "maxmemory-policy is allkeys-lru", findings=(finding,)))


def _waived() -> Result:
    finding = Finding(
        "the connection is not encrypted",
        Subject(SubjectType.SERVER, "127.0.0.1:6379"),
        RedisPlace(REDIS, ""),
        evidence=(Evidence("CONFIG GET port", "6379", "0"),),
    )
    return result(
        92,
        Verdict(Status.FAIL, "plaintext port 6379 is open", findings=(finding,)),
        waivers={0: Waiver("private network until Q2", "sre@tickettoken.test", "2027-03-31")},
    )


def _alert() -> Result:
    finding = Finding(
        "the alert QueueDepthHigh reads bull_queue_waiting, which nothing publishes",
        Subject(SubjectType.ALERT, "QueueDepthHigh", service="notification-service"),
        MetricPlace("monitoring/rules.yml", "QueueDepthHigh"),
        related=(FilePlace("monitoring/rules.yml", 31),),
        evidence=(
            Evidence(
                "monitoring/rules.yml:31",
                "expr: bull_queue_waiting > 1000",
                "a metric that the code or an exporter publishes",
            ),
        ),
        confidence=Confidence.LIKELY,
        severity=Severity.LOW,
    )
    return result(39, Verdict(Status.FAIL, "1 alert can never fire", Confidence.LIKELY, findings=(finding,)))


def _unresolved() -> Result:
    finding = Finding(
        "jobId comes from `buildId(order)`, whose result could not be resolved",
        Subject(SubjectType.PRODUCER, "payments.add('charge')", "payments", "payment-service"),
        CodeSpan("payment-service/src/jobs/payments.ts", 40),
        evidence=(
            Evidence(
                "payment-service/src/jobs/payments.ts:40", "jobId: buildId(order)", "made of business values only"
            ),
        ),
        status=Status.UNVERIFIED,
    )
    return result(
        7,
        Verdict(
            Status.UNVERIFIED,
            "1 of 12 job ids could not be resolved; name `buildId` under roles: in tt-audit.yaml",
            cause=Cause.UNRESOLVED,
            findings=(finding,),
        ),
    )


def _passed() -> Result:
    note = replace(
        producer("charge", 40),
        status=Status.PASS,
        message="the backoff is fixed; exponential spares the provider",
        severity=Severity.LOW,
    )
    evidence = Evidence(
        "HGET bull:payments:1 opts",
        '{"attempts":3,"backoff":{"type":"fixed","delay":500}}',
        "a delay above 0",
        RedisPlace(REDIS, "bull:payments:1"),
    )
    return result(
        2, Verdict(Status.PASS, "all 31 producers back off", Confidence.LIKELY, findings=(note,), evidence=(evidence,))
    )


def results() -> list[Result]:
    """All 102, in order."""
    no_source = Verdict(Status.UNVERIFIED, "no Prometheus was given: --prometheus URL", cause=Cause.SOURCE_NOT_GIVEN)
    refused = Verdict(
        Status.UNVERIFIED,
        f"CONFIG is refused to this user: {ESCAPE}",
        cause=Cause.REFUSED,
        evidence=(Evidence("CONFIG GET maxmemory", "NOPERM", ""),),
    )
    special = {
        1: _attempts(),
        2: _passed(),
        6: result(6, Verdict(Status.ERROR, "producer.priority broke: KeyError: 'priority' (a bug of tt-audit)")),
        7: _unresolved(),
        39: _alert(),
        88: _policy(),
        89: result(89, refused),
        92: _waived(),
        95: result(
            95,
            Verdict(
                Status.ATTESTED,
                "jo@tickettoken.test vouches until 2027-05-01: nightly dump to S3",
                evidence=(Evidence("tt-audit.yaml:31", "attested", ""),),
            ),
        ),
        102: result(
            102,
            Verdict(Status.UNVERIFIED, "no document speaks of RPO, RTO and Redis: attest it", cause=Cause.NEEDS_PERSON),
        ),
    }
    made = []
    for number in range(1, 103):
        if number in special:
            made.append(special[number])
        elif number in range(31, 46):
            made.append(result(number, no_source))
        elif number in range(46, 61):
            made.append(
                result(number, Verdict(Status.NOT_APPLICABLE, "no mint jobs: 31 producers and 9 handlers looked at"))
            )
        elif number in range(61, 64):
            made.append(
                result(
                    number,
                    Verdict(Status.UNVERIFIED, "left out by --skip 61-63", cause=Cause.UNRESOLVED),
                    selected=False,
                )
            )
        else:
            shown = Evidence(
                "payment-service/src/worker.ts:8",
                "concurrency: 10",
                "1 to 100",
                CodeSpan("payment-service/src/worker.ts", 8),
            )
            made.append(result(number, Verdict(Status.PASS, "all 9 workers hold", evidence=(shown,))))
    return made


def extra() -> tuple[Result, ...]:
    """An item of a further pack."""
    owner = replace(item(1), id="X001", number=None, section="Wiring", title="A queue that is filled is consumed")
    finding = producer(
        "mint",
        3,
        queue="mint-queue",
        message="mint-queue is filled here and consumed by nobody; a worker listens on `mint`",
    )
    return (
        Result(owner, Verdict(Status.FAIL, "1 queue has no consumer", findings=(finding,)), (record(finding, owner),)),
    )


BECAUSE = (
    "TT001 Every job has explicit attempts configured: 8 findings, high",
    "TT088 maxmemory-policy set to noeviction: 1 finding, critical",
    "X001 A queue that is filled is consumed: 1 finding, high",
    "source prom: http://prometheus.test:9090: connection refused",
    "TT006: producer.priority broke: KeyError: 'priority' (a bug of tt-audit)",
)
"""What the gate says of it."""


def report() -> Report:
    """The whole of it."""
    made = results()
    payments = [r for r in made if any(f.finding.subject.service == "payment-service" for f in r.findings)]
    mails = [r for r in made if any(f.finding.subject.service == "notification-service" for f in r.findings)]
    return Report(
        version="1.2.3",
        started="2026-11-24T04:30:12Z",
        seconds=2.345,
        checklist=FileDigest("checklist.yaml", "c" * 64),
        config=FileDigest("tt-audit.yaml", "f" * 64),
        limits={"max_commands": 50_000, "sample": 20, "timeout": 5.0, "all_dbs": False, "note": HOSTILE},
        targets=Targets(
            redis=(RedisTarget(REDIS, "7.0.15", "0123456789abcdef", 0, "master", (0,), (3, 5)),),
            code=(
                TreeTarget(
                    "backend",
                    "a1b2c3d4e5f60718",
                    True,
                    182,
                    (SkippedFile("src/broken.ts", "not UTF-8"), SkippedFile(HOSTILE, "too deep")),
                ),
            ),
            infra=(TreeTarget("infra", "", False, 12),),
            prometheus=(PrometheusTarget("http://prometheus.test:9090"),),
        ),
        sources=(
            SourceReport(
                "live", SourceStatus.PARTIAL, "CONFIG is refused", {"HGETALL": 70, "INFO": 1, "SCAN": 12}, 1204, 0.0421
            ),
            SourceReport("code", SourceStatus.OK),
            SourceReport("infra", SourceStatus.OK),
            SourceReport(
                "prom", SourceStatus.UNAVAILABLE, "http://prometheus.test:9090: connection refused", ended_early=True
            ),
        ),
        results=tuple(made),
        extra=extra(),
        summary=summarise(made),
        services={
            "payment-service": summarise(payments),
            "notification-service": summarise(mails),
            HOSTILE: summarise(payments[:1]),
        },
        gate=GateOutcome("fail on high, at confidence likely or surer", True, 1, BECAUSE),
    )
