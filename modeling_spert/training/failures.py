"""How a training of several processes fails: one line from one of them, and the same exit code from each."""

from __future__ import annotations

import os
import sys
import time

from modeling_spert.shared.commands import exit_code, message_line

# The launcher ends the other processes within seconds of the first that fails.
_WAIT = 30.0  # seconds


def is_main_process() -> bool:
    """Whether this is the first process of a launch (`torchrun`, `accelerate launch`), or the only one."""
    return os.environ.get("RANK", "0") == "0"


def report_once(error: Exception, *outside: type[Exception]) -> int:
    """Print an error in one line on standard error, from the main process only where all of them fail.

    A mistake of the user's is met by every process. The others wait for the main process: it says what is wrong, and
    its launcher then ends them. If they are still there after that, the error is theirs alone, and they say so.

    Args:
        error: What ended the training.
        *outside: As for `exit_code`.

    Returns:
        The exit code.
    """
    of_process = ""
    if not is_main_process():
        time.sleep(_WAIT)
        of_process = f" (process {os.environ['RANK']})"
    print(f"error: {message_line(error)}{of_process}", file=sys.stderr, flush=True)
    return exit_code(error, *outside)
