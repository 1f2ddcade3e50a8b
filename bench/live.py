"""What a live scan costs: `python bench/live.py [--queues N] [--jobs N] [--five-million] [--json FILE]`.

Builds queues as BullMQ 5 leaves them on a private redis-server, then measures side by side, in one run:

- the scan with queue names known from code and no search (`--max-keys 0`), with as many jobs in all as there are queues
  (`--max-jobs 1000`: the newest that ended of each), and at the depth that a scan has unless told otherwise;
- the scan that searches by SCAN, at that same depth;
- `redis-cli --bigkeys`.

For each: wall time, CPU time of the server less what another client costs it, how long that client's GET took meanwhile,
and what was read. Scans of known queues run three times, the median counts. `times less` compares the server's CPU with
that of `--bigkeys`. Default: 1,000 queues, 1,000,000 jobs (1.6 GB of memory); five million take 8 GB.
"""

from __future__ import annotations

import argparse
import json
import resource
import shutil
import statistics
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from auditor.live.address import parse
from auditor.live.budget import Budget
from auditor.live.collect import collect
from auditor.live.model import LiveRedis
from tests.support.redis_server import RunningServer, redis_server


@dataclass(slots=True)
class Cost:
    """One row of the table; times in seconds, latencies in ms."""

    name: str
    wall: float = 0.0
    server_cpu: float = 0.0
    times_less: float = 0.0
    own_cpu: float = 0.0
    p50: float = 0.0
    p99: float = 0.0
    worst: float = 0.0
    commands: int = 0
    jobs: int = 0
    keys: int = 0
    queues: int = 0
    pings: list[float] = field(default_factory=list, repr=False)


