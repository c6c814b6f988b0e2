"""How a command fails: one line on standard error that starts with `error:`, no traceback, and an exit code.

Exit code 2: what the command was given is wrong: an argument, a file, a package that is missing. Correct it.
Exit code 1: what it was given is right, but something outside failed: the Hub, a download, a training. Try again.
A name that the Hub does not have is code 2; a Hub that cannot be reached is code 1.

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
    reported: tuple[type[Exception], ...] = (*outside, *_USER_MISTAKES)

    def decorate(main: Callable[..., None]) -> Callable[..., int]:
        @functools.wraps(main)
        def run(*arguments: Any, **named: Any) -> int:
            try:
                main(*arguments, **named)
            except reported as error:
                return report(error, *outside)
            return 0

        return run

    return decorate


def report(error: Exception, *outside: type[Exception]) -> int:
    """Print an error in one line on standard error; returns the exit code."""
    print(f"error: {message_line(error)}", file=sys.stderr)
    return exit_code(error, *outside)


def message_line(error: Exception) -> str:
    r"""The message of an error in one line, or its type where it has none.

    >>> message_line(ValueError("--width must be at least 1,\n got 0"))
    '--width must be at least 1, got 0'
    """
    return " ".join(str(error).split()) or type(error).__name__


def exit_code(error: BaseException, *outside: type[Exception]) -> int:
    """The exit code for an error: 1 where something outside failed, else 2.

    Args:
        error: What ended the command.
        *outside: Exceptions that mean that something outside failed; a Hub that fails need not be named.

    >>> exit_code(ValueError("no such folder")), exit_code(TimeoutError("no answer"), TimeoutError)
    (2, 1)
    """
    return 1 if isinstance(error, outside) or _is_failure_of_the_hub(error) else 2


def _is_failure_of_the_hub(error: BaseException | None) -> bool:
    """Whether the Hub could not be reached or failed; transformers makes an OSError of either, with its cause."""
    from huggingface_hub.errors import HfHubHTTPError, LocalEntryNotFoundError, OfflineModeIsEnabled

    http_error = HfHubHTTPError.__mro__[1]  # of the HTTP library that the client uses: broken connections
    while error is not None:
        if isinstance(error, HfHubHTTPError):
            return error.response.status_code == 429 or error.response.status_code >= 500
        if isinstance(error, LocalEntryNotFoundError | OfflineModeIsEnabled | http_error):
            return True
        error = error.__cause__
    return False
