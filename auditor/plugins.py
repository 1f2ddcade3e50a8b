"""Finds and loads plugin folders: our own checks/ and reports/, and a user's, by one and the same loader.

`checks` and `reports` are no top-level packages: they lie beside this file in a wheel and at the top of a
checkout, and are mounted as `auditor.checks` and `auditor.reports` from where they lie. A scanned repository's own
folder of that name can therefore never be imported.
"""

from __future__ import annotations

import hashlib
import importlib
import importlib.util
import sys
import types
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TypeVar

from auditor.errors import PluginError
from auditor.probes import Probe
from auditor.reporting import ReportFormat

ENTRY_POINTS = "tt_audit.probes"

_T = TypeVar("_T")


def probes(folders: Iterable[Path] = ()) -> dict[str, Probe]:
    """All probes by name: ours, those of installed distributions, those in `folders`.

    Raises PluginError for a folder or module that does not load, and for a name that is taken.
    """
    found: dict[str, Probe] = {}
    origin: dict[str, str] = {}
    for module in (*load("checks"), *_installed(), *(m for folder in folders for m in load_user(folder))):
        for value in _values(module, Probe):
            if value.name in found and found[value.name] is not value:
                raise PluginError(
                    f"probe {value.name} of {_where(module)} is taken: {origin[value.name]} has one of that name",
                    "rename one of them",
                )
            found[value.name] = value
            origin.setdefault(value.name, _where(module))
    return found


def formats(folders: Iterable[Path] = ()) -> dict[str, ReportFormat]:
    """All report formats by name."""
    found: dict[str, ReportFormat] = {}
    for module in (*load("reports"), *(m for folder in folders for m in load_user(folder))):
        found |= {value.name: value for value in _values(module, ReportFormat)}
    return found


def mount(name: str) -> types.ModuleType:
    """Mount the folder `checks` or `reports` as `auditor.<name>`; importing below it then works as usual."""
    full = f"auditor.{name}"
    if full in sys.modules:
        return sys.modules[full]
    module = _package(full, folder(name))
    setattr(sys.modules["auditor"], name, module)
    return module


def folder(name: str) -> Path:
    """Where a plugin folder of ours lies: in the package, or at the top of a checkout."""
    here = Path(__file__).resolve().parent
    packaged = here / name
    return packaged if packaged.is_dir() else here.parent / name


def load(name: str) -> list[types.ModuleType]:
    """Every public module of one of our plugin folders."""
    package = mount(name)
    return [importlib.import_module(f"{package.__name__}.{stem}") for stem in _stems(folder(name))]


def load_user(path: Path) -> list[types.ModuleType]:
    """Every public module of a user's folder. Raises PluginError where it cannot be loaded."""
    if not path.is_dir():
        raise PluginError(f"--plugins {path}: no such folder")
    full = "tt_audit_plugins_" + hashlib.sha256(str(path.resolve()).encode()).hexdigest()[:12]
    if full not in sys.modules:
        _package(full, path)
    modules = []
    for stem in _stems(path):
        try:
            modules.append(importlib.import_module(f"{full}.{stem}"))
        except Exception as error:  # a user's module may raise anything
            raise PluginError(f"{path / stem}.py does not load: {type(error).__name__}: {error}") from error
    return modules


def _installed() -> Iterator[types.ModuleType]:
    from importlib.metadata import entry_points

    for point in entry_points(group=ENTRY_POINTS):
        try:
            loaded = point.load()
        except Exception as error:  # as above
            raise PluginError(
                f"entry point {point.name} ({point.value}) does not load: {type(error).__name__}: {error}"
            ) from error
        if isinstance(loaded, types.ModuleType):
            yield loaded
        else:
            holder = types.ModuleType(point.value)
            holder.__dict__[point.name] = loaded
            yield holder


def _package(full: str, path: Path) -> types.ModuleType:
    start = path / "__init__.py"
    spec = importlib.util.spec_from_file_location(
        full, start if start.is_file() else None, submodule_search_locations=[str(path)]
    )
    if spec is None:
        module = types.ModuleType(full)
        module.__path__ = [str(path)]
        sys.modules[full] = module
        return module
    module = importlib.util.module_from_spec(spec)
    sys.modules[full] = module
    if spec.loader is not None:
        spec.loader.exec_module(module)
    return module


def _stems(path: Path) -> list[str]:
    return sorted(file.stem for file in path.glob("*.py") if not file.stem.startswith("_"))


def _values(module: types.ModuleType, wanted: type[_T]) -> list[_T]:
    return [value for value in vars(module).values() if isinstance(value, wanted)]


def _where(module: types.ModuleType) -> str:
    return getattr(module, "__file__", None) or module.__name__
