"""What a cheaper runtime gains and what it costs in F1: fp32, bf16, "auto", torch.compile, ONNX, ONNX with int8.

Method. One trained model answers the whole test split in every runtime: encoding of the words, length-sorted batches,
forward, decoding. Scores are those of `train_accelerate.py`. Times are interleaved as `timing.py` says, a repetition
being the whole split; compiling and loading are not timed. The first runtime is the one that the others are
compared with; "different" counts the sentences whose entities or relations (without their scores) are not its own.
"auto" measures the machine and is the faster of fp32 and bf16, so its ratio to fp32 must not exceed 1.03.
CPU only.

    python -m benchmarks.bench_precision --model runs/conll04 --data_dir data/conll04
"""

from __future__ import annotations

import copy
import sys
import tempfile
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import torch

from benchmarks.environment import describe_environment
from benchmarks.timing import (
    interleave,
    print_table,
    show_spread,
    summarize,
    write_json,
)
from benchmarks.workload import Workload, load_workload, parser_of
from modeling_spert.decoding_spert import Extraction
from modeling_spert.evaluation.metrics import score_examples
from modeling_spert.evaluation.predict import extraction_to_example, predict_examples
from modeling_spert.onnx.export import export_onnx
from modeling_spert.onnx.model import OnnxSpertModel
from modeling_spert.precision_spert import set_precision
from modeling_spert.shared.commands import command

RUNTIMES = ("fp32", "bf16", "auto", "fp32 compiled", "bf16 compiled", "onnx", "onnx int8")
SCORES = ("ner_f1_micro", "rel_strict_f1_micro", "rel_f1_micro")


def load_runtimes(workload: Workload, names: Sequence[str], threads: int) -> dict[str, Any]:
    """The same model in every runtime asked for."""
    runtimes: dict[str, Any] = {}
    for name in names:
        if not name.startswith("onnx"):
            runtimes[name] = copy.deepcopy(workload.model)
            set_precision(runtimes[name], name.split()[0], "cpu")
            if name.endswith("compiled"):
                runtimes[name].backbone.compile(dynamic=True)
                predict_examples(runtimes[name], workload.tokenizer, workload.examples)  # compiles
    if any(name.startswith("onnx") for name in names):
        with tempfile.TemporaryDirectory() as folder:
            workload.model.save_pretrained(folder)
            workload.tokenizer.save_pretrained(folder)
            export_onnx(folder, int8=True)
            for name in names:
                if name.startswith("onnx"):
                    int8 = name == "onnx int8"
                    runtimes[name] = OnnxSpertModel.from_pretrained(folder, int8=int8, num_threads=threads)
    return {name: runtimes[name] for name in names}


def measure(workload: Workload, threads: int, args: Any) -> list[dict[str, Any]]:
    """A row per runtime."""
    torch.set_num_threads(threads)
    answers: dict[str, list[Extraction]] = {}

    def answer(name: str, model: Any) -> None:
        answers[name] = predict_examples(model, workload.tokenizer, workload.examples)

    runtimes = load_runtimes(workload, args.runtimes, threads)
    candidates: dict[str, list[Callable[[], object]]] = {
        name: [partial(answer, name, model)] for name, model in runtimes.items()
    }
    found = summarize(interleave(candidates, args.repetitions, args.warmup), args.runtimes[0])
    rows = []
    for name in runtimes:
        ratio = found["ratio"].get(name)
        row = {"runtime": name, "threads": threads, "seconds": found["seconds"][name], "ratio": ratio}
        row |= score(workload, answers[name])
        row["different"] = sum(
            _plain(own) != _plain(first) for own, first in zip(answers[name], answers[args.runtimes[0]], strict=True)
        )
        rows.append({**row, "repetitions": found["repetitions"]})
    return rows


def score(workload: Workload, answers: Sequence[Extraction]) -> dict[str, float]:
    """F1 in percent."""
    predictions = [
        extraction_to_example(example, answer) for example, answer in zip(workload.examples, answers, strict=True)
    ]
    config = workload.model.config
    labels: dict[str, Any] = {
        name: getattr(config, name) for name in ("entity_types", "relation_types", "symmetric_relation_types")
    }
    scores = score_examples(workload.examples, predictions, **labels)
    return {name: scores[name] for name in SCORES}


def _plain(found: Extraction) -> tuple[list, list]:
    return (
        [(e.start, e.end, e.label) for e in found.entities],
        [(r.head, r.tail, r.label) for r in found.relations],
    )


def print_rows(rows: Sequence[dict[str, Any]], baseline: str) -> None:
    """The table."""
    header = ["runtime", "threads", "CPU s", "wall s", f"CPU time to {baseline}", f"wall time to {baseline}"]
    header += ["NER F1", "relation F1, strict", "relation F1, boundaries", "different"]
    cells: list[list[object]] = []
    for row in rows:
        seconds, ratio = row["seconds"], row["ratio"]
        cells.append(
            [row["runtime"], row["threads"]]
            + [f"{seconds[clock]['median']:.2f}" for clock in ("cpu", "wall")]
            + [show_spread(ratio[clock]) if ratio else "1" for clock in ("cpu", "wall")]
            + [f"{row[name]:.2f}" for name in SCORES]
            + [row["different"]]
        )
    print_table(header, cells)


@command()
def main(argv: Sequence[str] | None = None) -> None:
    """Measure, print, write."""
    parser = parser_of(__doc__ or "", quick="8 sentences, the tiny encoder, fp32 and bf16, one repetition, one thread")
    parser.set_defaults(texts=0)
    parser.add_argument("--runtimes", nargs="+", choices=RUNTIMES, default=list(RUNTIMES))
    args = parser.parse_args(argv)
    if args.worst_case or args.devices == ["cuda"] or args.dtypes != parser.get_default("dtypes"):
        parser.error("--worst_case, --devices cuda and --dtypes have no use here: --runtimes names what is compared")
    if args.quick:
        args.encoder, args.texts, args.repetitions, args.threads, args.runtimes = "tiny", 8, 1, [1], ["fp32", "bf16"]
    workload = load_workload(args)
    print(f"{workload.encoder} encoder, {workload.data}, {len(workload.examples)} sentences\n")
    rows = [row for threads in args.threads for row in measure(workload, threads, args)]
    print_rows(rows, args.runtimes[0])
    results = {"environment": describe_environment("cpu"), "arguments": vars(args), "rows": rows}
    write_json(args.json, "precision_cpu", {"benchmark": "precision", **results})


if __name__ == "__main__":
    sys.exit(main())
