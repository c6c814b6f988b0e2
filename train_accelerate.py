"""Train and evaluate SpERT on a benchmark or on your own data, on CPU, one GPU or many.

    accelerate launch train_accelerate.py --dataset demo --backbone bundled --output_dir runs/demo

OUTPUT_DIR becomes the model folder to use or to push, OUTPUT_DIR/last the checkpoint to go on from. Scores and losses
go to metrics.jsonl, the last scores to eval_results.json, predictions to predictions_<split>.json.
"""

import json
import math
import sys
from contextlib import nullcontext
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import torch
from accelerate import Accelerator
from accelerate.utils import DistributedType, gather_object, set_seed
from torch import Tensor
from tqdm.auto import tqdm
from transformers import PreTrainedTokenizerBase
from transformers.utils import logging

from datasets_scripts import DownloadError, JointDataset, count_wide_entities, load_joint_dataset
from modeling_spert import SpertModel
from modeling_spert.decoding_spert import Extraction
from modeling_spert.evaluation.metrics import score_examples
from modeling_spert.evaluation.predict import extraction_to_example, merge_rows, predict_pieces
from modeling_spert.evaluation.report import format_report
from modeling_spert.model_card.build import write_card
from modeling_spert.precision_spert import set_precision
from modeling_spert.tokenization_spert import load_tokenizer
from modeling_spert.training.arguments import TrainingArguments, model_settings, parse_arguments
from modeling_spert.training.batches import build_train_loader, step_batches
from modeling_spert.training.checkpoints import (
    bundled_backbone,
    check_same_run,
    find_checkpoint,
    load_optimizer,
    read_progress,
    save_checkpoint,
    save_model,
)
from modeling_spert.training.infer_segmentation import infer_rules
from modeling_spert.training.optimizer import build_optimizer, clipped_update, linear_schedule, parameter_groups
from modeling_spert.training.run import Run, check_output_dir, log_run, prepare_output_dir, write_results
from modeling_spert.training.stopping import Interrupted, StopFlag

logger = logging.get_logger("modeling_spert.training")


def load_model(args: TrainingArguments, data: JointDataset) -> tuple[SpertModel, PreTrainedTokenizerBase]:
    """A new SpERT on a pretrained encoder, or the model that `--model` names."""
    labels: dict[str, Any] = {"entity_types": list(data.entity_types), "relation_types": list(data.relation_types)}
    settings = model_settings(args)
    if args.model and args.eval_only:
        return SpertModel.from_pretrained(args.model, **settings), load_tokenizer(args.model)
    # Weights are trained in fp32, whatever they were saved in: steps of 5e-5 vanish in half precision.
    full = {"dtype": torch.float32}
    if args.model:
        settings |= {"new_classifiers": args.new_classifiers, **labels, **full}
        model = SpertModel.from_pretrained(args.model, **settings)
        model.config.symmetric_relation_types = list(data.symmetric_relation_types)
        return model, load_tokenizer(args.model)
    name = bundled_backbone() if args.backbone == "bundled" else args.backbone
    model = SpertModel.from_backbone(
        name,
        **labels,
        **settings,
        pretrained=args.pretrained,
        backbone_kwargs=full,
        symmetric_relation_types=data.symmetric_relation_types,
        segmentation=infer_rules(data.select(args.train_split)["tokens"]).to_dict(),
        label_names=label_names(data),
    )
    case = {} if args.lowercase is None else {"do_lower_case": args.lowercase}
    return model, load_tokenizer(name, **case)


def label_names(data: JointDataset) -> dict[str, str]:
    """Readable names of the labels, for the model's configuration."""
    entities = {f"entity/{label}": name.verbose for label, name in data.entity_type_names.items()}
    return entities | {f"relation/{label}": name.verbose for label, name in data.relation_type_names.items()}


