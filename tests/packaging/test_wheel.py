"""The wheel as a user gets it: one top-level name, and a demo that runs from a fresh environment."""

from __future__ import annotations

import os
import subprocess
import sys
import venv
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("dist")
    subprocess.run(
        [sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", str(out), str(ROOT)],
        check=True,
        capture_output=True,
    )
    (built,) = out.glob("*.whl")
    return built


def test_auditor_is_the_only_top_level_name(wheel: Path) -> None:
    names = {name.split("/")[0] for name in zipfile.ZipFile(wheel).namelist()}
    assert {name for name in names if not name.endswith(".dist-info")} == {"auditor"}


def test_it_holds_all_that_is_no_python(wheel: Path) -> None:
    held = set(zipfile.ZipFile(wheel).namelist())
    wanted = [
        "checklist.yaml",
        "schemas/report.schema.json",
        "schemas/inventory.schema.json",
        "demo/sample/package.json",
    ]
    assert [name for name in wanted if f"auditor/{name}" not in held] == []
    for folder, ending in (("reports/templates", ""), ("checks/catalogue", ".yaml"), ("demo/sample", ".ts")):
        assert any(name.startswith(f"auditor/{folder}/") and name.endswith(ending) for name in held), folder
    assert not any("__pycache__" in name or "node_modules" in name for name in held)


def test_the_demo_runs_from_a_fresh_environment(wheel: Path, tmp_path: Path) -> None:
    home = tmp_path / "venv"
    venv.create(home, with_pip=True)
    subprocess.run([home / "bin" / "pip", "install", "-q", str(wheel)], check=True, capture_output=True, timeout=300)
    work = tmp_path / "work"
    work.mkdir()
    environment = {key: value for key, value in os.environ.items() if key not in ("PYTHONPATH", "VIRTUAL_ENV")}
    done = subprocess.run(
        [home / "bin" / "tt-audit", "demo"],
        cwd=work,
        env=environment,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert "TT088" in done.stdout
    assert (work / "tt-audit-report.html").read_text().startswith("<!doctype html>")
    code = "import sys; sys.path.insert(0, ''); from auditor import plugins; plugins.probes(); print(sorted({'checks', 'reports'} & set(sys.modules)))"
    found = subprocess.run(
        [home / "bin" / "python", "-c", code],
        cwd=ROOT.parent,
        env=environment,
        capture_output=True,
        text=True,
        check=True,
    )
    assert found.stdout.strip() == "[]"
