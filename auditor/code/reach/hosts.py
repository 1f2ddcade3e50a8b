"""What a raw HTTP call means by the address that it goes to."""

from __future__ import annotations

import re

from auditor.code.model import Role

_HOSTS = {
    "api.stripe.com": Role.PAYMENT_CREATE,
    "paypal.com/v": Role.PAYMENT_CREATE,
    "adyen.com": Role.PAYMENT_CREATE,
    "squareup.com": Role.PAYMENT_CREATE,
    "api.resend.com": Role.EMAIL_SEND,
    "api.sendgrid.com": Role.EMAIL_SEND,
    "api.brevo.com": Role.EMAIL_SEND,
    "api.postmarkapp.com": Role.EMAIL_SEND,
    "api.razorpay.com": Role.PAYMENT_CREATE,
    "api.paystack.co": Role.PAYMENT_CREATE,
    "api.flutterwave.com": Role.PAYMENT_CREATE,
    "api.mollie.com": Role.PAYMENT_CREATE,
    "api.checkout.com": Role.PAYMENT_CREATE,
    "api.midtrans.com": Role.PAYMENT_CREATE,
    "api.xendit.co": Role.PAYMENT_CREATE,
    "api.mercadopago.com": Role.PAYMENT_CREATE,
    "api.cashfree.com": Role.PAYMENT_CREATE,
    "api.monnify.com": Role.PAYMENT_CREATE,
    "api.moyasar.com": Role.PAYMENT_CREATE,
    "api.tap.company": Role.PAYMENT_CREATE,
    "api.phonepe.com": Role.PAYMENT_CREATE,
    "api.asaas.com": Role.PAYMENT_CREATE,
    "api.mailgun.net": Role.EMAIL_SEND,
    "api.mailjet.com": Role.EMAIL_SEND,
    "api.mailersend.com": Role.EMAIL_SEND,
    "api.sparkpost.com": Role.EMAIL_SEND,
    "pinJSONToIPFS": Role.STORAGE_UPLOAD,
    "pinFileToIPFS": Role.STORAGE_UPLOAD,
    "/pinning/pin": Role.STORAGE_UPLOAD,
    "/api/v0/add": Role.STORAGE_UPLOAD,
    "api.nft.storage/upload": Role.STORAGE_UPLOAD,
    "hooks.slack.com": Role.NOTIFY,
    "discord.com/api/webhooks": Role.NOTIFY,
}
_PAYS = re.compile(
    r"/(?:charges?|payments?|payment[-_]?intents?|request-?to-?pay|stk-?push(?:/v\d+/processrequest)?|debits?|captures?|disburse(?:ments?)?|payouts?|refunds?"
    r"|transactions?/(?:charge\w*|initialize)|(?:charges?|payments?)/(?:create|initiate|process))/?(?=[`'\"?]|$)",
    re.I,
)
"""Addresses that a payment is ordered at, whoever the provider is."""
_ASKS = re.compile(r"/(?:search|query|lookup|completions|embeddings|rerank|moderations)\b(?![\w/-])", re.I)
"""Addresses that are asked by POST and change nothing."""


def role_at(written: str) -> Role | None:
    """What a write to an address means, by the provider's host in it."""
    return next((role for host, role in _HOSTS.items() if host in written), None)


def orders_payment(written: str) -> bool:
    """Whether a payment is ordered at an address."""
    return _PAYS.search(written) is not None


def asks(written: str) -> bool:
    """Whether an address is asked by POST and changes nothing."""
    return _ASKS.search(written) is not None
