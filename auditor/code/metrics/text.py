"""Metrics in Prometheus' text format that code puts together by hand: `# TYPE` lines, and samples with a value filled in."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

from auditor.code.metrics.feeds import function_at
from auditor.code.metrics.quantities import quantities_of
from auditor.code.metrics.quantity import of_name
from auditor.code.model import Metric, Quantity
from auditor.code.syntax.facts import Function, Module
from auditor.model import CodeSpan

_SAMPLE = re.compile(r"`([a-zA-Z_:][\w:]*)\{\w+=\"[^`\n]*\"\} \$\{")
_TYPE_LINE = re.compile(r"# TYPE ([a-zA-Z_:][\w:]*) (gauge|counter|histogram|summary)")


def metrics(
    module: Module, is_live: Callable[[Module, Function | None], bool], service_of: Callable[[str], str]
) -> Iterator[Metric]:
    """Every metric that a file prints itself: it feeds and serves what it prints."""
    for name, kind, line, samples in _printed(module):
        live = is_live(module, function_at(module, line))
        span = CodeSpan(module.path, line, line)
        labels = tuple(
            dict.fromkeys(label for sample in samples for label in re.findall(r"(\w+)=\\?[\"$]", sample.split("}")[0]))
        )
        quantities: dict[Quantity, None] = {}
        for sample in samples:
            picked = re.findall(r"=\\?\"(\w[\w-]*)\\?\"", sample.split("}")[0])
            own = quantities_of(name, picked, [sample.partition("}")[2] or sample]) or (of_name(name, picked),)
            quantities.update(dict.fromkeys(own))
        for quantity in quantities or {of_name(name): None}:
            yield Metric(
                name,
                span,
                quantity,
                kind,
                labels=labels or ("*",),
                fed_by=(span,) if samples else (),
                fed_live=bool(samples) and live,
                served=span,
                served_live=live,
                by_name=not samples,
                service=service_of(module.path),
            )


def _printed(module: Module) -> Iterator[tuple[str, str, int, list[str]]]:
    """(name, kind, line, samples as written) of each metric in the file's texts."""
    if b"# TYPE " not in module.source and b"} ${" not in module.source:
        return
    text = module.source.decode("utf-8", "replace")
    written = text.replace("\\n", " \n")  # a line's end within a string
    kinds = {match[1]: (match[2], text.count("\n", 0, match.start()) + 1) for match in _TYPE_LINE.finditer(text)}
    for match in _SAMPLE.finditer(text):
        kinds.setdefault(match[1], ("gauge", text.count("\n", 0, match.start()) + 1))
    for name, (kind, line) in kinds.items():
        samples = re.findall(
            rf"\b{re.escape(name)}(?:_(?:sum|count|bucket))?(?:\{{[^\n]*\}})?\s+(?:\$\{{|['\"`]\s*\+)[^\n]*", written
        )
        yield name, kind, line, samples
