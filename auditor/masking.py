"""Secrets out of text. Collectors mask where a secret enters; the engine passes every line of a verdict through here again.

What is masked keeps its kind, so that a reader knows what was there: `sk_live_***`, `redis://user:***@host`.
"""

from __future__ import annotations

import re

_PATTERNS: tuple[tuple[re.Pattern[str], str], ...] = (
    (re.compile(r"(?P<keep>\b[a-z][a-z0-9+.-]{1,20}://[^\s:/@'\"`]*:)[^\s@'\"`$]+@", re.IGNORECASE), r"\g<keep>***@"),
    (re.compile(r"\b(?P<keep>(?:sk|rk|whsec|pk)_(?:live|test)_)[A-Za-z0-9]{6,}"), r"\g<keep>***"),
    (re.compile(r"\b(?P<keep>whsec_|re_|SG\.|xox[abpr]-|gh[pousr]_|npm_|key-)[A-Za-z0-9_.\-]{16,}"), r"\g<keep>***"),
    (re.compile(r"\b(?P<keep>AKIA|ASIA)[A-Z0-9]{16}\b"), r"\g<keep>***"),
    (re.compile(r"\b(?P<keep>eyJ)[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]*"), r"\g<keep>***"),
    (
        re.compile(r"(?P<keep>-----BEGIN [A-Z ]*PRIVATE KEY-----)[\s\S]*?(?:-----END [A-Z ]*PRIVATE KEY-----|\Z)"),
        r"\g<keep>***",
    ),
    (
        re.compile(
            r"(?P<keep>(?:private[_-]?key|secret|mnemonic|seed)[\w-]*['\"]?\s*[:=,(]\s*['\"`]?)(?:0x)?[0-9a-fA-F]{64}\b",
            re.IGNORECASE,
        ),
        r"\g<keep>***",
    ),
    (
        re.compile(
            r"(?P<keep>(?:password|passwd|passphrase|requirepass|secret[_-]?key|api[_-]?key|auth[_-]?token|access[_-]?token)['\"]?\s*[:=]\s*['\"`])[^'\"`$\s]{3,}(?=['\"`])",
            re.IGNORECASE,
        ),
        r"\g<keep>***",
    ),
)

_MARKS = (
    "://", "_live_", "_test_", "whsec_", "re_", "sg.", "xox", "ghp_", "gho_", "ghu_", "ghs_", "ghr_", "npm_", "key", "akia", "asia", "eyj",
    "-----begin", "secret", "mnemonic", "seed", "pass", "token",
)  # fmt: skip
"""What every pattern needs one of, in lower case: most texts hold none."""

_known: set[str] = set()


def remember(secret: str | None) -> None:
    """Mask this very text from now on: a password that the user gave us."""
    if secret and len(secret) >= 4:
        _known.add(secret)


def mask_forms(text: str) -> str:
    """The text without what looks like a secret, whatever the user gave us: what a snapshot of files may hold."""
    small = text.lower()
    for mark in _MARKS:
        if mark in small:
            break
    else:
        return text
    for pattern, kept in _PATTERNS:
        text = pattern.sub(kept, text)
    return text


def mask(text: str) -> str:
    """The text without secrets."""
    text = mask_forms(text)  # first: a password like `redis` would take the URL apart by which another one is known
    for secret in _known:
        if secret in text:
            text = text.replace(secret, "***")
    return text
