"""What a command reads: text on the command line, files, standard input."""

from __future__ import annotations

import json
import re
import sys
from collections import deque
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple, TextIO

_REMEMBERED = 1024  # places; the pipeline reads at most 256 inputs ahead


class Placed(NamedTuple):
    """An input, and where it was read, such as a file and a line; empty for a text on the command line."""

    value: Any
    place: str = ""


class Inputs(Iterator[Any]):
    """Inputs of the pipeline that remember where the latest were read, so that an error can name file and line.

    Args:
        source: The inputs with their places.
    """

    def __init__(self, source: Iterator[Placed]):
        self._source, self._count = source, 0
        self._places: deque[str] = deque(maxlen=_REMEMBERED)

    def __next__(self) -> Any:
        value, place = next(self._source)
        self._count += 1
        self._places.append(place)
        return value

    @contextmanager
    def naming_places(self) -> Iterator[None]:
        """The pipeline's errors, which name the index of an input, name its file and line instead."""
        try:
            yield
        except ValueError as error:
            match = re.match(r"input (\d+): (.*)", str(error), re.DOTALL)
            position = int(match[1]) - (self._count - len(self._places)) if match else -1
            if match is None or not 0 <= position < len(self._places) or not self._places[position]:
                raise
            raise ValueError(f"{self._places[position]}: {match[2]}") from error


def read_inputs(
    arguments: Sequence[str], files: Sequence[Path], by_line: bool, named: str = "--file"
) -> Iterator[Placed]:
    """Inputs of the pipeline, as they are read.

    Args:
        arguments: Texts; `-` is standard input.
        files: Files. A name that ends in .json or .jsonl holds JSON; any other holds text.
        by_line: Every line of a text file is a text of its own; default: a file is one text.
        named: What the command calls a file.

    Raises:
        ValueError: If there is nothing to read, or a file is not what its name says.
        OSError: If a file cannot be read.
    """
    if not arguments and not files:
        if sys.stdin.isatty():
            raise ValueError('nothing to extract from: give a text, --file FILE, or "-" for standard input')
        arguments = ["-"]
    for number, argument in enumerate(arguments, start=1):
        if argument == "-":
            yield from _read_stream(sys.stdin, "standard input", by_line)
        elif _is_file(argument):
            raise ValueError(f"{argument} is a file: write {named} {argument} to read it")
        else:
            if not argument.strip():
                print(f"warning: text {number} is empty", file=sys.stderr)
            yield Placed(argument)
    for file in files:
        if str(file) == "-":
            yield from _read_stream(sys.stdin, "standard input", by_line)
            continue
        if not file.is_file():
            raise ValueError(f"{named} {file}: {'this is a folder' if file.is_dir() else 'no such file'}")
        with open(file, encoding="utf-8-sig") as stream:
            yield from _read_stream(stream, str(file), by_line)


def _is_file(text: str) -> bool:
    try:
        return Path(text).is_file()
    except (OSError, ValueError):  # too long for a name, or with a character that no name has
        return False


def _read_stream(stream: TextIO, name: str, by_line: bool) -> Iterator[Placed]:
    """Texts or JSON inputs of an open file, which may be a pipe that is still being written."""
    try:
        row, first = 1, stream.readline()
        while first and not first.strip():
            row, first = row + 1, stream.readline()
        if name.endswith((".json", ".jsonl")) or first.lstrip()[:2] in ('{"', "[{", "[\n"):
            yield from _read_json(first, stream, name, row)
        elif by_line:
            yield from (Placed(line.rstrip("\r\n"), name) for line in _chain(first, stream) if line.strip())
        elif text := (first + stream.read()).strip():
            yield Placed(text, name)
        else:
            print(f"warning: {name} holds no text", file=sys.stderr)
    except UnicodeDecodeError as error:
        raise ValueError(f"{name} is not text in UTF-8 ({error.reason} at byte {error.start})") from error


def _chain(first: str, stream: TextIO) -> Iterator[str]:
    yield first
    yield from stream


def _read_json(first: str, stream: TextIO, name: str, row: int) -> Iterator[Placed]:
    """A JSON list of inputs, or one input per line; `first` is line `row` of the file."""
    if first.lstrip().startswith("["):
        values = _parse(first + stream.read(), name, row)
        yield from (Placed(value, f"{name}, row {index}") for index, value in enumerate(values))
        return
    for number, line in enumerate(_chain(first, stream), start=row):
        if line.strip():
            yield Placed(_parse(line, name, number), f"{name}, line {number}")


def _parse(text: str, name: str, row: int) -> Any:
    """The JSON value of a text that begins in line `row` of a file."""
    try:
        return json.loads(text)
    except json.JSONDecodeError as error:
        where = f"{name}, line {row + error.lineno - 1}, column {error.colno}"
        raise ValueError(f"{where} is not valid JSON: {error.msg}") from error
    except RecursionError as error:
        raise ValueError(f"{name}, line {row} is nested too deep") from error