def fill(server: RunningServer, queues: int, jobs: int) -> None:
    """`jobs` in all, evenly over the queues: a fifth waits, the rest is completed or failed."""
    each = max(jobs // queues, 1)
    data = json.dumps({"orderId": "o-123456", "userId": 42, "items": [{"sku": "A-1", "qty": 2}] * 6, "note": "x" * 300})
    with server.client() as client:
        for queue in range(queues):
            stem = f"bull:queue-{queue:04}:"
            with client.pipeline(transaction=False) as pipe:
                pipe.hset(f"{stem}meta", mapping={"opts.maxLenEvents": 10000, "version": "bullmq:5.81.5"})
                pipe.set(f"{stem}id", each)
                for job in range(each):
                    at = 1_700_000_000_000 + job
                    fields = {
                        "name": f"job-{job % 3}",
                        "data": data,
                        "opts": '{"attempts":3,"backoff":{"type":"fixed","delay":1000}}',
                        "timestamp": at,
                        "delay": 0,
                        "priority": 0,
                    }
                    if job % 5 == 0:
                        pipe.lpush(f"{stem}wait", job)
                    else:
                        fields |= {"processedOn": at, "finishedOn": at + 50, "atm": 1, "returnvalue": "null"}
                        pipe.zadd(f"{stem}{'failed' if job % 50 == 1 else 'completed'}", {str(job): at})
                    pipe.hset(f"{stem}{job}", mapping=fields)
                for event in range(20):
                    pipe.xadd(f"{stem}events", {"event": "completed", "jobId": str(event), "returnvalue": "null"})
                pipe.execute()


@contextmanager
def measured(server: RunningServer, name: str) -> Iterator[Cost]:
    """Wall and CPU of a block, with a client that GETs all the while."""
    cost, stop = Cost(name), threading.Event()
    pings = subprocess.Popen(
        [sys.executable, __file__, "--ping", str(server.socket)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert pings.stdout is not None
    pings.stdout.readline()
    before, own, began = _cpu(server), time.process_time(), time.monotonic()
    try:
        yield cost
    finally:
        cost.wall = time.monotonic() - began
        cost.own_cpu = time.process_time() - own
        cost.server_cpu = _cpu(server) - before
        said, _ = pings.communicate("stop\n")
        cost.pings = json.loads(said)
        stop.set()
        if len(cost.pings) > 1:
            cost.p50, cost.p99, cost.worst = (
                statistics.median(cost.pings),
                statistics.quantiles(cost.pings, n=100)[98],
                max(cost.pings),
            )


def ping(path: str) -> None:
    """The other client: GETs until told to stop, then prints its latencies in ms."""
    import redis  # noqa: PLC0415  # the measuring process alone needs it

    latencies: list[float] = []
    client = redis.Redis(unix_socket_path=path)
    client.get("nothing")
    print("ready", flush=True)
    over = threading.Event()
    threading.Thread(target=lambda: (sys.stdin.readline(), over.set()), daemon=True).start()
    while not over.is_set():
        began = time.perf_counter()
        client.get("nothing")
        latencies.append((time.perf_counter() - began) * 1000)
        time.sleep(0.001)
    print(json.dumps(latencies))


def scan(server: RunningServer, cost: Cost, names: list[str], budget: Budget) -> LiveRedis:
    """One collect, its figures into the row."""
    live = collect([parse(server.url)], names=lambda: names, budget=budget, deadline=time.monotonic() + 600)
    cost.commands, cost.jobs, cost.keys, cost.queues = (
        sum(live.report.commands.values()),
        sum(len(queue.sampled) for queue in live.queues),
        live.report.keys_scanned,
        len(live.queues),
    )
    return live


def main() -> None:
    """Fill, measure, print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--queues", type=int, default=1000)
    parser.add_argument("--jobs", type=int, default=1_000_000)
    parser.add_argument(
        "--five-million", dest="jobs", action="store_const", const=5_000_000, help="5,000,000 jobs: 8 GB of memory"
    )
    parser.add_argument("--json", type=Path)
    parser.add_argument("--ping", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.ping:
        ping(options.ping)
        return
    rows: list[Cost] = []
    with redis_server() as server:
        began = time.monotonic()
        fill(server, options.queues, options.jobs)
        with server.client() as client:
            facts = client.info()
        print(
            f"{options.queues:,} queues, {options.jobs:,} jobs, {facts['used_memory'] / 1e9:.2f} GB, redis {facts['redis_version']}, filled in {time.monotonic() - began:.0f} s"
        )
        names = [f"queue-{queue:04}" for queue in range(options.queues)]
        known = Budget(commands=10_000_000, keys=0, seconds=600)
        thin = replace(known, jobs=options.queues, each_state=False)
        steps: list[tuple[str, int, Callable[[Cost], object]]] = [
            ("nothing (1 s)", 1, lambda _: time.sleep(1)),
            ("tt-audit, queues known, 1 job each", 3, lambda cost: scan(server, cost, names, thin)),
            ("tt-audit, queues known, default depth", 3, lambda cost: scan(server, cost, names, known)),
            ("tt-audit, discovery by SCAN", 1, lambda cost: scan(server, cost, [], replace(known, keys=50_000_000))),
        ]
        if cli := shutil.which("redis-cli"):
            steps.append(
                (
                    "redis-cli --bigkeys",
                    1,
                    lambda _: subprocess.run(
                        [cli, "-s", str(server.socket), "--bigkeys"], capture_output=True, check=True
                    ),
                )
            )
        for name, times, step in steps:
            runs = []
            for _ in range(times):
                with measured(server, name) as cost:
                    step(cost)
                runs.append(cost)
            rows.append(sorted(runs, key=lambda run: run.server_cpu)[times // 2])
    # by its GETs, not by the time: on a busy machine that client gets to fewer of them
    idle = rows[0].server_cpu / len(rows[0].pings)
    for row in rows:
        row.server_cpu = max(row.server_cpu - idle * len(row.pings), 0.0)
        row.times_less = rows[-1].server_cpu / row.server_cpu if row.server_cpu > 0.0001 else 0.0
    _print(rows)
    if options.json:
        options.json.write_text(
            json.dumps([{k: v for k, v in asdict(row).items() if k != "pings"} for row in rows], indent=1),
            encoding="utf-8",
        )


def _print(rows: list[Cost]) -> None:
    print(
        f"{'':38} {'wall s':>8} {'server CPU s':>13} {'times less':>10} {'own CPU s':>10} {'p50 ms':>7} {'p99 ms':>7} {'max ms':>7} {'commands':>9} {'jobs':>7} {'keys':>10} {'queues':>7}"
    )
    for row in rows:
        print(
            f"{row.name:38} {row.wall:8.2f} {row.server_cpu:13.3f} {row.times_less:10.0f} {row.own_cpu:10.2f} {row.p50:7.2f} {row.p99:7.2f} {row.worst:7.1f} {row.commands:9,} {row.jobs:7,} {row.keys:10,} {row.queues:7,}"
        )
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(f"peak memory of this process: {peak:.0f} MB")


def _cpu(server: RunningServer) -> float:
    # the kernel's own count, in ns: INFO's would need a command, and /proc/PID/stat counts in steps of 10 ms
    return int(Path(f"/proc/{server.pid}/schedstat").read_text(encoding="ascii").split()[0]) / 1e9


if __name__ == "__main__":
    main()
