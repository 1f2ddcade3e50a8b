"""Which metrics code publishes, what they measure, and whether anything living feeds and serves them."""

from __future__ import annotations

import textwrap
from pathlib import Path

from auditor.code.evaluation.evaluate import Evaluator
from auditor.code.metrics import find as metrics
from auditor.code.model import Metric, Quantity
from auditor.code.source.program import Program
from auditor.code.syntax.facts import Function, Module

PACKAGE = '{"name": "app", "dependencies": {"bullmq": "^5.40.0", "prom-client": "^15.0.0"}}'


def find(
    folder: Path, dead: tuple[str, ...] = (), entries: dict[str, set[str]] | None = None, **files: str
) -> dict[tuple[str, str], Metric]:
    """Metrics by (name, quantity) of a small program; functions named in `dead` are reached by nothing."""
    (folder / "package.json").write_text(PACKAGE)
    for name, text in files.items():
        path = folder / "src" / f"{name.replace('__', '/')}.ts"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(textwrap.dedent(text))
    ev = Evaluator(Program([folder]))

    def is_live(_module: Module, function: Function | None) -> bool:
        while function is not None:
            if function.name in dead:
                return False
            outer = function.scope.parent
            function = outer.func if outer is not None else None
        return True

    return {(m.name, m.quantity.value): m for m in metrics.find(ev, is_live, lambda path: "", entries=entries)}


QUEUE = "import { Queue, Worker, QueueEvents } from 'bullmq';\nimport { Gauge, Counter, Histogram, Registry, register } from 'prom-client';\n"


def test_a_gauge_fed_from_the_queues_counters_carries_several_quantities(tmp_path: Path) -> None:
    found = find(
        tmp_path,
        app=QUEUE
        + """
        const queue = new Queue('mail');
        export const size = new Gauge({ name: 'mail_jobs', help: 'jobs', labelNames: ['queue', 'state'] });
        async function feed() {
          const [waiting, active] = await Promise.all([queue.getWaitingCount(), queue.getActiveCount()]);
          size.set({ queue: 'mail', state: 'waiting' }, waiting);
          size.set({ queue: 'mail', state: 'active' }, active);
        }
        setInterval(feed, 1000);
        app.get('/metrics', async (_req, res) => res.send(await register.metrics()));
        """,
    )
    depth, active = found["mail_jobs", "depth"], found["mail_jobs", "active"]
    assert depth.labels == ("queue", "state")
    assert [s.start for s in depth.fed_by] == [8]
    assert [s.start for s in active.fed_by] == [9]
    assert depth.fed_live
    assert depth.served_live
    assert not depth.by_name
    assert depth.served is not None
    assert depth.served.start == 12


def test_counts_in_a_loop_carry_all_states(tmp_path: Path) -> None:
    found = find(
        tmp_path,
        app=QUEUE
        + """
        const queue = new Queue('mail');
        const g = new Gauge({ name: 'q', help: 'h', labelNames: ['status'] });
        async function feed() {
          const counts = await queue.getJobCounts();
          for (const [status, count] of Object.entries(counts)) g.set({ status }, count);
        }
        """,
    )
    assert {key for key in found if key[0] == "q"} == {("q", "depth"), ("q", "active"), ("q", "failed")}


def test_a_feeder_that_nothing_starts_and_one_that_is_not_there(tmp_path: Path) -> None:
    found = find(
        tmp_path,
        ("startFeeding",),
        app=QUEUE
        + """
        const queue = new Queue('mail');
        const depth = new Gauge({ name: 'depth_of_queue', help: 'h' });
        const workers = new Gauge({ name: 'active_workers', help: 'h' });
        export function startFeeding() {
          setInterval(async () => depth.set(await queue.getWaitingCount()), 1000);
        }
        app.get('/metrics', async (_req, res) => res.send(await register.metrics()));
        """,
    )
    fed, never = found["depth_of_queue", "depth"], found["active_workers", "workers"]
    assert fed.fed_by
    assert not fed.fed_live
    assert fed.served_live
    assert never.fed_by == ()
    assert never.by_name


