"""An extraction in bulk from beginning to end: plan, resume, extract, count."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any, Literal

import pyarrow as pa
import pyarrow.compute as pc

from modeling_spert.bulk.extractor import ExtractorSettings, TableExtractor
from modeling_spert.bulk.inputs import InputFile, find_inputs
from modeling_spert.bulk.local import run_local
from modeling_spert.bulk.model_source import find_model
from modeling_spert.bulk.plan import PLAN_FILE, Plan, Request, load_counts
from modeling_spert.bulk.pool import Pool
from modeling_spert.bulk.readers import Columns, count_records, read_records
from modeling_spert.bulk.repeats import find_repeat
from modeling_spert.bulk.writers import ShardWriter, read_shards, remove_temporaries
from modeling_spert.configuration_spert import SpertConfig
from modeling_spert.extraction_spert import Extractor, check_settings
from modeling_spert.version import __version__

_LOCK_FILE = ".lock"
# Of the pipeline, what changes which rows come out; `batch_size` and `max_tokens` change only their speed.
_ROW_SETTINGS = (
    "entity_threshold",
    "relation_threshold",
    "overlap",
    "max_entities_per_sentence",
    "max_window_length",
    "context",
)


@dataclass(frozen=True)
class BulkArguments:
    """How to extract in bulk.

    Attributes:
        columns: Where documents are in the inputs.
        settings: Of the pipeline's call: thresholds, `overlap`, `batch_size` …
        precision: "fp32", "bf16", "fp16" or None: as the model was saved.
        revision: Of a model on the Hub: a commit, a branch or a tag.
        engine: "local" or "ray".
        num_processes: Processes of this machine, or actors of the cluster.
        num_threads: Of torch, in each.
        num_gpus: GPUs of an actor; a share of one is possible.
        shard_size: Documents in an output file: what a crash costs at most, for each process.
        format: Of the output: "parquet" or "jsonl".
        checkpoint: Folder of Ray's checkpoint; default: next to the output, with `.checkpoint` at its end.
    """

    columns: Columns = field(default_factory=Columns)
    settings: Mapping[str, Any] = field(default_factory=dict)
    precision: str | None = None
    revision: str | None = None
    engine: Literal["local", "ray"] = "local"
    num_processes: int = 1
    num_threads: int = 1
    num_gpus: float = 0
    shard_size: int = 2000
    format: Literal["parquet", "jsonl"] = "parquet"
    checkpoint: str | None = None

    def __post_init__(self) -> None:
        """Check what the pipeline does not check."""
        for name in ("num_processes", "num_threads", "shard_size"):
            if getattr(self, name) < 1:
                raise ValueError(f"--{name} must be an integer >= 1, got {getattr(self, name)}")
        if self.num_gpus < 0:
            raise ValueError(f"--num_gpus must not be negative, got {self.num_gpus}")
        if self.precision == "auto":
            raise ValueError("--precision auto may differ between processes: name fp32, bf16 or fp16")
        if self.engine == "ray" and self.format != "parquet":
            raise ValueError(f"--engine ray writes parquet, got --format {self.format}")
        if self.engine == "local" and (self.num_gpus or self.checkpoint):
            raise ValueError("--num_gpus and --checkpoint belong to --engine ray")


@dataclass(frozen=True)
class Progress:
    """How far a run is.

    Attributes:
        step: What is being done: "counting", "extracting" or "checking".
        done: Documents, those of earlier runs included.
        total: Documents of all inputs; None while they are counted.
        before: Those of `done` that earlier runs had done.
        errors: Rows of this run with an error.
    """

    step: str
    done: int
    total: int | None = None
    before: int = 0
    errors: int = 0


@dataclass(frozen=True)
class Summary:
    """What the output folder holds at the end.

    Attributes:
        documents: Rows; their ids have been counted, each is there once.
        before: Those that were there before this run.
        errors: Rows with an error.
        entities: Of all rows.
        relations: Of all rows.
        seconds: Of this run.
        warnings: Of the pipeline in this run, with counts.
    """

    documents: int
    before: int
    errors: int
    entities: int
    relations: int
    seconds: float
    warnings: Mapping[str, int]


Report = Callable[[Progress], None]


def extract_in_bulk(
    model: str, inputs: Sequence[str], output: Path, arguments: BulkArguments, report: Report = lambda _: None
) -> Summary:
    """Extract from all documents of the inputs, a row each, into shards in the output folder.

    The same call resumes where an earlier one ended, however it ended.

    Args:
        model: Folder, or repository on the Hub.
        inputs: Files, folders, globs; of this machine or any address that fsspec knows.
        output: Folder of this machine, or one that every machine of the cluster sees; made if it does not exist.
        arguments: How to extract.
        report: Called as the work proceeds.

    Raises:
        ValueError: If the inputs, their ids, the settings or what is in the output do not allow it.
        OSError: If a file cannot be read or written, or a process cannot load the model.
        ImportError: If the engine or an address needs a package that is not installed.

    An error before the first row leaves nothing in the output.
    """
    started = time.monotonic()
    request = _request(model, inputs, output, arguments)
    with _made(output), _locked(output):
        remove_temporaries(output)
        counts = load_counts(request, output)
        if counts is None:
            counts = _count(request, output, report)
            Plan(request, counts).save(output)
        plan = Plan(request, counts)
        before, warnings = _extract(plan, output, arguments, report)
        return _check(plan, output, before, started, warnings, report)


def _request(model: str, inputs: Sequence[str], output: Path, arguments: BulkArguments) -> Request:
    source = find_model(model, arguments.revision)
    config = SpertConfig.from_pretrained(source.folder)
    checked = check_settings(config, **arguments.settings)
    own = {name: getattr(config, name, getattr(Extractor, name)) for name in _ROW_SETTINGS}
    settings = {name: checked.get(name, own[name]) for name in _ROW_SETTINGS}
    settings["precision"] = arguments.precision
    files = tuple(find_inputs(inputs, output))
    size, format_, engine = arguments.shard_size, arguments.format, arguments.engine
    return Request(source, arguments.columns, settings, size, format_, engine, __version__, files)


@contextmanager
def _made(output: Path) -> Iterator[None]:
    """The output folder; a run that is refused before its first row removes what it made: folders, lock and plan."""
    made = [folder for folder in (output, *output.parents) if not folder.exists()]
    output.mkdir(parents=True, exist_ok=True)
    before = set(output.iterdir())
    try:
        yield
    except (ValueError, OSError, ImportError):
        ours = {output / PLAN_FILE, output / _LOCK_FILE}
        if set(output.iterdir()) - before <= ours:
            for path in ours - before:
                path.unlink(missing_ok=True)
            for folder in made:
                folder.rmdir()
        raise


@contextmanager
def _locked(output: Path) -> Iterator[None]:
    """No other run writes into the folder meanwhile; the lock of a run that was killed is open."""
    from filelock import FileLock, Timeout

    try:
        with FileLock(output / _LOCK_FILE, timeout=0):
            yield
    except Timeout as error:
        raise ValueError(f"--output {output}: another extraction is writing into it") from error


def _count(request: Request, output: Path, report: Report) -> tuple[int, ...]:
    """Documents per file; with an id column, ids that are null or come twice end the run before it begins."""
    columns, files = request.columns, request.inputs
    if columns.id is not None:
        counts = _check_ids(files, columns, output, report)
    else:
        counts = []
        for file in files:
            counts.append(count_records(file, columns))
            report(Progress("counting", sum(counts)))
    if not sum(counts):
        raise ValueError(f"INPUT holds no documents: {', '.join(file.name for file in files[:3])} …")
    return tuple(counts)


def _check_ids(files: Sequence[InputFile], columns: Columns, output: Path, report: Report) -> list[int]:
    """Documents per file.

    Raises:
        ValueError: If an id is null or comes twice; the message names the first one, with file and row.
    """
    counts: Counter[str] = Counter()

    def read() -> Iterator[tuple[str, str]]:
        counts.clear()
        done = 0
        for file in files:
            for row, record in enumerate(read_records(file, columns, with_text=False), start=1):
                counts[file.address] = row
                done += 1
                if done % 10_000 == 0:
                    report(Progress("counting", done))
                yield record.id, f"{file.name}, row {row}"

    _, repeat = find_repeat(read, output)
    if repeat is not None:
        identity, first, second = repeat
        raise ValueError(f"{second}: the id {identity!r:.80} comes twice, first in {first}")
    return [counts[file.address] for file in files]


def _extract(plan: Plan, output: Path, arguments: BulkArguments, report: Report) -> tuple[int, Mapping[str, int]]:
    """Write what is missing; the number of rows that were there before, and warnings."""
    request = plan.request
    checked = {name: value for name, value in request.settings.items() if name != "precision" and value is not None}
    settings = {**arguments.settings, **checked}
    source = request.model
    extractor = ExtractorSettings(
        source.folder,
        source.name if source.revision else None,
        source.revision,
        settings,
        arguments.precision,
        num_threads=arguments.num_threads,
    )
    load = partial(TableExtractor, extractor)
    if request.engine == "ray":
        from modeling_spert.bulk.ray_engine import run_ray

        def tell(done: int, earlier: int) -> None:
            report(Progress("extracting", done, plan.num_documents, earlier))

        return run_ray(plan, output, arguments, load, tell)
    writer = ShardWriter(plan, output)
    missing = [shard for shard in range(plan.num_shards) if not writer.is_written(shard)]
    left = sum(end - first for first, end in map(plan.shard_range, missing))
    before = plan.num_documents - left
    done = errors = 0

    def advance(table: pa.Table) -> None:
        nonlocal done, errors
        done += table.num_rows
        errors += table.num_rows - table["error"].null_count
        report(Progress("extracting", before + done, plan.num_documents, before, errors))

    if not missing:
        return before, {}
    with Pool(arguments.num_processes, load) as pool:
        run_local(plan, missing, writer, pool, advance)
        return before, dict(pool.warnings)


def _check(
    plan: Plan, output: Path, before: int, started: float, warnings: Mapping[str, int], report: Report
) -> Summary:
    """Count the rows and their ids.

    Raises:
        ValueError: If rows are missing or an id is there twice.
    """
    totals: Counter[str] = Counter()

    def read() -> Iterator[tuple[str, str]]:
        totals.clear()
        for path, table in read_shards(output, plan.request.format):
            totals["documents"] += table.num_rows
            totals["errors"] += table.num_rows - table["error"].null_count
            for name in ("entities", "relations"):
                totals[name] += pc.sum(pc.list_value_length(table[name])).as_py() or 0
            report(Progress("checking", totals["documents"], plan.num_documents))
            yield from ((identity, path.name) for identity in table["id"].to_pylist())

    count, repeat = find_repeat(read, output)
    if repeat is not None or count != plan.num_documents:
        problem = f"{count} rows for {plan.num_documents} documents" if repeat is None else f"{repeat[0]!r} twice"
        raise ValueError(f"--output {output} holds {problem}: a file was added, altered or removed")
    seconds = time.monotonic() - started
    return Summary(before=before, seconds=seconds, warnings=warnings, **totals)
