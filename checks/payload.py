"""What is put into a job: shape, secrets, size (items 8, 9, 10)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import partial

from auditor.code.model import CodeModel, Json, OptionState, Producer
from auditor.live.model import LiveRedis
from auditor.model import CodeSpan, Confidence, Verdict
from auditor.probes import probe

from . import _live
from ._options import described, number, option
from ._sensitive import sensitive_key
from ._sources import join
from ._subjects import Judged, bad, by_producer, good, subject_of, unsure


@dataclass(frozen=True, slots=True)
class Size:
    """The largest payload that is still reasonable."""

    max_bytes: int = 102_400


@probe("producer.serializable")
def serializable(code: CodeModel | None, live: LiveRedis | None) -> Verdict:
    """Job data survives JSON: no BigInt, function, Map, Set, class instance, Buffer, stream, Error, request or response."""
    return join(code, live, by_producer(_serializable, "the data of all {n} producers is plain"), _live.serializable)


@probe("payload.sensitive")
def sensitive(code: CodeModel | None, live: LiveRedis | None) -> Verdict:
    """No key of job data names a password, secret, token, private key, card or social security number, unless encrypted.

    Identifiers of such things (`tokenId`, `tokenAmount`, `paymentToken`) are none, nor is a key whose values all come from
    what is public or a digest by its own name (`apiKey: account.publicKey`). Redis: the same keys, and values.
    """
    return join(code, live, by_producer(_sensitive, "no sensitive key in the data of {n} producers"), _live.sensitive)


@probe("payload.size")
def size(code: CodeModel | None, live: LiveRedis | None, most: Size) -> Verdict:
    """Job data stays below 100 KB. Code shows what is surely too much (file contents, attachments), Redis the real sizes."""
    held = f"the largest sampled data is below {most.max_bytes} bytes"
    return join(
        code, live, by_producer(partial(_sized, most=most), held), partial(_live.size, max_bytes=most.max_bytes)
    )


def _serializable(_: CodeModel, job: Producer) -> Judged:
    name = subject_of(job).name
    if job.unserializable:
        key, what, span = job.unserializable[0]
        more = f" (and {len(job.unserializable) - 1} more)" if len(job.unserializable) > 1 else ""
        return bad(
            f"{name}: {key or 'its data'} is {what}, which JSON loses{more}",
            f"{key}: {what}",
            expected="strings, numbers, booleans, null, plain objects and arrays",
            related=tuple(span for _, _, span in job.unserializable),
            place=span,
            confidence=Confidence.LIKELY,
        )
    keys = data_keys(job)
    if job.data.why == "parsed JSON":
        return good(f"{name}: its data is parsed JSON", confidence=Confidence.LIKELY)
    if job.data.state is OptionState.UNKNOWN and not keys:
        return unsure(f"{name}: the shape of its data could not be resolved; a Redis URL shows what is enqueued")
    shape = ", ".join(key for key, _ in keys[:8]) or "no data"
    return good(f"data: {shape}", confidence=Confidence.LIKELY)


def _sensitive(_: CodeModel, job: Producer) -> Judged:
    name, keys = subject_of(job).name, data_keys(job)
    shown = {*job.encrypted, *job.public}
    clear = [(key, span) for key, span in keys if key not in shown and not _blank(job.data.value, key)]
    hits = [(key, word, span) for key, span in clear if (word := sensitive_key(key))]
    if hits:
        key, word, span = hits[0]
        more = f" (and {', '.join(k for k, _, _ in hits[1:4])})" if len(hits) > 1 else ""
        return bad(
            f"{name} puts {key} into the job in clear{more}: whoever reads Redis or a dashboard has it",
            f"data key {key} ({word})",
            expected="left out, looked up by the handler, or encrypted",
            related=tuple(span for _, _, span in hits),
            place=span if span.path == job.span.path else None,
            confidence=Confidence.LIKELY,
            fix=f"enqueue an id and let the handler read {key}, or encrypt it",
        )
    if job.data.state is OptionState.UNKNOWN and not keys:
        return unsure(f"{name}: the keys of its data could not be resolved; a Redis URL shows them")
    shape = ", ".join(key for key, _ in keys[:8]) or "no data"
    return good(f"data: {shape}", confidence=Confidence.LIKELY)


def _sized(_: CodeModel, job: Producer, most: Size) -> Judged:
    name, limit = subject_of(job).name, option(job.options, "sizeLimit")
    if job.bulky:
        key, what, span = job.bulky[0]
        return bad(
            f"{name}: {key or 'its data'} holds {what}: put it into storage and enqueue the key",
            f"{key}: {what}",
            expected=f"below {most.max_bytes} bytes",
            related=tuple(span for _, _, span in job.bulky),
            place=span,
            confidence=Confidence.LIKELY,
        )
    bound = number(limit.value)
    if limit.state is OptionState.KNOWN and bound is not None and bound <= most.max_bytes:
        return good(described("sizeLimit", limit))
    return unsure(f"{name}: code does not bound the size of its data; a Redis URL shows real sizes")


def data_keys(job: Producer) -> list[tuple[str, CodeSpan]]:
    """Key paths of the data with their places: as declared, else as the literal shows."""
    named = list(job.data_keys)
    known = {key for key, _ in named}
    where = job.data.origin or job.span
    return named + [(key, where) for key in _paths(job.data.value) if key not in known]


def _blank(value: Json, path: str) -> bool:
    """Whether the data holds an empty string, or yes or no, at a key path: no secret, whatever the key is called."""
    for part in path.split("."):
        if not isinstance(value, Mapping) or part not in value:
            return False
        value = value[part]
    return value == "" or isinstance(value, bool)


def _paths(value: Json, before: str = "", depth: int = 0) -> Iterator[str]:
    if depth > 6:
        return
    if isinstance(value, Mapping):
        for key, member in value.items():
            path = f"{before}.{key}" if before else key
            yield path
            yield from _paths(member, path, depth + 1)
    elif isinstance(value, tuple):
        for member in value:
            yield from _paths(member, before, depth + 1)
