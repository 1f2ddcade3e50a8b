"""Values as real payloads hold them, drawn at random: what only looks sensitive is no hit, and real card numbers are all hits."""

from __future__ import annotations

import base64
import hashlib
import json
import random
import string
import uuid
from collections.abc import Callable

import pytest

from auditor.live.cards import luhn
from auditor.live.detectors import in_json, in_text
from auditor.live.jobs_model import Sensitive

DRAW = random.Random(2026)
BASE58 = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"


def digits(count: int) -> str:
    return "".join(DRAW.choice(string.digits) for _ in range(count))


def drawn(alphabet: str, count: int) -> str:
    return "".join(DRAW.choice(alphabet) for _ in range(count))


def checked(prefix: str, length: int) -> str:
    """Digits of that length that pass Luhn."""
    body = prefix + digits(length - 1 - len(prefix))
    return next(body + last for last in string.digits if luhn(body + last))


def hashed(name: str) -> str:
    return hashlib.new(name, DRAW.randbytes(16)).hexdigest()


HARMLESS: dict[str, Callable[[], str]] = {
    "order number": lambda: digits(DRAW.choice([10, 12, 13, 15, 16, 19])),
    "order number in a card's range that passes Luhn": lambda: checked(DRAW.choice(["4", "51", "6011"]), 16),
    "uuid": lambda: str(uuid.UUID(int=DRAW.getrandbits(128), version=4)),
    "sha256": lambda: hashed("sha256"),
    "sha1": lambda: hashed("sha1"),
    "md5": lambda: hashed("md5"),
    "Mongo id": lambda: drawn("0123456789abcdef", 24),
    "chain address": lambda: "0x" + drawn("0123456789abcdef", 40),
    "transaction hash": lambda: "0x" + hashed("sha256"),
    "Solana signature": lambda: drawn(BASE58, 88),
    "Solana address": lambda: drawn(BASE58, 44),
    "token id": lambda: str(DRAW.getrandbits(256)),
    "snowflake": lambda: str(DRAW.randrange(10**17, 10**19)),
    "moment in ms": lambda: str(1_795_494_777_028 + DRAW.randrange(10**9)),
    "moment in ns": lambda: str(1_795_494_777_028_000_000 + DRAW.randrange(10**15)),
    "IMEI": lambda: checked("35", 15),
    "SIM number": lambda: checked("8949", 20),
    "tracking number": lambda: "94" + digits(20),
    "IBAN": lambda: "DE" + digits(20),
    "phone": lambda: "+49" + digits(11),
    "EAN": lambda: DRAW.choice("0479") + digits(12),
    "Stripe payment method": lambda: "pm_" + drawn(string.ascii_letters + string.digits, 24),
    "ULID": lambda: "01" + drawn(string.ascii_uppercase + string.digits, 24),
    "nanoid": lambda: drawn(string.ascii_letters + string.digits, 21),
    "base64": lambda: base64.b64encode(DRAW.randbytes(48)).decode(),
    "wei": lambda: str(DRAW.randrange(10**15, 10**20)),
    "IPFS id": lambda: "Qm" + drawn(BASE58, 44),
    "URL": lambda: f"https://shop.example/orders/{digits(16)}?id={digits(16)}",
}
KEYS = [
    "id",
    "orderId",
    "order_number",
    "orderNumber",
    "number",
    "value",
    "reference",
    "ref",
    "trackingNumber",
    "transactionId",
    "txHash",
    "hash",
    "signature",
    "tokenId",
    "token_id",
    "mintAddress",
    "wallet",
    "walletAddress",
    "address",
    "contract",
    "amount",
    "amountWei",
    "nonce",
    "blockNumber",
    "data",
    "payload",
    "message",
    "description",
    "note",
    "text",
    "body",
    "memo",
    "comment",
    "input",
    "content",
    "invoiceNumber",
    "externalId",
    "eventId",
    "userId",
    "sessionId",
    "requestId",
    "correlationId",
    "idempotencyKey",
    "cursor",
    "etag",
    "checksum",
    "publicKey",
    "ipfsHash",
    "cid",
    "sku",
    "gtin",
    "phone",
    "account",
    "accountNumber",
    "iban",
    "ticketNumber",
    "barcode",
    "qrCode",
    "voucher",
    "couponCode",
    "giftCardId",
    "cardId",
    "cardToken",
    "paymentMethod",
    "customer",
    "key",
    "s3Key",
    "cacheKey",
    "keyId",
    "kid",
    "objectKey",
    "partitionKey",
    "pk",
    "sk",
    "seed",
    "serverSeed",
    "signer",
    "walletId",
    "dedupKey",
]
TEXTS = (
    "Order {} was paid by card",
    "charge for order {} failed",
    "payment {} declined for credit account",
    "duplicate key value violates unique constraint: ({})",
    "job {} of the card import",
    "invoice {}: debit refused",
    "at Object.<anonymous> (/srv/app/{}.js:1:1)",
    "customer paid order no. {} with a visa card",
    "transaction {} (mastercard)",
    "PAN check for order #{}",
    "GET https://cards.example/card/{} 404",
)


@pytest.mark.parametrize("kind", HARMLESS)
def test_what_only_looks_sensitive_is_no_hit(kind: str) -> None:
    """300 values of each kind under every usual key, as text or number, at the top or below an `order`."""
    for _ in range(300):
        value: str | int = HARMLESS[kind]()
        if str(value).isdecimal() and DRAW.random() < 0.2:
            value = int(value)
        payload = {DRAW.choice(KEYS): value, "order": dict.fromkeys(DRAW.sample(KEYS, 6), value)}
        assert in_json(json.dumps(payload)) == (True, []), payload


@pytest.mark.parametrize("text", TEXTS)
def test_numbers_in_messages_are_what_the_message_calls_them(text: str) -> None:
    for kind, value in HARMLESS.items():
        for _ in range(30):
            said = text.format(value())
            assert in_text(said) == [], (kind, said)


RANGES = {"4": 16, "51": 16, "2221": 16, "34": 15, "6011": 16, "3528": 16, "36": 14, "622126": 16}


@pytest.mark.parametrize("prefix", RANGES)
def test_card_numbers_are_found(prefix: str) -> None:
    """Under a card's name in any writing; in free text, grouped or named a card."""
    for _ in range(100):
        number = checked(prefix, RANGES[prefix])
        grouped = " ".join(number[at : at + 4] for at in range(0, len(number), 4))
        payloads: list[object] = [
            {"cardNumber": number},
            {"card": {"number": int(number)}},
            {"payment": {"pan": number}},
        ]
        payloads += [{"note": grouped}] if len(number) == 16 else []
        for payload in payloads:
            assert [hit.kind for hit in in_json(json.dumps(payload))[1]] == [Sensitive.CARD], payload
        assert [hit.kind for hit in in_text(f"the card {number} was declined")] == [Sensitive.CARD]
        assert [hit.kind for hit in in_text(f"card={number}&cvc=***")] == [Sensitive.CARD]


@pytest.mark.parametrize("key", ["privateKey", "wallet.key", "deployerKey", "signer.secret", "keypair", "account.sk"])
def test_private_keys_are_found_under_the_names_that_hold_them(key: str) -> None:
    value: object = "0x" + hashed("sha256")
    for name in reversed(key.split(".")):
        value = {name: value}
    assert [hit.kind for hit in in_json(json.dumps(value))[1]] == [Sensitive.PRIVATE_KEY]
