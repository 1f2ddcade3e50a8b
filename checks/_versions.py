"""Which rules of a library apply: the lowest version that a range of package.json allows."""

from __future__ import annotations

import re

from auditor.code.model import Library, Site

_NUMBERS = re.compile(r"(\d+)(?:\.(\d+))?(?:\.(\d+))?")


def lowest(version: str) -> tuple[int, int, int] | None:
    """`^5.1.0` -> (5, 1, 0), `4` -> (4, 0, 0); None for tags such as `latest`, and for nothing."""
    found = _NUMBERS.search(version)
    return (int(found[1]), int(found[2] or 0), int(found[3] or 0)) if found else None


def is_bull(site: Site) -> bool:
    """Whether the site uses Bull 3/4, directly or through @nestjs/bull."""
    return site.library is Library.BULL


def library_of(site: Site) -> str:
    """`Bull 4.12` or `BullMQ ^5.1.0`, as a message names it."""
    name = {Library.BULL: "Bull", Library.BULLMQ: "BullMQ", Library.BULLMQ_PRO: "BullMQ Pro"}[site.library]
    return f"{name} {site.version}".strip()


def at_least(site: Site, *version: int) -> bool:
    """Whether a BullMQ site's version is known to be that or newer; an unknown version counts as newest."""
    low = lowest(site.version)
    return not is_bull(site) and (low is None or low >= (*version, *(0,) * (3 - len(version))))
