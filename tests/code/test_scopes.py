"""What is kept of scopes and of the import graph: once, where it is the same."""

from __future__ import annotations

from pathlib import Path

from auditor.code.source.program import Program
from auditor.code.syntax.facts import Scope
from auditor.code.syntax.parse import parse


def scope_of(source: str, call: str) -> Scope:
    """The scope of the one call of that name."""
    (found,) = parse("a.ts", source.encode()).calls_named(call)
    return found.scope


def test_a_block_has_the_owners_of_what_is_around_it() -> None:
    inner = scope_of("function f(a) { if (a) { const b = 1; g(b); } }", "g")
    assert inner.func is not None
    assert inner is not inner.func.scope
    assert inner.owners() is inner.func.scope.owners()
    assert inner.owners() == {id(inner.func)}


def test_a_loop_over_elements_owns_its_turns() -> None:
    inner = scope_of("function f(a) { for (const b of a) { g(b); } for (;;) {} }", "g")
    assert inner.parent is not None
    assert inner.func is not None
    assert inner.owners() == {id(inner.func), id(inner.parent)}


def test_a_method_s_owners_are_itself_and_its_class() -> None:
    inner = scope_of("class A { m() { g(); } }", "g")
    assert inner.owners() == {id(inner.func), id(inner.cls)}


def test_files_that_import_each_other_share_their_importers(tmp_path: Path) -> None:
    (tmp_path / "a.ts").write_text("import './b';\n")
    (tmp_path / "b.ts").write_text("import './a';\n")
    (tmp_path / "main.ts").write_text("import './a';\n")
    graph = Program([tmp_path]).graph
    assert graph.all_importers("a.ts") == {"a.ts", "b.ts", "main.ts"}
    assert graph.all_importers("b.ts") is graph.all_importers("a.ts")
