"""Whether a job's id stops a duplicate (item 7)."""

from __future__ import annotations

import re

from auditor.code.model import ABSENT, CodeModel, Kind, KindBy, Option, OptionState, Producer
from auditor.live.model import LiveRedis
from auditor.model import Confidence, Verdict
from auditor.probes import probe

from . import _live
from ._options import choices, described, option, places, sureness
from ._sources import join
from ._subjects import Judged, bad, by_producer, good, subject_of, unsure
from ._versions import at_least, is_bull, library_of

COSTLY = frozenset({Kind.PAYMENT, Kind.REFUND, Kind.NFT, Kind.EMAIL, Kind.TRANSFER})
"""Kinds whose doubling costs money or trust."""


@probe("producer.job_id")
def job_id(code: CodeModel | None, live: LiveRedis | None) -> Verdict:
    """Jobs of payment, refund, mint, e-mail and transfer kinds carry an id made of business values only.

    `jobId` or `deduplication.id`; a scheduler's own id counts. None, or one made of a clock, uuid, random or counter,
    fails. So does an id of any kind that the governing version throws on: a plain integer from BullMQ 5.0, a colon
    (other than exactly two) from 5.58.7.
    """
    return join(code, live, job_ids, _live.job_ids, decides=False)


def job_ids(code: CodeModel) -> Verdict:
    """The verdict of item 7 from code alone, for items that rest on it."""
    return by_producer(_identified, "every job that must not run twice has a deterministic id")(code)


def _identified(_: CodeModel, job: Producer) -> Judged | None:
    if job.dead_letter:
        return None
    name, found = subject_of(job).name, _id(job)
    refused = _refused(job, found)
    if refused:
        return bad(f"{name}: {refused}", _told(job, found), related=places(found), confidence=sureness(found, job.span))
    if job.kind not in COSTLY:
        return good(f"{name}: a job of kind {job.kind.value} needs no id of its own")
    return _costly(job, name, found)


def _costly(job: Producer, name: str, found: Option) -> Judged:
    if job.scheduler is not None:
        return good(
            described("scheduler id", job.scheduler),
            confidence=sureness(job.scheduler, job.span),
            related=places(job.scheduler),
        )
    if job.job_id is True:
        return good(_told(job, found), confidence=sureness(found, job.span), related=places(found))
    by = (
        ""
        if job.kind_by is KindBy.CONFIG
        else f" (told by its {'handler' if job.kind_by is KindBy.ROLES else 'names'})"
    )
    what = f"{name}, a job of kind {job.kind.value}{by},"
    if found.state is OptionState.ABSENT:
        return bad(
            f"{what} has no jobId: enqueued twice, it runs twice",
            "jobId: not set",
            expected="jobId or deduplication.id made of business values",
            confidence=Confidence.LIKELY,
            fix=_fix(job),
        )
    if job.job_id is False or None in choices(found):
        made = f" ({', '.join(job.job_id_parts)})" if job.job_id_parts else ""
        why = "is new at every call" if job.job_id is False else "is missing at some call sites"
        return bad(
            f"{what} has a jobId that {why}{made}: it stops no duplicate",
            _told(job, found),
            expected="only business values: no clock, uuid, random, counter",
            related=places(found),
            confidence=sureness(found, job.span),
            fix=_fix(job),
        )
    return unsure(
        f"{what}: whether its jobId is the same at a second call could not be resolved",
        _told(job, found),
        related=places(found),
    )


def _id(job: Producer) -> Option:
    """The option that identifies the job: its id, else its deduplication."""
    for name in ("jobId", "deduplication", "deduplication.id", "debounce"):
        if option(job.options, name).state is not OptionState.ABSENT:
            return option(job.options, name)
    return ABSENT


def _told(job: Producer, found: Option) -> str:
    if job.job_id_parts:
        return f"jobId made of {', '.join(job.job_id_parts)}"
    return described("jobId", found)


def _refused(job: Producer, found: Option) -> str:
    """Why the governing version throws on this id; empty when it does not, or when it can't be told."""
    if is_bull(job) or option(job.options, "jobId").state is OptionState.ABSENT:
        return ""
    for text in _texts(job, found):
        if re.fullmatch(r"\d+", text) and at_least(job, 5):
            return f"its jobId is a plain integer, which {library_of(job)} refuses: the job is never enqueued"
        if ":" in text and text.count(":") != 2 and at_least(job, 5, 58, 7):
            return (
                f"its jobId has {text.count(':')} colon(s), which {library_of(job)} refuses: the job is never enqueued"
            )
    return ""


def _texts(job: Producer, found: Option) -> list[str]:
    """The id's constant text, where code shows it: literals, and a template's fixed parts joined."""
    texts = [value for value in choices(found) if isinstance(value, str)]
    texts += [str(value) for value in choices(found) if isinstance(value, int) and not isinstance(value, bool)]
    fixed = [part[1:-1] for part in job.job_id_parts if len(part) > 1 and part[0] == part[-1] == "'"]
    if fixed and len(fixed) == len(job.job_id_parts):
        return texts + fixed
    return [*texts, "x".join(fixed) + "x"] if fixed else texts


def _fix(job: Producer) -> str:
    given = "data" if is_bull(job) else "name, data"
    return f"```ts\nawait queue.add({given}, {{ jobId: `charge-${{orderId}}` }})\n```"
