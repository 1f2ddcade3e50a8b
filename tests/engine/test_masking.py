"""Whatever looks like a secret is masked, whatever stands around it."""

from __future__ import annotations

import pytest

from auditor.masking import mask, mask_forms

SECRETS = [
    "redis://:hunter2@h",
    "AMQPS://user:hunter2@h",
    "sk_live_hunter2hunter2",
    "whsec_hunter2hunter2hunter2",
    "re_hunter2hunter2hunter2",
    "SG.hunter2hunter2.hunter2",
    "xoxb-hunter2hunter2hunter2",
    "ghp_hunter2hunter2hunter2",
    "npm_hunter2hunter2hunter2",
    "key-hunter2hunter2hunter2",
    "AKIAABCDEFGHIJKLMNOP",
    "eyJhunter2hunter2.hunter2hunter2.hunter2",
    "-----BEGIN RSA PRIVATE KEY-----\nhunter2\n",
    f"PRIVATE_KEY={'ab' * 32}",
    f"mnemonic: 0x{'ab' * 32}",
    f"seed({'ab' * 32}",
    "password: 'hunter2'",
    "requirePass = `hunter2`",
    "apiKey: 'hunter2'",
    "AuthToken: 'hunter2'",
]


@pytest.mark.parametrize("secret", SECRETS)
def test_every_form_is_masked(secret: str) -> None:
    for text in (secret, f"before {secret}", f"before\n{secret} after"):
        for masked in (mask_forms(text), mask(text)):
            assert "***" in masked
            assert "hunter2" not in masked.removesuffix("hunter2 after")
            assert "abab" not in masked


@pytest.mark.parametrize("text", ["", "a plain line", "mail-queue", "services/mail/src/main.ts:4", "attempts: 3"])
def test_other_text_stays(text: str) -> None:
    assert mask_forms(text) == text
