"""Smart contracts of ethers and hardhat, whose methods have any name: which call sends, which reads, which waits."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from auditor.code.evaluation.taint import text
from auditor.code.model import Role
from auditor.code.reach import decides
from auditor.code.syntax.lexical import callee_of
from auditor.code.syntax.node_index import function_around

if TYPE_CHECKING:
    from tree_sitter import Node

MAKERS = ("Contract()", "getContractAt()", "getContract()", "attach()", "deployed()")
"""How a contract object is come by."""
_NOT = frozenset(
    (
        "on",
        "off",
        "once",
        "connect",
        "attach",
        "interface",
        "queryFilter",
        "estimateGas",
        "deployed",
        "waitForDeployment",
        "getAddress",
        "removeAllListeners",
    )
)
_VERBS = re.compile(
    r"(?:safe|batch|admin|owner)?_?(?:mint|transfer|approve|set|add|create|register|update|remove|delete|burn|buy|sell|claim|withdraw|deposit|execute|grant|revoke"
    r"|pause|unpause|send|lock|unlock|stake|unstake|swap|initialize|renounce|accept|cancel|finish|start|end|vote|submit|publish|bid|redeem|issue|upgrade|fulfill"
    r"|settle|propose|record|store|write|assign|open|close|harvest|exit|pay|refund|release|whitelist|airdrop|distribute|bridge|wrap|unwrap|borrow|repay|supply)",
    re.I,
)


def role_of(path: str, name: str) -> Role | None:
    """The role of a method on a contract; None where the path leads through none, or the method is the object's own."""
    maker = next((made for made in MAKERS if made in path), None)
    if maker is None or name in _NOT:
        return None
    rest = [part for part in path.split(maker, 1)[1].strip(".").split(".") if part]
    if len(rest) != 1 or rest[0].removesuffix("()") != name:
        return None
    return Role.CHAIN_SEND if _VERBS.match(name) else Role.CHAIN_READ


def by_use(call: Node) -> Role | None:
    """Told by what becomes of the result: `const tx = await x.y(…); await tx.wait()` sends, and waits."""
    callee = callee_of(call)
    name = callee.child_by_field_name("property") if callee is not None else None
    held = callee.child_by_field_name("object") if callee is not None else None
    function = function_around(call)
    if name is None or held is None or function is None:
        return None
    whole = text(function)
    if text(name) == "wait":
        declared = re.escape(text(held))
        return (
            Role.CHAIN_CONFIRM
            if held.type == "identifier" and re.search(rf"\b{declared}\s*=\s*await\b", whole)
            else None
        )
    for made in decides.result_names(call):
        if re.search(rf"\b{re.escape(made)}\s*[!?]?\.\s*wait\s*\(", whole):
            return Role.CHAIN_SEND
    return None
