"""What a live server does with data (88, 89, 90, 95): eviction, limit, persistence. Pure judges, a server each."""

from __future__ import annotations

from auditor.live.model import Refused, Server
from auditor.live.server_model import Memory, Persistence
from auditor.model import Confidence, Severity, Status

from ._server import Judged, age, size


def maxmemory_policy(server: Server, policy: str) -> Judged:
    """88: CONFIG's word, or INFO's where CONFIG is refused. Evictions since the start are cited."""
    judged = Judged(server)
    memory, said = server.memory, server.setting("maxmemory-policy")
    evicted = memory.evicted_keys if isinstance(memory, Memory) else None
    if isinstance(said, str) and said:
        proof = judged.shown("CONFIG GET maxmemory-policy", said, policy)
    elif isinstance(memory, Memory) and memory.policy:
        proof = judged.shown("INFO memory", f"maxmemory_policy:{memory.policy}", policy)
        said = memory.policy
    else:
        judged.refused(
            memory if isinstance(memory, Refused) else Refused("INFO memory", "it shows no maxmemory_policy")
        )
        return judged
    counted = [judged.shown("INFO stats", f"evicted_keys:{evicted}", "0")] if evicted else []
    if said == policy:
        judged.hold(proof)
        if counted:
            judged.note(f"{evicted:,} keys were evicted since the start, under another policy", *counted)
        return judged
    gone = f"; {evicted:,} keys are gone already" if evicted else ""
    why = "evicts the locks of running jobs" if said.startswith("volatile") else "evicts jobs"
    judged.fail(
        f"{said} {why} when memory is full{gone}",
        proof,
        *counted,
        fix=f"CONFIG SET maxmemory-policy {policy}",
    )
    return judged


def maxmemory(server: Server, max_used_percent: int, max_system_percent: int) -> Judged:
    """89: a limit, room below it, and room above it for the system and a fork."""
    judged = Judged(server)
    memory = server.memory
    if isinstance(memory, Refused):
        judged.refused(memory)
    elif memory.maxmemory is None:
        judged.open("Redis does not show its limit")
    elif memory.maxmemory == 0 and server.managed:
        judged.open(f"{server.managed} has its own limit, which Redis does not show: see the provider's console")
    elif memory.maxmemory == 0:
        judged.fail(
            "no maxmemory: Redis grows until the system kills it",
            judged.shown("INFO memory", "maxmemory:0", "above 0"),
        )
    else:
        _against_limit(judged, memory, memory.maxmemory, max_used_percent, max_system_percent)
    return judged


def _against_limit(judged: Judged, memory: Memory, limit: int, max_used: int, max_system: int) -> None:
    system, used = memory.system_total, memory.used
    stated = judged.shown("INFO memory", f"maxmemory:{limit} ({size(limit)})")
    before = len(judged.findings)
    if system and limit > system * max_system / 100:
        whole = judged.shown(
            "INFO memory", f"total_system_memory:{system} ({size(system)})", f"maxmemory at most {max_system} %"
        )
        judged.fail(
            f"maxmemory {size(limit)} is {limit / system:.0%} of the machine's {size(system)}",
            stated,
            whole,
            symbol="system",
        )
    elif system and limit > system * 0.75 and _forks(judged.server):
        whole = judged.shown(
            "INFO memory", f"total_system_memory:{system}", "room for a fork", confidence=Confidence.LIKELY
        )
        judged.fail(
            f"maxmemory {size(limit)} leaves {size(system - limit)} for the fork of a save",
            stated,
            whole,
            severity=Severity.MEDIUM,
            symbol="fork",
        )
    if used is not None and used > limit * max_used / 100:
        full = judged.shown("INFO memory", f"used_memory:{used} ({size(used)})", f"at most {max_used} % of maxmemory")
        judged.fail(f"{used / limit:.0%} of maxmemory is used", stated, full, symbol="used")
    if memory.oom_errors:
        judged.note(
            f"Redis refused {memory.oom_errors:,} writes for lack of memory since its start",
            judged.shown("INFO errorstats", f"errorstat_OOM:count={memory.oom_errors}"),
        )
    if len(judged.findings) == before or all(f.status is Status.PASS for f in judged.findings):
        judged.hold(
            stated,
            *([judged.shown("INFO memory", f"used_memory:{used} ({used / limit:.0%})")] if used is not None else []),
        )


