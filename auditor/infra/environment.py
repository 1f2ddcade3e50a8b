"""Tells environments apart: by the words of folder, file, namespace and project names, then by what a file says."""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import lru_cache
from pathlib import PurePosixPath

from auditor.infra.model import Environment

_WORDS = {
    Environment.PRODUCTION: "prod production prd live selfhost",
    Environment.STAGING: "staging stage stg preprod uat preview",
    Environment.DEVELOPMENT: "dev devel development develop local localhost devcontainer override sandbox playground debug",
    Environment.TEST: "test tests testing e2e ci qa fixtures fixture bench benchmark loadtest",
}
_IN_FULL = {
    Environment.PRODUCTION: ("production",),
    Environment.STAGING: ("staging",),
    Environment.DEVELOPMENT: ("development", "dev"),
    Environment.TEST: ("testing", "e2e"),
}
_SHOWN = re.compile(r"examples?|samples?|demos?|docs?|documentation|tutorials?")
_BY_WORD = {word: env for env, words in _WORDS.items() for word in words.split()}


@lru_cache(maxsize=4096)
def of_words(text: str) -> Environment:
    """The environment that a name speaks of; UNKNOWN when none or several do."""
    found = {
        _BY_WORD[w] for w in re.split(r"[^a-z0-9]+", re.sub(r"([a-z])([A-Z])", r"\1-\2", text).lower()) if w in _BY_WORD
    }
    return found.pop() if len(found) == 1 else Environment.UNKNOWN


@lru_cache(maxsize=4096)
def of_path(path: str) -> Environment:
    """By the file's name first, then by its folders, the nearest first."""
    parts = PurePosixPath(path).parts
    for part in reversed(parts):
        found = of_words(part)
        if part != parts[-1] and _SHOWN.fullmatch(part.lower()):
            return Environment.DEVELOPMENT  # an example shows how, it does not run
        if found is not Environment.UNKNOWN:
            return found
    return Environment.UNKNOWN


def of_header(text: str, lines: int = 4) -> Environment:
    """By the comment that opens a file (`# Worker - production compose`), in full words only: prose says `local` of much."""
    comment = []
    for line in text.splitlines()[:lines]:
        if not line.startswith(("#", "//")):
            break
        comment.append(line.lower())
    words = set(re.split(r"[^a-z0-9]+", " ".join(comment)))
    found = {env for env, names in _IN_FULL.items() if words & set(names)}
    return found.pop() if len(found) == 1 else Environment.UNKNOWN


def first(*candidates: Environment) -> Environment:
    """The first that is known."""
    return next((c for c in candidates if c is not Environment.UNKNOWN), Environment.UNKNOWN)


def of_variables(values: Iterable[str]) -> Environment:
    """By NODE_ENV, APP_ENV and kin of the units in one file: production if any of them runs in production.

    `development` there is no sign: many a deployed stack never set it right.
    """
    return (
        Environment.PRODUCTION
        if any(v.strip().lower() in ("production", "prod") for v in values)
        else Environment.UNKNOWN
    )
