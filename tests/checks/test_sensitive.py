"""Key names that promise a secret, and those that only look so."""

from __future__ import annotations

import pytest
from auditor.checks._sensitive import card_key, sensitive_key


@pytest.mark.parametrize(
    "key",
    [
        "password",
        "user.password",
        "newPassword",
        "secret",
        "client_secret",
        "token",
        "resetToken",
        "accessToken",
        "apiKey",
        "API_KEY",
        "privateKey",
        "mnemonic",
        "seedPhrase",
        "cardNumber",
        "card.cvv",
        "ssn",
        "refresh_token",
        "cardnumber",
    ],
)
def test_secrets(key: str) -> None:
    assert sensitive_key(key)


@pytest.mark.parametrize(
    "key",
    [
        "tokenId",
        "token_id",
        "tokenAmount",
        "tokenURI",
        "paymentToken",
        "erc20Token",
        "fromToken",
        "tokens",
        "passwordChangedAt",
        "secretId",
        "cardId",
        "keyName",
        "sessionId",
        "tokenAddress",
        "tokenType",
        "publicKey",
        "tokenRequest",
        "apiKeyStatus",
    ],
)
def test_no_secrets(key: str) -> None:
    assert not sensitive_key(key)


def test_card_data_is_told_apart() -> None:
    assert card_key("payment.cardNumber") == "card number"
    assert not card_key("password")
