"""Addresses of places: local files for terminals, the web for pages and comments."""

from __future__ import annotations

from pathlib import PurePath
from urllib.parse import quote

from auditor.model import Report
from auditor.reporting import RenderOptions

from ._view import PlaceView


def file_url(place: PlaceView | None, report: Report, options: RenderOptions) -> str:
    """`file:///…#line` of a place in a file; empty where its folder is not known."""
    if place is None or not place.path:
        return ""
    path = PurePath(place.path)
    if not path.is_absolute():
        if not options.base:
            return ""
        path = PurePath(options.base, _root(place, report), place.path)
    return f"file://{quote(path.as_posix(), errors='surrogateescape')}" + (f"#{place.line}" if place.line else "")


def web_url(place: PlaceView | None, report: Report, options: RenderOptions) -> str:
    """Address of a place by the `source_url` template; empty without one, and for what is no file."""
    if place is None or not place.path or not options.source_url.startswith(("https://", "http://")):
        return ""
    trees = (*report.targets.code, *report.targets.infra)
    commit = next((tree.commit for tree in trees if tree.commit), "HEAD")
    filled = {
        "{path}": quote(place.path, errors="surrogateescape"),
        "{line}": str(max(1, place.line)),
        "{commit}": quote(commit),
    }
    address = options.source_url
    for hole, value in filled.items():
        address = address.replace(hole, value)
    return address


def is_web(reference: str) -> bool:
    """Whether a reference is an address that may be linked: nothing but http and https is."""
    return reference.startswith(("https://", "http://")) and " " not in reference


def _root(place: PlaceView, report: Report) -> str:
    trees = report.targets.code if place.kind == "code" else report.targets.infra or report.targets.code
    return trees[0].path if len(trees) == 1 else ""
