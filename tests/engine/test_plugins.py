from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from auditor import plugins
from auditor.errors import PluginError

PROBE = '''
from auditor.live.model import LiveRedis
from auditor.model import Verdict
from auditor.probes import passed, probe
from .helper import WORD

@probe("acme.{name}")
def mine(live: LiveRedis) -> Verdict:
    """Ours."""
    return passed(WORD)
'''


def test_neither_checks_nor_reports_is_a_top_level_package() -> None:
    script = (
        "import sys; from auditor import plugins; plugins.probes(); plugins.formats();"
        "print('checks' in sys.modules, 'reports' in sys.modules, 'auditor.checks' in sys.modules, 'auditor.reports' in sys.modules)"
    )
    got = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert got.stdout.split() == ["False", "False", "True", "True"]


def test_a_users_folder_is_loaded_by_the_same_loader(tmp_path: Path) -> None:
    (tmp_path / "helper.py").write_text("WORD = 'hello'\n")
    (tmp_path / "mine.py").write_text(PROBE.replace("{name}", "greets"))
    found = plugins.probes([tmp_path])
    assert found["acme.greets"].doc == "Ours."
    assert found["acme.greets"].sources == ("live",)
    assert "redis.maxmemory_policy" in found


def test_a_folder_that_is_not_there_or_does_not_load_is_told(tmp_path: Path) -> None:
    with pytest.raises(PluginError, match="no such folder"):
        plugins.probes([tmp_path / "none"])
    (tmp_path / "bad.py").write_text("import nonsense_that_is_not_there\n")
    with pytest.raises(PluginError, match=r"bad\.py does not load: ModuleNotFoundError"):
        plugins.probes([tmp_path])


def test_a_probe_name_that_is_taken_is_told(tmp_path: Path) -> None:
    (tmp_path / "helper.py").write_text("WORD = 'hello'\n")
    (tmp_path / "mine.py").write_text(PROBE.replace("acme.{name}", "redis.maxmemory_policy"))
    with pytest.raises(PluginError, match=r"redis\.maxmemory_policy .* is taken"):
        plugins.probes([tmp_path])
