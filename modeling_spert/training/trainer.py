"""Trainer: train a SpERT model, score it and save it, on CPU, one GPU or many."""

import json
import sys
from collections.abc import Iterable
from dataclasses import asdict
from pathlib import Path
from typing import Any

import torch
from accelerate import Accelerator
from torch import Tensor
from tqdm.auto import tqdm
from transformers import PreTrainedTokenizerBase
from transformers.utils import logging

from modeling_spert.evaluation.report import format_report
from modeling_spert.model_card.build import write_card
from modeling_spert.modeling_spert import SpertModel
from modeling_spert.precision_spert import set_precision
from modeling_spert.training.arguments import TrainingArguments, public_arguments
from modeling_spert.training.checkpoints import (
    check_same_run,
    find_checkpoint,
    read_progress,
    save_checkpoint,
    save_model,
)
from modeling_spert.training.data import TrainingData, choose_eval_split
from modeling_spert.training.evaluate import check_best_metric, predict_split, score_predictions, split_scores
from modeling_spert.training.output_folder import check_output_dir, prepare_output_dir
from modeling_spert.training.progress import Progress
from modeling_spert.training.push import RunPush
from modeling_spert.training.run_log import RunLog, library_versions
from modeling_spert.training.steps import TrainingSteps
from modeling_spert.training.stopping import Interrupted, StopFlag

logger = logging.get_logger(__name__)


