"""Detectors: what is sensitive is found wherever it lies, what only looks so is not, and nothing of it is kept."""

from __future__ import annotations

import json
import random

import pytest

from auditor.live.cards import has_card, issued, luhn
from auditor.live.detectors import in_json, in_text
from auditor.live.jobs_model import Sensitive

JWT = "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0NTY3ODkwIn0." + "x" * 43
STRIPE = "sk_live_" + "4eC39HqLyjWDarjtT1zdp7dc"
PEM = "-----BEGIN RSA PRIVATE KEY-----\nMIIEow\n-----END RSA PRIVATE KEY-----"
BASE58 = "5" * 44 + "KzMnQrStUvWxYz" * 3 + "ab"

FOUND = [
    ({"password": "hunter2hunter2"}, "password", Sensitive.SECRET_KEY),
    ({"user": {"dbPassword": "x9x9x9x9"}}, "user.dbPassword", Sensitive.SECRET_KEY),
    ({"SMTP_PASS_PHRASE": "ok", "smtp": {"passphrase": "four words in here"}}, "smtp.passphrase", Sensitive.SECRET_KEY),
    ({"apiKey": "k-123"}, "apiKey", Sensitive.SECRET_KEY),
    ({"API_KEY": "k-123"}, "API_KEY", Sensitive.SECRET_KEY),
    ({"stripeSecretKey": "abc"}, "stripeSecretKey", Sensitive.SECRET_KEY),
    ({"clientSecret": "abc"}, "clientSecret", Sensitive.SECRET_KEY),
    ({"resetToken": "f3a9c1d2e4"}, "resetToken", Sensitive.SECRET_KEY),
    ({"wallet": {"seedPhrase": "abandon ability able"}}, "wallet.seedPhrase", Sensitive.SECRET_KEY),
    ({"mnemonic": "abandon ability able"}, "mnemonic", Sensitive.SECRET_KEY),
    ({"users": [{"password": "a-secret"}, {"password": "b-secret"}]}, "users[].password", Sensitive.SECRET_KEY),
    ({"headers": {"authorization": f"Bearer {'a' * 30}"}}, "headers.authorization", Sensitive.TOKEN),
    ({"auth": JWT}, "auth", Sensitive.TOKEN),
    ({"anything": STRIPE}, "anything", Sensitive.PROVIDER_KEY),
    ({"env": "AWS_ACCESS_KEY_ID=AKIAIOSFODNN7EXAMPLE"}, "env", Sensitive.PROVIDER_KEY),
    ({"cert": PEM}, "cert", Sensitive.PRIVATE_KEY),
    ({"wallet": {"secretKey": list(range(64))}}, "wallet.secretKey", Sensitive.PRIVATE_KEY),
    ({"signer": {"privateKey": "0x" + "ab" * 32}}, "signer.privateKey", Sensitive.PRIVATE_KEY),
    ({"keypair": BASE58}, "keypair", Sensitive.PRIVATE_KEY),
    ({"cardNumber": "4242424242424242"}, "cardNumber", Sensitive.CARD),
    ({"card": {"number": 5555555555554444}}, "card.number", Sensitive.CARD),
    ({"pan": "3782 822463 10005"}, "pan", Sensitive.CARD),
    ({"note": "customer's card is 4111 1111 1111 1111, call back"}, "note", Sensitive.CARD),
    ({"card": {"cvv": "123"}}, "card.cvv", Sensitive.CARD_SECURITY),
    ({"cvc": 1234}, "cvc", Sensitive.CARD_SECURITY),
    ({"swipe": "%B4242424242424242^DOE/JANE^29121010000000000?"}, "swipe", Sensitive.TRACK),
    ({"ssn": "078-05-1120"}, "ssn", Sensitive.NATIONAL_ID),
    ({"body": json.dumps({"login": {"password": "inside-text"}})}, "body.login.password", Sensitive.SECRET_KEY),
]

