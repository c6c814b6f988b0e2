"""How the cost grows: with the length of a text, the span width, the number of entities, of texts, of processes.

Method. One thing is varied, the rest stays; seconds are medians of interleaved repetitions (`timing.py`), encoder and
model forward with decoding on the same batch of one text, unless said otherwise:

  length      one sentence of 64 to 512 subwords made of the corpus's words, entities per word as in the corpus; the
              cost above the encoder's, and the exponent p of cost ~ length^p by least squares on logarithms.
              It is measured by itself, the encoder replaced by its stored answer: a difference of two measurements
              would be lost in their noise
  width       a sentence of 128 subwords, the widest candidate span 2 to 32 words
  entities    a sentence of 128 subwords, from none to every span kept as an entity
  texts       the whole pipeline on 16 to 256 raw strings, seconds per text
  processes   the corpus's strings shared out to 1 and 2 processes of one thread each, by wall time from a common start

    python -m benchmarks.bench_scaling --encoder base --data_dir data/conll04 --plot scaling.png
"""

from __future__ import annotations

import argparse
import copy
import math
import multiprocessing
import sys
import time
from collections.abc import Callable, Sequence
from functools import partial
from types import SimpleNamespace
from typing import Any

import torch
from torch import Tensor, nn

from benchmarks.environment import describe_environment
from benchmarks.timing import interleave, print_table, summarize, write_json
from benchmarks.workload import (
    Workload,
    balance,
    collate,
    count_extracted,
    encode,
    extract,
    load_workload,
    parser_of,
    window_of_length,
)
from modeling_spert.shared.commands import command

WHAT = ("length", "width", "entities", "texts", "processes")


class Replay(nn.Module):
    """An encoder that has its answer already: what runs on it costs what comes on top of the encoder."""

    def __init__(self, hidden_BLH: Tensor):
        super().__init__()
        self.hidden_BLH = hidden_BLH

    def forward(self, **_: Any) -> SimpleNamespace:
        """The kept answer."""
        return SimpleNamespace(last_hidden_state=self.hidden_BLH)


