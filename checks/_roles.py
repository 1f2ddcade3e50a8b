"""Groups of call roles that several items speak of."""

from __future__ import annotations

from auditor.code.model import Role

REMOTE = frozenset(
    {
        Role.PAYMENT_CREATE,
        Role.PAYMENT_READ,
        Role.REFUND_CREATE,
        Role.EMAIL_SEND,
        Role.CHAIN_SEND,
        Role.CHAIN_CONFIRM,
        Role.CHAIN_READ,
        Role.CHAIN_BALANCE,
        Role.STORAGE_UPLOAD,
        Role.HTTP_READ,
        Role.HTTP_WRITE,
    }
)
"""Calls that leave for somebody else's server and may take for ever."""

SIDE_EFFECTS = frozenset(
    {
        Role.PAYMENT_CREATE,
        Role.REFUND_CREATE,
        Role.EMAIL_SEND,
        Role.CHAIN_SEND,
        Role.STORAGE_UPLOAD,
        Role.HTTP_WRITE,
        Role.DB_WRITE,
        Role.DB_INCREMENT,
    }
)
"""Calls whose doubling changes the world. An upsert is absolute, so it is none."""

EXTERNAL = frozenset(
    {Role.PAYMENT_CREATE, Role.REFUND_CREATE, Role.EMAIL_SEND, Role.CHAIN_SEND, Role.STORAGE_UPLOAD, Role.HTTP_WRITE}
)
"""Side effects outside the own database."""

WRITES = frozenset({Role.DB_WRITE, Role.DB_UPSERT, Role.DB_INCREMENT})
"""Writes to the own database."""

KEEPS = WRITES | {Role.ENQUEUE, Role.NOTIFY, Role.EMAIL_SEND, Role.HTTP_WRITE, Role.STORAGE_UPLOAD, Role.REPORT}
"""Where a failure ends up in a place that a person looks at."""
