"""Documents of a file, one after the other, from any row on: never a whole file in memory.

Rows are counted from 1 in ids and messages, as an editor counts lines; blank lines are not rows.
"""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, BinaryIO, NamedTuple

from modeling_spert.bulk.inputs import InputFile

_BATCH_ROWS = 256  # of Parquet, decoded at a time


@dataclass(frozen=True)
class Columns:
    """Where documents are in a row.

    Attributes:
        text: Column of the text.
        id: Column of the id; None makes ids of the file's name and the row.
        lines: Whether each line of a plain text file is a document; otherwise the file is one.
    """

    text: str = "text"
    id: str | None = None
    lines: bool = False


class Record(NamedTuple):
    """A document: its id, its text (None if it has none that can be read), and why it has none."""

    id: str
    text: str | None
    problem: str | None = None


def read_records(file: InputFile, columns: Columns, start: int = 0, with_text: bool = True) -> Iterator[Record]:
    """The documents of a file, from row `start` (counted from 0) to the last.

    A text that is missing or is not text is a problem of its record. What makes ids or the number of rows uncertain is
    an error.

    Args:
        file: The file.
        columns: Where id and text are.
        start: Rows to skip, without reading them where the format allows it.
        with_text: False reads the ids only, which is quicker for Parquet.

    Raises:
        ValueError: If the file is not what its name says, lacks a column, or an id is null or of another type than text
            or integer; the message names file and row.
        OSError: If it cannot be read.
    """
    if columns.id is not None and file.kind == "text":
        raise ValueError(f"{file.name} is plain text, which has no columns: leave --id_column out")
    with _named(file):
        if file.kind == "parquet":
            yield from _read_parquet(file, columns, start, with_text)
        else:
            readers = {"jsonl": _read_json_lines, "csv": _read_table, "tsv": _read_table, "text": _read_text}
            with _open(file) as stream:
                yield from readers[file.kind](file, columns, start, stream)


def count_records(file: InputFile, columns: Columns) -> int:
    """The number of documents of a file, without ids being looked at; its first row is checked for the columns.

    Raises:
        ValueError: As `read_records`.
    """
    if file.kind == "text" and not columns.lines:
        return 1
    with _named(file):
        if file.kind == "parquet":
            with _open_parquet(file) as table:
                _check_columns(file, table.schema_arrow.names, columns)
                return table.metadata.num_rows
        if file.kind in ("jsonl", "text"):
            next(read_records(file, columns), None)
            with _open(file) as stream:
                return sum(1 for _ in _lines(stream))
        with _open(file) as stream:
            return sum(1 for _ in _table_rows(file, stream)) - 1


@contextmanager
def _named(file: InputFile) -> Iterator[None]:
    """Errors of libraries get the name of the file."""
    try:
        yield
    except (OSError, EOFError, ValueError, csv.Error, UnicodeError) as error:
        if isinstance(error, ValueError) and str(error).startswith(file.name):
            raise
        raise ValueError(f"{file.name} cannot be read: {type(error).__name__}: {error}") from error
    except Exception as error:  # zlib.error, lzma.LZMAError, a network's own
        if isinstance(error, MemoryError):
            raise
        raise ValueError(f"{file.name} cannot be read: {type(error).__name__}: {error}") from error


@contextmanager
def _open(file: InputFile) -> Iterator[BinaryIO]:
    """The bytes of a file, decompressed."""
    import fsspec
    import pyarrow as pa

    zstd = file.compression == "zstd"
    with fsspec.open(file.address, "rb", compression=None if zstd else file.compression) as stream:
        if not zstd:
            yield stream
            return
        # fsspec needs a further package for zstd before Python 3.14; Arrow brings its own.
        with pa.input_stream(stream, compression="zstd") as plain:
            yield io.BufferedReader(plain)


def _lines(stream: BinaryIO) -> Iterator[bytes]:
    """Lines that are not blank, without their ends and the file's byte order mark."""
    for number, line in enumerate(stream):
        if number == 0:
            line = line.removeprefix(b"\xef\xbb\xbf")
        if line.strip():
            yield line.rstrip(b"\r\n")


def _read_json_lines(file: InputFile, columns: Columns, start: int, stream: BinaryIO) -> Iterator[Record]:
    for row, line in enumerate(_lines(stream)):
        if row == 0 and line.lstrip().startswith(b"["):
            raise ValueError(f"{file.name} is one JSON list, which cannot be streamed: write an object per line")
        if row < start:
            continue
        try:
            item = json.loads(line)
            if not isinstance(item, dict):
                raise ValueError(f"a line must be an object, got {type(item).__name__}")
        except (ValueError, RecursionError) as error:
            if columns.id is not None:
                raise ValueError(f"{file.name}, row {row + 1} is not a JSON object: {error}") from error
            yield Record(_own_id(file, row), None, f"not a JSON object: {error}")
            continue
        if row == 0:
            _check_columns(file, list(item), columns)
        yield _record(file, columns, row, item.get(columns.id) if columns.id else None, item.get(columns.text))


