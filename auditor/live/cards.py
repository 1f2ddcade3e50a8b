"""Card numbers: of an issuer's range and length, passing Luhn, and written or named as card numbers are.

Of random 16-digit order numbers one in ten passes Luhn alone, so that the rest has to speak for a card too.
"""

from __future__ import annotations

import re

CARD_WORDS = frozenset(("card", "cc", "pan", "creditcard", "debitcard", "cardnumber", "ccnumber", "cardno", "ccnum"))
_NEUTRAL = frozenset(
    (
        "number",
        "value",
        "input",
        "payload",
        "data",
        "content",
        "description",
        "comment",
        "memo",
        "text",
        "message",
        "note",
        "body",
    )
)

_REFERENCE = frozenset(("id", "ref", "reference", "token", "fingerprint", "order", "tracking", "account"))

_PAN = re.compile(r"(?<![\d.\-+])\d(?:[ -]?\d){12,18}(?![\d.]|-\d)")
_JOINT = re.compile(r"(?<=[A-Za-z])[-_](?=\d)")
_GROUPED = re.compile(r"\d{4}([ -])\d{4}\1\d{4}\1\d{4}(?:\1\d{1,3})?|\d{4}([ -])\d{6}\2\d{5}")
_NAMED = re.compile(
    # what a number is named right before it: `order #42…`, `payment_id=42…`, a path's segment
    r"(?:\b(?:order|invoice|transaction|txn?|payment|refund|charge|job|ticket|tracking|ref|reference|account|customer|user"
    r"|event|request|id)(?:[ _-]?(?:id|no\.?|nr\.?|num|number|ref|key))?[\s#:=\"'(\[]*|/)$",
    re.IGNORECASE,
)
_NEAR = re.compile(r"\b(?:card|visa|mastercard|amex|pan|credit|debit)\b", re.IGNORECASE)


def luhn(digits: str) -> bool:
    """Whether the digits pass the card industry's check sum."""
    total = 0
    for position, digit in enumerate(reversed(digits)):
        value = int(digit) * (2 if position % 2 else 1)
        total += value - 9 if value > 9 else value
    return total % 10 == 0


def issued(digits: str) -> bool:
    """Whether a known issuer's range has numbers of this length."""
    two, three, four, six = int(digits[:2]), int(digits[:3]), int(digits[:4]), int(digits[:6])
    length = len(digits)
    return bool(
        (digits[0] == "4" and length in (16, 19))  # Visa; the 13 digits of old are an EAN's today
        or ((51 <= two <= 55 or 2221 <= four <= 2720) and length == 16)  # Mastercard
        or (two in (34, 37) and length == 15)  # American Express
        or ((four == 6011 or 644 <= three <= 649 or two == 65) and length in (16, 19))  # Discover
        or (3528 <= four <= 3589 and length in (16, 19))  # JCB
        or ((300 <= three <= 305 or three == 309 or two in (36, 38, 39)) and length == 14)  # Diners
        or (622126 <= six <= 622925 and length in (16, 19))  # UnionPay
        or (two in (50, 56, 57, 58) and length in (16, 19))  # Maestro
    )


def has_card(text: str, key: tuple[str, ...]) -> bool:
    """Whether the text holds a card number; `key` is the words of the key that it lies under, none for plain text."""
    if len(text) < 12:
        return False
    about_cards = bool(CARD_WORDS & set(key)) and key[-1] not in _REFERENCE
    for match in _PAN.finditer(text):
        written = match[0]
        digits = _number(written)
        if not digits:
            continue
        whole = written == text.strip()
        if about_cards and whole:
            return True
        if _GROUPED.fullmatch(written) and (about_cards or not key or key[-1] in _NEUTRAL):
            return True
        before = text[max(match.start() - 40, 0) : match.start()]
        near = _NEAR.search(before + text[match.start() : match.end() + 20])
        if not whole and len(digits) < 19 and near and not _NAMED.search(before):
            return True
    return False


def without_cards(name: str) -> str:
    """An id or name, its card numbers but for the last two digits masked: `pan-***44`; as it is where it holds none."""
    said = as_words(name)
    if not has_card(said, ()):
        return name
    shown, end = "", 0
    for match in _PAN.finditer(said):
        if digits := _number(match[0]):
            shown += f"{name[end : match.start()]}***{digits[-2:]}"
            end = match.end()
    return shown + name[end:]


def as_words(name: str) -> str:
    """An id or name as text of the same length: `pan-4242…` is no negative number, nor `card_4242…` one word."""
    return _JOINT.sub(" ", name)


def _number(written: str) -> str:
    """The digits of a card number, empty where it is none."""
    digits = written.replace(" ", "").replace("-", "")
    sound = digits.isascii() and len(set(digits)) > 1 and issued(digits) and luhn(digits)
    return digits if sound else ""