FINE = [
    {"tokenId": "12345678901234567890"},
    {"tokenAmount": "1000000000000000000"},
    {"paymentToken": "tok_1NirD82eZvKYlo2CIvbtLWuY"},
    {"payment": {"token": "tok_1NirD82eZvKYlo2CIvbtLWuY"}},
    {"token": "0x52908400098527886E0F7030069857D2E4169EE7"},
    {"tokenIn": "So11111111111111111111111111111111111111112"},
    {"token": "USDC"},
    {"hasPassword": True, "passwordChangedAt": 1795494777028},
    {"passwordResetUrl": "https://shop.example/reset"},
    {"password": ""},
    {"password": None},
    {"password": "********"},
    {"password": "[REDACTED]"},
    {"passwordHash": "$2b$10$N9qo8uLOickgx2ZMRZoMye"},
    {"encryptedPassword": "QUJDREVGR0hJSktMTU5PUFFSU1RVVg=="},
    {"secret": "vault:v1:8SDd3WHDOjf7mq69CyCqYjBXAiQQAVZRkFM13ok481zoCmHnSeDX9vyf7w=="},
    {"orderId": "4242424242424242"},
    {"card": {"id": "4242424242424242", "last4": "4242", "brand": "visa"}},
    {"trackingNumber": "4111111111111111"},
    {"timestamp": 1795494777028, "nonce": 4000000000000002},
    {"hash": "0x" + "ab" * 32, "signature": BASE58, "txHash": "ab" * 32},
    {"publicKey": BASE58},
    {"amount": 4242424242424242},
    {"key": "orders/2024/10/17/receipt.pdf"},
    {"phone": "+1 4242 424242"},
    {"deviceToken": "f3a9c1d2e4f3a9c1d2e4"},
    {"code": "123"},
    {"secretSantaName": "Ann"},
]


@pytest.mark.parametrize(("payload", "path", "kind"), FOUND, ids=[f"{path}-{kind.name}" for _, path, kind in FOUND])
def test_found(payload: object, path: str, kind: Sensitive) -> None:
    valid, hits = in_json(json.dumps(payload))
    assert valid
    assert {(hit.path, hit.kind) for hit in hits} == {(path, kind)}


@pytest.mark.parametrize("payload", FINE, ids=",".join)
def test_fine(payload: object) -> None:
    assert in_json(json.dumps(payload)) == (True, [])


@pytest.mark.parametrize("payload", [payload for payload, _, _ in FOUND])
def test_nothing_of_the_value_is_kept(payload: object) -> None:
    _, hits = in_json(json.dumps(payload))

    def values(node: object) -> list[str]:
        if isinstance(node, dict):
            return [text for inner in node.values() for text in values(inner)]
        return [text for inner in node for text in values(inner)] if isinstance(node, list) else [str(node)]

    shapes = " ".join(hit.shape for hit in hits)
    assert shapes
    for value in values(payload):
        assert not any(value[start : start + 4] in shapes for start in range(len(value) - 3))


def test_random_numbers_are_hardly_ever_cards() -> None:
    """Of 20,000 order numbers under neutral names none is a hit; a tenth of them passes Luhn."""
    draw = random.Random(7)
    numbers = ["".join(draw.choice("0123456789") for _ in range(16)) for _ in range(20_000)]
    assert 1500 < sum(map(luhn, numbers)) < 2500
    assert not any(has_card(number, ("order", "number")) for number in numbers)


def test_random_numbers_under_a_card_name_need_a_range() -> None:
    assert not issued("9999999999999995")
    assert not has_card("9999999999999995", ("card", "number"))


def test_text() -> None:
    assert {hit.kind for hit in in_text(f"Error: 401 for key {STRIPE}")} == {Sensitive.PROVIDER_KEY}
    assert {hit.kind for hit in in_text("card 4242 4242 4242 4242 was declined")} == {Sensitive.CARD}
    assert in_text("Error: connect ECONNREFUSED 10.0.0.1:5432 at 1795494777028") == []


def test_keys_that_are_data_themselves_are_folded() -> None:
    _, hits = in_json(
        json.dumps({"jane@example.com": {"password": "a-secret-one"}, "4242424242424242": {"cvv": "123"}})
    )
    assert {hit.path for hit in hits} == {"*.password", "*.cvv"}


@pytest.mark.parametrize(
    "text", ["{", "[" * 100_000, "null", '"text"', "12", "{}", '{"a":' * 5000 + "1" + "}" * 5000, "\ud800", ""]
)
def test_odd_text_never_breaks_it(text: str) -> None:
    in_json(text)
    in_text(text)
