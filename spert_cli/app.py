"""The application `spert`: its commands, and how it fails: one line on standard error, no traceback.

Exit status: 0 done; 1 something outside failed (the Hub, a download, a training), or `check` found something; 2 a
mistake in the call or in the files; 130 interrupted.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence

import typer

from spert_cli import data, inspection, models, serving, sharing

app = typer.Typer(
    name="spert",
    help="Joint entity and relation extraction: from your own annotations to a model you can show.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode="rich",
    context_settings={"help_option_names": ["-h", "--help"]},
)
for module in (data, models, serving, inspection, sharing):
    module.register(app)


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command.

    Args:
        argv: Its arguments; default: those of the process.

    Returns:
        The exit status.
    """
    command = typer.main.get_command(app)
    try:
        status = command(args=None if argv is None else list(argv), prog_name="spert", standalone_mode=False)
        sys.stdout.flush()
    except (KeyboardInterrupt, typer.Abort):
        return _fail("interrupted", 130)
    except BrokenPipeError:  # the reader of our output, such as `head`, has had enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except Exception as error:
        return _report(error)
    return status if isinstance(status, int) else 0


def _report(error: Exception) -> int:
    """Say in one line what a user can put right; anything else is our mistake and keeps its traceback."""
    from datasets_scripts import DownloadError
    from modeling_spert.hub import PushError
    from modeling_spert.shared.commands import report
    from modeling_spert.training import Interrupted, TrainingDiverged

    if hasattr(error, "format_message"):  # typer's own: an unknown flag, a missing argument
        return _fail(error.format_message() or "nothing to do: see spert --help", 2)
    if isinstance(error, Interrupted):
        return _fail(str(error), 130)
    outside = (PushError, TrainingDiverged, DownloadError)
    if isinstance(error, (*outside, ValueError, OSError, ImportError)):
        return report(error, *outside)
    raise error


def _fail(message: str, status: int) -> int:
    print(f"error: {' '.join(message.split())}", file=sys.stderr)
    return status