def _forks(server: Server) -> bool:
    kept = server.persistence
    saves = server.setting("save")
    return (isinstance(kept, Persistence) and kept.aof_enabled is True) or (isinstance(saves, str) and bool(saves))


def persistence(server: Server) -> Judged:
    """90: AOF, or save points whose last save succeeded in time."""
    judged = Judged(server)
    kept = server.persistence
    if isinstance(kept, Refused):
        judged.refused(kept)
    elif not kept.known:
        judged.open(f"Redis hides its persistence: {server.managed or server.product}: see the provider's console")
    elif kept.aof_enabled:
        _append_only(judged, kept)
    else:
        _snapshots(judged, kept)
    return judged


def _append_only(judged: Judged, kept: Persistence) -> None:
    fsync = judged.server.setting("appendfsync")
    on = judged.shown("INFO persistence", "aof_enabled:1")
    if fsync == "no":
        judged.fail(
            "appendfsync no leaves it to the system when jobs reach the disk",
            on,
            judged.shown("CONFIG GET appendfsync", "no", "everysec"),
            symbol="appendfsync",
        )
    if kept.aof_write_ok is False:
        judged.fail(
            "the last write to the append-only file failed",
            on,
            judged.shown("INFO persistence", "aof_last_write_status:err", "ok"),
            symbol="write",
        )
    if kept.aof_rewrite_ok is False:
        judged.fail(
            "the last rewrite of the append-only file failed",
            on,
            judged.shown("INFO persistence", "aof_last_bgrewrite_status:err", "ok"),
            symbol="rewrite",
        )
    if not judged.findings:
        judged.hold(on, *([judged.shown("CONFIG GET appendfsync", fsync)] if isinstance(fsync, str) else []))


def _snapshots(judged: Judged, kept: Persistence) -> None:
    server = judged.server
    saves = server.setting("save")
    off = judged.shown("INFO persistence", "aof_enabled:0")
    if saves is None or isinstance(saves, Refused):
        why = saves.label() if isinstance(saves, Refused) else "no such setting"
        judged.open(f"AOF is off, and whether snapshots are scheduled can't be seen ({why})", off)
        return
    points = judged.shown("CONFIG GET save", f'"{saves}"')
    if not saves.strip():
        judged.fail(
            "Redis has neither AOF nor save points: a restart loses every job",
            off,
            points,
            fix="CONFIG SET appendonly yes",
        )
        return
    if kept.rdb_save_ok is False:
        judged.fail(
            "the last save failed",
            points,
            judged.shown("INFO persistence", "rdb_last_bgsave_status:err", "ok"),
            symbol="save",
        )
        return
    longest = max((int(part) for part in saves.split()[::2] if part.isdecimal()), default=0)
    since = (server.time_ms - kept.rdb_last_save_ms) // 1000 if kept.rdb_last_save_ms else None
    if since is not None and kept.rdb_changes and longest and since > 2 * longest:
        late = judged.shown(
            "INFO persistence",
            f"rdb_last_save_time: {since:,} s ago, {kept.rdb_changes:,} changes since",
            f"at most {2 * longest:,} s",
        )
        judged.fail(f"{kept.rdb_changes:,} changes are unsaved for {age(since)}", points, late, symbol="late")
        return
    judged.hold(points, judged.shown("INFO persistence", "rdb_last_bgsave_status:ok"))
    judged.note(
        f"Redis keeps snapshots alone: a crash loses up to {age(longest)} of jobs; AOF loses one second", points
    )


def last_save(server: Server) -> Judged:
    """95: a save on the same disk is no backup; it is cited, and decides nothing."""
    judged, kept = Judged(server), server.persistence
    if isinstance(kept, Persistence) and kept.rdb_last_save_ms:
        since = max(server.time_ms - kept.rdb_last_save_ms, 0) // 1000
        shown = judged.shown("INFO persistence", f"rdb_last_save_time: {age(since)} ago")
        judged.note(f"Redis saved to its own disk {age(since)} ago, which is no backup by itself", shown)
    return judged
