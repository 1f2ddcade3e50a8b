"""Foreign text is shown, never obeyed."""

from __future__ import annotations

import pytest

from auditor import plugins

plugins.mount("reports")

from auditor.reports._text import bounded, clean, clean_lines, numbers, shorten, unheard, well_formed  # noqa: E402


@pytest.mark.parametrize(
    ("raw", "shown"),
    [
        ("plain name", "plain name"),
        ("tür-ключ-队列 ✓", "tür-ключ-队列 ✓"),
        ("\x1b[31mred", "\\x1b[31mred"),
        ("\x9b31m", "\\x9b31m"),
        ("two\nlines\r", "two\\nlines\\r"),
        ("a\tb", "a\\tb"),
        ("nul\x00 del\x7f", "nul\\x00 del\\x7f"),
        ("invoice\u202egpj.exe", "invoice\\u202egpj.exe"),
        ("\u2066isolate\u2069", "\\u2066isolate\\u2069"),
        ("zero\u200bwidth\ufeff", "zero\\u200bwidth\\ufeff"),
        ("line\u2028paragraph\u2029", "line\\u2028paragraph\\u2029"),
        ("no\u00a0break", "no break"),
        ("tag\U000e0041", "tag\\U000e0041"),
        ("undecodable \udcff", "undecodable \\udcff"),
    ],
)
def test_clean_writes_out_what_would_be_obeyed(raw: str, shown: str) -> None:
    assert clean(raw) == shown
    assert clean(shown) == shown
    assert clean(raw).isprintable()


def test_lines_keep_their_breaks_and_nothing_else() -> None:
    assert clean_lines("a\r\n\tb\x1b[2J\rc\x0bd") == ["a", "    b\\x1b[2J", "c\\x0bd"]


def test_surrogates_alone_are_written_out_for_json() -> None:
    assert well_formed("x\udc80\n\u202e") == "x\\udc80\n\u202e"


def test_long_text_keeps_both_ends_within_the_limit() -> None:
    assert shorten("a" * 10, 10) == "a" * 10
    short = shorten("start" + "x" * 500 + "end", 30)
    assert len(short) == 30
    assert short.startswith("start") and short.endswith("end") and "…" in short
    assert len(bounded("\x1b" * 10_000_000)) <= 2_000


@pytest.mark.parametrize("command", ["::error file=x::pwned", "  ::add-mask::secret", "::stop-commands::x"])
def test_a_ci_log_hears_no_command_at_the_start_of_a_line(command: str) -> None:
    for line in unheard(f"told\n{command}\nend").splitlines():
        assert not line.strip().startswith("::")


@pytest.mark.parametrize("mark", ["##[error]x", "##vso[task.setvariable variable=x]y", "##teamcity[testFailed]"])
def test_a_ci_log_hears_no_marks_anywhere(mark: str) -> None:
    assert mark not in unheard(f"told {mark}")


def test_what_only_looks_like_a_command_stays() -> None:
    assert unheard("::1 is loopback\nstd::error ::x\n# [link]") == "::1 is loopback\nstd::error ::x\n# [link]"


def test_numbers_fold_runs() -> None:
    assert numbers([1, 2, 3, 7, 9, 10]) == "1-3, 7, 9-10"
    assert numbers([]) == ""
