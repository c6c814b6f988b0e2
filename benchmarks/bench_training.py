"""A training step against a step of the bare encoder on the same batches.

Method. Batches are drawn as in training: shuffled sentences of the training split, sampled negatives. One step of
SpERT is forward, backward, clipping of the gradients' norm and AdamW (`train_accelerate.py` without accelerate).
Against it two steps of the bare encoder on the same subwords, in training mode, with the same optimizer class over
the encoder's own parameters and a loss that costs nothing (the sum of one hidden unit): "encoder" is forward, backward
and AdamW, "encoder+clip" clips as well. The same encoder weights serve all three; the learning rate is 0, so that they
stay. A fourth candidate is SpERT with a frozen table of subwords (`--freeze_embeddings`). `timing.py` says how runs
are interleaved. bf16 is autocast over fp32 weights.

The share of data loading is the time of the collator, which samples the negatives and pads, in that of a step with it.
The parts of a step (forward, backward, clipping, optimizer) are timed one by one after the interleaved runs.

    python -m benchmarks.bench_training --encoder base --data_dir data/conll04 --batch_sizes 2 32
"""

from __future__ import annotations

import argparse
import random
import sys
import time
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import asdict
from functools import partial
from typing import Any

import torch
from torch import Tensor, nn

from benchmarks.environment import describe_environment
from benchmarks.timing import (
    interleave,
    print_table,
    print_unmeasured,
    show_spread,
    summarize,
    write_json,
)
from benchmarks.workload import Setting, Workload, load_workload, parser_of, results_device, settings_of
from modeling_spert.shared.commands import command
from modeling_spert.training.labelling import LabelledWindow, label_windows
from modeling_spert.training.negatives import NegativeSampler, TrainingCollator
from modeling_spert.training.optimizer import build_optimizer, clipped_update, parameter_groups

Batch = dict[str, Tensor]
PARTS = ("collation", "forward", "backward", "clipping", "optimizer")


class Step:
    """One optimizer step of a module under a setting."""

    def __init__(
        self,
        module: nn.Module,
        loss_of: Callable[[Batch], Tensor],
        setting: Setting,
        *,
        clip: bool,
        frozen: Sequence[nn.Parameter] = (),
    ):
        self.loss_of, self.setting, self.clip, self.frozen = loss_of, setting, clip, frozen
        self._freeze(True)
        self.parameters = [parameter for parameter in module.parameters() if parameter.requires_grad]
        self.optimizer = build_optimizer(parameter_groups(module, learning_rate=0.0, weight_decay=0.01))
        self._freeze(False)

    def _freeze(self, frozen: bool) -> None:
        for parameter in self.frozen:
            parameter.requires_grad_(not frozen)

    def __call__(self, batch: Batch) -> None:
        """Forward, backward, update."""
        self._freeze(True)
        self.forward(batch).backward()
        with self.clipping() if self.clip else nullcontext():
            self.update()
        self._freeze(False)  # the candidates share these weights

    def forward(self, batch: Batch) -> Tensor:
        """The loss."""
        with torch.autocast(self.setting.device, torch.bfloat16, enabled=self.setting.dtype == "bf16"):
            return self.loss_of(batch)

    def clipping(self) -> AbstractContextManager[None]:
        """To the recipe's norm, within the update."""
        return clipped_update(self.optimizer, self.parameters, 1.0)

    def update(self) -> None:
        """AdamW."""
        self.optimizer.step()
        self.optimizer.zero_grad()


def draw_batches(rows: Sequence[LabelledWindow], batch_size: int, steps: int) -> list[list[LabelledWindow]]:
    """Shuffled batches; the same ones each time."""
    order = random.Random(0).sample(range(len(rows)), len(rows))
    return [[rows[order[(i * batch_size + j) % len(rows)]] for j in range(batch_size)] for i in range(steps)]


