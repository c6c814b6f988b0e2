"""The service under load: latency and throughput, against the pipeline called with a list.

Method. A model of `workload.py` is saved, and `spert serve` runs it in a process of its own, with as many threads as
the pipeline here. Rows, --seconds each:

  pipeline           the pipeline called with the texts as a list, again and again; no service.
  N callers          N callers send one text a request, the next one when the last is answered.
  N times capacity   requests at N times the best rate of the rows before, whatever comes back.
  afterwards         8 callers again.

Last, the service is killed (SIGKILL) under the load of 8 callers and started again: seconds from the new start until it
is ready, the model loaded and tried.

Latency is what the caller sees, of answered requests. CPU ms is the processor time of the pipeline's or the service's
process per text answered, which other processes on a shared host disturb less; the load generator's own is not in it.
Every answer is compared with the pipeline's. Wrong and lost must be 0.

    python -m benchmarks.bench_service --encoder bundled --threads 1
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tempfile
import threading
import time
import urllib.request
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch

from benchmarks.environment import describe_environment
from benchmarks.service_load import LOST, Reply, closed_load, open_load, percentile
from benchmarks.timing import print_table, write_json
from benchmarks.workload import Workload, load_workload, parser_of
from modeling_spert.shared.commands import command

_START = 120  # seconds in which the service must be ready


@contextmanager
def running_service(folder: Path, threads: int, *flags: str) -> Iterator[tuple[str, subprocess.Popen[bytes]]]:
    """The address and the process of a service that is ready."""
    arguments = ["serve", str(folder), "--port", "0", "--num_threads", str(threads), *flags]
    with open(folder / "service.log", "w+", encoding="utf-8") as log:
        environment = {**os.environ, "OMP_NUM_THREADS": str(threads), "TOKENIZERS_PARALLELISM": "false"}
        process = subprocess.Popen([sys.executable, "-m", "spert_cli", *arguments], stderr=log, env=environment)
        try:
            yield _wait_until_ready(process, folder / "service.log"), process
        finally:
            process.terminate()
            process.wait()


def seconds_to_restart(folder: Path, texts: list[str], threads: int, seconds: float) -> float:
    """Kill the service under load, and time the next one from its start until it is ready."""
    with running_service(folder, threads) as (address, process):
        threading.Timer(seconds / 2, process.kill).start()
        replies = closed_load(address, texts, 8, seconds)
        process.wait()
    if not {200, LOST} <= {reply.status for reply in replies}:
        raise ValueError(f"the service was not killed under load: --seconds {seconds} is too short")
    started = time.perf_counter()
    with running_service(folder, threads) as (address, _):
        ready = time.perf_counter() - started
        with urllib.request.urlopen(f"{address}/ready", timeout=30) as response:
            assert response.status == 200
    return ready


def _wait_until_ready(process: subprocess.Popen[bytes], log: Path) -> str:
    deadline = time.monotonic() + _START
    while time.monotonic() < deadline and process.poll() is None:
        found = re.search(r"listening at (http://\S+),", log.read_text(encoding="utf-8"))
        if found and "ready" in log.read_text(encoding="utf-8"):
            return found[1]
        time.sleep(0.05)
    raise ValueError(f"the service did not start:\n{log.read_text(encoding='utf-8')}")


def read_metrics(address: str) -> dict[str, float]:
    """The service's metrics without labels."""
    text = urllib.request.urlopen(f"{address}/metrics", timeout=30).read().decode()
    return {name: float(value) for name, value in re.findall(r"^(\w+) (\S+)$", text, flags=re.MULTILINE)}


def pipeline_row(pipe: Any, texts: list[str], seconds: float) -> dict[str, Any]:
    """The pipeline with lists."""
    count, started, cpu = 0, time.perf_counter(), time.process_time()
    while time.perf_counter() - started < seconds:
        pipe(texts)
        count += len(texts)
    wall = time.perf_counter() - started
    return {"load": "pipeline", "texts_per_second": count / wall, "cpu_ms": (time.process_time() - cpu) / count * 1000}


def load_row(name: str, address: str, replies: list[Reply], before: dict[str, float], expected: Any) -> dict[str, Any]:
    """What a load showed."""
    now = read_metrics(address)
    spent = {key: now[key] - before[key] for key in now if key in before}
    statuses = Counter(reply.status for reply in replies)
    answered = [reply for reply in replies if reply.status == 200]
    latency = [reply.seconds for reply in answered] or [float("nan")]
    wall = max(reply.sent + reply.seconds for reply in replies)
    return {
        "load": name,
        "texts_per_second": len(answered) / wall,
        "p50_ms": percentile(latency, 50) * 1000,
        "p99_ms": percentile(latency, 99) * 1000,
        "cpu_ms": spent["process_cpu_seconds_total"] / max(len(answered), 1) * 1000,
        "texts_per_batch": spent["spert_batch_texts_sum"] / max(spent["spert_batch_texts_count"], 1),
        "answered": len(answered),
        "refused": statuses[429],
        "lost": statuses[LOST],
        "other": len(replies) - len(answered) - statuses[429] - statuses[LOST],
        "wrong": sum(not is_same(reply.answer(), expected[reply.index]) for reply in answered),
    }


