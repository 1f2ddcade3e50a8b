"""What the tests of items 24, 27 and 88 to 102 share: a small code model beside real infra files."""

from __future__ import annotations

from pathlib import Path

from auditor.code.model import CodeModel, Library, Option, OptionState, Process, Producer, Worker
from auditor.model import CodeSpan, TreeTarget


def code(
    root: Path,
    *,
    entry: str = "src/worker.ts",
    serves_http: bool = False,
    closed: tuple[str, ...] = ("SIGTERM", "SIGINT"),
    timeout: int | None = None,
) -> CodeModel:
    """One worker, started by `entry`; `timeout` is Bull's job option in ms."""
    library = Library.BULL if timeout else Library.BULLMQ
    worker = Worker(CodeSpan("src/mail.ts", 10), library, "5", "", True, "", queue=("mail",), closed_on=closed)
    options = {"timeout": Option(OptionState.KNOWN, timeout, origin=CodeSpan("src/mail.ts", 3))} if timeout else {}
    producer = Producer(CodeSpan("src/mail.ts", 5), library, "5", "", True, "", queue=("mail",), options=options)
    process = Process(CodeSpan(entry, 1), "", True, True, serves_http, workers=(worker.span,))
    return CodeModel(
        trees=(TreeTarget(str(root)),), services=(), entry_points_known=True, queues=(), producers=(producer,),
        workers=(worker,), processes=(process,), connections=(),
    )  # fmt: skip


def no_bull(root: Path) -> CodeModel:
    """Code without Bull or BullMQ."""
    return CodeModel(
        trees=(TreeTarget(str(root)),), services=(), entry_points_known=True, queues=(), producers=(), workers=(),
        processes=(), connections=(),
    )  # fmt: skip