def measure(workload: Workload, setting: Setting, batch_size: int, args: argparse.Namespace) -> dict[str, Any]:
    """The row of one setting and batch size."""
    row = {"encoder": workload.encoder, "data": workload.data, "batch_size": batch_size, **asdict(setting)}
    if not setting.is_available:
        return {**row, "measured": False}
    setting.apply()
    model = workload.model.to(setting.device).train()
    config = model.config
    collator = TrainingCollator(
        NegativeSampler(config.num_relation_types, config.max_span_width), workload.tokenizer.pad_token_id or 0
    )
    drawn = draw_batches(label_windows(workload.examples, workload.tokenizer, config), batch_size, args.steps)
    batches = [{key: value.to(setting.device) for key, value in collator(rows).items()} for rows in drawn]

    def encoder_loss(batch: Batch) -> Tensor:
        hidden = model.backbone(input_ids=batch["input_ids"], attention_mask=batch["attention_mask"]).last_hidden_state
        return hidden[..., 0].float().sum()

    def spert_loss(batch: Batch) -> Tensor:
        return model(**batch).loss

    table = [model.get_input_embeddings().weight]
    steps = {
        "encoder": Step(model.backbone, encoder_loss, setting, clip=False),
        "encoder+clip": Step(model.backbone, encoder_loss, setting, clip=True),
        "spert": Step(model, spert_loss, setting, clip=True),
        "spert, frozen embeddings": Step(model, spert_loss, setting, clip=True, frozen=table),
    }
    candidates = {name: [partial(step, batch) for batch in batches] for name, step in steps.items()}
    samples = interleave(candidates, args.repetitions, args.warmup, setting.device)
    parts = time_parts(steps["spert"], collator, drawn, batches)
    shares = {name: seconds / sum(parts.values()) for name, seconds in parts.items()}
    counts = {"subwords": sum(batch["input_ids"].numel() for batch in batches)}
    counts |= {"spans": sum(len(batch["spans"]) for batch in batches)}
    counts |= {"pairs": sum(len(batch["pairs"]) for batch in batches)}
    return {**row, "measured": True, "steps": args.steps, **counts, **summarize(samples, "encoder"), "shares": shares}


def time_parts(
    step: Step, collator: TrainingCollator, drawn: Sequence[Sequence[LabelledWindow]], batches: Sequence[Batch]
) -> dict[str, float]:
    """CPU seconds (on a GPU: seconds) of each part of a step, summed over the batches."""
    clock = time.perf_counter if step.setting.device == "cuda" else time.process_time
    sums = dict.fromkeys(PARTS, 0.0)

    def timed(part: str, work: Callable[[], Any]) -> Any:
        start = clock()
        result = work()
        if step.setting.device == "cuda":
            torch.cuda.synchronize()
        sums[part] += clock() - start
        return result

    for rows, batch in zip(drawn, batches, strict=True):
        timed("collation", partial(collator, rows))
        loss = timed("forward", partial(step.forward, batch))
        timed("backward", loss.backward)
        clipping = step.clipping()
        timed("clipping", clipping.__enter__)
        timed("optimizer", step.update)
        clipping.__exit__(None, None, None)
    return sums


def print_rows(rows: Sequence[dict[str, Any]]) -> None:
    """The table."""
    header = ["device", "threads", "dtype", "batch", "encoder s", "spert s", "ratio of CPU time", "ratio of wall time"]
    header += ["to encoder+clip, CPU time", "frozen embeddings, CPU time", *(f"{part} %" for part in PARTS)]
    cells: list[list[object]] = []
    for row in rows:
        if not row["measured"]:
            continue
        start = [row["device"], row["threads"] or "", row["dtype"], row["batch_size"]]
        seconds, ratio = row["seconds"], row["ratio"]
        with_clip = seconds["spert"]["cpu"]["median"] / seconds["encoder+clip"]["cpu"]["median"]
        cells.append(
            [*start]
            + [f"{seconds[name]['wall']['median'] / row['steps']:.3f}" for name in ("encoder", "spert")]
            + [show_spread(ratio["spert"][clock]) for clock in ("cpu", "wall")]
            + [f"{with_clip:.3f}", show_spread(ratio["spert, frozen embeddings"]["cpu"])]
            + [*(f"{100 * row['shares'][part]:.1f}" for part in PARTS)]
        )
    print_table(header, cells)
    print_unmeasured(rows)


@command()
def main(argv: Sequence[str] | None = None) -> None:
    """Measure, print, write."""
    parser = parser_of(__doc__, quick="8 sentences, the tiny encoder, batch 2, one repetition, one thread")
    parser.set_defaults(texts=0)
    parser.add_argument("--batch_sizes", nargs="+", type=int, default=[2, 8, 32])
    parser.add_argument("--steps", type=int, default=4, help="batches in a repetition")
    args = parser.parse_args(argv)
    if args.worst_case:
        parser.error("--worst_case says nothing about training, whose spans are sampled")
    if args.quick:
        args.encoder, args.texts, args.repetitions, args.threads, args.batch_sizes = "tiny", 8, 1, [1], [2]
    workload, settings = load_workload(args, split="train"), settings_of(args)
    rows = [measure(workload, setting, size, args) for setting in settings for size in args.batch_sizes]
    print(f"{workload.encoder} encoder, {workload.data}, seconds per step\n")
    print_rows(rows)
    environment = describe_environment(results_device(settings))
    results = {"environment": environment, "arguments": vars(args), "rows": rows}
    write_json(args.json, f"training_{results_device(settings)}", {"benchmark": "training", **results})


if __name__ == "__main__":
    sys.exit(main())
