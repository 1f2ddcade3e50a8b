"""Wrong usage: a clear message (what, where, what next), exit code 2, and nothing scanned."""

from __future__ import annotations

from pathlib import Path

import pytest

from .support import tt_audit


def test_no_source_at_all_says_what_to_give(tmp_path: Path) -> None:
    ran = tt_audit("scan", cwd=tmp_path)
    assert ran.code == 2
    assert "nothing to scan" in ran.err
    for way in ("redis://", "--code", "--infra", "--prometheus", "REDIS_URL", "tt-audit.yaml"):
        assert way in ran.err


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["--format", "pdf"], "--format pdf: no such format"),
        (["-o", "report.pdf"], "no report format has this ending"),
        (["-o", "none/report.html"], "its folder does not exist"),
        (["--only", "200"], "'200' names no item"),
        (["--only", "Kafka"], "'Kafka' names no item"),
        (["--fail-on", "terrible"], "terrible"),
        (["--timeout", "soon"], "Invalid value for '--timeout'"),
        (["--frobnicate"], "frobnicate"),
        (["--config", "none.yaml"], "none.yaml: no such file"),
        (["--checklist", "none.yaml"], "none.yaml: no such file"),
        (["--plugins", "none"], "no such folder"),
        (["--baseline", "none.json"], "not a tt-audit JSON report"),
        (["--password-file", "none", "redis://db"], "No such file"),
        (["--password-stdin", "redis://db"], "standard input is empty"),
        (["http://db:6379"], "scheme"),
        (["redis://db:port"], "port"),
        (["redis://db/zero"], "database"),
    ],
)
def test_wrong_options_are_told(tmp_path: Path, arguments: list[str], says: str) -> None:
    (tmp_path / "code").mkdir()
    ran = tt_audit("scan", "--code", "code", *arguments, cwd=tmp_path)
    assert ran.code == 2, ran.err
    assert says in ran.err
    assert ran.out == ""


def test_an_invalid_configuration_is_told_with_its_lines(tmp_path: Path) -> None:
    (tmp_path / "tt-audit.yaml").write_text("reddis: redis://db\ngate: {fail_on: yes}\n")
    ran = tt_audit("scan", "--code", ".", cwd=tmp_path)
    assert ran.code == 2
    assert "tt-audit.yaml:1" in ran.err
    assert "did you mean redis?" in ran.err
    assert "tt-audit.yaml:2" in ran.err


def test_the_version_and_help(tmp_path: Path) -> None:
    assert tt_audit("--version").out.startswith("tt-audit ")
    shown = tt_audit("scan", "--help", env={"COLUMNS": "160", "NO_COLOR": "1"})
    assert shown.code == 0
    for option in ("--code", "--infra", "--only", "--fail-on", "--fail-on-unverified", "--password-stdin", "--output"):
        assert option in shown.out


def test_a_bare_fail_on_unverified_is_taken(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    ran = tt_audit("scan", "--infra", "empty", "--fail-on-unverified", "--format", "json", cwd=tmp_path)
    assert ran.report()["gate"]["policy"].endswith("unverified items fail unless their source was not given")


def test_explain_takes_numbers_ids_and_words() -> None:
    by_number, by_id, by_word = (tt_audit("explain", word).out for word in ("88", "TT088", "noeviction"))
    assert by_number == by_id == by_word
    assert "TT088" in by_number
    unknown = tt_audit("explain", "kafka")
    assert (unknown.code, "names no item" in unknown.err) == (2, True)


def test_list_shows_all_items() -> None:
    ran = tt_audit("list")
    assert ran.code == 0
    assert sum(line.lstrip().startswith("TT") for line in ran.out.splitlines()) == 102


@pytest.mark.parametrize(
    ("env", "colored"),
    [({}, False), ({"FORCE_COLOR": "1"}, True), ({"FORCE_COLOR": "0"}, False), ({"FORCE_COLOR": "1", "NO_COLOR": "1"}, False)],
)  # fmt: skip
def test_a_log_is_coloured_where_it_is_asked_for(env: dict[str, str], *, colored: bool) -> None:
    shown = tt_audit("explain", "88", env=env).out
    assert ("\x1b[" in shown) is colored
    assert "\x1b]8;" not in shown, "links are a terminal's"
