"""Extraction in bulk: what further processes and actors add, and how much memory a run takes.

Method. Documents are three sentences of the split each, repeated to the number wanted, in a JSON Lines file.

  processes  the same documents through 1 and 2 processes of one thread, from the file to the shards on disk, models
             loaded before; and through 1 and 2 processes that run nothing but the encoder on batches made before.
             The four take turns in every repetition, by wall time. What counts is the gain of two over one process,
             as a share of what two bare encoders gain on the same machine in the same minutes
  memory     the command, two processes: the largest sum of the resident memory of all its processes, and the parent's
             own, read every 0.1 seconds, for growing numbers of documents
  ray        the command on Ray with 1 and 2 actors: documents a second from the first shard of each actor to the last

    python -m benchmarks.bench_bulk --encoder bundled --documents 600 --repetitions 5
"""

from __future__ import annotations

import argparse
import itertools
import json
import multiprocessing
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from contextlib import ExitStack
from functools import partial
from pathlib import Path
from typing import Any

import psutil
import pyarrow.parquet as pq
import torch

from benchmarks.environment import describe_environment
from benchmarks.timing import print_table, write_json
from benchmarks.workload import Workload, encode, load_workload, parser_of
from modeling_spert.bulk.extractor import ExtractorSettings, TableExtractor
from modeling_spert.bulk.inputs import find_inputs
from modeling_spert.bulk.local import make_shares, run_local
from modeling_spert.bulk.model_source import find_model
from modeling_spert.bulk.plan import Plan, Request
from modeling_spert.bulk.pool import Pool
from modeling_spert.bulk.readers import Columns
from modeling_spert.bulk.writers import ShardWriter
from modeling_spert.shared.commands import command
from modeling_spert.windows_spert import plan_batches

WHAT = ("processes", "memory", "ray")


def write_documents(workload: Workload, folder: Path, count: int) -> Path:
    """Documents of three sentences, with ids."""
    sentences = itertools.cycle(workload.texts)
    path = folder / f"documents_{count}.jsonl"
    with open(path, "w", encoding="utf-8") as stream:
        for number in range(count):
            text = " ".join(next(sentences) for _ in range(3))
            stream.write(json.dumps({"id": number, "text": text}) + "\n")
    return path


def make_plan(folder: Path, path: Path, count: int, shard_size: int) -> Plan:
    """The plan of a run over one file."""
    files = tuple(find_inputs([str(path)], folder / "rows"))
    source = find_model(str(folder / "model"))
    return Plan(Request(source, Columns(id="id"), {}, shard_size, "parquet", "local", "", files), (count,))


def extract(plan: Plan, pool: Pool, folder: Path) -> float:
    """Seconds of an extraction into a new folder."""
    with tempfile.TemporaryDirectory(dir=folder) as output:
        started = time.perf_counter()
        run_local(plan, range(plan.num_shards), ShardWriter(plan, Path(output)), pool, lambda _: None)
        return time.perf_counter() - started


def run_encoder(connection: Any, plan: Plan, settings: ExtractorSettings, place: int, of: int) -> None:
    """A process that runs the encoder on every `of`-th share's batches, each time it is asked to."""
    pipe = TableExtractor(settings)._pipe
    extractor = pipe._extractor()
    batches: list[Any] = []
    for share in itertools.islice(make_shares(plan.read(range(plan.num_shards))), place, None, of):
        rows = extractor._make_rows([pipe.preprocess(document.text) for document in share.documents])
        lengths = [len(row.window.input_ids) for row in rows]
        for indices in plan_batches(lengths, extractor.batch_size, extractor.max_tokens):
            batches.append(extractor._collate([rows[index].window for index in indices]))
    connection.send("ready")
    while connection.recv() is not None:
        with torch.no_grad():
            for batch in batches:
                encode(pipe.model, batch)
        connection.send("done")


class Encoders:
    """Processes that run only the encoder, on shares of the same documents.

    Args:
        count: How many.
        plan: The documents.
        settings: The model.
    """

    def __init__(self, count: int, plan: Plan, settings: ExtractorSettings):
        context = multiprocessing.get_context("spawn")
        self._connections = []
        for place in range(count):
            ours, theirs = context.Pipe()
            context.Process(target=run_encoder, args=(theirs, plan, settings, place, count), daemon=True).start()
            self._connections.append(ours)
        self._wait()

    def run(self) -> float:
        """Seconds until all are done."""
        started = time.perf_counter()
        for connection in self._connections:
            connection.send("go")
        self._wait()
        return time.perf_counter() - started

    def _wait(self) -> None:
        for connection in self._connections:
            connection.recv()

    def close(self) -> None:
        """End them."""
        for connection in self._connections:
            connection.send(None)