def compare(workload: Workload, num_subwords: int, args: argparse.Namespace, **change: Any) -> dict[str, Any]:
    """Encoder and model on one text of this length; `change` may set `max_span_width` or the share of spans kept."""
    window = window_of_length(workload, num_subwords)
    (batch,) = collate([[window]], workload.tokenizer)
    model = copy.deepcopy(workload.model)
    model.config.max_span_width = change.get("max_span_width", model.config.max_span_width)
    words = len(window.sentence_index)
    entities = sum(len(example["entities"]) for example in workload.examples) * words // workload.num_words
    if workload.encoder != "trained" or "entities" in change:
        balance(model, [batch], change.get("entities", entities), words // 10)
    counts = count_extracted(model, [batch])
    above = copy.copy(model)
    above._modules = {**model._modules, "backbone": Replay(encode(model, batch))}
    candidates: dict[str, Sequence[Callable[[], object]]] = {
        "encoder": [partial(encode, model, batch)],
        "spert": [partial(extract, model, batch, [window])],
        "above": [partial(extract, above, batch, [window])],
    }
    found = summarize(interleave(candidates, args.repetitions, args.warmup), "encoder")
    return {"words": words, **counts, **{name: found["seconds"][name]["cpu"]["median"] for name in candidates}}


def by_length(workload: Workload, args: argparse.Namespace) -> list[dict[str, Any]]:
    """Rows of "length"."""
    return [{"value": length, **compare(workload, length, args)} for length in args.lengths]


def by_width(workload: Workload, args: argparse.Namespace) -> list[dict[str, Any]]:
    """Rows of "width"."""
    return [{"value": width, **compare(workload, args.subwords, args, max_span_width=width)} for width in args.widths]


def by_entities(workload: Workload, args: argparse.Namespace) -> list[dict[str, Any]]:
    """Rows of "entities": from none to all candidates."""
    numbers = [*args.entities, 1_000_000]
    return [{"value": number, **compare(workload, args.subwords, args, entities=number)} for number in numbers]


def by_texts(workload: Workload, args: argparse.Namespace) -> list[dict[str, Any]]:
    """Rows of "texts"."""
    pipe = workload.model.extraction_pipeline(workload.tokenizer)
    rows = []
    for number in args.numbers:
        texts = (workload.texts * math.ceil(number / len(workload.texts)))[:number]
        found = summarize(interleave({"spert": [partial(pipe, texts)]}, args.repetitions, args.warmup), "spert")
        seconds = found["seconds"]["spert"]["cpu"]["median"]
        rows.append({"value": number, "spert": seconds, "per_text": seconds / number})
    return rows


def by_processes(workload: Workload, args: argparse.Namespace) -> list[dict[str, Any]]:
    """Rows of "processes"; every process loads its own model."""
    context = multiprocessing.get_context("spawn")
    rows = []
    for processes in args.processes:
        start, results = context.Barrier(processes), context.Queue()
        members = [
            context.Process(target=_extract_share, args=(args, number, processes, start, results))
            for number in range(processes)
        ]
        for member in members:
            member.start()
        # A share that fails would leave the others waiting: its exit code says so.
        spans = [results.get(timeout=1800) for _ in members]
        for member in members:
            member.join()
        seconds = max(end for _, end in spans) - min(begin for begin, _ in spans)
        rows.append({"value": processes, "spert": seconds, "per_text": seconds / len(workload.texts)})
    return rows


def _extract_share(args: argparse.Namespace, number: int, processes: int, start: Any, results: Any) -> None:
    torch.set_num_threads(1)
    workload = load_workload(args)
    pipe = workload.model.extraction_pipeline(workload.tokenizer)
    share = workload.texts[number::processes]
    pipe(share[:2])
    start.wait()
    begin = time.time()
    pipe(share)
    results.put((begin, time.time()))


MEASURES = {
    "length": by_length,
    "width": by_width,
    "entities": by_entities,
    "texts": by_texts,
    "processes": by_processes,
}


def exponent(rows: Sequence[dict[str, Any]]) -> float:
    """The slope of log(cost above the encoder) over log(value)."""
    points = [(math.log(row["value"]), math.log(max(row["above"], 1e-6))) for row in rows]
    x, y = (sum(point[i] for point in points) / len(points) for i in range(2))
    return sum((a - x) * (b - y) for a, b in points) / sum((a - x) ** 2 for a, _ in points)


def draw(found: dict[str, list[dict[str, Any]]], path: str) -> None:
    """A panel per thing varied."""
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot

    figure, panels = pyplot.subplots(1, len(found), figsize=(4 * len(found), 3.4), squeeze=False)
    for panel, (what, rows) in zip(panels[0], found.items(), strict=True):
        for key in ("encoder", "spert", "above", "per_text"):
            if key in rows[0] and not (key == "spert" and "per_text" in rows[0]):
                places = [row["surviving" if what == "entities" else "value"] for row in rows]
                panel.plot(places, [row[key] for row in rows], marker="o", label=key)
        panel.set(xlabel=what, ylabel="seconds", ylim=(0, None))
        if what == "entities":
            panel.set_xscale("symlog", linthresh=10)
            panel.set_xlim(left=0)
        if what == "processes":
            panel.set_xticks(places)
        panel.legend()
    figure.tight_layout()
    figure.savefig(path, dpi=150)
    print(f"\nDrawn to {path}")


@command()
def main(argv: Sequence[str] | None = None) -> None:
    """Measure, print, draw, write."""
    parser = parser_of(__doc__, quick="the tiny encoder, few values, one repetition")
    parser.set_defaults(threads=[1])
    parser.add_argument("--what", nargs="+", choices=WHAT, default=list(WHAT))
    parser.add_argument("--lengths", nargs="+", type=int, default=[64, 128, 256, 384, 512])
    parser.add_argument("--widths", nargs="+", type=int, default=[2, 5, 10, 20, 32])
    parser.add_argument("--entities", nargs="+", type=int, default=[0, 5, 10, 20, 40, 80])
    parser.add_argument("--numbers", nargs="+", type=int, default=[16, 64, 256])
    parser.add_argument("--processes", nargs="+", type=int, default=[1, 2])
    parser.add_argument("--subwords", type=int, default=128, help="length of the text where it is not varied")
    parser.add_argument("--plot", help="file to draw to; needs matplotlib")
    args = parser.parse_args(argv)
    if args.quick:
        args.encoder, args.texts, args.repetitions, args.lengths, args.widths = "tiny", 8, 1, [64, 128], [2, 10]
        args.entities, args.numbers, args.processes = [0, 10], [8, 16], [1]
    torch.set_num_threads(args.threads[0])
    workload = load_workload(args)
    found: dict[str, list[dict[str, Any]]] = {}
    for what in args.what:
        found[what] = MEASURES[what](workload, args)
        clock = "wall" if what == "processes" else "CPU"
        print(f"\n{what} ({workload.encoder} encoder, {args.threads[0]} thread(s), fp32, seconds of {clock} time)\n")
        keys = list(found[what][0])
        rows = [[f"{v:.4f}" if isinstance(v, float) else v for v in row.values()] for row in found[what]]
        print_table([what, *keys[1:]], rows)
        if what == "length":
            print(f"\ncost above the encoder ~ length^{exponent(found[what]):.2f}")
    if args.plot:
        draw(found, args.plot)
    results: dict[str, Any] = {"environment": describe_environment("cpu"), "arguments": vars(args), "rows": found}
    if "length" in found:
        results["length_exponent"] = exponent(found["length"])
    write_json(args.json, "scaling_cpu", {"benchmark": "scaling", **results})


if __name__ == "__main__":
    sys.exit(main())
