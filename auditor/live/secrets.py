"""Secrets: key names that hold one, and values that look like one wherever they are.

Key names are read as words (`accessToken` is access + token), and the last word decides: `tokenId`, `passwordResetUrl`
and `hasPassword` hold no secret. Encrypted, hashed and masked values are no hits.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from enum import StrEnum
from functools import lru_cache

from .jobs_model import Sensitive

_WORD = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|\d+")
_MASKED = re.compile(r"[*•xX#.\-_\s]+\w{0,4}|\[?(?:redacted|filtered|masked|removed|hidden|secret)\]?", re.IGNORECASE)
_ENCRYPTED = re.compile(
    # prefixes of sealed values: Vault, KMS, OpenSSL, age, PGP, bcrypt, argon2, JWE (alg dir, RSA-…, A256KW)
    r"(?:enc(?:rypted)?[:._]|vault:v\d|kms:|age1|AQICAH|U2FsdGVkX1|-----BEGIN (?:PGP MESSAGE|AGE)"
    r"|\$2[aby]\$|\$argon2|eyJhbGciOiJ(?:kaXIi|SU0Et|BMjU2S1ci))"
)
_SEALED_WORDS = frozenset(
    ("encrypted", "cipher", "ciphertext", "hash", "hashed", "masked", "digest", "public", "policy")
)

_SECRET_LAST = frozenset(("password", "passwd", "pwd", "passphrase", "passcode", "secret", "mnemonic"))
_SECRET_JOINED = frozenset(
    (
        "apikey",
        "privatekey",
        "secretkey",
        "encryptionkey",
        "signingkey",
        "secretaccesskey",
        "masterkey",
        "seedphrase",
        "recoveryphrase",
        "secretphrase",
        "seedwords",
        "walletseed",
    )
)
_TAILS = frozenset(("plain", "plaintext", "text", "value", "confirm", "confirmation", "raw"))
_HARMLESS_TOKEN = frozenset(
    # providers' tokens stand for a secret and may be passed on; chain tokens and cursors are none
    (
        *(
            "payment",
            "pm",
            "method",
            "card",
            "source",
            "stripe",
            "braintree",
            "square",
            "nft",
            "erc",
            "fungible",
            "reward",
        ),
        *(
            "governance",
            "utility",
            "mint",
            "native",
            "wrapped",
            "base",
            "quote",
            "lp",
            "in",
            "out",
            "from",
            "to",
            "target",
        ),
        *(
            "contract",
            "device",
            "push",
            "fcm",
            "apns",
            "unsubscribe",
            "tracking",
            "page",
            "next",
            "continuation",
            "cursor",
        ),
        *("sync", "idempotency", "sale", "csrf", "xsrf", "cancellation", "unique", "correlation", "dedup"),
        *("deduplication", "lock"),
    )
)
_SECURITY = frozenset(("cvv", "cvc", "cvn", "csc", "cvv2", "cvc2", "securitycode", "cardcode"))
_PRIVATE = frozenset(("secret", "private", "keypair", "privkey"))
_OWNER = frozenset(
    # whose `key` signs: `wallet.key`, `deployerKey`; `idempotencyKey`, `cacheKey`, `s3Key` and a bare `key` name something
    (
        *(
            "wallet",
            "signer",
            "signing",
            "deployer",
            "owner",
            "minter",
            "admin",
            "treasury",
            "hot",
            "payer",
            "authority",
        ),
        *("account", "evm", "eth", "ethereum", "solana", "polygon", "validator", "relayer", "operator"),
    )
)
_PUBLIC = frozenset(("public", "pub", "signature", "sig", "hash", "tx", "txid", "address", "mint", "id"))

_PEM = re.compile(r"-----BEGIN (?:[A-Z0-9]+ )*PRIVATE KEY-----")
_PROVIDER = re.compile(
    # Stripe, AWS, GitHub, Slack, SendGrid, npm, GitLab, Square
    r"\b(?:[sr]k_live_[0-9A-Za-z]{16,}|whsec_[0-9A-Za-z+/]{24,}|(?:AKIA|ASIA)[0-9A-Z]{16}\b|gh[pousr]_[0-9A-Za-z]{36}"
    r"|github_pat_\w{60,}|xox[baprs]-[0-9A-Za-z-]{20,}|SG\.[\w-]{22}\.[\w-]{43}|npm_[0-9A-Za-z]{36}|glpat-[\w-]{20,}"
    r"|sq0(?:atp|csp)-[\w-]{22,})"
)
_JWT = re.compile(r"\beyJ[\w-]{10,}\.eyJ[\w-]{10,}\.[\w-]{20,}")
_BEARER = re.compile(r"(?:Bearer|Basic) [\w.+/=~-]{12,}")
_TRACK = re.compile(r"%B\d{12,19}\^[^^]{2,26}\^\d{4}|;\d{12,19}=\d{7,}")
_BASE58_64 = re.compile(r"[1-9A-HJ-NP-Za-km-z]{86,88}")
_HEX_32 = re.compile(r"(?:0x)?[0-9a-fA-F]{64}")
_SSN = re.compile(r"\d{3}-\d{2}-\d{4}|\d{9}")
_ADDRESS = re.compile(r"0x[0-9a-fA-F]{40}|[1-9A-HJ-NP-Za-km-z]{32,44}|[A-Z]{2,10}")


class _Meaning(StrEnum):
    """What a key's name says of the value under it."""

    NOTHING = "nothing"
    SECRET = "secret"
    TOKEN = "token"
    AUTHORIZATION = "authorization"
    CARD_SECURITY = "card security code"
    NATIONAL_ID = "national id"