def is_same(found: dict[str, Any], expected: dict[str, Any]) -> bool:
    """Whether two answers are equal except for the last digits of scores: the order of a sum depends on the batch."""
    kinds = ("entities", "relations")
    if found["text"] != expected["text"] or any(len(found[kind]) != len(expected[kind]) for kind in kinds):
        return False
    pairs = [pair for kind in kinds for pair in zip(found[kind], expected[kind], strict=True)]
    same = all({**a, "score": 0} == {**b, "score": 0} for a, b in pairs)
    return same and all(abs(a["score"] - b["score"]) < 1e-4 for a, b in pairs)


def measure(workload: Workload, folder: Path, threads: int, args: Any) -> list[dict[str, Any]]:
    """All rows with one number of threads."""
    torch.set_num_threads(threads)
    texts = workload.texts
    pipe = workload.model.extraction_pipeline(workload.tokenizer)
    expected = pipe(texts)
    rows = [pipeline_row(pipe, texts, args.seconds)]
    with running_service(folder, threads, "--max_queue_tokens", str(args.max_queue_tokens)) as (address, _):

        def add(name: str, load: Any, *arguments: Any) -> None:
            before = read_metrics(address)
            replies = load(address, texts, *arguments)
            rows.append(load_row(name, address, replies, before, expected))

        for callers in args.callers:
            add(f"{callers} callers", closed_load, callers, args.seconds)
        capacity = max(row["texts_per_second"] for row in rows[1:])
        for times in args.overload:
            add(f"{times:g} times capacity", open_load, times * capacity, args.seconds, args.connections)
        add("afterwards", closed_load, 8, args.seconds)
    return [
        {"threads": threads, "share_of_pipeline": r["texts_per_second"] / rows[0]["texts_per_second"], **r}
        for r in rows
    ]


def print_rows(rows: Sequence[dict[str, Any]]) -> None:
    """The table."""
    numbers = {
        "texts_per_second": 1,
        "share_of_pipeline": 2,
        "p50_ms": 0,
        "p99_ms": 0,
        "cpu_ms": 2,
        "texts_per_batch": 1,
    }
    header = ["load", "threads", *numbers, "answered", "refused", "lost", "other", "wrong"]
    cells = [
        [f"{row[name]:.{numbers[name]}f}" if name in numbers and name in row else row.get(name, "") for name in header]
        for row in rows
    ]
    print_table([name.replace("_", " ") for name in header], cells)


@command()
def main(argv: Sequence[str] | None = None) -> None:
    """Measure, print, write."""
    parser = parser_of(__doc__, quick="8 sentences, the tiny encoder, a second a row, one thread")
    parser.add_argument("--seconds", type=float, default=10.0, help="of each row")
    parser.add_argument("--callers", nargs="+", type=int, default=[1, 4, 16, 64])
    parser.add_argument("--overload", nargs="+", type=float, default=[4.0], help="times the capacity")
    parser.add_argument("--connections", type=int, default=192, help="of the overload")
    parser.add_argument("--max_queue_tokens", type=int, default=2048, help="of the service; its default is 65536")
    args = parser.parse_args(argv)
    if args.quick:
        args.encoder, args.texts, args.threads, args.seconds, args.callers = "tiny", 8, [1], 1.0, [1, 8]
        args.connections = 32
    os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")
    workload = load_workload(args)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        workload.model.extraction_pipeline(workload.tokenizer).save_pretrained(folder)
        rows = [row for threads in args.threads for row in measure(workload, folder, threads, args)]
        restart = seconds_to_restart(folder, workload.texts, args.threads[0], args.seconds)
    print(f"{workload.encoder} encoder, {workload.data}: {len(workload.examples)} texts\n")
    print_rows(rows)
    print(f"\nKilled under load and started again: ready in {restart:.1f} s")
    results = {"environment": describe_environment("cpu"), "arguments": vars(args), "rows": rows, "restart_s": restart}
    write_json(args.json, "service_cpu", {"benchmark": "service", **results})


if __name__ == "__main__":
    sys.exit(main())
