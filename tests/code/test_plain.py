"""What can be told of an expression at a look: that it is data, and that a method is the language's own."""

from __future__ import annotations

import pytest

from auditor.code.evaluation import plain
from auditor.code.syntax.facts import Call
from auditor.code.syntax.parse import parse

HEAD = """
import { Handler, Point, run } from './other';
interface Order { id: string; lines: string[]; done: () => void }
type Id = string | undefined;
type Hook = () => void;
enum Kind { A, B }
const table = new Map<string, Hook>();
const list = [1, 2];
const text = `a${list}`;
let later = null;
async function load(id: string): Promise<Order> { return run(id); }
function hook(): Hook { return run; }
class Store { ids: string[] = []; hooks = []; constructor(private readonly names: Set<string>, private db: Point) {} all() { return this.ids; } }
"""
BODY = "class At extends Store {{ names: Set<string>; ids: string[]; db: Point; m(id: string, n: Id, order: Order, hook: Hook, h: Handler, any: any, {{ lines }}: Order, untyped) {{ {0}; }} }}"


def call_in(text: str) -> Call:
    """The outermost call of a statement within a method whose parameters have types of all kinds."""
    module = parse("a.ts", (HEAD + BODY.format(text)).encode())
    return min(
        (call for call in module.calls if call.scope.func and call.scope.func.name == "m"),
        key=lambda call: (call.node.start_byte, -call.node.end_byte),
    )


def argument(text: str) -> bool:
    call = call_in(f"take({text})")
    return plain.is_data(call.arguments()[0], call.scope)


DATA = ["'a'", "1", "[run]", "{ run }", "text", "list", "list.length", "id", "n", "lines", "order", "order.id", "id + run", "!run", "Kind.A", "new Point()",
        "await load(id)", "id ?? text", "id ? 1 : 2", "id.trim()", "untyped.trim()", "String(run)", "JSON.stringify(run)", "Object.keys(run)", "load(id)",
        "list.map(run)", "run as string", "process.env.X", "this.ids", "this.names", "(id)", "id!"]  # fmt: skip
MAYBE = ["run", "untyped", "any", "hook", "h", "order.done", "later", "table.get(id)", "hook()", "id || run", "id ? run : 1", "this.db", "untyped.on", "run()",
         "run as Handler", "list.find(run)", "() => run()"]  # fmt: skip


@pytest.mark.parametrize("text", DATA)
def test_data_is_no_function(text: str) -> None:
    assert argument(text)


@pytest.mark.parametrize("text", MAYBE)
def test_what_may_be_a_function_is_not_called_data(text: str) -> None:
    assert not argument(text)


NATIVE = ["list.push(id)", "id.trim()", "untyped.trim()", "table.set(id, run)", "this.ids.push(id)", "lines.join(',')", "text.split(',')", "list.map(run)",
          "this.names.add(id)", "id.trim().split(',').map(run)", "order.lines.includes(id)"]  # fmt: skip
OTHER = [
    "order.done()",
    "h.push(id)",
    "untyped.push(id)",
    "this.db.add(id)",
    "run(id)",
    "table.get(id).push(id)",
    "list.custom(run)",
]


@pytest.mark.parametrize("text", NATIVE)
def test_methods_of_the_language_are_known_by_their_receiver(text: str) -> None:
    assert plain.is_native(call_in(text))


@pytest.mark.parametrize("text", OTHER)
def test_a_method_of_an_unknown_receiver_may_be_anybodys(text: str) -> None:
    assert not plain.is_native(call_in(text))


@pytest.mark.parametrize(
    "text",
    ["JSON.stringify(run)", "new Error(run)", "Math.max(run)", "list.includes(run)", "Buffer.from(run)", "Number(run)"],
)
def test_some_calls_run_nothing_that_they_are_given(text: str) -> None:
    assert plain.is_inert(call_in(text))


@pytest.mark.parametrize(
    "text",
    [
        "list.map(run)",
        "Array.from(list, run)",
        "list.push(run)",
        "run(run)",
        "new Point(run)",
        "Object.assign(run, run)",
    ],
)
def test_the_others_may_run_or_keep_it(text: str) -> None:
    assert not plain.is_inert(call_in(text))


def test_a_name_of_the_language_that_the_file_takes_is_its_own() -> None:
    module = parse("a.ts", b"import { JSON, Error } from './own'; JSON.stringify(run); new Error(run);")
    assert not any(plain.is_inert(call) for call in module.calls)
