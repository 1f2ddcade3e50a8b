"""An expression is told once for all calls of a function, unless it mentions what the calls tell apart."""

from __future__ import annotations

from pathlib import Path

import pytest

from auditor.code.evaluation.evaluate import Evaluator
from auditor.code.evaluation.values import UNDEFINED, Frame, Literal
from auditor.code.source.program import Program
from auditor.code.syntax.facts import Call

TEXT = """
const RETRIES = 3;
class Box {
  size = 4;
  fill(name: string, { lines, ...rest }, kind = 'a') {
    const fixed = { attempts: RETRIES };
    const own = { name };
    const also = own;
    let later = 1;
    later = kind.length;
    const grown: unknown[] = [];
    grown.push(name);
    const plain: number[] = [1];
    const ask = () => name;
    const say = () => fixed;
    function both() { return [ask(), fixed]; }
    for (const line of lines) { take(line, [fixed]); }
    const inner = [1, 2].map((n) => ({ n, name }));
    probe(%s);
  }
}
"""
SAME = [
    "1",
    "RETRIES",
    "fixed",
    "{ ...fixed, as: 1 }",
    "say",
    "say()",
    "plain",
    "x.name",
    "() => fixed",
    "(name) => name",
    "undefined",
    "new Box()",
]
ITS_OWN = ["name", "lines", "rest", "kind", "own", "also", "later", "grown", "ask", "ask()", "both", "{ name }", "`${name}`", "[...name]", "inner", "this",
           "this.size", "() => this", "() => () => kind"]  # fmt: skip


def probe(folder: Path, text: str, name: str = "probe") -> tuple[Evaluator, Call]:
    (folder / "box.ts").write_text(TEXT % text)
    ev = Evaluator(Program([folder], []))
    module = ev.program.module("box.ts")
    assert module is not None
    return ev, module.calls_named(name)[0]


def depends(ev: Evaluator, call: Call) -> bool:
    function = call.scope.func
    assert function is not None
    frame = Frame(function, (Literal("n"), UNDEFINED), None, None, 1)
    return ev.dependence.frame(call.arguments()[0], call.scope, frame) is frame


@pytest.mark.parametrize("text", SAME)
def test_what_no_call_gives_is_the_same_in_all(text: str, tmp_path: Path) -> None:
    assert not depends(*probe(tmp_path, text))


@pytest.mark.parametrize("text", ITS_OWN)
def test_what_a_call_gives_is_its_own(text: str, tmp_path: Path) -> None:
    assert depends(*probe(tmp_path, text))


def test_the_turn_of_a_loop_counts_for_what_mentions_it(tmp_path: Path) -> None:
    ev, call = probe(tmp_path, "1", "take")
    loop = call.scope.lookup("line")
    assert loop is not None
    turn = Frame(loop.scope, (Literal("l"),), None, None, 1)
    line, fixed = call.arguments()
    assert ev.dependence.frame(line, call.scope, turn) is turn
    assert ev.dependence.frame(fixed, call.scope, turn) is None


def test_two_calls_get_the_same_answer_where_they_give_nothing(tmp_path: Path) -> None:
    ev, call = probe(tmp_path, "fixed")
    assert call.scope.func is not None
    frames = [Frame(call.scope.func, (Literal(name), UNDEFINED), None, None, 1) for name in ("a", "b")]
    first, second = (ev.eval(call.arguments()[0], call.scope, frame) for frame in frames)
    assert first is second
    assert not any(frame.memo for frame in frames)