# the jobs of a queue have the same keys over and over
@lru_cache(maxsize=8192)
def words(key: str) -> tuple[str, ...]:
    """A key name as lower-case words: `stripeAPIKey_v2` → stripe, api, key, v, 2."""
    return tuple(word.lower() for word in _WORD.findall(key))


@lru_cache(maxsize=8192)
def _meaning(key: tuple[str, ...]) -> _Meaning:
    if not key or set(key) & _SEALED_WORDS:
        return _Meaning.NOTHING
    if "".join(key[-2:]) in _SECURITY or key[-1] in _SECURITY:
        return _Meaning.CARD_SECURITY
    if key[-1] == "ssn" or key[-3:] == ("social", "security", "number"):
        return _Meaning.NATIONAL_ID
    stem = key[:-1] if key[-1] in _TAILS and len(key) > 1 else key
    if stem[-1] in _SECRET_LAST or {"".join(stem[-2:]), "".join(stem[-3:]), stem[-1]} & _SECRET_JOINED:
        return _Meaning.SECRET
    if stem[-1] == "token" and not set(stem[-2:-1]) & _HARMLESS_TOKEN:
        return _Meaning.TOKEN
    return _Meaning.AUTHORIZATION if key[-1] == "authorization" else _Meaning.NOTHING


def by_key(key: tuple[str, ...], value: str | int) -> Sensitive | None:
    """What the key's name says of the value, None where it is no secret, masked, or sealed."""
    meaning = _meaning(key)
    if meaning is _Meaning.NOTHING:
        return None
    text = str(value)
    if not text.strip() or _MASKED.fullmatch(text) or _ENCRYPTED.match(text):
        return None
    if meaning is _Meaning.CARD_SECURITY:
        return Sensitive.CARD_SECURITY if re.fullmatch(r"\d{3,4}", text) else None
    if meaning is _Meaning.NATIONAL_ID:
        return Sensitive.NATIONAL_ID if _SSN.fullmatch(text) else None
    return _by_text(meaning, value) if isinstance(value, str) else None


def _by_text(meaning: _Meaning, text: str) -> Sensitive | None:
    if meaning is _Meaning.AUTHORIZATION:
        return Sensitive.TOKEN if _BEARER.match(text) else None
    # in chain jobs `token` is often a contract's address or a symbol
    plain = meaning is _Meaning.TOKEN and (len(text) < 8 or text.isdecimal() or _ADDRESS.fullmatch(text))
    return None if plain else Sensitive.SECRET_KEY


def by_value(text: str, key: tuple[str, ...]) -> Iterator[Sensitive]:
    """What the value itself shows, whatever its key; keys help only where the form is not proof enough."""
    if len(text) < 13 or _ENCRYPTED.match(text):
        return
    if _PEM.search(text):
        yield Sensitive.PRIVATE_KEY
    if _PROVIDER.search(text):
        yield Sensitive.PROVIDER_KEY
    if _JWT.search(text):
        yield Sensitive.TOKEN
    if _TRACK.search(text):
        yield Sensitive.TRACK
    if len(text) >= 64 and keylike(key) and (_BASE58_64.fullmatch(text) or _HEX_32.fullmatch(text)):
        yield Sensitive.PRIVATE_KEY


@lru_cache(maxsize=8192)
def keylike(key: tuple[str, ...]) -> bool:
    """Whether a key's name says that a private key lies there: Solana's and Ethereum's have no form of their own.

    64 hex digits are a SHA-256 as well, which makes a good idempotency key.
    """
    last = set(key[-2:])
    if set(key) & _PUBLIC or not key:
        return False
    return bool(last & _PRIVATE) or (key[-1] in ("key", "sk") and bool(last & _OWNER))