def test_the_served_registry_is_not_the_one_that_holds_it(tmp_path: Path) -> None:
    found = find(
        tmp_path,
        registry="import { Registry } from 'prom-client';\nexport const own = new Registry();\nexport const page = () => own.metrics();\n",
        app=QUEUE
        + """
        import { own } from './registry';
        export const here = new Gauge({ name: 'queue_depth_here', help: 'h', registers: [own] });
        export const elsewhere = new Gauge({ name: 'queue_depth_elsewhere', help: 'h' });
        here.set(1);
        elsewhere.set(1);
        """,
    )
    assert found["queue_depth_here", "depth"].served is not None
    assert found["queue_depth_elsewhere", "depth"].served is None


def test_metrics_that_are_put_into_a_registry_once_made(tmp_path: Path) -> None:
    found = find(
        tmp_path,
        metrics="""
        import client from 'prom-client';
        import { Queue } from 'bullmq';
        export const page = new client.Registry();
        const aside = new client.Registry();
        for (const queue of [new Queue('mail'), new Queue('sms')]) {
          page.registerMetric(new client.Gauge({ name: `${queue.name}_waiting`, help: 'x', async collect() { this.set(await queue.getWaitingCount()); } }));
        }
        export const failed = new client.Counter({ name: 'mail_failed_total', help: 'x' });
        page.registerMetric(failed);
        const kept = new client.Counter({ name: 'kept_total', help: 'x' });
        aside.registerMetric(kept);
        """,
        app="""
        import { page, failed } from './metrics';
        failed.inc();
        app.get('/metrics', async (_req, res) => res.send(await page.metrics()));
        """,
    )
    assert {name for (name, _), metric in found.items() if metric.served} == {
        "mail_waiting",
        "sms_waiting",
        "mail_failed_total",
    }


def test_a_worker_and_a_web_server_have_a_registry_each(tmp_path: Path) -> None:
    files = {
        "metrics": "import { Gauge, register } from 'prom-client';\nexport const depth = new Gauge({ name: 'queue_depth', help: 'h' });\n"
        "export { register };\n",
        "worker": "import { depth } from './metrics';\ndepth.set(1);\n",
        "web": "import { register } from './metrics';\napp.get('/metrics', async (_req, res) => res.send(await register.metrics()));\n",
    }
    apart = {"src/worker.ts": {"src/worker.ts", "src/metrics.ts"}, "src/web.ts": {"src/web.ts", "src/metrics.ts"}}
    assert find(tmp_path, entries=apart, **files)["queue_depth", "depth"].served is None
    together = {"src/main.ts": {"src/main.ts", "src/worker.ts", "src/web.ts", "src/metrics.ts"}}
    assert find(tmp_path, entries=together)["queue_depth", "depth"].served is not None
    assert find(tmp_path)["queue_depth", "depth"].served is not None


def test_nest_injects_metrics_and_serves_its_own_page(tmp_path: Path) -> None:
    found = find(
        tmp_path,
        module="""
        import { PrometheusModule, makeCounterProvider } from '@willsoto/nestjs-prometheus';
        @Module({ imports: [PrometheusModule.register()], providers: [makeCounterProvider({ name: 'bull_jobs_total', help: 'h', labelNames: ['queue', 'status'] })] })
        export class MetricsModule {}
        """,
        service="""
        import { InjectMetric } from '@willsoto/nestjs-prometheus';
        import { Counter } from 'prom-client';
        export class WorkerMetrics {
          constructor(@InjectMetric('bull_jobs_total') private readonly jobs: Counter<string>) {}
          failed(queue: string) { this.jobs.inc({ queue, status: 'failed' }); }
        }
        """,
    )
    failed = found["bull_jobs_total", "failed"]
    assert [(s.path, s.start) for s in failed.fed_by] == [("src/service.ts", 6)]
    assert failed.served is not None


def test_opentelemetrys_observable_gauges(tmp_path: Path) -> None:
    found = find(
        tmp_path,
        app="""
        import { metrics } from '@opentelemetry/api';
        import { Queue } from 'bullmq';
        const queue = new Queue('mail');
        const meter = metrics.getMeter('x');
        const waiting = meter.createObservableGauge('bull_queue_waiting');
        const other = meter.createObservableGauge('bull_queue_active');
        waiting.addCallback(async (result) => result.observe(await queue.getWaitingCount()));
        meter.addBatchObservableCallback(async (result) => { result.observe(other, await queue.getActiveCount()); }, [other]);
        """,
    )
    assert [s.start for s in found["bull_queue_waiting", "depth"].fed_by] == [8]
    assert [s.start for s in found["bull_queue_active", "active"].fed_by] == [9]


