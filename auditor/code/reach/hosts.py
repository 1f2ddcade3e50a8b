"""What a raw HTTP call means by the address that it goes to."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from auditor.code.evaluation.taint import text
from auditor.code.evaluation.values import options_of, text_of
from auditor.code.model import Role
from auditor.code.syntax.facts import Call

if TYPE_CHECKING:
    from auditor.code.evaluation.evaluate import Evaluator

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
    "api.korapay.com": Role.PAYMENT_CREATE,
    "api.chapa.co": Role.PAYMENT_CREATE,
    "api.squadco.com": Role.PAYMENT_CREATE,
    "api.fincra.com": Role.PAYMENT_CREATE,
    "momo.vn/v2/gateway": Role.PAYMENT_CREATE,
    "braintreegateway.com": Role.PAYMENT_CREATE,
    "payments.braintree-api.com": Role.PAYMENT_CREATE,
    "api.gocardless.com": Role.PAYMENT_CREATE,
    "api.dwolla.com": Role.PAYMENT_CREATE,
    "api.pagar.me": Role.PAYMENT_CREATE,
    "api.paymongo.com": Role.PAYMENT_CREATE,
    "api.omise.co": Role.PAYMENT_CREATE,
    "api.authorize.net": Role.PAYMENT_CREATE,
    "api.nowpayments.io": Role.PAYMENT_CREATE,
    "api.klarna.com": Role.PAYMENT_CREATE,
    "pinJSONToIPFS": Role.STORAGE_UPLOAD,
    "pinFileToIPFS": Role.STORAGE_UPLOAD,
    "/pinning/pin": Role.STORAGE_UPLOAD,
    "/api/v0/add": Role.STORAGE_UPLOAD,
    "api.nft.storage/upload": Role.STORAGE_UPLOAD,
    "hooks.slack.com": Role.NOTIFY,
    "discord.com/api/webhooks": Role.NOTIFY,
}
_REFERENCES = {
    "api.paystack.co": ("reference",),
    "api.flutterwave.com": ("tx_ref", "reference"),
    "api.monnify.com": ("paymentReference", "reference"),
    "api.korapay.com": ("reference",),
    "api.chapa.co": ("tx_ref",),
    "api.squadco.com": ("transaction_ref", "transaction_reference"),
    "api.fincra.com": ("customerReference", "reference"),
    "midtrans.com": ("order_id",),
    "momo.vn": ("orderId", "requestId"),
    "vnpayment.vn": ("vnp_TxnRef",),
}
"""Fields of a request's body whose value a provider takes once, by its documentation: a second request of it is refused."""
_PAYS = re.compile(
    r"/(?:charges?|payments?|payment[-_]?intents?|request-?to-?pay|stk-?push(?:/v\d+/processrequest)?|debits?|captures?|disburse(?:ments?)?|payouts?|refunds?"
    r"|transactions?/(?:charge\w*|initialize)|(?:charges?|payments?)/(?:create|initiate|process))/?(?=[`'\"?]|$)",
    re.I,
)
"""Addresses that a payment is ordered at, whoever the provider is."""
_ASKS = re.compile(
    r"/(?:verify|verify-webhook-signature|search|query|lookup|completions|embeddings|rerank|moderations)\b(?![\w/-])",
    re.I,
)
"""Addresses that are asked by POST and change nothing."""


def role_at(written: str) -> Role | None:
    """What a write to an address means, by the provider's host in it."""
    return next((role for host, role in _HOSTS.items() if host in written), None)


def references_at(ev: Evaluator, call: Call) -> tuple[str, ...]:
    """Fields that tell a provider's requests apart, by the host that a call names."""
    given = call.arguments()
    written = text(call.node)
    if given and given[0].type not in ("string", "object"):
        written += " ".join(text_of(one) for one in options_of(ev.eval(given[0], call.scope)))
    return next((names for host, names in _REFERENCES.items() if host in written), ())


def orders_payment(written: str) -> bool:
    """Whether a payment is ordered at an address."""
    return _PAYS.search(written) is not None


def asks(written: str) -> bool:
    """Whether an address is asked by POST and changes nothing."""
    return _ASKS.search(written) is not None
