"""Trainer: train a SpERT model, score it and save it, on CPU, one GPU or many."""

import sys
from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

import torch
from accelerate import Accelerator
from torch import Tensor
from tqdm.auto import tqdm
from transformers import PreTrainedTokenizerBase
from transformers.utils import logging

from modeling_spert.evaluation.examples import Example
from modeling_spert.evaluation.report import format_report
from modeling_spert.model_card.example import CardExample, make_example
from modeling_spert.modeling_spert import SpertModel
from modeling_spert.precision_spert import set_precision
from modeling_spert.training.arguments import TrainingArguments, public_arguments
from modeling_spert.training.checkpoints import Checkpoint, load_checkpoint, load_weights
from modeling_spert.training.checks import (
    check_evaluation,
    check_weights,
    warn_of_unknown_labels,
    warn_of_untrained_labels,
    warn_of_wide_entities,
)
from modeling_spert.training.data import TrainingData, choose_calibration_split, choose_eval_split
from modeling_spert.training.divergence import LossWatch
from modeling_spert.training.evaluate import predict_split, score_predictions, split_scores
from modeling_spert.training.messages import nothing_found_text, plan_text, scores_text, time_text
from modeling_spert.training.output_folder import RunOutput, check_output_dir
from modeling_spert.training.progress import Progress, StepTimer
from modeling_spert.training.relation_free import read_relation_free
from modeling_spert.training.steps import TrainingSteps
from modeling_spert.training.stopping import Interrupted, StopFlag
from modeling_spert.training.temperatures import calibrate_model, measure_reliability

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
        scores: Of the last evaluation on `eval_split`; empty before.

    Raises:
        ValueError: If a split or the metric that chooses the best model does not exist.
    """

    def __init__(
        self, model: SpertModel, tokenizer: PreTrainedTokenizerBase, data: TrainingData, args: TrainingArguments
    ):
        self.model, self.tokenizer, self.data, self.args = model, tokenizer, data, args
        self.progress = Progress()
        self.eval_split = choose_eval_split(args, data)
        self.scores: dict[str, float] = {}
        self._other_scores: dict[str, dict[str, float]] = {}
        self._scored: tuple[Sequence[Example], Sequence[Example]] = ([], [])  # rows and predictions of eval_split
        self._reliability: dict[str, dict[str, float | None]] = {}
        check_evaluation(args, data, self.eval_split, self.best_metric)
        if args.eval_only:
            warn_of_unknown_labels(data, model)
        self.accelerator = Accelerator(
            mixed_precision=args.mixed_precision,
            log_with=None if args.report_to == "none" else args.report_to,
            project_dir=args.output_dir,
        )
        self._output = RunOutput(args, self.accelerator)
        self._finished: Progress | None = None

    @property
    def best_metric(self) -> str:
        """The score that chooses the best model."""
        default = "rel_strict_f1_micro" if self.data.relation_types else "ner_f1_micro"
        return self.args.best_metric or default

    @property
    def final_splits(self) -> list[str]:
        """The splits to score in the end: `eval_split`, and test if it is there and was not used for anything else."""
        if self.eval_split is None:
            return []
        used = {name.strip() for name in f"{self.args.train_split}+{self.eval_split}".split("+")}
        also_test = not self.args.eval_only and "test" in self.data.splits and "test" not in used
        return [self.eval_split, *(["test"] if also_test else [])]

    def say(self, text: str) -> None:
        """Print on the main process, above the progress bar."""
        if self.accelerator.is_main_process:
            tqdm.write(text)

    def train(self) -> None:
        """Train to the end. Afterwards the model is the best one, if evaluations chose it, else the last.

        Raises:
            ValueError: If OUTPUT_DIR holds an earlier run, the checkpoint to resume from is of another one or damaged,
                or there is too little to train on.
            TrainingDiverged: If a loss or a weight is not finite. What was saved before stays.
            Interrupted: If a signal stopped the training; it has saved its state.
        """
        check_output_dir(self.args)
        check_weights(self.model, self.args)
        examples = list(self.data.select(self.args.train_split))
        warn_of_wide_entities(examples, self.model.config.max_span_width)
        warn_of_untrained_labels(self.data, examples, self.args.train_split)
        checkpoint = self._load_checkpoint()
        if checkpoint and checkpoint.is_finished:
            self.say("This run is finished: nothing is left to train")
            self._output.open()
            self._output.begin_run(self.progress.step, None, self._facts())
            self._finished = self.progress
        else:
            self._train(examples, checkpoint)
        self._load_best()
        if self.args.calibrate:
            self._calibrate()

    def evaluate(self, split: str | None = None) -> dict[str, float]:
        """Score the model: prints a report, writes predictions_<split>.json and eval_results.json.

        Args:
            split: Default: `eval_split`, whose scores are the run's. Those of any other are written next to them.

        Returns:
            The scores in percent, as `score_examples` names them.

        Raises:
            ValueError: If there is no such split.
        """
        split = split or self.eval_split
        if split is None:
            raise ValueError(f"{self.data.name} has no split dev or test to score: name one")
        self._output.open()
        self.model.to(self.accelerator.device)
        if self.args.eval_precision:
            set_precision(self.model, self.args.eval_precision, self.accelerator.device)
        scores = self._evaluate(split)
        plain, flat = split_scores(scores)
        self.say(f"\nScores on {split} of {self.data.name}, step {self.progress.step}\n\n{format_report(plain)}")
        if flat:
            self.say(f"The same without overlapping entities\n\n{format_report(flat)}")
        self._explain_nothing(scores)
        if self.args.calibrate:
            self._measure_reliability(split)
        self._record(split, scores)
        return scores

    def save(self) -> None:
        """Write the model with tokenizer, code and card to OUTPUT_DIR, and push it if the arguments say so.

        After a finished training the checkpoint in OUTPUT_DIR/last is removed: nothing is left to resume.
        """
        self._output.open()
        if not self.scores:
            self._write_results()
        self._output.save_model(self.model, self.tokenizer)
        self._output.write_example(self._make_example)
        said = self._output.end_run(self._finished)
        if said:
            self.say(said)

    def close(self) -> None:
        """Leave the group of processes and end the trackers, when all processes are done."""
        # A process that leaves while another still writes would cut the connection.
        self.accelerator.wait_for_everyone()
        self.accelerator.end_training()

    # Before the training

    def _load_checkpoint(self) -> Checkpoint | None:
        """Weights and progress of the checkpoint to resume from, if any."""
        if not self.args.resume_from_checkpoint:
            return None
        output = self._output
        checkpoint = load_checkpoint(self.args.resume_from_checkpoint, output.folder, self.model, output.settings)
        if checkpoint.earlier:
            logger.warning(f"{checkpoint.earlier}. Resuming from the checkpoint before it")
        self.progress = checkpoint.progress
        is_here = self._output.folder in (checkpoint.folder.resolve(), checkpoint.folder.resolve().parent)
        if not is_here or checkpoint.arguments["eval_split"] != self.args.eval_split:
            # The best model so far is not here, or was chosen by other data.
            self.progress = self.progress.without_best()
        self._output.log.forget_after(self.progress.step)
        self.say(f"Resuming from {checkpoint.folder}, step {self.progress.step}")
        return checkpoint

    def _facts(self) -> dict[str, Any]:
        """What the model's card says about the data."""
        return self.data.facts(self.args.train_split, self.eval_split, self.model.config.max_span_width)

    # During the training

    def _train(self, examples: Sequence[Example], checkpoint: Checkpoint | None) -> None:
        """The training itself, from the start or from a checkpoint."""
        done, moments = self.progress.step, checkpoint.moments if checkpoint else None
        extras = read_relation_free(self.args.extra_relation_free or (), examples, self.model.config)
        steps = TrainingSteps(
            self.accelerator,
            self.model,
            self.tokenizer,
            examples,
            self.args,
            extras=extras,
            done=done,
            moments=moments,
        )
        self._output.open()
        facts = self._facts()
        self._output.begin_run(self.progress.step, steps.num_epochs, facts)
        self.say(
            plan_text(
                self.args,
                name=self.data.name,
                sentences=len(examples),
                extras=steps.num_extras,
                steps=steps.total,
                epochs=steps.num_epochs,
                eval_split=self.eval_split,
                device=f"{self.accelerator.device}, processes: {self.accelerator.num_processes}",
                unit=(facts.get("train") or {}).get("unit", "sentence"),
            )
        )
        with StopFlag() as stop, self._progress_bar(steps.total) as bar:
            self._train_epochs(steps, stop, bar)
        self._save_checkpoint(steps)

    def _train_epochs(self, steps: TrainingSteps, stop: StopFlag, bar: tqdm) -> None:
        args, timer, watch = self.args, StepTimer(), LossWatch(self.accelerator, self.args, steps.examples)
        for epoch in range(self.progress.epoch, steps.num_epochs):
            bar.set_description(f"epoch {epoch + 1} of {steps.num_epochs}", refresh=False)
            for loss in steps.take(epoch, skip=self.progress.step_in_epoch):
                self._end_step(steps, loss, watch, bar)
                seconds = timer.after_step()
                if seconds is not None:
                    self.say(time_text(seconds, steps.total - self.progress.step))
                self._stop_if_asked(steps, watch, stop)
            watch.check(self.model, self.progress.step, steps.rows)
            self.progress = self.progress.after_epoch()
            self._end_epoch(steps)
            if args.patience and self.progress.bad_evaluations >= args.patience:
                self.say(f"No better {self.best_metric} in {args.patience} evaluations (--patience): stopping")
                return
        self._finished = self.progress

    def _progress_bar(self, total: int) -> tqdm:
        return tqdm(
            total=total,
            initial=self.progress.step,
            unit="step",
            mininterval=0.5 if sys.stderr.isatty() else 15,  # seconds; a log file wants few lines
            disable=not self.accelerator.is_main_process,
        )

    def _end_step(self, steps: TrainingSteps, loss: Tensor, watch: LossWatch, bar: tqdm) -> None:
        self.progress = self.progress.after_step()
        watch.add(loss)
        bar.update()
        if self.progress.step % self.args.log_every and self.progress.step != steps.total:
            return
        mean = watch.mean(self.progress.step, steps.rows)
        watch.clear()
        bar.set_postfix(loss=f"{mean:.4f}", refresh=False)
        self._output.log.write(
            "train", self.progress.step, loss=mean, learning_rate=steps.learning_rate, epoch=self.progress.epoch
        )

    def _stop_if_asked(self, steps: TrainingSteps, watch: LossWatch, stop: StopFlag) -> None:
        """Save and leave if any process got a signal: all must leave at the same step."""
        raised = stop.raised
        if self.accelerator.num_processes > 1:
            if self.progress.step % 10:  # asking the others costs a synchronisation
                return
            flag = torch.tensor(float(stop.raised), device=self.accelerator.device)
            raised = self.accelerator.reduce(flag, "sum").item() > 0
        if raised:
            watch.check(self.model, self.progress.step, steps.rows)
            self._save_checkpoint(steps)
            raise Interrupted(
                f"Stopped at step {self.progress.step} of {steps.total}, saved in {self._output.folder / 'last'}. "
                "To resume: the same command with --resume_from_checkpoint last"
            )

    def _end_epoch(self, steps: TrainingSteps) -> None:
        """Evaluate, keep the model if it is the best so far, and save the state, as often as the arguments say."""
        args, done = self.args, self.progress.epoch
        is_last = done == steps.num_epochs
        if args.eval_every and self.eval_split and (done % args.eval_every == 0 or is_last):
            scores = self._evaluate(self.eval_split)
            place = f"Epoch {done} of {steps.num_epochs}, step {self.progress.step} of {steps.total}"
            self.say(f"{place}, scores on {self.eval_split}:\n{scores_text(scores)}")
            self._explain_nothing(scores)
            self._output.log.write("eval", self.progress.step, split=self.eval_split, **scores)
            self.progress = self.progress.after_evaluation(scores[self.best_metric])
            if self.progress.best_step == self.progress.step:
                self.scores = scores
                self._write_results()  # first: the model's card is made of them
                self._output.save_model(self.model, self.tokenizer)
        if args.save_every and done % args.save_every == 0 and not is_last:
            self._save_checkpoint(steps)

    # Scoring

    def _evaluate(self, split: str) -> dict[str, float]:
        """Scores of the model as it is; writes the predictions."""
        args, examples = self.args, list(self.data.select(split))
        predictions = predict_split(self.model, self.tokenizer, examples, self.accelerator, args.eval_batch_size)
        self._output.write_predictions(split, predictions)
        if split == self.eval_split:
            self._scored = (examples, predictions)
        return score_predictions(self.data, examples, predictions, no_overlapping=args.no_overlapping)

    def _explain_nothing(self, scores: dict[str, float]) -> None:
        """If nothing was predicted, say why and what to change."""
        text = nothing_found_text(scores, self.args, self.progress.step, self.model.config.relation_threshold)
        if text:
            self.say(text)

    def _calibrate(self) -> None:
        """Fit the temperatures of the model, which are saved with it."""
        split = choose_calibration_split(self.args, self.data)
        self.model.to(self.accelerator.device)
        calibrate_model(self.model, self.tokenizer, list(self.data.select(split)), self.args.eval_batch_size)
        self._measure_reliability(split)

    def _measure_reliability(self, split: str) -> None:
        """Say and keep how far the scores on a split are from the truth, before and after the calibration."""
        if split in self._reliability:
            return
        examples, size = list(self.data.select(split)), self.args.eval_batch_size
        reliability = measure_reliability(self.model, self.tokenizer, examples, size)
        self.say(f"Expected calibration error on {split}, before → after: {reliability}")
        self._reliability[split] = asdict(reliability)

    def _record(self, split: str, scores: dict[str, float]) -> None:
        """Write down the scores of an evaluation after, or without, a training."""
        if split != self.eval_split:
            self._other_scores[split] = scores
            self._output.log.write("eval_other", self.progress.step, split=split, **scores)
        else:
            self.scores = scores
            if self.progress.best_score is None:  # else the training has logged it
                self._output.log.write("eval", self.progress.step, split=split, **scores)
        self._write_results()

    def _write_results(self) -> None:
        others: dict[str, Any] = {"other_splits": self._other_scores} if self._other_scores else {}
        if self._reliability:
            others["calibration_error"] = self._reliability
        self._output.log.write_results(
            dataset=self.data.name,
            split=self.eval_split,
            step=self.progress.step,
            arguments=public_arguments(self.args),
            scores=self.scores,
            **others,
        )

    # Saving

    def _make_example(self) -> CardExample | None:
        """The text that the card shows with the model's answer."""
        pipe = self.model.eval().extraction_pipeline(self.tokenizer)
        return make_example(self.args.card_example, pipe, self.data.name, self.eval_split, *self._scored)

    def _load_best(self) -> None:
        """Put the weights of the best evaluation back into the model, if later ones were worse."""
        if self.progress.best_score is not None and self.progress.best_step != self.progress.step:
            load_weights(self.model, self._output.folder)
            self.progress = self.progress.at_best()

    def _save_checkpoint(self, steps: TrainingSteps) -> None:
        self._output.save_checkpoint(self.model, self.tokenizer, steps.optimizer, self.progress)