def by_processes(workload: Workload, folder: Path, args: argparse.Namespace) -> list[dict[str, Any]]:
    """Medians of the four, and the share of the encoders' gain."""
    count = args.documents
    plan = make_plan(folder, write_documents(workload, folder, count), count, args.shard_size)
    settings = ExtractorSettings(plan.request.model.folder)
    with ExitStack() as stack:
        runs: dict[str, Any] = {}
        for number in (1, 2):
            encoders = Encoders(number, plan, settings)
            stack.callback(encoders.close)
            pool = stack.enter_context(Pool(number, partial(TableExtractor, settings)))
            runs |= {f"encoder, {number}": encoders.run, f"bulk, {number}": partial(extract, plan, pool, folder)}
        found: dict[str, list[float]] = {name: [] for name in runs}
        for repetition in range(-args.warmup, args.repetitions):
            for name in runs if repetition % 2 else reversed(runs):
                seconds = runs[name]()
                if repetition >= 0:
                    found[name].append(seconds)
    shares = [
        (one / two) / (bare_one / bare_two)
        for one, two, bare_one, bare_two in zip(
            found["bulk, 1"], found["bulk, 2"], found["encoder, 1"], found["encoder, 2"], strict=True
        )
    ]
    rows = [
        {"what": name, "seconds": statistics.median(own), "documents_per_second": count / statistics.median(own)}
        for name, own in found.items()
    ]
    for kind in ("encoder", "bulk"):
        gain = statistics.median(a / b for a, b in zip(found[f"{kind}, 1"], found[f"{kind}, 2"], strict=True))
        rows.append({"what": f"gain of two, {kind}", "ratio": gain})
    return [*rows, {"what": "bulk's gain as a share of the encoder's", "ratio": statistics.median(shares)}]


def command_of(folder: Path, path: Path, output: Path, *flags: str) -> list[str]:
    """The command that a user would run."""
    base = [sys.executable, "-m", "spert_cli", "extract", str(folder / "model"), str(path), "--output", str(output)]
    return [*base, "--id_column", "id", *flags]


def by_memory(workload: Workload, folder: Path, args: argparse.Namespace) -> list[dict[str, Any]]:
    """Peak memory for each number of documents."""
    rows = []
    for count in args.numbers:
        path = write_documents(workload, folder, count)
        output = folder / f"rows_{count}"
        process = psutil.Popen(
            command_of(folder, path, output, "--num_processes", "2", "--shard_size", str(args.shard_size)),
            stdout=subprocess.DEVNULL,
        )
        peak = parent = 0
        while process.poll() is None:
            try:
                sizes = [member.memory_info().rss for member in (process, *process.children(recursive=True))]
            except psutil.NoSuchProcess:
                continue
            peak, parent = max(peak, sum(sizes)), max(parent, sizes[0])
            time.sleep(0.1)
        assert process.returncode == 0
        rows.append({"what": f"{count} documents", "all_mib": peak / 2**20, "parent_mib": parent / 2**20})
    return rows


def by_actors(workload: Workload, folder: Path, args: argparse.Namespace) -> list[dict[str, Any]]:
    """Documents a second with 1 and 2 actors, the start left out."""
    path = write_documents(workload, folder, args.documents)
    rows = []
    for number in (1, 2):
        output = folder / f"rows_ray_{number}"
        flags = ("--engine", "ray", "--num_processes", str(number), "--shard_size", str(args.shard_size))
        subprocess.run(command_of(folder, path, output, *flags), check=True, stdout=subprocess.DEVNULL)
        rows.append({"what": f"{number} actors", "documents_per_second": steady_rate(output, number)})
    return [*rows, {"what": "gain of two", "ratio": rows[1]["documents_per_second"] / rows[0]["documents_per_second"]}]


def steady_rate(output: Path, actors: int) -> float:
    """Documents a second, from the first file of each actor to the last file: the first ones hold the start."""
    files = sorted(output.glob("*.parquet"), key=lambda path: path.stat().st_mtime)
    if len(files) < 4 * actors:
        raise ValueError(f"--shard_size leaves {len(files)} files, too few for a rate with {actors} actors: lower it")
    counted = sum(pq.read_metadata(path).num_rows for path in files[actors:])
    return counted / (files[-1].stat().st_mtime - files[actors - 1].stat().st_mtime)


@command()
def main(argv: Sequence[str] | None = None) -> None:
    """Measure, print, write."""
    parser = parser_of(__doc__, quick="the tiny encoder, few documents, one repetition, not Ray")
    parser.add_argument("--what", nargs="+", choices=WHAT, default=list(WHAT))
    parser.add_argument("--documents", type=int, default=2000, help="of processes and ray")
    parser.add_argument("--numbers", nargs="+", type=int, default=[1000, 5000, 20_000, 50_000], help="of memory")
    parser.add_argument("--shard_size", type=int, default=200, help="documents in an output file")
    args = parser.parse_args(argv)
    if args.quick:
        args.encoder, args.texts, args.repetitions, args.documents, args.numbers = "tiny", 8, 1, 60, [40]
        args.shard_size, args.what = 20, [what for what in args.what if what != "ray"]
    torch.set_num_threads(1)
    workload = load_workload(args)
    measures = {"processes": by_processes, "memory": by_memory, "ray": by_actors}
    found: dict[str, list[dict[str, Any]]] = {}
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        workload.model.extraction_pipeline(workload.tokenizer).save_pretrained(folder / "model")
        for what in args.what:
            found[what] = measures[what](workload, folder, args)
            print(f"\n{what} ({workload.encoder} encoder, one thread a process, fp32)\n")
            keys = list(dict.fromkeys(key for row in found[what] for key in row))
            print_table(keys, [[show(row.get(key, "")) for key in keys] for row in found[what]])
    results = {"environment": describe_environment("cpu"), "arguments": vars(args), "rows": found}
    write_json(args.json, "bulk_cpu", {"benchmark": "bulk", **results})


def show(value: Any) -> str:
    """A cell of the table."""
    return f"{value:.3f}" if isinstance(value, float) else str(value)


if __name__ == "__main__":
    sys.exit(main())
