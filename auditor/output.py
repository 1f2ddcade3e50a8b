"""Where text goes: reports to stdout and files, warnings and progress to stderr."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, TextIO

from auditor import plugins, selection
from auditor.errors import UsageError
from auditor.reporting import RenderOptions, ReportFormat, format_of

if TYPE_CHECKING:
    from auditor.binding import Check
    from auditor.code.model import CodeModel
    from auditor.scan import Outcome, Request


def warn(warnings: Sequence[str]) -> None:
    """Tell a person on stderr."""
    for warning in warnings:
        print(f"tt-audit: warning: {warning}", file=sys.stderr)  # noqa: T201  # this prints to the person


class Printer:
    """Writes one report to stdout and to each file asked for. Formats are checked before the scan begins."""

    def __init__(
        self,
        format_name: str,
        files: Sequence[Path],
        plugin_folders: Sequence[Path],
        *,
        quiet: bool,
        verbose: bool,
        width: int | None,
    ) -> None:
        """Raises UsageError for an unknown format, a file ending that no format has, and a folder that is not there."""
        formats = plugins.formats(plugin_folders)
        if format_name not in formats:
            raise UsageError(f"--format {format_name}: no such format", f"known: {', '.join(sorted(formats))}")
        self._stdout = formats[format_name]
        self._files = [(path, _writable(path, formats)) for path in files]
        self._quiet = quiet
        self._verbose = verbose
        self._width = width

    def warn(self, warnings: Sequence[str]) -> None:
        """Tell a person on stderr, unless quiet."""
        if not self._quiet:
            warn(warnings)

    @contextmanager
    def progress(self) -> Iterator[Callable[[str], None]]:
        """What is being done, on one line of stderr; nothing where stderr is no terminal."""
        if self._quiet or not sys.stderr.isatty():
            yield lambda _: None
            return

        def show(doing: str) -> None:
            sys.stderr.write(f"\r\x1b[K  {doing} …")
            sys.stderr.flush()

        try:
            yield show
        finally:
            sys.stderr.write("\r\x1b[K")
            sys.stderr.flush()

    def finish(self, outcome: Outcome, request: Request) -> None:
        """Print the report and write the files; what a source could not give goes to stderr as well."""
        report = outcome.report
        if self._stdout.name != "terminal":
            self.warn(
                [f"source {source.name}: {source.why}" for source in report.sources if source.status == "unavailable"]
            )
        self.warn(outcome.warnings)
        base = str(request.code[0].resolve()) if request.code else os.fspath(Path.cwd())
        for path, chosen in self._files:
            text = chosen.render(
                report, RenderOptions(width=self._width or 100, verbose=True, base=base, source_url=source_url(base))
            )
            try:
                path.write_text(text, encoding="utf-8")
            except OSError as error:
                raise UsageError(f"-o {path}: cannot be written: {error.strerror}") from error
        write(
            self._stdout.render(
                report, terminal_options(sys.stdout, self._width, quiet=self._quiet, verbose=self._verbose, base=base)
            )
        )


def source_url(base: str, environment: Mapping[str, str] = os.environ) -> str:
    """Where the web shows a line of the code, in GitHub Actions; empty elsewhere, and where `base` is not the whole repository."""
    server, repository, commit = (environment.get(f"GITHUB_{name}", "") for name in ("SERVER_URL", "REPOSITORY", "SHA"))
    workspace = environment.get("GITHUB_WORKSPACE", "")
    if not (server and repository and commit and workspace) or Path(base) != Path(workspace).resolve():
        return ""
    return f"{server}/{repository}/blob/{commit}/{{path}}#L{{line}}"


def write(text: str) -> None:
    """Text to stdout; a reader that has gone (`| head`) is no error."""
    try:
        sys.stdout.write(text)
        sys.stdout.flush()
    except BrokenPipeError:
        # Python flushes stdout again at exit: give it somewhere to go
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def terminal_options(
    stream: TextIO, width: int | None, *, quiet: bool = False, verbose: bool = False, base: str = ""
) -> RenderOptions:
    """How text for `stream` should look: plain where it is no terminal, or NO_COLOR is set; FORCE_COLOR colours a CI log too."""
    is_terminal = stream.isatty()
    forced = os.environ.get("FORCE_COLOR", "0") not in ("", "0")
    color = (forced or (is_terminal and os.environ.get("TERM") != "dumb")) and not os.environ.get("NO_COLOR")
    encoding = (stream.encoding or "ascii").lower().replace("-", "")
    columns = width or (shutil.get_terminal_size((100, 24)).columns if is_terminal else 100)
    return RenderOptions(
        width=columns,
        color=color,
        unicode=encoding.startswith("utf"),
        quiet=quiet,
        verbose=verbose,
        hyperlinks=color and is_terminal,
        base=base,
    )


def _writable(path: Path, formats: dict[str, ReportFormat]) -> ReportFormat:
    chosen = format_of(path.name, formats)
    if not path.resolve().parent.is_dir():
        raise UsageError(f"-o {path}: its folder does not exist", f"make it first: mkdir -p {path.parent}")
    return chosen


def _bound(checklists: Sequence[Path], plugin_folders: Sequence[Path]) -> tuple[Check, ...]:
    from auditor import binding, checklist

    return binding.bind(checklist.load(*checklists).entries, plugins.probes(plugin_folders))


def print_list(
    checklists: Sequence[Path], plugin_folders: Sequence[Path], only: Sequence[str], width: int | None
) -> None:
    """The items, a line each."""
    plugins.mount("reports")
    from auditor.reports.listing import render_list

    checks = _bound(checklists, plugin_folders)
    chosen = selection.selector([check.item for check in checks], only, ())
    listed = [check for check in checks if chosen(check.item)]
    write(
        render_list(
            [c.item for c in listed], {c.probe.name: c.probe for c in listed}, terminal_options(sys.stdout, width)
        )
    )


def print_explanation(word: str, checklists: Sequence[Path], plugin_folders: Sequence[Path], width: int | None) -> None:
    """Each item that the word may mean. Raises UsageError when none does."""
    plugins.mount("reports")
    from auditor.reports.listing import render_explain

    checks = {check.item.id: check for check in _bound(checklists, plugin_folders)}
    found = selection.search([check.item for check in checks.values()], word)
    if not found:
        raise UsageError(f"{word!r} names no item", "tt-audit list shows them all")
    options = terminal_options(sys.stdout, width)
    write(
        "\n".join(
            render_explain(item, checks[item.id].probe.doc, checks[item.id].probe.sources, options) for item in found
        )
    )


def print_inventory(code: CodeModel, format_name: str, width: int | None) -> None:
    """The inventory for people or for machines."""
    if format_name == "json":
        import json

        from auditor.code.inventory import inventory

        write(json.dumps(inventory(code), indent=1) + "\n")
    else:
        from auditor.code.inventory import render_inventory

        write(render_inventory(code, terminal_options(sys.stdout, width)))


def run_demo(directory: Path, width: int | None) -> int:
    """The demo: exit code 0 when it worked, whatever it found."""
    from auditor.demo.demo import Rendered
    from auditor.demo.demo import run_demo as run
    from auditor.live.address import parse
    from auditor.scan import Request, scan

    formats = plugins.formats()

    def once(redis_url: str, sample: Path) -> Rendered:
        request = Request(redis=(parse(redis_url),), code=(sample,), infra=(sample,))
        report = scan(request, lambda doing: note(f"{doing} …")).report
        base = str(sample.resolve())
        return Rendered(
            formats["terminal"].render(report, terminal_options(sys.stdout, width, base=base)),
            formats["html"].render(report, RenderOptions(verbose=True, base=base)),
        )

    def note(text: str) -> None:
        sys.stderr.write(f"tt-audit: {text}\n")  # in one write: sources are read side by side

    return run(directory, once, write, note)
