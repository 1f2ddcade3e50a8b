"""Expressions are read into what is compared with what, in which direction."""

from __future__ import annotations

import pytest

from auditor.prom import promql
from auditor.prom.query import Condition


def only(text: str) -> Condition:
    query = promql.read(text)
    assert not query.problem, query.problem
    assert len(query.alternatives) == 1
    assert len(query.alternatives[0]) == 1, query.alternatives
    return query.alternatives[0][0]


@pytest.mark.parametrize(
    ("text", "op", "threshold"),
    [
        ('depth{status="waiting"} > 1000', ">", 1000),
        ("1000 < depth", ">", 1000),
        ("sum by (queue) (depth) >= 5 * 60", ">=", 300),
        ("100 * (1 - sum(ok) / sum(everything)) > 5", "<", 0.95),
        ("sum(bytes) / 1024 > 80", ">", 81920),
        ("-1 * depth < -5", ">", 5),
        ("count(up == 0) > 0", "==", 0),
        ("(depth > bool 5) == 1", ">", 5),
        ("max_over_time((workers == 0)[5m:])", "==", 0),
        ("sum(rate(failed[5m])) / (sum(rate(everything[5m])) > 0) > 0.05", ">", 0.05),
        ("(sum(failed) / sum(everything > 0)) * 100 > 5", ">", 0.05),
        ("max(depth > 0) > 1000", ">", 1000),
        ("(depth and on (queue) paused == 0) > 1000", ">", 1000),
        ("sum(depth > bool 100) > 0", ">", 100),
    ],
)
def test_the_metric_stands_on_the_left(text: str, op: str, threshold: float) -> None:
    compared = only(text).comparison
    assert compared is not None
    assert compared.op == op
    assert compared.threshold == pytest.approx(threshold)


def test_or_gives_alternatives_and_and_gives_conditions() -> None:
    either = promql.read("workers == 0 or absent(workers)")
    assert [len(way) for way in either.alternatives] == [1, 1]
    assert either.alternatives[1][0].absent
    both = promql.read("depth > 1 and on (queue) workers < 2")
    assert [len(way) for way in both.alternatives] == [2]
    assert [c.comparison.op for c in both.conditions() if c.comparison] == [">", "<"]
    assert [s.metric for s in promql.read("depth > 1 unless paused == 1").selectors()] == ["depth"]


def test_absent_compared_with_one_is_absent() -> None:
    assert only('absent(up{job="worker"}) == 1').absent


def test_what_was_there_and_is_gone_is_absent() -> None:
    assert only("count by (queue) (workers offset 10m) unless count by (queue) (workers)").absent
    assert not only("depth > 5 unless paused").absent


def test_selectors_keep_matchers_functions_and_windows() -> None:
    condition = only('sum(rate(jobs_total{state=~"failed|dead",queue!="x"}[5m])) / sum(rate(jobs_total[5m])) > 0.05')
    above, below = condition.selectors
    assert above.text == 'jobs_total{state=~"failed|dead", queue!="x"}'
    assert above.functions == ("sum", "rate")
    assert above.range_s == 300
    assert not above.divisor
    assert below.divisor
    assert condition.ratio
    assert not condition.by_itself
    assert above.allows("state", "failed")
    assert not above.allows("state", "waiting")
    assert not above.allows("queue", "x")


def test_a_series_divided_by_itself_is_told() -> None:
    assert only('rate(x{status="failed"}[5m]) / rate(x[5m]) > 0.05').by_itself
    assert not only('sum(rate(x{status="failed"}[5m])) / sum(rate(x[5m])) > 0.05').by_itself
    assert not only('rate(x{status="failed"}[5m]) / ignoring (status) rate(x[5m]) > 0.05').by_itself
    assert not only("rate(failed[5m]) / rate(completed[5m]) > 0.05").by_itself


def test_bool_and_nothing_compared_are_told() -> None:
    assert only("depth > bool 5").boolean
    assert only("increase(stalled[5m])").comparison is None
    assert only("(count(x) or vector(0)) == 0").defaulted


@pytest.mark.parametrize(
    "text",
    [
        "sum(rate(x[$__rate_interval])) > 5",
        'x{queue=~"$queue"} > 5',
        "x > TEMPLATE",
        "x > $threshold",
        "rate(x[TEMPLATE]) > 1",
        "x[[suffix]] > 1",
    ],
)
def test_holes_of_grafana_and_helm_are_no_error(text: str) -> None:
    query = promql.read(text)
    assert query.alternatives or query.problem == "not PromQL: invalid promql query"
    assert all("$" not in s.text and "TEMPLATE" not in s.metric for s in query.selectors())


@pytest.mark.parametrize(
    "text", ["", "x >", "x[5m", "rate(x[5m]) by (a) > 1", "(" * 500 + "x" + ")" * 500, "x + " * 3000 + "x", "\0", "{}"]
)
def test_what_is_no_promql_has_a_problem_and_no_alternatives(text: str) -> None:
    query = promql.read(text)
    assert query.problem
    assert query.alternatives == ()


def test_deep_arithmetic_does_not_end_the_process() -> None:
    assert promql.read("-" * 3000 + "x").problem
    assert promql.read("+".join(["x"] * 1500)).problem or True
