"""The pages in docs/ say what the program does: generated text is fresh, commands and keys exist, rules are complete."""

from __future__ import annotations

import re
import runpy
from collections.abc import Iterator
from pathlib import Path

import pytest
import redis
import yaml

from auditor import config, plugins
from auditor.code.model import Kind, Role
from auditor.demo.server import private_server
from auditor.demo.signals import Interrupts
from auditor.live.allowlist import ALLOWED
from auditor.reporting import format_of

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"
PAGES = sorted([*DOCS.rglob("*.md"), *(p for name in ("README.md", "CONTRIBUTING.md") if (p := ROOT / name).exists())])

each_page = pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))


def text_of(page: Path) -> str:
    return page.read_text(encoding="utf-8")


def test_the_items_page_is_fresh() -> None:
    written = runpy.run_path(str(DOCS / "generate.py"))["page"]()
    assert text_of(DOCS / "items.md") == written, "run `make docs`"


@each_page
def test_links_between_pages_lead_somewhere(page: Path) -> None:
    prose = re.sub(r"```.*?```", "", text_of(page), flags=re.S)
    for target in re.findall(r"\]\(([^)\s]+)\)", prose):
        if target.startswith(("http", "#", "mailto:")):
            continue
        path, _, anchor = target.partition("#")
        aim = page.parent / path
        assert aim.exists(), f"{page.name} links to {target}"
        if anchor:
            headings = [
                re.sub(r"[^a-z0-9 -]", "", h.lower()).replace(" ", "-")
                for h in re.findall(r"^#+ (.+)$", text_of(aim), re.M)
            ]
            assert anchor in headings or f'id="{anchor}"' in text_of(aim), f"{page.name} links to {target}"


@each_page
def test_fences_are_closed_and_yaml_parses(page: Path) -> None:
    text = text_of(page)
    assert len(re.findall(r"^ *```", text, re.M)) % 2 == 0
    for snippet in re.findall(r"^```yaml\n(.*?)^```", text, re.M | re.S):
        yaml.safe_load(snippet)


@each_page
def test_report_endings_in_commands_exist(page: Path) -> None:
    formats = plugins.formats()
    for name in re.findall(r"tt-audit [^`\n]*?-o ([\w.-]+)", text_of(page)):
        format_of(name, formats)


@each_page
def test_options_in_commands_exist(page: Path) -> None:
    from typer.main import get_command

    from auditor.cli import app

    root = get_command(app)
    known = {option for command in root.commands.values() for parameter in command.params for option in parameter.opts}  # type: ignore[attr-defined]
    known |= {option for parameter in root.params for option in parameter.opts} | {"--help"}
    for line in re.findall(r"tt-audit ((?:scan|list|explain|inventory|demo)[^`\n]*)", text_of(page)):
        for option in re.findall(r"(?<![\w-])--[a-z][a-z-]+", line):
            assert option in known, f"{page.name}: tt-audit {line}"


def test_the_example_configuration_loads(tmp_path: Path) -> None:
    example = re.search(r"^```yaml\n(redis:.*?)^```", text_of(DOCS / "configuration.md"), re.M | re.S)
    assert example
    written = tmp_path / config.FILE_NAME
    written.write_text(example[1], encoding="utf-8")
    loaded = config.load(written, {"REDIS_URL": "redis://localhost:6379"})
    assert loaded.redis == ("redis://localhost:6379",)
    assert loaded.prometheus == "http://prometheus:9090"
    assert loaded.waivers and loaded.attestations and loaded.kinds and loaded.roles and loaded.params
    assert set(yaml.safe_load(example[1])) | {"checklist", "plugins"} == config._TOP, "every key is shown or explained"


def test_every_kind_and_role_is_named() -> None:
    page = text_of(DOCS / "configuration.md")
    assert [word for word in [*Kind, *Role] if f"`{word}`" not in page] == []


def acl_rules(heading: str) -> list[str]:
    page = text_of(DOCS / "redis-acl.md")
    line = next(line for line in page[page.index(heading) :].splitlines() if line.startswith("ACL SETUSER ttaudit"))
    return line.split()[3:]


def test_the_acl_user_may_do_what_the_tool_does_and_nothing_else() -> None:
    granted = {rule[1:] for rule in acl_rules("# A Redis user") if rule.startswith("+")}
    assert granted == {rule for rule in ALLOWED if not rule.startswith("sentinel|")} | {"hello"}


def test_the_sentinel_user_may_ask_sentinels() -> None:
    granted = {rule[1:] for rule in acl_rules("# Sentinel") if rule.startswith("+")}
    assert {rule for rule in ALLOWED if rule.startswith("sentinel|")} < granted <= ALLOWED | {"hello"}


@pytest.fixture
def audited() -> Iterator[redis.Redis]:
    """A real server with the documented user."""
    with (
        private_server(Interrupts()) as socket_path,
        redis.Redis(unix_socket_path=str(socket_path), decode_responses=True) as client,
    ):
        client.execute_command("ACL", "SETUSER", "ttaudit", *acl_rules("# A Redis user"))
        yield client


@pytest.mark.parametrize(
    "command",
    [
        "SET bull:x 1",
        "DEL bull:x",
        "LPUSH bull:x:wait 1",
        "EVAL return(1) 0",
        "FLUSHALL",
        "CONFIG SET maxmemory 1",
        "KEYS *",
        "SHUTDOWN",
        "CLIENT KILL TYPE normal",
        "PUBLISH bull:x 1",
    ],
)
def test_the_documented_user_is_refused_every_write(audited: redis.Redis, command: str) -> None:
    reply = audited.execute_command("ACL", "DRYRUN", "ttaudit", *command.split())
    assert "has no permissions" in str(reply)


@pytest.mark.parametrize(
    "command",
    [
        "HMGET bull:x:1 opts",
        "SCAN 0",
        "INFO",
        "CONFIG GET maxmemory",
        "CLIENT LIST",
        "XREVRANGE bull:x:events + - COUNT 1",
    ],
)
def test_the_documented_user_may_read(audited: redis.Redis, command: str) -> None:
    assert audited.execute_command("ACL", "DRYRUN", "ttaudit", *command.split()) in ("OK", True)
