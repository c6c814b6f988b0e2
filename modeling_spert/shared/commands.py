"""How a command fails: one line on standard error that starts with `error:`, no traceback, and an exit code.

Exit code 2: what the command was given is wrong: an argument, a file, a package that is missing. Correct it.
Exit code 1: what it was given is right, but something outside failed: the Hub, a download, a training. Try again.

Any other exception is a bug of ours and keeps its traceback.
"""

from __future__ import annotations

import argparse
import functools
import sys
from collections.abc import Callable
from typing import Any, NoReturn

_USER_MISTAKES = (ValueError, OSError, ImportError)


class CommandParser(argparse.ArgumentParser):
    """A parser that takes no abbreviations and reports a mistake in one line, without the usage."""

    def __init__(self, **settings: Any):
        super().__init__(**{"allow_abbrev": False, **settings})

    def error(self, message: str) -> NoReturn:
        """Exit with code 2."""
        self.exit(2, f"error: {message} ({self.prog} --help lists the arguments)\n")


def command(*outside: type[Exception]) -> Callable[[Callable[..., None]], Callable[..., int]]:
    r"""Decorator for the `main` of a command: its errors become one line, and it returns the exit code.

    Args:
        *outside: Exceptions that mean that something outside failed (exit code 1).

    >>> @command(TimeoutError)
    ... def main(argv):
    ...     raise ValueError("--width must be at least 1,\n got 0")
    >>> main([])
    2
    """

    def decorate(main: Callable[..., None]) -> Callable[..., int]:
        @functools.wraps(main)
        def run(*arguments: Any, **named: Any) -> int:
            try:
                main(*arguments, **named)
            except outside as error:
                return _report(error, 1)
            except _USER_MISTAKES as error:
                return _report(error, 2)
            return 0

        return run

    return decorate


def _report(error: Exception, code: int) -> int:
    message = " ".join(str(error).split()) or type(error).__name__
    print(f"error: {message}", file=sys.stderr)
    return code