class Trainer:
    """Trains a SpERT model, scores it and saves it to `args.output_dir`.

        data = load_joint_dataset("demo")
        args = TrainingArguments(output_dir="runs/mine", backbone="bundled")
        model, tokenizer = build_model(args, data)
        trainer = Trainer(model, tokenizer, data, args)
        trainer.train()
        trainer.evaluate()
        trainer.save()

    Under `accelerate launch` every process runs these statements; only the main one writes.

    Args:
        model: From `build_model`; trained in place.
        tokenizer: Its tokenizer.
        data: A `JointDataset`, or any object like it (`TrainingData`).
        args: How to train and what to write.

    Attributes:
        model: The model, after training the best one.
        progress: How far the training has come.
        eval_split: The split that is scored; None if the data have none.
        scores: Of the last evaluation; empty before.

    Raises:
        ValueError: If a split or the metric that chooses the best model does not exist.
    """

    def __init__(
        self, model: SpertModel, tokenizer: PreTrainedTokenizerBase, data: TrainingData, args: TrainingArguments
    ):
        self.model, self.tokenizer, self.data, self.args = model, tokenizer, data, args
        self.output_dir = Path(args.output_dir).resolve()
        self.progress = Progress()
        self.eval_split = choose_eval_split(args, data)
        self.scores: dict[str, float] = {}
        self._check_evaluation()
        self.accelerator = Accelerator(
            mixed_precision=args.mixed_precision,
            log_with=None if args.report_to == "none" else args.report_to,
            project_dir=args.output_dir,
        )
        self._log = RunLog(self.output_dir, self.accelerator)
        self._push: RunPush | None = None
        self._losses: list[Tensor] = []
        self._is_open = False

    @property
    def best_metric(self) -> str:
        """The score that chooses the best model."""
        default = "rel_strict_f1_micro" if self.data.relation_types else "ner_f1_micro"
        return self.args.best_metric or default

    def train(self) -> None:
        """Train to the end. Afterwards the model is the best one, if evaluations chose it, else the last.

        Raises:
            ValueError: If OUTPUT_DIR holds an earlier run, the checkpoint to resume from is of another one, or there is
                too little to train on.
            Interrupted: If a signal stopped the training; it has saved its state.
        """
        check_output_dir(self.args)
        examples = list(self.data.select(self.args.train_split))
        self._warn_of_wide_entities(examples)
        checkpoint = self._load_checkpoint()
        steps = TrainingSteps(
            self.accelerator,
            self.model,
            self.tokenizer,
            examples,
            self.args,
            done=self.progress.step,
            checkpoint=checkpoint,
        )
        self._open_output_dir()
        self._log_run()
        with StopFlag() as stop:
            self._train_epochs(steps, stop)
        self._save_checkpoint(steps)
        self._load_best()

    def evaluate(self, split: str | None = None) -> dict[str, float]:
        """Score the model: prints a report, writes predictions_<split>.json and eval_results.json.

        Args:
            split: Default: `eval_split`.

        Returns:
            The scores in percent, as `score_examples` names them.

        Raises:
            ValueError: If there is no such split.
        """
        split = split or self.eval_split
        if split is None:
            raise ValueError(f"{self.data.name} has no split dev or test to score: name one")
        self._open_output_dir()
        self.model.to(self.accelerator.device)
        if self.args.eval_precision:
            set_precision(self.model, self.args.eval_precision, self.accelerator.device)
        scores = self._evaluate(split)
        if self.progress.best_score is None or split != self.eval_split:  # else training has logged it
            self._log.write("eval", self.progress.step, split=split, **scores)
        self._write_results(split, scores)
        return scores

    def save(self) -> None:
        """Write the model with tokenizer, code and card to OUTPUT_DIR, and push it if the arguments say so."""
        self._open_output_dir()
        if not self.scores:
            self._write_results(self.eval_split, {})
        self._save_model()
        if self.accelerator.is_main_process:
            _write_card(self.output_dir)
            if self._push:
                address = self._push.push_result(self.output_dir, self.output_dir.name)
                self._say(f"Pushed to {address}" if address else f"Not pushed to {self._push.repo_id}: see above")
        self.accelerator.wait_for_everyone()

    def close(self) -> None:
        """Leave the group of processes and end the trackers, when all processes are done."""
        # A process that leaves while another still writes would cut the connection.
        self.accelerator.wait_for_everyone()
        self.accelerator.end_training()

    # Before the training

    def _check_evaluation(self) -> None:
        """See now, not after hours, that the evaluation asked for can be made."""
        args, data = self.args, self.data
        if self.eval_split is None:
            if args.eval_only or args.eval_every:
                raise ValueError(f"{data.name} has no split dev or test to evaluate on: name one with --eval_split")
            return
        data.select(self.eval_split)
        check_best_metric(self.best_metric, data, no_overlapping=args.no_overlapping)
        both = set(self.eval_split.split("+")) & set(args.train_split.split("+"))
        if both and not args.eval_only:
            logger.warning(
                f"--eval_split {self.eval_split} shares {sorted(both)} with --train_split: its scores say nothing "
                "about other texts"
            )
        if args.eval_only:
            self._warn_of_unknown_labels()

    def _warn_of_unknown_labels(self) -> None:
        for kind in ("entity_types", "relation_types"):
            missing = sorted(set(getattr(self.data, kind)) - set(getattr(self.model.config, kind)))
            if missing:
                logger.warning(f"The model has no {kind} {missing}: they count as missed")

    def _warn_of_wide_entities(self, examples: Iterable[Any]) -> None:
        limit = self.model.config.max_span_width
        wide = sum(entity["end"] - entity["start"] > limit for row in examples for entity in row["entities"])
        if wide:
            logger.warning(f"{wide} entities are wider than --max_span_width {limit}: they are trained on, never found")

    def _load_checkpoint(self) -> Path | None:
        """Weights and progress of the checkpoint to resume from, if any."""
        if not self.args.resume_from_checkpoint:
            return None
        checkpoint = find_checkpoint(self.args.resume_from_checkpoint, self.output_dir)
        self.progress, before = read_progress(checkpoint)
        check_same_run(before, self._run_settings())
        if checkpoint.resolve().parent != self.output_dir or before["eval_split"] != self.args.eval_split:
            # The best model so far is not here, or was chosen by other data.
            self.progress = self.progress.without_best()
        self.model.load_state_dict(SpertModel.from_pretrained(str(checkpoint)).state_dict())
        self._log.forget_after(self.progress.step)
        self._say(f"Resuming from {checkpoint}, step {self.progress.step}")
        return checkpoint

    def _run_settings(self) -> dict[str, Any]:
        """What a resumed run must have in common with the one that was stopped."""
        return {**asdict(self.args), "num_processes": self.accelerator.num_processes}

    def _open_output_dir(self) -> None:
        """Make OUTPUT_DIR ready to be written to, once."""
        if self._is_open:
            return
        self._is_open = True
        if self.accelerator.is_main_process:
            prepare_output_dir(self.args)
        self.accelerator.wait_for_everyone()
        self.accelerator.init_trackers("spert", config=asdict(self.args))

    def _log_run(self) -> None:
        """Write down what is trained on what, for the model's card, and prepare to push."""
        if not self.accelerator.is_main_process:
            return
        args = self.args
        facts = self.data.facts(args.train_split, self.eval_split, self.model.config.max_span_width)
        self._log.write(
            "run",
            self.progress.step,
            data=facts,
            arguments=public_arguments(args),
            versions=library_versions(),
        )
        if args.push_to_hub:
            assert args.hub_model_id is not None, "checked by TrainingArguments"
            self._push = RunPush(args.hub_model_id, args.hub_private)
            self._push.prepare()

    # During the training

    def _train_epochs(self, steps: TrainingSteps, stop: StopFlag) -> None:
        args, accelerator = self.args, self.accelerator
        self._say(
            f"{steps.num_windows} windows, {steps.total} steps of {accelerator.num_processes} process(es) with "
            f"{args.per_device_train_batch_size} x {args.gradient_accumulation_steps}, on {accelerator.device}"
        )
        with self._progress_bar(steps.total) as bar:
            for epoch in range(self.progress.epoch, steps.num_epochs):
                for loss in steps.take(epoch, skip=self.progress.step_in_epoch):
                    self._end_step(steps, loss, bar)
                    self._stop_if_asked(steps, stop)
                self.progress = self.progress.after_epoch()
                self._end_epoch(steps, epoch + 1)
                if args.patience and self.progress.bad_evaluations >= args.patience:
                    self._say(f"No better {self.best_metric} in {args.patience} evaluations: stopping")
                    break

    def _progress_bar(self, total: int) -> tqdm:
        return tqdm(
            total=total,
            initial=self.progress.step,
            unit="step",
            mininterval=0.5 if sys.stderr.isatty() else 15,  # seconds; a log file wants few lines
            disable=not self.accelerator.is_main_process,
        )

    def _end_step(self, steps: TrainingSteps, loss: Tensor, bar: tqdm) -> None:
        self.progress = self.progress.after_step()
        self._losses.append(loss)
        bar.update()
        if self.progress.step % self.args.log_every and self.progress.step != steps.total:
            return
        mean = self.accelerator.reduce(torch.stack(self._losses).mean(), "sum").item()
        self._losses.clear()
        bar.set_postfix(loss=f"{mean:.4f}", refresh=False)
        self._log.write(
            "train", self.progress.step, loss=mean, learning_rate=steps.learning_rate, epoch=self.progress.epoch
        )

    def _stop_if_asked(self, steps: TrainingSteps, stop: StopFlag) -> None:
        """Save and leave if any process got a signal: all must leave at the same step."""
        raised = stop.raised
        if self.accelerator.num_processes > 1:
            if self.progress.step % 10:  # asking the others costs a synchronisation
                return
            flag = torch.tensor(float(stop.raised), device=self.accelerator.device)
            raised = self.accelerator.reduce(flag, "sum").item() > 0
        if raised:
            self._save_checkpoint(steps)
            raise Interrupted(
                f"Stopped at step {self.progress.step} of {steps.total}, saved in {self.output_dir / 'last'}. "
                "To resume: the same command with --resume_from_checkpoint last"
            )

    def _end_epoch(self, steps: TrainingSteps, epochs_done: int) -> None:
        """Evaluate, keep the model if it is the best so far, and save the state, as often as the arguments say."""
        args, is_last = self.args, epochs_done == steps.num_epochs
        if args.eval_every and self.eval_split and (epochs_done % args.eval_every == 0 or is_last):
            scores = self._evaluate(self.eval_split)
            self._log.write("eval", self.progress.step, split=self.eval_split, **scores)
            self.progress = self.progress.after_evaluation(scores[self.best_metric])
            if self.progress.best_step == self.progress.step:
                self._write_results(self.eval_split, scores)  # first: the model's card is made of them
                self._save_model()
        if args.save_every and epochs_done % args.save_every == 0 and not is_last:
            self._save_checkpoint(steps)

    def _evaluate(self, split: str) -> dict[str, float]:
        """Scores of the model as it is; prints them and writes the predictions."""
        args, examples = self.args, list(self.data.select(split))
        predictions = predict_split(self.model, self.tokenizer, examples, self.accelerator, args.eval_batch_size)
        scores = score_predictions(self.data, examples, predictions, no_overlapping=args.no_overlapping)
        plain, flat = split_scores(scores)
        self._say(f"\nScores on {split} of {self.data.name}, step {self.progress.step}\n\n{format_report(plain)}")
        if flat:
            self._say(f"The same without overlapping entities\n\n{format_report(flat)}")
        if self.accelerator.is_main_process:
            path = self.output_dir / f"predictions_{split.replace('+', '_')}.json"
            path.write_text(json.dumps(predictions, ensure_ascii=False), encoding="utf-8")
        return scores

    # Saving

    def _load_best(self) -> None:
        """Put the weights of the best evaluation back into the model, if later ones were worse."""
        if self.progress.best_score is not None and self.progress.best_step != self.progress.step:
            self.model.load_state_dict(SpertModel.from_pretrained(self.output_dir).state_dict())
            self.progress = self.progress.at_best()

    def _save_model(self) -> None:
        if self.accelerator.is_main_process:
            save_model(self.model, self.tokenizer, self.output_dir)
        self.accelerator.wait_for_everyone()

    def _save_checkpoint(self, steps: TrainingSteps) -> None:
        if self.accelerator.is_main_process:
            folder = self.output_dir / "last"
            save_checkpoint(self.model, self.tokenizer, steps.optimizer, self.progress, self._run_settings(), folder)
            if self._push and self.args.hub_strategy == "every":
                self._push.push_checkpoint(folder, self.progress.step)
        self.accelerator.wait_for_everyone()

    def _write_results(self, split: str | None, scores: dict[str, float]) -> None:
        self.scores = scores
        self._log.write_results(
            dataset=self.data.name,
            split=split,
            step=self.progress.step,
            arguments=public_arguments(self.args),
            scores=scores,
        )

    def _say(self, text: str) -> None:
        """Print on the main process."""
        self.accelerator.print(text)


def _write_card(folder: Path) -> None:
    try:
        write_card(folder)
    except Exception as error:  # the model is trained and saved
        logger.warning(f"No model card: {type(error).__name__}: {error}")