def _table_rows(file: InputFile, stream: BinaryIO) -> Iterator[list[str]]:
    """Rows of a CSV file, its header first; one quote too many is an error, not the rest of the file in a field."""
    csv.field_size_limit(2**31 - 1)
    with io.TextIOWrapper(stream, encoding="utf-8-sig", errors="surrogateescape", newline="") as text:
        rows = csv.reader(text, delimiter="\t" if file.kind == "tsv" else ",", strict=True)
        count = 0
        try:
            for row in rows:
                if row:
                    yield row
                    count += 1
        except csv.Error as error:
            raise ValueError(f"{file.name}, row {count} (line {rows.line_num}) is not CSV: {error}") from error


def _read_table(file: InputFile, columns: Columns, start: int, stream: BinaryIO) -> Iterator[Record]:
    rows = _table_rows(file, stream)
    header = next(rows, [])
    _check_columns(file, header, columns)
    text, identity = header.index(columns.text), header.index(columns.id) if columns.id else None
    for row, fields in enumerate(rows):
        if row < start:
            continue
        if len(fields) != len(header):
            raise ValueError(f"{file.name}, row {row + 1} has {len(fields)} fields, the header {len(header)}")
        yield _record(file, columns, row, None if identity is None else fields[identity], fields[text])


def _read_text(file: InputFile, columns: Columns, start: int, stream: BinaryIO) -> Iterator[Record]:
    if not columns.lines:
        if start == 0:
            yield _decoded(file.name, stream.read().removeprefix(b"\xef\xbb\xbf"))
        return
    for row, line in enumerate(_lines(stream)):
        if row >= start:
            yield _decoded(_own_id(file, row), line)


def _decoded(identity: str, content: bytes) -> Record:
    try:
        return Record(identity, content.decode("utf-8"))
    except UnicodeDecodeError as error:
        return Record(identity, None, f"not text in UTF-8 ({error.reason} at byte {error.start})")


@contextmanager
def _open_parquet(file: InputFile) -> Iterator[Any]:
    import fsspec
    from pyarrow import parquet

    with (
        fsspec.open(file.address, "rb") as stream,
        parquet.ParquetFile(stream, pre_buffer=False, buffer_size=1 << 20) as table,
    ):
        yield table


def _read_parquet(file: InputFile, columns: Columns, start: int, with_text: bool) -> Iterator[Record]:
    with _open_parquet(file) as table:
        _check_columns(file, table.schema_arrow.names, columns)
        row, groups = 0, list(range(table.num_row_groups))
        while groups and row + table.metadata.row_group(groups[0]).num_rows <= start:
            row += table.metadata.row_group(groups.pop(0)).num_rows
        names = [name for name in (columns.id, columns.text if with_text else None) if name is not None]
        for batch in table.iter_batches(batch_size=_BATCH_ROWS, row_groups=groups, columns=names):
            nothing = [None] * batch.num_rows
            identities = batch[columns.id].to_pylist() if columns.id else nothing
            texts = batch[columns.text].to_pylist() if with_text else nothing
            for index in range(max(0, start - row), batch.num_rows):
                yield _record(file, columns, row + index, identities[index], texts[index])
            row += batch.num_rows


def _check_columns(file: InputFile, names: Sequence[str], columns: Columns) -> None:
    for flag, name in (("--text_column", columns.text), ("--id_column", columns.id)):
        if name is not None and list(names).count(name) != 1:
            problem = "more than one column" if name in names else "no column"
            raise ValueError(f"{file.name} has {problem} {name!r} ({flag}); its columns: {', '.join(names) or 'none'}")


def _own_id(file: InputFile, row: int) -> str:
    return f"{file.name}:{row + 1}"


def _record(file: InputFile, columns: Columns, row: int, identity: Any, text: Any) -> Record:
    if columns.id is None:
        identity = _own_id(file, row)
    elif identity is None or identity == "":
        problem = "null or missing" if identity is None else "empty"
        raise ValueError(f"{file.name}, row {row + 1}: the id (column {columns.id!r}) is {problem}")
    elif isinstance(identity, bool) or not isinstance(identity, str | int):
        kind = type(identity).__name__
        raise ValueError(f"{file.name}, row {row + 1}: an id must be text or an integer, got {kind} {identity!r:.80}")
    identity = str(identity)
    if not _is_text(identity):
        raise ValueError(f"{file.name}, row {row + 1}: the id {identity!r:.80} is not valid Unicode")
    if text is None:
        return Record(identity, None, f"no text: column {columns.text!r} is null or missing")
    if not isinstance(text, str):
        return Record(identity, None, f"column {columns.text!r} must hold text, got {type(text).__name__}")
    if not _is_text(text):
        return Record(identity, None, f"column {columns.text!r} is not valid Unicode")
    return Record(identity, text)


def _is_text(value: str) -> bool:
    """Whether it can be written: half of a surrogate pair cannot."""
    try:
        value.encode("utf-8")
    except UnicodeEncodeError:
        return False
    return True
