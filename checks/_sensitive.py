"""Which key names promise a secret (items 9 and 85)."""

from __future__ import annotations

import re
from functools import lru_cache

_WORD = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|\d+")

SECRETS = {
    "password": ("password",),
    "passwd": ("passwd",),
    "passphrase": ("passphrase",),
    "secret": ("secret",),
    "mnemonic": ("mnemonic",),
    "cvv": ("cvv",),
    "cvc": ("cvc",),
    "ssn": ("ssn",),
    "token": ("token",),
    "api key": ("api", "key"),
    "private key": ("private", "key"),
    "secret key": ("secret", "key"),
    "seed phrase": ("seed", "phrase"),
    "card number": ("card", "number"),
    "credit card": ("credit", "card"),
    "access token": ("access", "token"),
}
CARDS = ("card number", "credit card", "cvv", "cvc")
"""What PCI DSS forbids in job data."""

_OF_TOKENS = {
    "id", "ids", "amount", "amounts", "address", "addresses", "uri", "uris", "url", "symbol", "decimals", "type", "count", "name",
    "balance", "standard", "price", "supply", "contract", "metadata", "mint", "number", "index", "limit", "limits", "usage", "used", "hash",
}  # fmt: skip
"""A token of a chain, a model or a list: what follows the word tells it from a credential."""
_CHAIN = {
    "payment",
    "erc",
    "nft",
    "mint",
    "base",
    "quote",
    "from",
    "to",
    "in",
    "out",
    "input",
    "output",
    "max",
    "min",
    "total",
    "source",
    "native",
    "pay",
}
_HARMLESS_ENDS = {
    "id",
    "ids",
    "hash",
    "hint",
    "length",
    "changed",
    "at",
    "expiry",
    "expires",
    "version",
    "last4",
    "name",
    "type",
    "policy",
    "url",
    "request",
    "response",
    "error",
    "status",
    "provider",
}


def sensitive_key(path: str) -> str:
    """The kind of secret that the last part of a key path names; empty where it names none."""
    return _kind(path.rsplit(".", 1)[-1])


@lru_cache(maxsize=10_000)
def _kind(name: str) -> str:
    words = [word.lower() for word in _WORD.findall(name)]
    for kind, wanted in SECRETS.items():
        at = _find(words, wanted)
        if at is None or (words[-1] in _HARMLESS_ENDS and at + len(wanted) < len(words)):
            continue
        if kind == "token" and _is_asset(words, at):
            continue
        return kind
    joined = "".join(words)
    return next(
        (kind for kind in ("api key", "private key", "seed phrase", "card number") if kind.replace(" ", "") == joined),
        "",
    )


def card_key(path: str) -> str:
    """The kind of card data that a key path names; empty where it names none."""
    kind = sensitive_key(path)
    return kind if kind in CARDS else ""


def _find(words: list[str], wanted: tuple[str, ...]) -> int | None:
    for at in range(len(words) - len(wanted) + 1):
        if tuple(words[at : at + len(wanted)]) == wanted:
            return at
    return None


def _is_asset(words: list[str], at: int) -> bool:
    """`tokenId`, `paymentToken`, `erc20Token`: an asset or a provider's handle, no credential."""
    after = words[at + 1] if at + 1 < len(words) else ""
    before = words[at - 1] if at else ""
    return after in _OF_TOKENS or before in _CHAIN or before.isdigit()
