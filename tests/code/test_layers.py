"""The packages of the code source lie in the order in which data passes them; none asks for a later one."""

from __future__ import annotations

import ast
from pathlib import Path

import auditor.code

ORDER = ("syntax", "source", "evaluation", "sites", "running", "reach", "queues", "metrics")


def _asked(path: Path) -> set[str]:
    """Packages of the code source that a file imports from."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("auditor.code."):
            found.add(str(node.module).split(".")[2])
    return found & set(ORDER)


def test_no_package_asks_for_a_later_one() -> None:
    top = Path(auditor.code.__file__).parent
    assert {folder.name for folder in top.iterdir() if (folder / "__init__.py").is_file()} == set(ORDER)
    wrong = [
        f"{path.relative_to(top)} imports {asked}"
        for place, name in enumerate(ORDER)
        for path in (top / name).rglob("*.py")
        for asked in sorted(_asked(path))
        if ORDER.index(asked) > place
    ]
    assert wrong == []