def test_metric_classes_of_the_projects_own(tmp_path: Path) -> None:
    found = find(
        tmp_path,
        own="""
        class Gauge { constructor(private o: { name: string; help: string }) {} set(n: number) {} }
        export const depth = registry.register(new Gauge({ name: 'queue_depth', help: 'h' }));
        export function feed(n: number) { depth.set(n); }
        export function page() { return ''; }
        """,
        web="import { page } from './own';\napp.get('/metrics', (_req, res) => res.send(page()));\n",
    )
    depth = found["queue_depth", "depth"]
    assert depth.fed_by
    assert depth.served is not None
    assert depth.served.path == "src/web.ts"


def test_a_name_with_a_part_that_is_not_known(tmp_path: Path) -> None:
    found = find(
        tmp_path,
        app="import { Gauge } from 'prom-client';\nexport function make(prefix: string) { return new Gauge({ name: `${prefix}_queue_depth`, help: 'h' }); }\n",
    )
    assert ("*_queue_depth", "depth") in found


def test_events_tell_failures_stalls_and_durations(tmp_path: Path) -> None:
    found = find(
        tmp_path,
        metrics="""
        import { Counter, Histogram } from 'prom-client';
        export const a = new Counter({ name: 'a_total', help: 'h' });
        export const b = new Counter({ name: 'b_total', help: 'h' });
        export const c = new Histogram({ name: 'c_seconds', help: 'h', labelNames: ['job'] });
        export function lost() { b.inc(); }
        """,
        app=QUEUE
        + """
        import { a, c, lost } from './metrics';
        const worker = new Worker('mail', async () => {});
        worker.on('failed', (job) => a.inc());
        new QueueEvents('mail').on('stalled', () => lost());
        worker.on('completed', (job) => c.labels(job.name).observe((job.finishedOn - job.processedOn) / 1000));
        """,
    )
    assert ("a_total", "failed") in found
    assert ("b_total", "stalled") in found
    assert ("c_seconds", "duration") in found
    assert all(metric.served is None for metric in found.values())


def test_a_dead_letter_queues_size_and_the_workers_count(tmp_path: Path) -> None:
    found = find(
        tmp_path,
        app=QUEUE
        + """
        const dlq = new Queue('mail-dlq');
        const queue = new Queue('mail');
        const size = new Gauge({ name: 'lost_mail', help: 'h', async collect() { this.set(await dlq.getWaitingCount()); } });
        const seen = new Gauge({ name: 'seen', help: 'h', collect: async function () { this.set((await queue.getWorkers()).length); } });
        """,
    )
    assert ("lost_mail", "dead_letter") in found
    assert ("seen", "workers") in found


def test_bullmqs_own_export_and_a_page_written_by_hand(tmp_path: Path) -> None:
    found = find(
        tmp_path,
        app=QUEUE
        + """
        const queue = new Queue('mail');
        app.get('/metrics', async (_req, res) => res.send(await queue.exportPrometheusMetrics()));
        app.get('/own', async (_req, res) => {
          const waiting = await queue.getWaitingCount();
          res.send(`# TYPE own_jobs gauge
        own_jobs{queue="mail",status="waiting"} ${waiting}`);
        });
        """,
    )
    assert found["bullmq_job_count", "depth"].kind == "bullmq-export"
    assert ("bullmq_job_failed_total", "failed") in found
    own = found["own_jobs", "depth"]
    assert own.labels == ("queue", "status")
    assert own.fed_live
    assert own.served_live


def test_opentelemetry_needs_a_reader_and_statsd_needs_none(tmp_path: Path) -> None:
    source = """
        import { metrics } from '@opentelemetry/api';
        import StatsD from 'hot-shots';
        import { Queue } from 'bullmq';
        const queue = new Queue('mail');
        const client = new StatsD({ prefix: 'shop.' });
        const failures = metrics.getMeter('x').createCounter('queue.jobs.failed');
        failures.add(1);
        export async function tick() { client.gauge('queue.waiting', await queue.getWaitingCount()); }
        """
    found = find(tmp_path, app=source)
    assert found["queue.jobs.failed", "failed"].served is None
    assert found["shop.queue.waiting", "depth"].served_live
    (tmp_path / "src" / "sdk.ts").write_text(
        "import { PrometheusExporter } from '@opentelemetry/exporter-prometheus';\nnew PrometheusExporter({ port: 9464 });\n"
    )
    assert find(tmp_path)["queue.jobs.failed", "failed"].served_live


