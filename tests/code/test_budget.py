"""What a question may cost, and what is kept of one that cost too much."""

from __future__ import annotations

from pathlib import Path

import pytest

from auditor.code.evaluation.evaluate import Evaluator
from auditor.code.evaluation.values import Literal
from auditor.code.source.program import Program

ITEMS = 30


@pytest.mark.parametrize("steps", range(20, 35))
def test_a_cheap_part_that_a_dear_question_ended_in_is_told_when_it_is_asked_for(tmp_path: Path, steps: int) -> None:
    members = "".join(f"export const a{n} = 1 + {n};\n" for n in range(ITEMS))
    dear = " + ".join(f"a{n}" for n in range(ITEMS))
    (tmp_path / "a.ts").write_text(f"{members}export const dear = {dear};\n")
    program = Program([tmp_path])
    program.frugal = True
    ev = Evaluator(program)
    assert ev.within(lambda: ev.export("a.ts", "dear"), steps, 5) is None
    for n in range(ITEMS):
        value = ev.export("a.ts", f"a{n}")
        assert isinstance(value, Literal), n
        assert value.value == n + 1
