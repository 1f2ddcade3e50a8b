"""All errors that a user can cause, in one tree.

    AuditError                 what happened, where, what to do next; `exit_code` 2 unless said otherwise
    ├── UsageError             the command line does not make sense
    ├── ConfigError            tt-audit.yaml cannot be read
    ├── ChecklistError         a checklist cannot be read; holds every problem found, not just the first
    ├── PluginError            a plugin folder or module cannot be loaded
    └── SourceError            a source gave nothing (exit code 3); costs its own items, never the report

Anything else that escapes is a bug of ours and may show a traceback.
"""

from __future__ import annotations

from auditor.model import Cause


class AuditError(Exception):
    """An error whose message a user can act on."""

    exit_code = 2

    def __init__(self, message: str, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint


class UsageError(AuditError):
    """The command line does not make sense."""


class ConfigError(AuditError):
    """tt-audit.yaml cannot be read."""


class ChecklistError(AuditError):
    """A checklist is wrong: `problems` are lines `file:line: what`."""

    def __init__(self, problems: list[str], hint: str = "") -> None:
        super().__init__("\n".join(problems), hint)
        self.problems = problems


class PluginError(AuditError):
    """A plugin cannot be loaded."""


class SourceError(AuditError):
    """A source gave nothing: its items are unverified with this reason."""

    exit_code = 3

    def __init__(self, message: str, hint: str = "", cause: Cause = Cause.REFUSED) -> None:
        super().__init__(message, hint)
        self.cause = cause