def test_one_function_that_makes_metrics_of_many_names(tmp_path: Path) -> None:
    found = find(
        tmp_path,
        metrics="""
        import { Counter, Registry } from 'prom-client';
        class Metrics {
          private counters = new Map();
          count(name: string, labels: Record<string, string> = {}) {
            if (!this.counters.has(name)) this.counters.set(name, new Counter({ name, help: name, labelNames: Object.keys(labels) }));
            this.counters.get(name).inc(labels);
          }
        }
        export const all = new Metrics();
        """,
        app="import { all } from './metrics';\nall.count('queue_jobs_failed_total', { queue: 'mail' });\nall.count('http_hits_total');\n",
    )
    failed = found["queue_jobs_failed_total", "failed"]
    assert [(s.path, s.start) for s in failed.fed_by] == [("src/app.ts", 2)]
    assert failed.labels == ("*",)
    assert [s.start for s in found["http_hits_total", "other"].fed_by] == [3]


BOARD = """
import { createBullBoard } from '@bull-board/api';
import { BullMQAdapter } from '@bull-board/api/bullMQAdapter';
import { ExpressAdapter } from '@bull-board/express';
const serverAdapter = new ExpressAdapter();
createBullBoard({ queues: [new BullMQAdapter(queue)], serverAdapter });
"""


def board(folder: Path, text: str, dead: tuple[str, ...] = ()) -> Metric:
    return next(
        m
        for m in find(folder, dead, app=QUEUE + "const queue = new Queue('mail');\n" + text).values()
        if m.kind == "board"
    )


def test_boards_are_mounted_or_not_guarded_or_not(tmp_path: Path) -> None:
    unmounted = board(tmp_path, BOARD)
    assert (unmounted.served, unmounted.served_live) == (None, False)
    open_ = board(tmp_path, BOARD + "app.use('/queues', serverAdapter.getRouter());\n")
    assert (open_.served_live, open_.guarded) == (True, False)
    guarded = board(tmp_path, BOARD + "app.use('/queues', requireAuth, serverAdapter.getRouter());\n")
    assert (guarded.served_live, guarded.guarded) == (True, True)
    below = board(
        tmp_path, BOARD + "app.use('/admin/*', basicAuth({}));\napp.use('/admin/queues', serverAdapter.getRouter());\n"
    )
    assert below.guarded
    beside = board(
        tmp_path, BOARD + "app.use('/adm', basicAuth({}));\napp.use('/admin/queues', serverAdapter.getRouter());\n"
    )
    assert beside.guarded is False
    dead = board(
        tmp_path, BOARD + "export function mount(app) { app.use('/queues', serverAdapter.getRouter()); }\n", ("mount",)
    )
    assert dead.served is not None
    assert not dead.served_live


def test_arena_and_the_older_bull_board(tmp_path: Path) -> None:
    arena = board(
        tmp_path, "import Arena from 'bull-arena';\nconst arena = Arena({ queues: [] });\napp.use('/', arena);\n"
    )
    assert (arena.name, arena.served_live) == ("Arena", True)
    old = board(
        tmp_path,
        "import { createBullBoard } from 'bull-board';\nconst { router } = createBullBoard([]);\napp.use('/q', router);\n",
    )
    assert (old.name, old.served_live) == ("Bull Board", True)


def test_a_health_route_that_asks_the_worker(tmp_path: Path) -> None:
    found = find(
        tmp_path,
        app=QUEUE
        + """
        const worker = new Worker('mail', async () => {});
        function healthy() { return worker.isRunning(); }
        app.get('/healthz', (_req, res) => res.status(healthy() ? 200 : 503).end());
        """,
    )
    (endpoint,) = [m for m in found.values() if m.kind == "endpoint"]
    assert endpoint.quantity is Quantity.WORKERS


def test_broken_code_is_no_crash(tmp_path: Path) -> None:
    find(
        tmp_path,
        app="""
        import { Gauge } from 'prom-client';
        new Gauge(); new Gauge(1); new Gauge({ name: Math.random() }); new Gauge({ labelNames: x, registers: y, collect: z });
        const g = new Gauge({ name: g.name }); g.set(g); this.set(); set(); g.labels().labels().set(
        """,
    )


