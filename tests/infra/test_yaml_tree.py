"""YAML as a lazy tree: lines, merges, and everything that must not break it."""

from __future__ import annotations

import time

from auditor.infra.yaml_tree import MAX_BYTES, documents


def test_every_value_knows_its_line() -> None:
    found, notes = documents("a:\n  b: 1\n  c:\n    - x\n    - y\n", "f.yml")
    assert not notes
    assert found[0].at("a", "b").line == 2
    assert [n.line for n in found[0].at("a", "c").list()] == [4, 5]
    assert found[0].at("a", "c").texts() == ("x", "y")


def test_missing_keys_are_falsy_all_the_way_down() -> None:
    found, _ = documents("a: 1\n", "f.yml")
    node = found[0].at("no", "such", "key")
    assert not node
    assert (node.text, node.line, node.list(), node.number, node.setting) == ("", 0, [], None, None)


def test_merge_keys_are_opened_behind_the_mappings_own() -> None:
    found, _ = documents("x: &x {a: 1, b: 2}\ny: {<<: *x, b: 3}\n", "f.yml")
    assert {k: v.text for k, v in found[0]["y"].items()} == {"b": "3", "a": "1"}


def test_an_alias_bomb_costs_nothing() -> None:
    lines = ["a: &a [x, x]"]
    for before, after in zip("abcdefghijklmnopqrs", "bcdefghijklmnopqrst", strict=True):
        lines.append(f"{after}: &{after} [" + ", ".join([f"*{before}"] * 9) + "]")
    start = time.process_time()
    found, notes = documents("\n".join(lines), "bomb.yml")
    assert sum(1 for _ in found[0].walk()) < 20_001
    assert time.process_time() - start < 2
    assert not notes


def test_an_alias_to_itself_ends() -> None:
    found, _ = documents("a: &a\n  b: *a\n", "loop.yml")
    assert sum(1 for _ in found[0].walk(500)) <= 500


def test_a_tab_keeps_the_documents_before_it_and_says_where() -> None:
    found, notes = documents("a: 1\n---\nb:\n\tc: 2\n", "tab.yml")
    assert [d["a"].text for d in found] == ["1"]
    assert notes[0].place.line == 4


def test_deep_nesting_is_refused_not_followed() -> None:
    found, notes = documents("a: " + "[" * 50_000, "deep.yml")
    assert not found
    assert "nested deeper" in notes[0].text


def test_a_huge_manifest_is_skipped_with_its_size() -> None:
    found, notes = documents("a: 1\n" * (MAX_BYTES // 5 + 2), "huge.yml")
    assert not found
    assert "larger than" in notes[0].text


def test_a_helm_template_shows_what_it_states_literally() -> None:
    text = """\
apiVersion: apps/v1
kind: Deployment
metadata:
  name: {{ include "app.fullname" . }}
  {{- with .Values.labels }}
  labels:
    {{- toYaml . | nindent 4 }}
  {{- end }}
spec:
  replicas: {{ .Values.replicas }}
  strategy:
    type: Recreate
"""
    found, notes = documents(text, "templates/worker.yaml")
    assert found[0].at("spec", "strategy", "type").text == "Recreate"
    assert found[0].at("spec", "strategy", "type").line == 12
    assert "template" in notes[0].text


def test_braces_within_quotes_are_no_template() -> None:
    _, notes = documents("summary: 'rate of {{ $labels.queue }} is high'\n", "rules.yml")
    assert not notes


def test_a_tag_makes_no_object() -> None:
    found, _ = documents("a: !!python/object/apply:os.system ['touch pwned']\n", "evil.yml")
    assert found[0]["a"].kind == "sequence"
