"""How a command fails: one line on standard error that starts with `error:`, no traceback, and an exit code.

Exit code 2: what the command was given is wrong: correct it. Exit code 1: a download failed: try again.

`modeling_spert.shared.commands` does the same: the two packages do not import each other.
"""

from __future__ import annotations

import argparse
import functools
import sys
from collections.abc import Callable
from typing import Any, NoReturn

from datasets_scripts.download import DownloadError


class CommandParser(argparse.ArgumentParser):
    """A parser that takes no abbreviations and reports a mistake in one line, without the usage."""

    def __init__(self, **settings: Any):
        super().__init__(**{"allow_abbrev": False, **settings})

    def error(self, message: str) -> NoReturn:
        """Exit with code 2."""
        self.exit(2, f"error: {message} ({self.prog} --help lists the arguments)\n")


def command(main: Callable[..., None]) -> Callable[..., int]:
    """Decorator for the `main` of a command: its errors become one line, and it returns the exit code."""

    @functools.wraps(main)
    def run(*arguments: Any, **named: Any) -> int:
        try:
            main(*arguments, **named)
        except (ValueError, OSError, DownloadError) as error:
            print(f"error: {' '.join(str(error).split())}", file=sys.stderr)
            return 1 if isinstance(error, DownloadError) else 2
        return 0

    return run
