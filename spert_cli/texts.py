"""What a command reads: text on the command line, files, standard input."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, TextIO


def read_inputs(arguments: Sequence[str], files: Sequence[Path], by_line: bool) -> Iterator[Any]:
    """Inputs of the pipeline, as they are read.

    Args:
        arguments: Texts; `-` is standard input.
        files: Files. A name that ends in .json or .jsonl holds JSON; any other holds text.
        by_line: Every line of a text file is a text of its own; default: a file is one text.

    Raises:
        ValueError: If there is nothing to read, or a file is not what its name says.
        OSError: If a file cannot be read.
    """
    if not arguments and not files:
        if sys.stdin.isatty():
            raise ValueError('nothing to extract from: give a text, --file FILE, or "-" for standard input')
        arguments = ["-"]
    for argument in arguments:
        if argument == "-":
            yield from _read_stream(sys.stdin, "standard input", by_line)
        else:
            yield argument
    for file in files:
        if str(file) == "-":
            yield from _read_stream(sys.stdin, "standard input", by_line)
            continue
        if not file.is_file():
            raise ValueError(f"--file {file}: {'this is a folder' if file.is_dir() else 'no such file'}")
        with open(file, encoding="utf-8-sig") as stream:
            yield from _read_stream(stream, str(file), by_line)


def _read_stream(stream: TextIO, name: str, by_line: bool) -> Iterator[Any]:
    """Texts or JSON inputs of an open file, which may be a pipe that is still being written."""
    try:
        first = stream.readline()
        while first and not first.strip():
            first = stream.readline()
        if name.endswith((".json", ".jsonl")) or first.lstrip()[:2] in ('{"', "[{", "[\n"):
            yield from _read_json(first, stream, name)
        elif by_line:
            yield from (line.rstrip("\r\n") for line in _chain(first, stream) if line.strip())
        elif text := (first + stream.read()).strip():
            yield text
        else:
            print(f"warning: {name} holds no text", file=sys.stderr)
    except UnicodeDecodeError as error:
        raise ValueError(f"{name} is not text in UTF-8 ({error.reason} at byte {error.start})") from error


def _chain(first: str, stream: TextIO) -> Iterator[str]:
    yield first
    yield from stream


def _read_json(first: str, stream: TextIO, name: str) -> Iterator[Any]:
    """A JSON list of inputs, or one input per line."""
    if first.lstrip().startswith("["):
        try:
            yield from json.loads(first + stream.read())
        except ValueError as error:
            raise ValueError(f"{name} is not valid JSON: {error}") from error
        return
    for row, line in enumerate(_chain(first, stream), start=1):
        if line.strip():
            try:
                yield json.loads(line)
            except ValueError as error:
                raise ValueError(f"{name}, line {row} is not valid JSON: {error}") from error
