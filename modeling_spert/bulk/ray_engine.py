"""The engine for a cluster: Ray Data reads, extracts with a pool of actors, writes Parquet and resumes.

Read tasks give the shards of the plan, by the readers that the other engine uses; an actor extracts a shard in the same
shares; so a document gets the same row from both. Ray Data's checkpoint (ids of rows that are written, two-phase) lets
a later run skip them. What would go wrong in silence is refused or cannot be said here: sources that Ray does not
filter when it resumes, `mode="overwrite"`, blocks that may fail (`max_errored_blocks`), ids that repeat, a checkpoint
that is not the output's own.
"""

from __future__ import annotations

import logging
import os
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pyarrow as pa
from pyarrow import parquet

from modeling_spert.bulk.local import make_shares
from modeling_spert.bulk.plan import Plan
from modeling_spert.bulk.pool import Load, Pool
from modeling_spert.bulk.readers import Record
from modeling_spert.bulk.rows import schema_with

if TYPE_CHECKING:
    from modeling_spert.bulk.run import BulkArguments

try:
    import ray
    from ray.data import ActorPoolStrategy, DataContext, Datasource
    from ray.data.block import BlockMetadata
    from ray.data.checkpoint import CheckpointConfig
    from ray.data.datasource import ReadTask
except ImportError as error:
    raise ImportError(f'--engine ray needs Ray 2.55 or newer: pip install "modeling-spert[ray]" ({error})') from error

logger = logging.getLogger(__name__)

# A task for each shard up to this many: tasks are what actors are kept busy with, but each costs the driver memory.
_MOST_READ_TASKS = 2000
_SPARE_CPUS = 3  # to read, to filter and to write: if the actors had all CPUs, these would wait for ever
_INPUT = pa.schema([("id", pa.string()), ("text", pa.large_string()), ("problem", pa.string()), ("shard", pa.int64())])


def run_ray(
    plan: Plan, output: Path, arguments: BulkArguments, load: Load, report: Callable[[int, int], None]
) -> tuple[int, Mapping[str, int]]:
    """Extract what the checkpoint does not know to be written.

    Args:
        plan: The plan.
        output: Folder that every machine of the cluster sees.
        arguments: `num_processes` actors with `num_threads` CPUs and `num_gpus` each; `checkpoint`.
        load: How an actor gets its model.
        report: Called every few seconds with the rows that are written, and those that were there before.

    Returns:
        The number of rows that were there before, and no warnings: actors log them.

    Raises:
        ValueError: If the checkpoint is not the output's, or the cluster is too small for the actors.
    """
    output = output.resolve()
    checkpoint = find_checkpoint(arguments.checkpoint, output)
    before = check_checkpoint(checkpoint, output)
    if before == plan.num_documents:
        return before, {}
    _connect(arguments)
    with _context(checkpoint), _watched(checkpoint, lambda written: report(written, before)):
        tasks = split_shards(plan.num_shards, _MOST_READ_TASKS)
        documents = ray.data.read_datasource(PlanDatasource(plan, tasks), override_num_blocks=len(tasks))
        rows = documents.map_batches(
            ShardExtractor,
            fn_constructor_args=(load,),
            batch_size=None,
            batch_format="pyarrow",
            compute=ActorPoolStrategy(size=arguments.num_processes),
            num_cpus=arguments.num_threads,
            num_gpus=arguments.num_gpus,
        )
        schema = schema_with(plan.request.provenance())
        rows.write_parquet(str(output), schema=schema, compression="zstd")
    return before, {}


@contextmanager
def _context(checkpoint: Path) -> Iterator[None]:
    """Ray Data's settings for the run; a data set takes those that hold when it is made."""
    context = DataContext.get_current()
    names = ("checkpoint_config", "max_errored_blocks", "enable_progress_bars")
    saved = {name: getattr(context, name) for name in names}
    context.checkpoint_config = CheckpointConfig(
        id_column="id", checkpoint_path=str(checkpoint), delete_checkpoint_on_success=False
    )
    context.max_errored_blocks = 0  # above 0, rows of a block that fails are lost in silence
    context.enable_progress_bars = False
    try:
        yield
    finally:
        for name, value in saved.items():
            setattr(context, name, value)


@contextmanager
def _watched(checkpoint: Path, report: Callable[[int], None], seconds: float = 5) -> Iterator[None]:
    """Report every few seconds how many rows are written: Ray's own bars count blocks."""
    ended = threading.Event()
    sizes: dict[str, int] = {}

    def watch() -> None:
        while not ended.wait(seconds):
            for path in checkpoint.glob("*.parquet"):
                if path.name not in sizes and not path.name.endswith(".pending.parquet"):
                    sizes[path.name] = parquet.read_metadata(path).num_rows
            report(sum(sizes.values()))

    watcher = threading.Thread(target=watch, daemon=True)
    watcher.start()
    try:
        yield
    finally:
        ended.set()
        watcher.join()


def find_checkpoint(given: str | None, output: Path) -> Path:
    """Where the checkpoint is.

    Args:
        given: By the user; None puts it next to the output.
        output: The output, absolute.

    Raises:
        ValueError: If it is relative, or in the output, where it would be taken for rows.
    """
    if given is None:
        return output.with_name(f"{output.name}.checkpoint")
    path = Path(given)
    if not path.is_absolute():
        raise ValueError(f"--checkpoint must be an absolute path that every machine of the cluster sees, got {given}")
    path = path.resolve()
    if path.is_relative_to(output) or output.is_relative_to(path):
        raise ValueError(f"--checkpoint {given} and --output {output} must not be in one another")
    return path


