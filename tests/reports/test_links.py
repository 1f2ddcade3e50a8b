"""Addresses of places: on disk, on the web, in the repository."""

from __future__ import annotations

from dataclasses import replace

import pytest

from auditor import plugins
from auditor.model import CodeSpan, FilePlace, Place, RedisPlace, Report, Targets, TreeTarget
from auditor.reporting import RenderOptions
from tests.reports import sample

plugins.mount("reports")

from auditor.reports._build import place_view  # noqa: E402
from auditor.reports._links import file_url, is_web, repository_path, web_url  # noqa: E402

CODE = CodeSpan("src/a b.ts", 7)
CONF = FilePlace("redis.conf")


def scan_of(code: tuple[str, ...], infra: tuple[str, ...] = ()) -> Report:
    trees = [tuple(TreeTarget(path, commit="abc123") for path in paths) for paths in (code, infra)]
    return replace(sample.report(), targets=Targets(code=trees[0], infra=trees[1]))


@pytest.mark.parametrize(
    ("place", "code", "infra", "path"),
    [
        (CODE, ("backend/api",), (), "backend/api/src/a b.ts"),
        (CODE, (".",), (), "src/a b.ts"),
        (CODE, ("/repo/backend",), ("/repo",), "backend/src/a b.ts"),
        (CODE, ("/repo/backend",), (), "src/a b.ts"),
        (CODE, ("one", "two"), (), "src/a b.ts"),
        (CONF, ("backend",), ("/repo",), "redis.conf"),
        (CONF, ("backend",), ("infra",), "infra/redis.conf"),
        (FilePlace("/etc/redis.conf"), ("backend",), ("infra",), "/etc/redis.conf"),
        (RedisPlace("redis://h", "k"), ("backend",), (), ""),
    ],
)
def test_repository_path(place: Place, code: tuple[str, ...], infra: tuple[str, ...], path: str) -> None:
    assert repository_path(place_view(place), scan_of(code, infra)) == path


def test_file_urls_need_a_folder_and_are_quoted() -> None:
    report = scan_of(("backend",), ("/repo",))
    assert file_url(place_view(CODE), report, RenderOptions()) == ""
    assert (
        file_url(place_view(CODE), report, RenderOptions(base="/repo/backend")) == "file:///repo/backend/src/a%20b.ts#7"
    )
    assert file_url(place_view(CONF), report, RenderOptions(base="/repo/backend")) == "file:///repo/redis.conf"
    assert file_url(place_view(RedisPlace("redis://h", "k")), report, RenderOptions(base="/repo")) == ""


def test_web_urls_fill_the_template_and_nothing_but_http_is_one() -> None:
    report = scan_of(("backend",))
    options = RenderOptions(source_url="https://host/{commit}/{path}#L{line}")
    assert web_url(place_view(CODE), report, options) == "https://host/abc123/backend/src/a%20b.ts#L7"
    assert web_url(place_view(CODE), report, RenderOptions(source_url="javascript:{path}")) == ""
    assert web_url(place_view(CODE), report, RenderOptions()) == ""


@pytest.mark.parametrize(
    "reference",
    ["javascript:alert(1)", "data:text/html,x", "https://a b", 'https://a"b', "ftp://x", "audit document 1.2"],
)
def test_what_is_no_web_address(reference: str) -> None:
    assert not is_web(reference)