def train_step(accelerator: Accelerator, model: torch.nn.Module, batches: list[dict[str, Tensor]]) -> Tensor:
    """Forward and backward over the batches of one optimizer step; this process's share of the loss.

    The loss is divided by the spans and pairs of all batches of all processes, so that neither their number nor
    accumulation changes what is trained.
    """
    sizes = [[len(batch["span_labels"]), len(batch["pair_labels"])] for batch in batches]
    counts = accelerator.reduce(torch.tensor(sizes, device=accelerator.device).sum(0), "sum").clamp(min=1)
    total = torch.zeros((), device=accelerator.device)
    for number, batch in enumerate(batches):
        last = number + 1 == len(batches)
        with nullcontext() if last else accelerator.no_sync(model):
            with accelerator.autocast():
                loss = model(**batch, num_spans=counts[0], num_pairs=counts[1]).loss
            # Distributed training averages the gradients of the processes: this makes it their sum.
            accelerator.backward(loss * accelerator.num_processes)
        total += loss.detach()
    return total


def evaluate(run: Run, log: bool = True) -> dict[str, float]:
    """Scores on the evaluation split, in percent; prints them and writes the predictions."""
    args, accelerator, data, split = run.args, run.accelerator, run.data, run.eval_split
    assert split is not None
    examples = list(data.select(split))
    found = predict_pieces(
        run.model.eval(),
        run.tokenizer,
        examples,
        batch_size=args.eval_batch_size,
        shard=(accelerator.process_index, accelerator.num_processes),
    )
    extractions = merge_rows(gather_object([found]) if accelerator.num_processes > 1 else [found])
    predictions = [
        extraction_to_example(example, extractions.get(row, Extraction())) for row, example in enumerate(examples)
    ]
    labels: dict[str, Any] = {
        "entity_types": data.entity_types,
        "relation_types": data.relation_types,
        "symmetric_relation_types": data.symmetric_relation_types,
    }
    scores = score_examples(examples, predictions, **labels)
    report = f"\nScores on {split} of {data.name}, step {run.progress.step}\n\n{format_report(scores)}"
    if args.no_overlapping:
        flat = score_examples(examples, predictions, **labels, no_overlapping=True)
        report += f"\nThe same without overlapping entities\n\n{format_report(flat)}"
        scores |= {f"no_overlapping_{name}": value for name, value in flat.items()}
    accelerator.print(report)
    if accelerator.is_main_process:
        path = run.output_dir / f"predictions_{split.replace('+', '_')}.json"
        path.write_text(json.dumps(predictions, ensure_ascii=False), encoding="utf-8")
    if log:
        run.log("eval", split=split, **scores)
    return scores


def keep_if_best(run: Run, scores: dict[str, float]) -> None:
    """Save the model to OUTPUT_DIR if no evaluation before was as good."""
    score, best = scores[run.best_metric], run.progress.best_score
    if best is not None and score <= best:
        run.progress = replace(run.progress, bad_evaluations=run.progress.bad_evaluations + 1)
        return
    run.progress = replace(run.progress, best_score=score, best_step=run.progress.step, bad_evaluations=0)
    write_results(run, scores)  # first: the model's card is made of them
    save_result(run)


def save_result(run: Run) -> None:
    """Save the model to OUTPUT_DIR."""
    if run.accelerator.is_main_process:
        save_model(run.model, run.tokenizer, run.output_dir)
    run.accelerator.wait_for_everyone()


