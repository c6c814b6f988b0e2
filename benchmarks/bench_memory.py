"""Peak memory above the loaded weights, against the bare encoder.

Method. Every cell runs in a fresh process: it builds the model, runs the cell's batch once (so that libraries have
allocated what they keep), and then measures one more run. On Linux the kernel's peak of resident memory is reset
before that run (/proc/self/clear_refs) and read after it (VmHWM); the figure is the peak less what was resident
before. glibc is set to give memory back at once, so that memory in its pools from an earlier run does not count. On
a GPU it is `torch.cuda.max_memory_allocated` less what was allocated before. Cells: one sentence of exactly N subwords
made of the corpus's words, with as many entities as the corpus has per word, and length-sorted batches of the corpus's
longest sentences; each for the bare encoder and for model forward with decoding. The median of the repetitions.

    python -m benchmarks.bench_memory --encoder base --data_dir data/conll04
"""

from __future__ import annotations

import argparse
import json
import os
import re
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import torch

from benchmarks.environment import describe_environment
from benchmarks.timing import Spread, print_table, print_unmeasured, write_json
from benchmarks.workload import (
    DTYPES,
    Setting,
    Workload,
    balance,
    collate,
    encode,
    extract,
    keep_every_span,
    load_workload,
    parser_of,
    results_device,
    settings_of,
    window_of_length,
)
from modeling_spert.shared.commands import command
from modeling_spert.windows_spert import Window

ROOT = Path(__file__).resolve().parents[1]
# Pools of glibc that give freed memory back at once, so that every run needs its own.
MALLOC = {"MALLOC_MMAP_THRESHOLD_": "65536", "MALLOC_TRIM_THRESHOLD_": "65536", "MALLOC_TOP_PAD_": "0"}
MEGABYTE = 1 << 20


def measure_cell(args: argparse.Namespace) -> int:
    """Bytes of the cell that `--cell` describes, in this process."""
    cell = json.loads(args.cell)
    workload = load_workload(args)
    setting = Setting(cell["device"], cell["threads"], cell["dtype"])
    setting.apply()
    windows, batch = build_batch(workload, cell)
    model = workload.model
    if cell["work"] == "every span kept":
        model = keep_every_span(model)
    model.to(setting.device, DTYPES[setting.dtype])
    batch = {key: value.to(setting.device) for key, value in batch.items()}

    def run() -> None:
        encode(model, batch) if cell["work"] == "encoder" else extract(model, batch, windows)

    run()
    if setting.device == "cuda":
        return _peak_on_gpu(run)
    return _peak_on_cpu(run)


def build_batch(workload: Workload, cell: dict[str, Any]) -> tuple[list[Window], dict[str, torch.Tensor]]:
    """The cell's windows and their batch; an untrained model is balanced on them."""
    if cell["subwords"]:
        windows = [window_of_length(workload, cell["subwords"], seed) for seed in range(cell["rows"])]
    else:
        windows = sorted(workload.windows(), key=lambda window: -len(window.input_ids))[: cell["rows"]]
    (batch,) = collate([windows], workload.tokenizer)
    if workload.encoder != "trained":
        share = sum(len(window.sentence_index) for window in windows) / workload.num_words
        entities = sum(len(example["entities"]) for example in workload.examples)
        relations = sum(len(example["relations"]) for example in workload.examples)
        balance(workload.model, [batch], round(entities * share), round(relations * share))
    return windows, batch


def _peak_on_gpu(run: Any) -> int:
    torch.cuda.synchronize()
    torch.cuda.empty_cache()
    torch.cuda.reset_peak_memory_stats()
    before = torch.cuda.memory_allocated()
    run()
    torch.cuda.synchronize()
    return torch.cuda.max_memory_allocated() - before


def _peak_on_cpu(run: Any) -> int:
    Path("/proc/self/clear_refs").write_text("5")
    before = _status("VmRSS")
    run()
    return _status("VmHWM") - before


def _status(name: str) -> int:
    """A figure of /proc/self/status, in bytes."""
    found = re.search(rf"{name}:\s*(\d+) kB", Path("/proc/self/status").read_text())
    assert found is not None
    return int(found[1]) * 1024


