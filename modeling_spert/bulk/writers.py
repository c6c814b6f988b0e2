"""Shards on disk: each is written under a temporary name and renamed, so that it is whole or absent."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from pathlib import Path

import pyarrow as pa
from pyarrow import parquet

from modeling_spert.bulk.plan import Plan
from modeling_spert.bulk.rows import METADATA_KEY, SCHEMA, schema_with

_TEMPORARY = ".tmp"


class ShardWriter:
    """Writes the shards of a plan into a folder, and knows which are there.

    Args:
        plan: The plan.
        folder: The output.
    """

    def __init__(self, plan: Plan, folder: Path):
        self._plan, self._folder = plan, folder
        self._provenance = plan.request.provenance()

    def path(self, shard: int) -> Path:
        """Where a shard goes."""
        return self._folder / self._plan.shard_name(shard)

    def write(self, shard: int, table: pa.Table) -> None:
        """Write a shard; after a crash of the machine, too, it is there whole or not at all."""
        first, end = self._plan.shard_range(shard)
        assert table.num_rows == end - first, (shard, table.num_rows)
        if self._plan.request.format == "parquet":
            sink = pa.BufferOutputStream()
            schema = schema_with({**self._provenance, "shard": shard, "first_document": first})
            parquet.write_table(table.cast(schema), sink, compression="zstd")
            content: bytes | memoryview = memoryview(sink.getvalue())
        else:
            lines = (json.dumps(row, ensure_ascii=False) for row in table.to_pylist())
            content = "".join(f"{line}\n" for line in lines).encode()
        write_atomically(self.path(shard), content)

    def is_written(self, shard: int) -> bool:
        """Whether the shard is there; a file that cannot be read as one is not.

        Raises:
            ValueError: If a file of its name is there that another extraction has written.
        """
        path = self.path(shard)
        if not path.is_file():
            return False
        if self._plan.request.format != "parquet":
            return True  # such a file has no place for its origin: the plan next to it was compared
        try:
            with parquet.ParquetFile(path) as file:
                metadata, rows = file.schema_arrow.metadata or {}, file.metadata.num_rows
        except (pa.ArrowInvalid, OSError):
            return False
        first, end = self._plan.shard_range(shard)
        origin = json.loads(metadata.get(METADATA_KEY, b"{}"))
        if origin.get("plan_sha256") != self._provenance["plan_sha256"] or rows != end - first:
            raise ValueError(f"{path} was written by another extraction: name another --output")
        return True


def write_atomically(path: Path, content: bytes | memoryview) -> None:
    """Write a file under a temporary name, bring it to the disk and rename it.

    Raises:
        OSError: If the disk is full or the folder cannot be written; nothing is left then.
    """
    staged = path.with_name(f".{path.name}{_TEMPORARY}")
    try:
        with open(staged, "wb") as stream:
            stream.write(content)
            stream.flush()
            os.fsync(stream.fileno())
        os.replace(staged, path)
    except BaseException:
        staged.unlink(missing_ok=True)
        raise
    _sync_folder(path.parent)


def _sync_folder(folder: Path) -> None:
    """Bring the renaming to the disk, too, where the system can."""
    if os.name == "posix":
        handle = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)


def remove_temporaries(folder: Path) -> None:
    """Remove what a run that was killed has left half-written."""
    import shutil

    for path in folder.glob(f".*{_TEMPORARY}"):
        path.unlink()
    for path in folder.glob(".ids-*"):
        shutil.rmtree(path, ignore_errors=True)


def read_shards(folder: Path, format_: str) -> Iterator[tuple[Path, pa.Table]]:
    """The tables that an output folder holds, in the order of their names."""
    for path in sorted(folder.glob(f"*.{format_}")):
        if format_ == "parquet":
            yield path, parquet.ParquetFile(path).read()
        else:
            with open(path, encoding="utf-8") as stream:
                yield path, pa.Table.from_pylist([json.loads(line) for line in stream], schema=SCHEMA)