class Trainer:
    """The training loop of a run, its optimizer and where it stands."""

    def __init__(self, run: Run, stop: StopFlag):
        self.run, self.stop = run, stop
        args, model, accelerator = run.args, run.model, run.accelerator
        if args.freeze_backbone:
            model.backbone.requires_grad_(False)
        if args.freeze_embeddings:
            model.get_input_embeddings().requires_grad_(False)
        if args.gradient_checkpointing:
            enable_checkpointing(model)
        examples = list(run.data.select(args.train_split))
        wide = count_wide_entities(examples, model.config.max_span_width)
        if wide:
            logger.warning(f"{wide} entities are wider than the widest span: they are trained on, never predicted")
        loader, self.order, self.collator = build_train_loader(examples, run.tokenizer, model.config, args)
        checkpoint = self._load_weights()
        groups = parameter_groups(model, args.learning_rate, args.weight_decay, args.head_learning_rate)
        optimizer = build_optimizer(groups, args.bias_correction)
        if checkpoint:
            model.to(accelerator.device)
            load_optimizer(optimizer, model, checkpoint)
        self.model, self.optimizer, self.loader = accelerator.prepare(model, optimizer, loader)
        if len(self.loader) == 0:
            raise ValueError(
                f"{len(self.order)} sentences are too few for {accelerator.num_processes} processes with "
                f"--per_device_train_batch_size {args.per_device_train_batch_size}: lower one of them"
            )
        self.steps_per_epoch = max(len(self.loader) // args.gradient_accumulation_steps, 1)
        by_epochs = self.steps_per_epoch * args.num_train_epochs
        self.total_steps = args.max_steps if args.max_steps >= 0 else by_epochs
        warmup = int(args.warmup_ratio * self.total_steps)
        self.schedule = linear_schedule(optimizer, warmup, self.total_steps, done=run.progress.step)
        self.losses: list[Tensor] = []

    def _load_weights(self) -> Path | None:
        """Weights and progress of the checkpoint to go on from, if any."""
        run, args = self.run, self.run.args
        if not args.resume_from_checkpoint:
            return None
        checkpoint = find_checkpoint(args.resume_from_checkpoint, run.output_dir)
        run.progress, before = read_progress(checkpoint)
        check_same_run(before, self._settings())
        if checkpoint.resolve().parent != run.output_dir or before["eval_split"] != args.eval_split:
            # The best model so far is not here, or was chosen by other data.
            run.progress = replace(run.progress, best_score=None, bad_evaluations=0)
        run.model.load_state_dict(SpertModel.from_pretrained(str(checkpoint)).state_dict())
        run.forget_later_lines()
        run.accelerator.print(f"Going on from {checkpoint}, step {run.progress.step}")
        return checkpoint

    def _settings(self) -> dict[str, Any]:
        """What a run that goes on must have in common with the one that was stopped."""
        return {**asdict(self.run.args), "num_processes": self.run.accelerator.num_processes}

    def train(self) -> dict[str, float] | None:
        """Train to the end; the scores of the model in OUTPUT_DIR if evaluations chose it, and it is the last."""
        run, args = self.run, self.run.args
        run.accelerator.print(
            f"{len(self.order)} windows, {self.total_steps} steps of {run.accelerator.num_processes} process(es) with "
            f"{args.per_device_train_batch_size} x {args.gradient_accumulation_steps}, on {run.accelerator.device}"
        )
        scores = None
        epochs = math.ceil(self.total_steps / self.steps_per_epoch)
        with tqdm(
            total=self.total_steps,
            initial=run.progress.step,
            unit="step",
            mininterval=0.5 if sys.stderr.isatty() else 15,  # seconds; a log file wants few lines
            disable=not run.accelerator.is_main_process,
        ) as bar:
            for epoch in range(run.progress.epoch, epochs):
                self._train_epoch(epoch, bar)
                run.progress = replace(run.progress, epoch=epoch + 1, step_in_epoch=0)
                if args.eval_every and run.eval_split and ((epoch + 1) % args.eval_every == 0 or epoch + 1 == epochs):
                    scores = evaluate(run)
                    keep_if_best(run, scores)
                if args.save_every and (epoch + 1) % args.save_every == 0:
                    self._save()
                if args.patience and run.progress.bad_evaluations >= args.patience:
                    run.accelerator.print(f"No better {run.best_metric} in {args.patience} evaluations: stopping")
                    break
        self._save()
        return None if run.progress.bad_evaluations else scores

    def _update(self) -> None:
        """Clip the gradients and apply them."""
        accelerator, parameters = self.run.accelerator, list(self.model.parameters())
        plain = (DistributedType.NO, DistributedType.MULTI_CPU, DistributedType.MULTI_GPU)
        if accelerator.distributed_type in plain and accelerator.scaler is None:
            with clipped_update(self.optimizer.optimizer, parameters, self.run.args.max_grad_norm):
                self.optimizer.step()
        else:  # sharded parameters, or gradients that fp16 has scaled already
            accelerator.clip_grad_norm_(parameters, self.run.args.max_grad_norm)
            self.optimizer.step()

    def _train_epoch(self, epoch: int, bar: tqdm) -> None:
        run, args = self.run, self.run.args
        self.order.epoch = self.collator.epoch = epoch
        self.model.train()
        steps = min(self.steps_per_epoch, self.total_steps - epoch * self.steps_per_epoch)
        skip = run.progress.step_in_epoch
        if skip >= steps:
            return
        for batches in step_batches(self.loader, args.gradient_accumulation_steps, steps, skip):
            # Dropout is a function of (seed, step, process): a run that was stopped goes on as if it had not been.
            torch.manual_seed((args.seed * 1_000_003 + run.progress.step) * 1_009 + run.accelerator.process_index)
            self.losses.append(train_step(run.accelerator, self.model, batches))
            self._update()
            self.schedule.step()
            self.optimizer.zero_grad()
            run.progress = replace(
                run.progress, step=run.progress.step + 1, step_in_epoch=run.progress.step_in_epoch + 1
            )
            bar.update()
            if run.progress.step % args.log_every == 0 or run.progress.step == self.total_steps:
                self._log_loss(bar)
            if self._must_stop():
                self._save()
                raise Interrupted(
                    f"Stopped at step {run.progress.step} of {self.total_steps}, saved in {run.output_dir / 'last'}. "
                    "To go on: the same command with --resume_from_checkpoint last"
                )

    def _log_loss(self, bar: tqdm) -> None:
        loss = self.run.accelerator.reduce(torch.stack(self.losses).mean(), "sum").item()
        self.losses.clear()
        bar.set_postfix(loss=f"{loss:.4f}", refresh=False)
        self.run.log("train", loss=loss, learning_rate=self.schedule.get_last_lr()[0], epoch=self.run.progress.epoch)

    def _must_stop(self) -> bool:
        """Whether any process got a signal: all must leave the loop at the same step."""
        accelerator = self.run.accelerator
        if accelerator.num_processes == 1:
            return self.stop.raised
        if self.run.progress.step % 10:  # asking the others costs a synchronisation
            return False
        flag = torch.tensor(float(self.stop.raised), device=accelerator.device)
        return accelerator.reduce(flag, "sum").item() > 0

    def _save(self) -> None:
        run = self.run
        if run.accelerator.is_main_process:
            optimizer = getattr(self.optimizer, "optimizer", self.optimizer)
            folder = run.output_dir / "last"
            save_checkpoint(run.model, run.tokenizer, optimizer, run.progress, self._settings(), folder)
            if run.push and run.args.hub_strategy == "every":
                run.push.push_checkpoint(folder, run.progress.step)
        run.accelerator.wait_for_everyone()


def training_function(args: TrainingArguments) -> dict[str, float]:
    """Read the data, train unless told otherwise, evaluate, save; the scores of the model in OUTPUT_DIR."""
    accelerator = Accelerator(
        mixed_precision=args.mixed_precision,
        log_with=None if args.report_to == "none" else args.report_to,
        project_dir=args.output_dir,
    )
    check_output_dir(args)
    set_seed(args.seed)
    data = load_joint_dataset(args.dataset, data_dir=args.data_dir, fold=args.fold, on_bad_row=args.on_bad_row)
    for skipped in data.skipped:
        logger.warning(f"Skipped a row: {skipped.message}")
    model, tokenizer = load_model(args, data)
    run = Run(args, accelerator, data, model, tokenizer)
    check_evaluation(run)
    prepare_output_dir(args, accelerator)
    accelerator.init_trackers("spert", config=asdict(args))
    scores = None
    if args.eval_only:
        warn_of_unknown_labels(run)
        model.to(accelerator.device)
        if args.eval_precision:
            set_precision(model, args.eval_precision, accelerator.device)
    else:
        with StopFlag() as stop:
            trainer = Trainer(run, stop)
            log_run(run)
            scores = trainer.train()
        if run.progress.bad_evaluations:  # the predictions beside the best model shall be its own
            run.model = SpertModel.from_pretrained(run.output_dir).to(accelerator.device)
            run.progress = replace(run.progress, step=run.progress.best_step)
            scores = evaluate(run, log=False)
        elif scores is None:
            save_result(run)
    if scores is None and run.eval_split:
        scores = evaluate(run)
    write_results(run, scores or {})
    if not args.eval_only:
        finish(run)
    # A process that leaves while another still writes would tear the connection down under it.
    accelerator.wait_for_everyone()
    accelerator.end_training()
    return scores or {}


def finish(run: Run) -> None:
    """The card with its picture, and the push of the result."""
    if not run.accelerator.is_main_process:
        return
    try:
        write_card(run.output_dir)
    except Exception as error:  # the model is trained and saved
        logger.warning(f"No model card: {type(error).__name__}: {error}")
    if run.push:
        address = run.push.push_result(run.output_dir, run.output_dir.resolve().name)
        run.accelerator.print(f"Pushed to {address}" if address else f"Not pushed to {run.push.repo_id}: see above")


def enable_checkpointing(model: SpertModel) -> None:
    """Recompute activations in the backward pass; transformers 5.23 renamed the switch."""
    enable = getattr(model, "activation_checkpointing_enable", None) or model.gradient_checkpointing_enable
    enable()


def check_evaluation(run: Run) -> None:
    """See now, not after hours, that the evaluation asked for can be made.

    Raises:
        ValueError: If its split or the metric that chooses the best model does not exist.
    """
    args, data = run.args, run.data
    if run.eval_split is None:
        if args.eval_only or args.eval_every:
            raise ValueError(f"{data.name} has no split dev or test to evaluate on: name one with --eval_split")
        return
    data.select(run.eval_split)
    labels: dict[str, Any] = {"entity_types": data.entity_types, "relation_types": data.relation_types}
    known = [name for name in score_examples([], [], **labels) if "/" not in name]
    if run.best_metric.removeprefix("no_overlapping_") not in known:
        raise ValueError(f"--best_metric must be one of {', '.join(known)}, got {args.best_metric!r}")
    both = set(run.eval_split.split("+")) & set(args.train_split.split("+"))
    if both and not args.eval_only:
        logger.warning(f"--eval_split {run.eval_split} shares {sorted(both)} with --train_split: no measure of quality")


def warn_of_unknown_labels(run: Run) -> None:
    """Say which labels of the data the model cannot predict: they count as missed."""
    for kind in ("entity_types", "relation_types"):
        missing = sorted(set(getattr(run.data, kind)) - set(getattr(run.model.config, kind)))
        if missing:
            logger.warning(f"The model has no {kind} {missing}: they count as missed")


def main(argv: list[str] | None = None) -> None:
    """Command line entry: bad arguments and bad data end with a message, not with a traceback."""
    args = parse_arguments(argv)
    logging.set_verbosity_info() if args.verbose else logging.set_verbosity_warning()
    logging.disable_progress_bar()  # of loading and saving weights, which would tear the training's
    try:
        training_function(args)
    except Interrupted as stopped:
        print(f"\n{stopped}", file=sys.stderr)
        sys.exit(130)
    except (ValueError, OSError, DownloadError) as error:
        if args.verbose:
            raise
        print(f"\n{type(error).__name__}: {error}", file=sys.stderr)
        sys.exit(2)


if __name__ == "__main__":
    main()
