"""What an extraction will write: which documents go into which shard, from which model and settings.

The plan follows from the inputs and settings alone. With n documents in a shard, shard k holds the documents
`[k · n, (k + 1) · n)` in the order of the inputs. The plan is written to the output folder before the first row; a
later run with another model, other settings or other inputs is refused there.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from modeling_spert.bulk.inputs import InputFile
from modeling_spert.bulk.model_source import ModelSource
from modeling_spert.bulk.readers import Columns, Record, read_records
from modeling_spert.shared import read_object

PLAN_FILE = "_spert_plan.json"


@dataclass(frozen=True)
class Request:
    """Everything that the rows depend on; what changes only the speed is not in it.

    Attributes:
        model: The model.
        columns: Where documents are in the inputs.
        settings: Of the extraction: thresholds, overlaps, context, precision …, all values filled in.
        shard_size: Documents in a shard.
        format: "parquet" or "jsonl".
        engine: "local" or "ray", which name their files differently.
        version: Of this package.
        inputs: The files.
    """

    model: ModelSource
    columns: Columns
    settings: Mapping[str, Any]
    shard_size: int
    format: str
    engine: str
    version: str
    inputs: tuple[InputFile, ...]

    def identity(self) -> dict[str, Any]:
        """The request as JSON, without where the model and the output happen to be."""
        return {
            "files_sha256": self.model.files_sha256,
            "columns": asdict(self.columns),
            "settings": dict(self.settings),
            "shard_size": self.shard_size,
            "format": self.format,
            "engine": self.engine,
            "version": self.version,
            "inputs": [{"name": f.name, "size": f.size, "stamp": f.stamp} for f in self.inputs],
        }

    @property
    def digest(self) -> str:
        """SHA-256 of the identity."""
        return hashlib.sha256(json.dumps(self.identity(), sort_keys=True).encode()).hexdigest()

    def provenance(self) -> dict[str, Any]:
        """What a shard says of where its rows come from; it names no folder of this machine."""
        return {
            "model": self.model.name,
            "revision": self.model.revision,
            "weights_sha256": self.model.weights_sha256,
            "files_sha256": self.model.files_sha256,
            "settings": dict(self.settings),
            "modeling_spert": self.version,
            "engine": self.engine,
            "plan_sha256": self.digest,
        }


@dataclass(frozen=True)
class Plan:
    """A request, and how many documents each of its files holds."""

    request: Request
    counts: tuple[int, ...]

    @property
    def num_documents(self) -> int:
        """Of all files."""
        return sum(self.counts)

    @property
    def num_shards(self) -> int:
        """Of all documents."""
        return -(-self.num_documents // self.request.shard_size)

    def shard_range(self, shard: int) -> tuple[int, int]:
        """The shard's documents, half-open, counted over all files."""
        first = shard * self.request.shard_size
        return first, min(first + self.request.shard_size, self.num_documents)

    def shard_name(self, shard: int) -> str:
        """File name of a shard."""
        digits = max(5, len(str(self.num_shards)))
        return f"part-{shard:0{digits}d}-of-{self.num_shards:0{digits}d}.{self.request.format}"

    def read(self, shards: Collection[int]) -> Iterator[tuple[int, Record]]:
        """The documents of some shards, in order, each with its shard; every file is read once at most.

        Raises:
            ValueError: If a file no longer holds as many documents as when it was counted.
        """
        wanted, last_wanted = frozenset(shards), max(shards, default=-1)
        first = 0
        for file, count in zip(self.request.inputs, self.counts, strict=True):
            of_file = [shard for shard in self._shards_of(first, first + count) if shard in wanted]
            if of_file:
                yield from self._read_file(file, first, count, wanted, of_file[0], of_file[-1])
            first += count
            if first >= self.shard_range(last_wanted)[1]:
                return

    def _shards_of(self, first: int, end: int) -> range:
        size = self.request.shard_size
        return range(first // size, -(-end // size)) if end > first else range(0)

    def _read_file(
        self, file: InputFile, first: int, count: int, wanted: Collection[int], low: int, high: int
    ) -> Iterator[tuple[int, Record]]:
        """The documents of a file in the shards that are wanted, of which `low` and `high` are its first and last."""
        index = max(first, self.shard_range(low)[0])
        end = min(first + count, self.shard_range(high)[1])
        for record in read_records(file, self.request.columns, index - first):
            if index == end:
                return
            shard = index // self.request.shard_size
            if shard in wanted:
                yield shard, record
            index += 1
        if index < end:
            raise ValueError(f"{file.name} held {count} documents when they were counted, now {index - first}")

    def save(self, folder: Path) -> None:
        """Write the plan to the output folder, whole or not at all."""
        from modeling_spert.bulk.writers import write_atomically

        content = {"identity": self.request.identity(), "counts": self.counts, "provenance": self.request.provenance()}
        write_atomically(folder / PLAN_FILE, json.dumps(content, ensure_ascii=False, indent=1).encode())


def load_counts(request: Request, folder: Path) -> tuple[int, ...] | None:
    """The documents per file that an earlier run of the same request counted; None if there was no earlier run.

    Raises:
        ValueError: If the folder holds the rows of another request, or files of something else.
    """
    if not (folder / PLAN_FILE).is_file():
        strangers = [path.name for path in sorted(folder.iterdir()) if not path.name.startswith(".")]
        if strangers:
            raise ValueError(f"--output {folder} is not empty ({strangers[0]} is in it): name a new folder")
        return None
    stored = read_object(folder / PLAN_FILE)
    differences = _compare(stored.get("identity", {}), request.identity())
    if differences:
        raise ValueError(
            f"--output {folder} holds rows of another extraction: {'; '.join(differences)}. Name another folder, or "
            "go back to what it was, and the same command resumes"
        )
    counts = stored.get("counts")
    if not isinstance(counts, list) or len(counts) != len(request.inputs):
        raise ValueError(f"{folder / PLAN_FILE} is damaged: its counts do not fit its inputs")
    return tuple(counts)


def _compare(old: Mapping[str, Any], new: Mapping[str, Any]) -> list[str]:
    """What is different, in words."""
    found = []
    if old.get("files_sha256") != new["files_sha256"]:
        found.append("the model was another one (its files' digests differ)")
    for part in ("columns", "settings"):
        before = old.get(part, {})
        found += [_change(key, before.get(key), value) for key, value in new[part].items() if before.get(key) != value]
    for key in ("shard_size", "format", "engine", "version"):
        if old.get(key) != new[key]:
            found.append(_change(key, old.get(key), new[key]))
    return found + _compare_inputs(old.get("inputs", []), new["inputs"])


def _change(name: str, old: Any, new: Any) -> str:
    return f"{name} was {old}, now {new}"


def _compare_inputs(old: Sequence[Mapping[str, Any]], new: Sequence[Mapping[str, Any]]) -> list[str]:
    if list(old) == list(new):
        return []
    before, now = ({file["name"]: file for file in files} for files in (old, new))
    for name, file in now.items():
        if name not in before:
            return [f"input {name} is new"]
        if before[name] != file:
            return [f"input {name} has changed since"]
    gone = [name for name in before if name not in now]
    return [f"input {gone[0]} is gone" if gone else "the inputs were in another order"]