def test_a_collect_that_sets_nothing_feeds_nothing(tmp_path: Path) -> None:
    found = find(
        tmp_path,
        ("collect",),
        app=QUEUE
        + """
        new Gauge({ name: 'queue_depth_silent', help: 'h', async collect() { await queue.getWaitingCount(); } });
        new Gauge({ name: 'queue_depth_helped', help: 'h', async collect() { fill(this); } });
        new Gauge({ name: 'queue_depth_own', help: 'h', async collect() { this.set(1); } });
        """,
    )
    assert found["queue_depth_silent", "depth"].fed_by == ()
    assert found["queue_depth_helped", "depth"].fed_by
    assert found["queue_depth_own", "depth"].fed_live, "prom-client itself calls it"


def test_a_wrapper_that_takes_the_callback(tmp_path: Path) -> None:
    found = find(
        tmp_path,
        metrics="""
        import { metrics } from '@opentelemetry/api';
        export class Metrics {
          createObservableGauge(name: string, options: object, callback: (r: any) => Promise<void>) {
            metrics.getMeter('x').createObservableGauge(name, options).addCallback(callback);
          }
        }
        """,
        app="""
        import { Queue } from 'bullmq';
        import { Metrics } from './metrics';
        const queue = new Queue('mail');
        export class Driver {
          constructor(private metrics: Metrics) {}
          start() { this.metrics.createObservableGauge('jobs_left', {}, async (result) => { result.observe(await queue.count()); }); }
        }
        """,
    )
    assert [s.start for s in found["jobs_left", "depth"].fed_by] == [7]


def test_a_counter_of_events_in_a_loop_over_their_names(tmp_path: Path) -> None:
    found = find(
        tmp_path,
        app=QUEUE
        + """
        const queue = new Queue('mail');
        const events = new Counter({ name: 'queue_events_total', help: 'h', labelNames: ['event'] });
        for (const event of ['failed', 'stalled', 'completed']) queue.on(event, () => events.inc({ event }));
        """,
    )
    assert {quantity for name, quantity in found if name == "queue_events_total"} == {"failed", "stalled"}


def test_a_counter_is_no_depth_whatever_its_labels_say(tmp_path: Path) -> None:
    found = find(
        tmp_path,
        app=QUEUE
        + """
        const stale = new Counter({ name: 'stale_jobs_total', help: 'h', labelNames: ['state'] });
        stale.inc({ state: 'waiting' });
        """,
    )
    assert {quantity for name, quantity in found if name == "stale_jobs_total"} == {"other"}


def test_the_values_that_code_gives_to_labels(tmp_path: Path) -> None:
    found = find(
        tmp_path,
        app=QUEUE
        + """
        const names = ['mail', 'payments'];
        const closed = new Gauge({ name: 'queue_closed', help: 'h', labelNames: ['queue', 'state'] });
        const open = new Gauge({ name: 'queue_open', help: 'h', labelNames: ['queue', 'state'] });
        for (const queue of names) {
          closed.set({ queue, state: 'waiting' }, 1);
          closed.labels(queue, 'active').set(1);
          open.set({ queue, state: process.argv[2] }, 1);
        }
        """,
    )
    closed = next(m for (name, _), m in found.items() if name == "queue_closed")
    assert dict(closed.label_values) == {"queue": ("mail", "payments"), "state": ("waiting", "active")}
    open_ = next(m for (name, _), m in found.items() if name == "queue_open")
    assert dict(open_.label_values) == {"queue": ("mail", "payments")}


def test_metrics_that_a_collector_returns_as_plain_objects(tmp_path: Path) -> None:
    found = find(
        tmp_path,
        ("neverCalled",),
        app="""
        import { Queue } from 'bullmq';
        const queue = new Queue('mail');
        async function collect() {
          return [{ name: 'mail_jobs', help: 'h', type: 'gauge', values: [{ labels: { state: 'waiting' }, value: await queue.getWaitingCount() }] }];
        }
        function neverCalled() { return { name: 'queue_depth_dead', help: 'h', type: 'gauge', value: 1 }; }
        const option = { name: 'workers', help: 'how many to start' };
        router.get('/metrics', async (_req, res) => res.send(format(await collect())));
        """,
    )
    jobs = found.get(("mail_jobs", "depth"))
    assert jobs is None or jobs.served is not None
    assert any(name == "mail_jobs" for name, _ in found)
    assert not any(name == "workers" for name, _ in found), "an option of a command line"
    dead = found["queue_depth_dead", "depth"]
    assert not dead.fed_live
    assert dead.served is not None
