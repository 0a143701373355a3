"""The app with all its commands, and the entry point, which turns errors into one line and an exit code."""

from __future__ import annotations

import io
import logging
import sys
from pathlib import Path

from cyclopts import App, CycloptsError, Parameter

from selfsown.cli import analysis, catalogue, dataset, run
from selfsown.cli import attack as attack_command
from selfsown.cli.error_lines import error_line
from selfsown.errors import ExitCode, SelfsownError
from selfsown.files.remote import check_local
from selfsown.version import __version__

EXIT_CODES = f"""Exit codes of every command: {ExitCode.OK:d} done ·
{ExitCode.USAGE:d} the command, the recipe or the data must be changed ·
{ExitCode.BUDGET:d} the budget is spent; a larger one resumes ·
{ExitCode.FAILED:d} it ran and the result is bad: no row kept, everything rolled back, worse, unsafe, or below a
requirement ·
{ExitCode.INCONCLUSIVE:d} it ran and the result is inconclusive ·
{ExitCode.INTERRUPTED:d} interrupted; the same command resumes."""


def _check_path(_: object, value: object) -> None:
    if isinstance(value, Path):
        check_local(value)


app = App(
    name="selfsown",
    version=__version__,
    help="A model writes its own training data, grades it, learns from what passed, and proves that it improved.",
    help_epilogue=" ".join(EXIT_CODES.split()),
    suppress_keyboard_interrupt=False,
    default_parameter=Parameter(validator=_check_path),
)
for command in (
    run.run,
    dataset.make,
    dataset.preview,
    dataset.estimate,
    dataset.calibrate,
    attack_command.attack,
    analysis.prove,
    analysis.plan,
    analysis.audit,
    analysis.dedup,
    run.check,
    analysis.compare,
    run.explain,
    run.cost,
    run.report,
    dataset.export,
    dataset.push,
    catalogue.show,
    catalogue.schema,
):
    app.command(command)
app.command(catalogue.list_methods, name="list")
app.register_install_completion_command(add_to_startup=True)


def main() -> None:
    """The entry point: an error that the user can fix is one line on standard error and an exit code."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")  # a terminal that cannot show an arrow
    logging.getLogger("selfsown").setLevel(logging.INFO)
    if logging.lastResort:  # writes to the current standard error, above a progress bar if there is one
        logging.lastResort.setLevel(logging.INFO)
    try:
        app(sys.argv[1:], exit_on_error=False, print_error=False)
    except BrokenPipeError:  # `selfsown list | head`
        sys.stderr.close()
        sys.exit(ExitCode.OK)
    except (SelfsownError, CycloptsError, OSError) as error:
        print(f"selfsown: {error_line(error, sys.argv[1:])}", file=sys.stderr)
        sys.exit(error.code if isinstance(error, SelfsownError) else ExitCode.USAGE)
    except KeyboardInterrupt:
        print("selfsown: interrupted; the same command resumes", file=sys.stderr)
        sys.exit(ExitCode.INTERRUPTED)