def run_cell(argv: Sequence[str], cell: dict[str, Any], repetitions: int) -> Spread:
    """Megabytes of a cell, each measured in its own process."""
    command = [sys.executable, "-m", "benchmarks.bench_memory", *argv, "--cell", json.dumps(cell)]
    env = {**os.environ, **MALLOC}
    found = []
    for _ in range(repetitions):
        done = subprocess.run(command, cwd=ROOT, env=env, capture_output=True, text=True, check=False)
        if done.returncode:
            raise RuntimeError(f"the cell {cell} failed:\n{done.stderr}")
        found.append(int(done.stdout.strip().splitlines()[-1]) / MEGABYTE)
    return Spread.of(found)


def measure(argv: Sequence[str], setting: Setting, args: argparse.Namespace) -> list[dict[str, Any]]:
    """The rows of one setting."""
    shapes = [(1, length) for length in args.lengths] + [(batch_size, 0) for batch_size in args.batch_sizes]
    works = ["forward+decoding", *(["every span kept"] if args.worst_case else [])]
    rows: list[dict[str, Any]] = []
    for batch_size, subwords in shapes:
        shape = {"rows": batch_size, "subwords": subwords, **asdict(setting)}
        if not setting.is_available:
            rows += [{**shape, "work": work, "measured": False} for work in works]
            continue
        encoder = run_cell(argv, {**shape, "work": "encoder"}, args.repetitions)
        for work in works:
            if work == "every span kept" and subwords > args.worst_subwords:
                continue
            found = run_cell(argv, {**shape, "work": work}, args.repetitions)
            row = {**shape, "work": work, "measured": True, "encoder_mb": asdict(encoder), "spert_mb": asdict(found)}
            # Less than a page is counted as nothing: a tiny encoder may need no more.
            rows.append(row | {"ratio": found.median / max(encoder.median, 4096 / MEGABYTE)})
    return rows


@command()
def main(argv: Sequence[str] | None = None) -> None:
    """Measure, print, write."""
    parser = parser_of(__doc__, quick="one length, the tiny encoder, one thread, one repetition")
    parser.set_defaults(repetitions=3, threads=[1], dtypes=["fp32"], warmup=1)
    parser.add_argument("--lengths", nargs="*", type=int, default=[16, 64, 128, 256, 512], help="subwords of one text")
    parser.add_argument("--batch_sizes", nargs="*", type=int, default=[8, 32], help="longest sentences of the corpus")
    parser.add_argument("--worst_subwords", type=int, default=128, help="longest text for --worst_case")
    parser.add_argument("--cell", help=argparse.SUPPRESS)
    args = parser.parse_args(argv)
    if args.cell:
        print(measure_cell(args))
        return
    own = list(sys.argv[1:] if argv is None else argv)
    if args.quick:
        args.encoder, args.texts, args.lengths, args.batch_sizes = "tiny", 8, [256], []
        args.repetitions, own = 1, ["--encoder", "tiny", "--texts", "8"]
    settings = settings_of(args)
    if not Path("/proc/self/clear_refs").exists() and "cpu" in args.devices:
        parser.error("memory on a CPU is read from /proc, which only Linux has: use --devices cuda")
    rows = [row for setting in settings for row in measure(own, setting, args)]
    header = ["work", "rows", "subwords", "device", "dtype", "encoder MB", "spert MB", "ratio"]
    cells = [
        [row["work"], row["rows"], row["subwords"] or "corpus", row["device"], row["dtype"]]
        + [f"{row[name]['median']:.1f}" for name in ("encoder_mb", "spert_mb")]
        + [f"{row['ratio']:.3f}"]
        for row in rows
        if row["measured"]
    ]
    print(f"{args.model or args.encoder} encoder, peak above the weights\n")
    print_table(header, cells)
    print_unmeasured(rows)
    results = {"environment": describe_environment(results_device(settings)), "arguments": vars(args), "rows": rows}
    write_json(args.json, f"memory_{results_device(settings)}", {"benchmark": "memory", **results})


if __name__ == "__main__":
    sys.exit(main())
