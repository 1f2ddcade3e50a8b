"""Calls with a role that living code makes outside of job handlers: payment webhooks, charges, readers of bounces."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterable, Iterator
from dataclasses import replace
from itertools import islice

from auditor.code.evaluation import taint, types
from auditor.code.evaluation.values import External, options_of
from auditor.code.model import Effect, Role, Worker
from auditor.code.reach.effects import Effects
from auditor.code.reach.positions import span_of
from auditor.code.syntax.facts import Call, Function, Module
from auditor.model import CodeSpan

WANTED = frozenset((Role.PAYMENT_WEBHOOK, Role.PAYMENT_CREATE, Role.REFUND_CREATE))
_MARKS = (
    b"constructEvent", b"validateHMAC", b"verifySignature", b"webhookNotification", b"validateWebhookSignature", b"paymentIntents", b"charges.",
    b"refunds.", b"captureOrder", b"createOrder", b"transaction.sale", b"payments.create", b"refundPayment", b"OrdersCaptureRequest",
)  # fmt: skip
_BOUNCE_MARKS = (b"bounce", b"Bounce", b"BOUNCE")
_BOUNCE = re.compile(rb"(?<![Dd]e)[Bb]ounce(?![ _-]?[Rr]ate)|(?<!DE)BOUNCE(?!_?RATE)")
"""A mail's bounce: no debouncing, nor the bounce rate of a site's visitors."""
_OF_MAIL = (
    b"mail",
    b"Mail",
    b"MAIL",
    b"recipient",
    b"complain",
    b"Complain",
    b"suppress",
    b"sendgrid",
    b"postmark",
    b"SNS",
)
_WRITES = frozenset((Role.DB_WRITE, Role.DB_UPSERT, Role.DB_INCREMENT, Role.ENQUEUE))
_HMAC_MARKS = (b"createHmac", b"verif-hash", b"subtle.verify")
_SIGNATURE = re.compile(
    r"(?:x-)?(?:razorpay|paystack|stripe|square|coinbase|cashfree|monnify|mollie|adyen|checkout|payhere|midtrans|cc-webhook|paypal-transmission|"
    r"lemonsqueezy|paddle|mercadopago)-[\w-]*sig|verif-hash|hmacsha256-signature|hmacSignature",
    re.I,
)
_PAYS = re.compile(
    r"razorpay|paystack|stripe|paypal|mollie|paddle|flutterwave|payment|charge|refund|invoice|checkout|transaction|payout",
    re.I,
)
_CLOCK_MARKS = (
    b"node-cron",
    b"node-schedule",
    b"'cron'",
    b'"cron"',
    b"@nestjs/schedule",
    b"croner",
    b"toad-scheduler",
    b"agenda",
)
_CLOCK_CALLS = frozenset(("schedule", "scheduleJob", "CronJob", "Cron", "from", "every", "addCronJob"))
_CLOCKS = ("node-cron", "node-schedule", "cron", "@nestjs/schedule", "croner", "agenda", "@hokify/agenda")
_CLOCK_DECORATORS = frozenset(("Cron", "Interval"))
MOST_FILES = 60
_MUCH = 5
"""Mentions of payments that make a file one about them."""

IsLive = Callable[[Module, "Function | None"], bool]


def find(
    effects: Effects, workers: Iterable[Worker], is_live: IsLive, living: Collection[str] | None = None
) -> tuple[Effect, ...]:
    """The calls, each once; those in reach of a living handler are its worker's and left out, bounces excepted.

    `living`: the files that run; None where that is not known.
    """
    paths = [path for path in effects.ev.program.tree.paths if living is None or path in living]
    handled = {(e.span.path, e.span.start) for worker in workers if worker.live for e in worker.effects}
    found = [
        effect for effect in _calls(effects, paths, is_live) if (effect.span.path, effect.span.start) not in handled
    ]
    return (
        *found,
        *_bounces(effects, paths, is_live),
        *_signatures(effects, paths, is_live),
        *_clocks(effects, paths, is_live),
    )


def _calls(effects: Effects, paths: list[str], is_live: IsLive) -> Iterator[Effect]:
    for module in _modules(effects, paths, _MARKS):
        for call in module.calls:
            if not effects.meanings.catalogue.may_mean(call.name) or not is_live(module, call.scope.func):
                continue
            meaning = effects.meanings.of(call, [])
            if meaning is not None and meaning.role in WANTED:
                made = effects.meanings.effect(call, meaning)
                span = CodeSpan(module.path, call.line, int(call.node.end_point[0]) + 1)
                yield replace(made, span=span, symbol=_symbol(call))


def _signatures(effects: Effects, paths: list[str], is_live: IsLive) -> Iterator[Effect]:
    """Functions that check a payment provider's signature by hand: an HMAC beside the provider's header."""
    for module in _modules(effects, paths, _HMAC_MARKS):
        for call in module.calls:
            if call.name not in ("createHmac", "verify", "timingSafeEqual") or not is_live(module, call.scope.func):
                continue
            function = call.scope.func
            said = taint.text(function.node if function is not None else call.node)
            if _SIGNATURE.search(said) or (
                re.search("signature", said, re.I)
                and "webhook" in said.lower()
                and (_PAYS.search(said) or module.source.lower().count(b"payment") >= _MUCH)
            ):
                span = CodeSpan(module.path, call.line, int(call.node.end_point[0]) + 1)
                yield Effect(Role.PAYMENT_WEBHOOK, span, call.name, package="crypto", symbol=_symbol(call))
                break


def _clocks(effects: Effects, paths: list[str], is_live: IsLive) -> Iterator[Effect]:
    """What node-cron and its kin start by the clock: the call, with what it runs as its text."""
    for module in _modules(effects, paths, _CLOCK_MARKS):
        for call in module.calls:
            if call.name in _CLOCK_CALLS and is_live(module, call.scope.func) and _is_clock(effects, call):
                span = CodeSpan(module.path, call.line, int(call.node.end_point[0]) + 1)
                said = taint.text(call.node)[:400]
                yield Effect(Role.SCHEDULE, span, call.name, text=said, symbol=_symbol(call))
        for function in module.functions:
            if (
                function.decorators
                and types.decorator(module, function.decorators, _CLOCK_DECORATORS)
                and is_live(module, function)
            ):
                line = int(function.node.start_point[0]) + 1
                said = taint.text(function.node)[:400]
                yield Effect(
                    Role.SCHEDULE, CodeSpan(module.path, line, line), "@Cron", text=said, symbol=function.symbol
                )


def _is_clock(effects: Effects, call: Call) -> bool:
    if call.callee is None:
        return False
    return any(
        isinstance(value, External) and value.package in _CLOCKS
        for value in options_of(effects.ev.eval(call.callee, call.scope))
    )


def _bounces(effects: Effects, paths: list[str], is_live: IsLive) -> Iterator[Effect]:
    """Functions that speak of a mail's bounce and whose reach writes: one for each file is enough."""
    program = effects.ev.program
    spoken = [path for path in paths if program.mentions(path, _BOUNCE_MARKS) and program.mentions(path, _OF_MAIL)]
    for module in _modules(effects, [path for path in spoken if _BOUNCE.search(program.tree.read(path) or b"")]):
        for function in module.functions:
            said = _BOUNCE.search(function.node.text or b"")
            if said is None or not is_live(module, function):
                continue
            wrote = next((e for e in effects.of([function]).effects if e.role in _WRITES), None)
            if wrote is not None:
                line = function.node.start_point[0] + (function.node.text or b"")[: said.start()].count(b"\n") + 1
                here = CodeSpan(module.path, int(line), int(line))
                yield Effect(
                    Role.EMAIL_BOUNCE,
                    here,
                    f"{function.symbol or 'handler'} → {wrote.call}",
                    path=(span_of(function), wrote.span),
                    symbol=function.symbol,
                )
                break


def _modules(effects: Effects, paths: list[str], marks: tuple[bytes, ...] = (b"",)) -> Iterator[Module]:
    """The first of these files that hold one of the marks."""
    program = effects.ev.program
    for path in islice((path for path in paths if program.mentions(path, marks)), MOST_FILES):
        module = None if program.out_of_time() else program.module(path)
        if module is not None:
            yield module


def _symbol(call: Call) -> str:
    return call.scope.func.symbol if call.scope.func is not None else ""
