"""One small program per resolution feature; its marks say what must be seen, and nothing else may be."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.code import support

ENTRY_POINTS = {"dead_code": ("src/main.ts",)}


@pytest.mark.parametrize("case", support.names())
def test_case(case: str, tmp_path: Path) -> None:
    root, model = support.model_of(case, tmp_path, ENTRY_POINTS.get(case, ()))
    expected = support.marks(root)
    sites = {("producer", site.span.path, site.span.start): site for site in model.producers}
    sites |= {("worker", site.span.path, site.span.start): site for site in model.workers}
    wanted = {(kind, path, line) for (path, line), (kind, _) in expected.items()}
    assert set(sites) == wanted
    wrong = []
    for (path, line), (kind, attributes) in expected.items():
        site = sites[kind, path, line]
        for key, value in attributes.items():
            got = support.shown(model, site, key)
            if key == "handler" and ":" not in value:
                got = got.rsplit(":", 1)[0]
            if value not in ("?", got) or (value == "?" and key == "queue" and got != "?"):
                wrong.append(f"{path}:{line} {key}: expected {value}, got {got}")
    assert not wrong, "\n".join(wrong)
