"""Extraction against the bare encoder: what everything besides the encoder costs.

Method. The same sentences, in the same length-sorted batches, go through the bare encoder and through the SpERT model
on that encoder, the same weights in memory; `timing.py` says how runs are interleaved and summarised. Rows:

  forward+decoding   model forward and decoding to entities and relations ÷ encoder forward; the padded tensors are
                     made before the clock starts, for both.
  pipeline           the pipeline on raw strings ÷ the encoder with its tokenizer on the same strings: one tokenizer
                     call, length-sorted batches of the same size, forward. The pipeline splits sentences and words,
                     tokenizes, plans, collates, extracts and returns dicts.

Each for throughput (batches) and for batch 1 (every sentence by itself, in order), for CPU threads 1 and 2 in fp32 and
bf16, and for CUDA in fp32, tf32 and bf16; rows that this machine cannot run are listed as "not measured". With
--worst_case also a model that keeps every span (on the --worst_texts shortest sentences). With --levers two more
candidates in the same runs, divided by the model itself: the model with all levers (docs/levers.md), which then finds
the same entities, and the same with overlap "flat", which scores fewer pairs.

    python -m benchmarks.bench_inference --encoder base --data_dir data/conll04
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Callable, Sequence
from dataclasses import asdict, replace
from functools import partial
from typing import Any

import torch

from benchmarks.environment import describe_environment
from benchmarks.timing import (
    Sample,
    interleave,
    print_table,
    print_unmeasured,
    show_spread,
    summarize,
    write_json,
)
from benchmarks.workload import (
    DTYPES,
    Setting,
    Workload,
    add_levers,
    collate,
    count_extracted,
    encode,
    extract,
    keep_every_span,
    load_workload,
    padding_share,
    parser_of,
    plan,
    results_device,
    settings_of,
)
from modeling_spert.modeling_spert import SpertModel
from modeling_spert.shared.commands import command
from modeling_spert.windows_spert import plan_batches

MODES = ("throughput", "batch 1")


def forward_samples(
    workload: Workload, setting: Setting, mode: str, args: argparse.Namespace
) -> dict[str, list[Sample]]:
    """Encoder and model on the same padded tensors."""
    windows = workload.windows()
    planned = plan(windows, args.batch_size) if mode == "throughput" else [[window] for window in windows]
    batches = collate(planned, workload.tokenizer, setting.device)
    candidates: dict[str, Sequence[Callable[[], object]]] = {
        "encoder": [partial(encode, workload.model, batch) for batch in batches],
        "spert": [partial(extract, workload.model, *item) for item in zip(batches, planned, strict=True)],
    }
    for name, model in levered_models(workload, args).items():
        candidates[name] = [partial(extract, model, *item) for item in zip(batches, planned, strict=True)]
    return interleave(candidates, args.repetitions, args.warmup, setting.device)


def pipeline_samples(
    workload: Workload, setting: Setting, mode: str, args: argparse.Namespace
) -> dict[str, list[Sample]]:
    """Encoder with its tokenizer and the pipeline, on the same strings."""
    pipe = workload.model.extraction_pipeline(workload.tokenizer, device=setting.device)
    texts = workload.texts
    inputs = [texts] if mode == "throughput" else [[text] for text in texts]
    candidates: dict[str, Sequence[Callable[[], object]]] = {
        "encoder": [partial(encode_strings, workload, some, setting.device, args.batch_size) for some in inputs],
        "spert": [partial(pipe, some, batch_size=args.batch_size) for some in inputs],
    }
    for name, model in levered_models(workload, args).items():
        levered = model.extraction_pipeline(workload.tokenizer, device=setting.device)
        candidates[name] = [partial(levered, some, batch_size=args.batch_size) for some in inputs]
    return interleave(candidates, args.repetitions, args.warmup, setting.device)


def levered_models(workload: Workload, args: argparse.Namespace) -> dict[str, SpertModel]:
    """The model with levers, by the name of the candidate; none unless asked for."""
    variants = {"levers": "allow", "levers_flat": "flat"} if args.levers else {}
    return {name: add_levers(workload.model, overlap) for name, overlap in variants.items()}


@torch.inference_mode()
def encode_strings(workload: Workload, texts: list[str], device: str, batch_size: int) -> None:
    """What a careful user of the bare encoder would write: tokenize all, batches by length, forward."""
    encoded = workload.tokenizer(texts, return_attention_mask=False, return_token_type_ids=False)["input_ids"]
    for rows in plan_batches([len(ids) for ids in encoded], batch_size, 4096):
        batch = workload.tokenizer.pad({"input_ids": [encoded[row] for row in rows]}, return_tensors="pt")
        workload.model.backbone(**batch.to(device))


WORK = {"forward+decoding": forward_samples, "pipeline": pipeline_samples}


def measure(workload: Workload, setting: Setting, case: str, args: argparse.Namespace) -> list[dict[str, Any]]:
    """The rows of one setting."""
    cells = [(work, mode) for work in args.work for mode in args.modes]
    shared = {"encoder": workload.encoder, "data": workload.data, "case": case, **asdict(setting)}
    if not setting.is_available:
        return [{"work": work, "mode": mode, **shared, "measured": False} for work, mode in cells]
    setting.apply()
    workload.model.to(setting.device, DTYPES[setting.dtype])
    rows = []
    for work, mode in cells:
        samples = WORK[work](workload, setting, mode, args)
        found = summarize(samples, "encoder")
        over_spert = summarize(samples, "spert")["ratio"]
        found["ratio_to_spert"] = {name: over_spert[name] for name in over_spert if name != "encoder"}
        seconds = found["seconds"]["spert"]["wall"]["median"]
        row = {"work": work, "mode": mode, **shared, "measured": True, **found}
        row |= {"sentences_per_second": len(workload.examples) / seconds}
        rows.append(row | {"words_per_second": workload.num_words / seconds})
    workload.model.to("cpu", torch.float32)
    return rows


def print_rows(rows: Sequence[dict[str, Any]]) -> None:
    """The table."""
    header = (
        "work case mode device threads dtype encoder_s spert_s ratio_of_CPU_time ratio_of_wall_time sent./s words/s"
    )
    cells: list[list[object]] = []
    for row in rows:
        if not row["measured"]:
            continue
        start = [row["work"], row["case"], row["mode"], row["device"], row["threads"] or "", row["dtype"]]
        seconds, ratio = row["seconds"], row["ratio"]["spert"]
        cells.append(
            [*start]
            + [f"{seconds[name]['wall']['median']:.3f}" for name in ("encoder", "spert")]
            + [show_spread(ratio[clock]) for clock in ("cpu", "wall")]
            + [f"{row['sentences_per_second']:.1f}", f"{row['words_per_second']:.0f}"]
        )
    print_table([name.replace("_", " ") for name in header.split()], cells)
    levered = [
        [row["work"], row["case"], row["mode"], row["device"], row["threads"] or "", row["dtype"], name]
        + [show_spread(ratio[clock]) for clock in ("cpu", "wall")]
        for row in rows
        for name, ratio in row.get("ratio_to_spert", {}).items()
    ]
    if levered:
        header = "work case mode device threads dtype variant ratio_to_spert,_CPU_time ratio_to_spert,_wall_time"
        print()
        print_table([name.replace("_", " ") for name in header.split()], levered)
    print_unmeasured(rows)


@command()
def main(argv: Sequence[str] | None = None) -> None:
    """Measure, print, write."""
    parser = parser_of(__doc__, quick="8 sentences, the tiny encoder, one repetition, one thread")
    parser.add_argument("--batch_size", type=int, default=32)
    parser.add_argument("--work", nargs="+", choices=list(WORK), default=list(WORK))
    parser.add_argument("--modes", nargs="+", choices=MODES, default=list(MODES))
    parser.add_argument("--levers", action="store_true", help="also time the model with all levers")
    parser.add_argument("--worst_texts", type=int, default=8, help="sentences for --worst_case")
    args = parser.parse_args(argv)
    if args.quick:
        args.encoder, args.texts, args.repetitions, args.threads, args.worst_texts = "tiny", 8, 1, [1], 2
    os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")  # else the encoder's tokenizer call takes all cores
    workload, settings = load_workload(args), settings_of(args)
    planned = plan(workload.windows(), args.batch_size)
    counts = {
        "sentences": len(workload.examples),
        "words": workload.num_words,
        "gold_entities": sum(len(example["entities"]) for example in workload.examples),
        "gold_pairs": sum(len(e["entities"]) * (len(e["entities"]) - 1) for e in workload.examples),
        **count_extracted(workload.model, collate(planned, workload.tokenizer)),
        "padding": round(padding_share(planned), 4),
    }
    print(f"{workload.encoder} encoder, {workload.data}: {counts}\n")
    rows = [row for setting in settings for row in measure(workload, setting, "as the gold", args)]
    if args.worst_case:
        short = sorted(workload.examples, key=lambda example: len(example["tokens"]))[: args.worst_texts]
        worst = replace(workload, model=keep_every_span(workload.model), examples=short)
        rows += [row for setting in settings for row in measure(worst, setting, "every span kept", args)]
    print_rows(rows)
    environment = describe_environment(results_device(settings))
    results = {"environment": environment, "arguments": vars(args), "counts": counts, "rows": rows}
    write_json(args.json, f"inference_{results_device(settings)}", {"benchmark": "inference", **results})


if __name__ == "__main__":
    sys.exit(main())