def check_checkpoint(checkpoint: Path, output: Path) -> int:
    """The number of rows that are written and known to the checkpoint.

    Ray names a file of ids after the file of rows: `X.parquet` after `X-0.parquet`, and `X.pending.parquet` until that
    is written whole.

    Raises:
        ValueError: If there are rows that the checkpoint does not know of, which would be written twice, or the other
            way round, which would be lost.
    """
    known = {path.name.removesuffix(".parquet") for path in checkpoint.glob("*.parquet")}
    committed = {name for name in known if not name.endswith(".pending")}
    known = {name.removesuffix(".pending") for name in known}
    written = {path.stem.rpartition("-")[0] for path in output.glob("*.parquet")}
    if written - known:
        raise ValueError(
            f"--output {output} holds rows that the checkpoint {checkpoint} does not know ({min(written - known)}): "
            "name the checkpoint of the run that wrote them, or another --output"
        )
    if committed - written:
        raise ValueError(
            f"the checkpoint {checkpoint} knows of rows that --output {output} does not hold "
            f"({min(committed - written)}): they would be missing. Remove both and begin anew"
        )
    return sum(parquet.read_metadata(checkpoint / f"{name}.parquet").num_rows for name in committed)


def split_shards(count: int, most: int) -> list[range]:
    """Shards in runs of about equal length.

    >>> split_shards(5, 2), split_shards(2, 10)
    ([range(0, 2), range(2, 5)], [range(0, 1), range(1, 2)])
    """
    tasks = min(count, most)
    return [range(task * count // tasks, (task + 1) * count // tasks) for task in range(tasks)]


def _connect(arguments: BulkArguments) -> None:
    """Join the cluster of RAY_ADDRESS, or one that the caller has joined; otherwise make one of this machine."""
    needed = arguments.num_processes * arguments.num_threads + _SPARE_CPUS
    if not ray.is_initialized():
        os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
        if os.environ.get("RAY_ADDRESS"):
            ray.init()
        else:  # "local": not what a killed run has left in /tmp/ray
            # A worker that is not up within 60 seconds, Ray's default, is started anew: on a busy machine for ever.
            os.environ.setdefault("RAY_worker_register_timeout_seconds", "600")
            ray.init("local", num_cpus=max(needed, os.cpu_count() or 1), include_dashboard=False)
    found = ray.cluster_resources()
    if found.get("CPU", 0) < needed:
        raise ValueError(
            f"--num_processes {arguments.num_processes} with --num_threads {arguments.num_threads} needs {needed} CPUs "
            f"({_SPARE_CPUS} of them to read, filter and write), the cluster has {found.get('CPU', 0):.0f}"
        )
    gpus = arguments.num_processes * arguments.num_gpus
    if found.get("GPU", 0) < gpus:
        raise ValueError(
            f"--num_processes and --num_gpus ask for {gpus:g} GPUs, the cluster has {found.get('GPU', 0):g}"
        )


class PlanDatasource(Datasource):
    """The documents of a plan, a block for each run of shards: files, so Ray filters them when it resumes.

    Args:
        plan: The plan.
        tasks: The runs of shards.
    """

    def __init__(self, plan: Plan, tasks: Sequence[range]):
        super().__init__()
        self._plan, self._tasks = ray.put(plan), tasks
        sizes = [file.size for file in plan.request.inputs]
        self._size = sum(size or 0 for size in sizes)
        self._rows = [plan.shard_range(task[-1])[1] - plan.shard_range(task[0])[0] for task in tasks]

    def estimate_inmemory_data_size(self) -> int:
        """Bytes of the files."""
        return self._size

    def get_read_tasks(
        self, parallelism: int, per_task_row_limit: int | None = None, data_context: DataContext | None = None
    ) -> list[ReadTask]:
        """A task for each run of shards, whatever parallelism Ray asks for."""
        return [
            ReadTask(
                partial(_read_blocks, self._plan, tuple(task)),
                BlockMetadata(num_rows=rows, size_bytes=None, exec_stats=None, input_files=None),
                schema=_INPUT,
                per_task_row_limit=per_task_row_limit,
            )
            for task, rows in zip(self._tasks, self._rows, strict=True)
        ]


def _read_blocks(plan_reference: Any, shards: Sequence[int]) -> Iterator[pa.Table]:
    """A table for each of the shards."""
    plan: Plan = ray.get(plan_reference)
    rows: list[dict[str, Any]] = []
    for shard, record in plan.read(shards):
        if rows and rows[-1]["shard"] != shard:
            yield pa.Table.from_pylist(rows, schema=_INPUT)
            rows = []
        rows.append({**record._asdict(), "shard": shard})
    if rows:
        yield pa.Table.from_pylist(rows, schema=_INPUT)


class ShardExtractor:
    """What an actor does: the rows of a block of documents, in the same shares as on one machine.

    The model is in a process of its own: Ray would start an actor again and again over a document that kills it.

    Args:
        load: How the process gets its model.
    """

    def __init__(self, load: Load):
        self._pool = Pool(1, load)

    def __call__(self, block: pa.Table) -> pa.Table:
        """A row per document, in order."""
        documents = ((row["shard"], Record(row["id"], row["text"], row["problem"])) for row in block.to_pylist())
        tables: dict[int, pa.Table] = {}
        for key, share in enumerate(make_shares(documents)):
            while not self._pool.has_capacity:
                tables.update(self._pool.wait())
            self._pool.submit(key, share.documents)
        while not self._pool.is_idle:
            tables.update(self._pool.wait())
        for message, count in self._pool.warnings.items():
            logger.warning("%d %s", count, message)
        self._pool.warnings.clear()
        return pa.concat_tables(tables[key] for key in sorted(tables))
