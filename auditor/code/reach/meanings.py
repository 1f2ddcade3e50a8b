"""What one call means: its role, its time bound, its idempotency key, what it is about."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING

from auditor.code.evaluation import plain, schemas
from auditor.code.evaluation.taint import text
from auditor.code.evaluation.values import External, Object, options_of, text_of
from auditor.code.model import Effect, Option, OptionState, Role
from auditor.code.reach import addresses, chains, contracts, credentials, hosts, idempotency, senders, sql
from auditor.code.reach.bounds import Bounds, constructions
from auditor.code.reach.catalogue import Catalogue, Meaning, Package, TimeRule
from auditor.code.reach.stored import stored
from auditor.code.reach.wording import callee_text, member_text, unwrapped
from auditor.code.sites import options as options_
from auditor.code.syntax.facts import Call
from auditor.masking import mask_forms
from auditor.model import CodeSpan

if TYPE_CHECKING:
    from tree_sitter import Node

    from auditor.code.evaluation.evaluate import Evaluator

REMOTE = frozenset(
    (Role.PAYMENT_CREATE, Role.PAYMENT_READ, Role.REFUND_CREATE, Role.EMAIL_SEND, Role.CHAIN_SEND, Role.CHAIN_CONFIRM, Role.CHAIN_READ,
     Role.CHAIN_BALANCE, Role.CHAIN_GAS, Role.STORAGE_UPLOAD, Role.HTTP_READ, Role.HTTP_WRITE, Role.NOTIFY)
)  # fmt: skip
CREATING = frozenset((Role.PAYMENT_CREATE, Role.REFUND_CREATE, Role.EMAIL_SEND))
_BASES = ("baseURL", "baseUrl", "prefixUrl", "prefix_url")
_LOGGERS = re.compile(r"(?:^|\.)_?(?:logger|log|console|winston|pino|fastify\.log|req\.log)$", re.I)
_LEVELS = frozenset(
    ("info", "warn", "error", "debug", "trace", "fatal", "log", "verbose", "http", "silly", "warning", "success")
)
_STATEMENTS = frozenset((Role.DB_WRITE, Role.DB_UPSERT, Role.DB_INCREMENT))
_IN_STORE = _STATEMENTS | {Role.DB_READ}
_NX = re.compile(r"""['"]NX['"]|\bNX\s*:\s*true|\bnx\s*:\s*true|['"]nx['"]|onlyIfNotExists""")
_FETCHES = frozenset(("fetch", "$fetch", "ofetch", "request", "default", ""))
_TRANSACTIONAL = frozenset(
    ("$transaction", "transaction", "withTransaction", "transactional", "tx", "begin", "runInTransaction")
)
_OPENS = {"startTransaction": "BEGIN", "commitTransaction": "COMMIT", "beginTransaction": "BEGIN", "commit": "COMMIT"}
_JOB_CALLS = {
    "updateData": Role.CHECKPOINT,
    "updateProgress": Role.CHECKPOINT,
    "progress": Role.CHECKPOINT,
    "update": Role.CHECKPOINT,
    "moveToDelayed": Role.DELAY,
    "log": Role.LOG,
}
_DELAYS = frozenset(("DelayedError", "RateLimitError", "rateLimit"))


class Meanings:
    """Answers for the calls of one program."""

    def __init__(self, ev: Evaluator, catalogue: Catalogue, producers: Mapping[int, tuple[str, ...]]) -> None:
        self.ev = ev
        self.catalogue = catalogue
        self.producers = producers
        self._tx: dict[tuple[str, str], list[tuple[int, int, str]]] = {}
        self._known: dict[int, Meaning | None] = {}
        self._effects: dict[int, Effect] = {}
        self._queued: dict[int, bool] = {}
        self._has_contracts: bool | None = None
        self.bounds = Bounds(ev, self._told)

    def transactions(self, calls: Iterable[Call]) -> list[tuple[int, int]]:
        """Byte ranges of the functions that transaction calls run; their first parameter stands for the database."""
        ranges: list[tuple[int, int]] = []
        for call in calls:
            if call.name not in _TRANSACTIONAL:
                continue
            meaning = self.of(call, [])
            inline = [node for node in call.arguments() if node.type in ("arrow_function", "function_expression")]
            lists = [node for node in call.arguments() if node.type == "array"]
            if meaning is None or meaning.role is not Role.DB_TRANSACTION:
                continue
            for node in (*inline, *lists):
                ranges.append((node.start_byte, node.end_byte))
                for name in _first_parameter(node):
                    key = (call.scope.module.path, name)
                    self._tx.setdefault(key, []).append((node.start_byte, node.end_byte, meaning.package.name))
        return ranges

    def of(self, call: Call, transactions: list[tuple[int, int]]) -> Meaning | None:
        """What a call means; None where it means nothing that an item asks for."""
        if call.node.id not in self._known:
            self._known[call.node.id] = None
            self._known[call.node.id] = self._in_chain(call, self._find(call))
        return self._known[call.node.id]

    def _in_chain(self, call: Call, meaning: Meaning | None) -> Meaning | None:
        """One statement is one write: `insert(…).onConflict(…).merge()`, `createQueryBuilder().update(…).execute()`."""
        module = call.scope.module
        if (
            meaning is not None and meaning.role is Role.DB_READ
        ):  # `db(t).where(…)` reads, unless another step does more
            later = [made for step in chains.steps_after(call.node) if (made := module.call_at(step)) is not None]
            more = any((known := self._find(made)) is not None and known.role in _IN_STORE for made in later)
            return None if more else meaning
        if meaning is None or meaning.role not in _STATEMENTS:
            return meaning
        inner = [made for step in chains.steps_before(call.node) if (made := module.call_at(step)) is not None]
        if any((known := self.of(made, [])) is not None and known.role in _STATEMENTS for made in inner):
            return None
        words = meaning.package.upserts
        if words and set(re.findall(r"\w+", chains.text_from(call.node))) & words:
            return replace(meaning, role=Role.DB_UPSERT)
        return meaning

    def effect(self, call: Call, meaning: Meaning) -> Effect:
        """The call as an effect, without what only its surroundings tell."""
        known = self._effects.get(call.node.id)
        if known is None:
            known = self._effects[call.node.id] = self._effect(call, meaning)
        return known

    def _effect(self, call: Call, meaning: Meaning) -> Effect:
        value = self._external(call)
        shown = callee_text(call.node)
        role = meaning.role
        made = Effect(role, CodeSpan(call.scope.module.path, call.line, call.line), shown[-80:], meaning.package.name)
        if value is not None:
            made = replace(made, package=value.package if value.package != "global" else meaning.package.name)
        if role in REMOTE:
            made = replace(made, client=senders.built_at(self.ev, call))
        made = replace(made, text=self._text(call, role, meaning.package), target=self._target(call, role))
        if role is Role.CHAIN_SEND and value is not None:
            made = replace(made, target=value.path.split("()", 1)[0])
        made = stored(call, made)
        if role in REMOTE:
            made = replace(made, timeout=self.bounds.of(call, meaning, senders.sender(self.ev, call) or value))
        if role is Role.STORAGE_UPLOAD and meaning.package.address is not None:
            made = replace(made, address=addresses.of(self.ev, call, meaning.package.address))
        if role in CREATING:
            made = replace(made, key=idempotency.key_of(self.ev, call, meaning), keyless=meaning.package.keyless)
        if role is Role.CHAIN_SEND and senders.hands_out_nonces(self.ev, value):
            made = replace(made, target="nonce manager")
        if role is Role.VALIDATE:
            results = options_of(self.ev.eval(call.node, call.scope))
            made = replace(made, unchecked=tuple(n for one in results for n in schemas.unchecked(self.ev, one)))
        if role is Role.BOUND:
            made = replace(made, timeout=Option(OptionState.UNKNOWN, why="a timer"))
        if role is Role.CHAIN_CONFIRM:
            shown_ = [self.ev.eval(node, call.scope) for node in call.arguments()[:3]]
            made = replace(made, arguments=tuple(options_.option([argument]) for argument in shown_))
        return made

    def _find(self, call: Call) -> Meaning | None:
        own = self.catalogue.own.get(call.name) or self.catalogue.own.get(callee_text(call.node))
        if own is not None:
            return Meaning(own, _NOTHING)
        if call.node.id in self.producers:
            return Meaning(Role.ENQUEUE, _NOTHING)
        if call.name in _DELAYS:
            return Meaning(Role.DELAY, _NOTHING)
        if not self._worth_a_look(call) or plain.is_native(call):
            return self._by_shape(call)
        value = self._external(call)
        if value is not None:
            found = self._of_package(call, value.package, value.path)
            if found is not None or value.package != "global":
                return found
        return self._by_shape(call)

    def _worth_a_look(self, call: Call) -> bool:
        """A name of the catalogue, a callee without receiver (a default export), or a method in a file that has contracts."""
        if self.catalogue.may_mean(call.name) or call.is_new:
            return True
        if call.callee is not None and call.callee.type == "identifier":
            return self.ev.program.mentions(call.scope.module.path, (b"import", b"require"))
        return self._contracts() and _awaited_or_assigned(call.node)

    def _contracts(self) -> bool:
        """Whether the program builds contract objects, whose methods have any name."""
        if self._has_contracts is None:
            program = self.ev.program
            self._has_contracts = any(program.mentions(path, (b"ethers", b"hardhat")) for path in program.tree.paths)
        return self._has_contracts

    def _external(self, call: Call) -> External | None:
        if call.callee is None:
            return None
        known = [v for v in options_of(self.ev.eval(call.callee, call.scope)) if isinstance(v, External)]
        # `globalThis.prisma ?? new PrismaClient()`: what is kept there is what is made here
        known.sort(key=lambda v: (not self.catalogue.of(v.package), v.package == "global"))
        return known[0] if known else None

    def _of_package(self, call: Call, package: str, path: str) -> Meaning | None:
        runs = self.catalogue.sql(package, path)
        if runs is not None:
            role = sql.role_of(sql.statement(self.ev, call))
            return Meaning(role, runs) if role is not None else None
        known = self.catalogue.of(package)
        last = path.replace("()", "").rsplit(".", 1)[-1]
        for one in known:
            if last in one.sets:
                return Meaning(Role.LOCK, one) if _NX.search(text(call.node)) else None
        found = self.catalogue.meaning(package, path)
        if found is None:
            return self._of_contract(call, known, path)
        if found.role is Role.HTTP_WRITE and last in _FETCHES:
            found = self._of_method(call, found)
        return self._of_host(call, found) if found.role is Role.HTTP_WRITE else found

    def _of_host(self, call: Call, found: Meaning) -> Meaning:
        """A raw HTTP call to a provider's host is that provider's call, be it named in the call or in its client."""
        written = text(call.node)
        role = None
        if not _repeatable(call, written):
            role = hosts.role_at(written) or hosts.role_at(" ".join(self._addresses(call)))
        if role is None and call.name not in ("put", "patch", "delete") and self._orders_payment(call):
            role = Role.PAYMENT_CREATE
        if role in (None, Role.PAYMENT_CREATE):
            asks = hosts.asks(" ".join((text(given[0]) if (given := call.arguments()) else "", *self._addresses(call))))
            reads = (asks and call.name != "delete") or credentials.asks_for_one(self.ev, call)
            if reads or role is None:
                return Meaning(Role.HTTP_READ, found.package) if reads else found
        refund = role is Role.PAYMENT_CREATE and "refund" in written.lower()
        return Meaning(Role.REFUND_CREATE if refund else role, found.package)

    def _of_method(self, call: Call, found: Meaning) -> Meaning:
        """fetch is a read unless its options name a method that writes: in the call, or in what is handed to it."""
        given = call.arguments()[1:2]
        written = text(call.node)
        methods = set(_METHOD.findall(written))
        if not methods and given and given[0].type not in ("object", "string"):
            made = [one for one in options_of(self.ev.eval(given[0], call.scope)) if isinstance(one, Object)]
            methods = {text_of(each) for one in made for each in options_of(self.ev.member(one, "method"))}
            methods = {method for method in methods if method.isalpha() and method != "undefined"}
        named = bool(methods) or re.search(r"method\b", written) is not None
        reads = {method.upper() for method in methods} <= {"GET", "HEAD"} if methods else not named
        return Meaning(Role.HTTP_READ if reads else Role.HTTP_WRITE, found.package)

    def in_multi(self, call: Call) -> bool:
        """Whether a call is queued between a Redis client's MULTI and its EXEC."""
        known = self._queued.get(call.node.id)
        if known is None:
            value = self._external(call)
            known = self._queued[call.node.id] = value is not None and "multi()." in value.path
        return known

    def _orders_payment(self, call: Call) -> bool:
        """Whether the address of a write elsewhere is one that payments are ordered at; a path of the own page is none."""
        given = call.arguments()[:1]
        written = (member_text(given[0], "url") or text(given[0])) if given else ""
        own = call.name in _FETCHES and written[1:2] == "/"
        return not own and hosts.orders_payment(written)

    def _addresses(self, call: Call) -> Iterator[str]:
        """The URL that the call is given, and the base that its client was made with."""
        given = call.arguments()
        if given and given[0].type not in ("string", "object"):
            yield from (text_of(one) for one in options_of(self.ev.eval(given[0], call.scope)))
        for value in constructions(self.ev, self._external(call))[0]:
            for one in options_of(value):
                if isinstance(one, Object):
                    yield from (text_of(one.members[key]) for key in _BASES if key in one.members)

    def _of_contract(self, call: Call, known: tuple[Package, ...], path: str) -> Meaning | None:
        """Methods of a contract object: what they are called tells whether they send."""
        role = contracts.role_of(path, call.name) if known and not call.is_new else None
        return Meaning(role, known[0]) if role is not None else None

    def _by_shape(self, call: Call) -> Meaning | None:
        """Told without the receiver's package: a transaction's own client, a logger, a distinctive name."""
        shown = callee_text(call.node)
        segments = tuple(part for part in re.split(r"\??\.", shown) if part)
        if len(segments) < 2:
            return Meaning(Role.BOUND, _NOTHING) if call.name in ("pTimeout", "withTimeout", "timeoutPromise") else None
        root = segments[0]
        for start, end, package in self._tx.get((call.scope.module.path, root.split("(")[0]), ()):
            if start <= call.node.start_byte < end:
                return self._of_package(call, package, shown)
        return self._named(call, shown, segments)

    def _named(self, call: Call, shown: str, segments: tuple[str, ...]) -> Meaning | None:
        if call.name in _OPENS and not call.arguments():
            return Meaning(Role.DB_TRANSACTION, _NOTHING)
        if call.name in _LEVELS and _LOGGERS.search(shown.rsplit(".", 1)[0]):
            return Meaning(Role.LOG, _NOTHING, by_name=True)
        if shown.endswith(("AbortSignal.timeout", "Promise.race")):
            raced = shown.endswith("race") and re.search(
                r"setTimeout|[Tt]ime[dr]?[Oo]?ut|[Dd]eadline|[Tt]imer", text(call.node)
            )
            return Meaning(Role.BOUND, _NOTHING) if raced else None
        if segments[-2] == "job" and call.name in _JOB_CALLS:
            return Meaning(_JOB_CALLS[call.name], _NOTHING)
        used = contracts.by_use(call.node) if self._contracts() and _awaited_or_assigned(call.node) else None
        if used is not None:
            return Meaning(used, self.catalogue.of("ethers")[0], by_name=True)
        return self.catalogue.by_name(segments)

    def _text(self, call: Call, role: Role, package: Package) -> str:
        if role is Role.LOG:
            return mask_forms(" ".join(text(node) for node in call.arguments()))[:300]
        if role is Role.DB_WRITE:
            return sql.verb(sql.statement(self.ev, call)) if call.name in package.sql else ""
        if role is Role.DB_TRANSACTION:
            if call.name in _OPENS:
                return _OPENS[call.name]
            words = text(call.node).upper()
            return (
                "BEGIN"
                if re.search(r"['\"`]\s*(BEGIN|START)", words)
                else "COMMIT"
                if re.search(r"['\"`]\s*COMMIT", words)
                else ""
            )
        return ""

    def _target(self, call: Call, role: Role) -> str:
        if role is Role.ENQUEUE:
            return "|".join(self.producers.get(call.node.id, ()))
        if role in (Role.HTTP_READ, Role.HTTP_WRITE):
            found = re.search(r"https?://([\w.-]+)", text(call.node))
            return found[1] if found else ""
        if role in (Role.DB_READ, Role.DB_WRITE, Role.DB_UPSERT, Role.DB_INCREMENT):
            parts = callee_text(call.node).split(".")
            return parts[-2] if len(parts) > 1 else ""
        return ""

    def _told(self, call: Call) -> Option | None:
        """The bound of a call to somebody else's server; None for all others."""
        meaning = self.of(call, [])
        if meaning is None or meaning.role not in REMOTE:
            return None
        return self.bounds.of(call, meaning, senders.sender(self.ev, call) or self._external(call))


_NOTHING = Package("", (), TimeRule())
_METHOD = re.compile(r"method\s*:\s*['\"`](\w+)", re.I)


def _repeatable(call: Call, written: str) -> bool:
    """Whether HTTP itself says that a second request changes nothing: DELETE and PUT."""
    return call.name in ("delete", "put") or bool(re.search(r"method\s*:\s*['\"`](?:PUT|DELETE)", written, re.I))


def _awaited_or_assigned(node: Node) -> bool:
    return node.parent is not None and node.parent.type in (
        "await_expression",
        "return_statement",
        "arrow_function",
        "array",
    )


def _first_parameter(node: Node) -> list[str]:
    parameters = node.child_by_field_name("parameters") or node.child_by_field_name("parameter")
    if parameters is None:
        return []
    first = parameters if parameters.type == "identifier" else next(iter(parameters.named_children), None)
    return [text(unwrapped(first))] if first is not None else []
