"""Files of rows: SpERT JSON (one array), JSON Lines, documents in the DyGIE form, and Parquet.

Each is read into `Record`s, not yet validated. Which kind a JSON file is follows from its content, because suffixes
mislead: SciERC's documents are called `train.json` and hold one document per line.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pyarrow
import pyarrow.parquet

from datasets_scripts.row_validation import RepeatedKey, RowProblem


@dataclass(frozen=True)
class Record:
    """One row of a file before validation.

    Attributes:
        row: Number from 0: of the row, or of the document that holds the sentence.
        value: What the file holds.
        line: Line number from 1, in formats with a row per line.
        note: Where in the row, such as the sentence of a document.
        problem: What kept the row from being read at all; `value` is then None.
        field_names: Names of `tokens`, `entities`, `relations` in this format, where they differ.
    """

    row: int
    value: Any
    line: int | None = None
    note: str = ""
    problem: RowProblem | None = None
    field_names: Mapping[str, str] = field(default_factory=dict)


def read_records(path: Path) -> list[Record]:
    """Read every row of a file.

    Raises:
        ValueError: The file as a whole cannot be read, or holds no row. A broken line of JSON Lines is a record with
            a problem instead, because the other lines can still be used.
    """
    records = _read_parquet(path) if path.suffix == ".parquet" else _read_json(path)
    if not records:
        raise ValueError(f"{path} holds no rows")
    return records


def _read_parquet(path: Path) -> list[Record]:
    try:
        rows = pyarrow.parquet.read_table(path).to_pylist()
    except (pyarrow.ArrowException, OSError) as error:
        raise ValueError(f"{path} is not a readable Parquet file: {error}") from error
    return [Record(row, value) for row, value in enumerate(rows)]


def _read_json(path: Path) -> list[Record]:
    try:
        text = path.read_bytes().decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise ValueError(f"{path} is not UTF-8: {error}; convert it to UTF-8") from error
    start = text.lstrip()[:1]
    if start == "[":
        return _read_array(path, text)
    if start == "{":
        return list(_read_lines(text))
    found = f"starts with {start!r}" if start else "is empty"
    raise ValueError(f"{path} {found}; it must be a JSON array of rows or JSON Lines, one row per line")


def _read_array(path: Path, text: str) -> list[Record]:
    try:
        rows = json.loads(text, object_pairs_hook=RepeatedKey.check)
    except json.JSONDecodeError as error:
        raise ValueError(
            f"{path}, line {error.lineno}, column {error.colno}: malformed JSON ({error.msg}); nothing was read"
        ) from error
    except (ValueError, RecursionError) as error:  # a number of thousands of digits, thousands of nested brackets
        raise ValueError(f"{path}: JSON that cannot be read ({error}); nothing was read") from error
    return [Record(row, value) for row, value in enumerate(rows)]


def _read_lines(text: str) -> Iterator[Record]:
    row = 0
    # Not splitlines(): U+2028 and the like may occur unescaped inside a JSON string.
    for line_number, line in enumerate(text.split("\n"), start=1):
        if not line.strip():
            continue
        try:
            yield Record(row, json.loads(line, object_pairs_hook=RepeatedKey.check), line=line_number)
        except (ValueError, RecursionError) as error:
            problem = RowProblem("", f"malformed JSON ({error}); every line must be one JSON object")
            yield Record(row, None, line=line_number, problem=problem)
        row += 1
