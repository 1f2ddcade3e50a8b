"""How long a job's retries go on, against how long a provider remembers an idempotency key."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from auditor.code.model import Effect, Json, Producer

from ._options import choices, number, option

HOUR = 3600.0
WINDOWS_S: Mapping[str, float] = {
    "paypal": 6 * HOUR,
    "brevo": 0.5 * HOUR,
    "resend": 24 * HOUR,
    "stripe": 24 * HOUR,
    "checkout": 24 * HOUR,
}
"""By a word of the package's name; as the providers' documentation says."""


def outlives(jobs: Iterable[Producer], effect: Effect) -> str:
    """A note where the last attempt comes after the provider has forgotten the key; empty where it does not."""
    window = next((seconds for word, seconds in WINDOWS_S.items() if word in effect.package.lower()), None)
    longest = max((horizon_s(job) for job in jobs), default=0.0)
    if window is None or longest <= window:
        return ""
    return f"the last attempt comes {longest / HOUR:.1f} h after the first, but {effect.package} remembers a key for {window / HOUR:g} h: look the result up first"


def horizon_s(job: Producer) -> float:
    """Seconds from the first attempt to the last, by attempts and backoff; the longest where they vary, 0 where not known."""
    tries = max((int(n) for value in choices(option(job.options, "attempts")) if (n := number(value))), default=1)
    waits = [_wait_ms(value, tries) for value in choices(option(job.options, "backoff"))]
    return max(waits, default=0.0) / 1000


def _wait_ms(backoff: Json, tries: int) -> float:
    kind = backoff.get("type") if isinstance(backoff, Mapping) else "fixed"
    delay = number(backoff.get("delay")) if isinstance(backoff, Mapping) else number(backoff)
    if not delay or tries < 2:
        return 0.0
    return delay * (2.0 ** min(tries - 1, 60) - 1) if kind == "exponential" else delay * (tries - 1)
