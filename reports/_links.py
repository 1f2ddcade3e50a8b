"""Addresses of places: local files for terminals, the web for pages and comments, the repository for CI."""

from __future__ import annotations

from pathlib import PurePath, PurePosixPath
from urllib.parse import quote

from auditor.model import Report, TreeTarget
from auditor.reporting import RenderOptions

from ._view import PlaceView


def file_url(place: PlaceView | None, report: Report, options: RenderOptions) -> str:
    """`file:///…#line` of a place in a file; empty where its folder is not known."""
    if place is None or not place.path:
        return ""
    root = _root(place, report)
    path = PurePath(options.base, root if PurePath(root).is_absolute() else "", place.path)
    if not path.is_absolute():
        return ""
    return f"file://{_quoted(path.as_posix())}" + (f"#{place.line}" if place.line else "")


def repository_path(place: PlaceView | None, report: Report) -> str:
    """Path of a place as CI systems want it: from the folder that the scan was started in, or from the repository that
    was read for infra where the code's folder was given absolutely; empty for what is no file.
    """
    if place is None or not place.path:
        return ""
    path, root = PurePosixPath(place.path), PurePosixPath(_root(place, report))
    if path.is_absolute():
        return path.as_posix()
    if root.is_absolute():
        above = next((tree.path for tree in report.targets.infra if root.is_relative_to(tree.path)), root.as_posix())
        root = root.relative_to(above)
    return (root / path).as_posix()


def web_url(place: PlaceView | None, report: Report, options: RenderOptions) -> str:
    """Address of a place by the `source_url` template; empty without one, and for what is no file."""
    path = repository_path(place, report)
    if place is None or not path or not is_web(options.source_url):
        return ""
    commit = next((tree.commit for tree in (*report.targets.code, *report.targets.infra) if tree.commit), "HEAD")
    address = options.source_url.replace("{line}", str(max(1, place.line))).replace("{commit}", _quoted(commit))
    return address.replace("{path}", _quoted(path))


def is_web(reference: str) -> bool:
    """Whether a reference is an address that may be linked: nothing but http and https is."""
    return reference.startswith(("https://", "http://")) and not any(mark in reference for mark in " \"'<>\\")


def _root(place: PlaceView, report: Report) -> str:
    trees: tuple[TreeTarget, ...] = (
        report.targets.code if place.kind == "code" else report.targets.infra or report.targets.code
    )
    return trees[0].path if len(trees) == 1 else ""


def _quoted(path: str) -> str:
    return quote(path, errors="surrogateescape")
