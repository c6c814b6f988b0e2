"""OUTPUT_DIR: refuse to train over an earlier run, make the folder ready, and write a run's files to it."""

import json
import shutil
from collections.abc import Callable, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import torch
from accelerate import Accelerator
from transformers import PreTrainedTokenizerBase
from transformers.utils import logging

from modeling_spert.model_card.build import write_card
from modeling_spert.model_card.example import EXAMPLE_FILE, CardExample, write_example
from modeling_spert.modeling_spert import SpertModel
from modeling_spert.onnx.files import remove_export
from modeling_spert.training.arguments import TrainingArguments, public_arguments
from modeling_spert.training.checkpoints import finish_run, save_checkpoint, save_model
from modeling_spert.training.progress import Progress
from modeling_spert.training.push import RunPush
from modeling_spert.training.run_log import RunLog, library_versions

logger = logging.get_logger(__name__)


class RunOutput:
    """What a run writes to OUTPUT_DIR and to the Hub. Every process calls the methods; only the main one writes.

    Args:
        args: Of the run.
        accelerator: Of the run.

    Attributes:
        folder: OUTPUT_DIR.
        log: metrics.jsonl, eval_results.json and the trackers.
    """

    def __init__(self, args: TrainingArguments, accelerator: Accelerator):
        self.args, self.accelerator = args, accelerator
        self.folder = Path(args.output_dir).resolve()
        self.log = RunLog(self.folder, accelerator)
        self._push: RunPush | None = None
        self._is_open = False

    @property
    def settings(self) -> dict[str, Any]:
        """What a resumed run must have in common with the one that was stopped."""
        return {**asdict(self.args), "num_processes": self.accelerator.num_processes}

    def open(self) -> None:
        """Make OUTPUT_DIR ready to be written to, once."""
        if self._is_open:
            return
        self._is_open = True
        if self.accelerator.is_main_process:
            prepare_output_dir(self.args)
        self.accelerator.wait_for_everyone()
        self.accelerator.init_trackers("spert", config=asdict(self.args))

    def begin_run(self, step: int, num_epochs: int | None, facts: dict[str, Any]) -> None:
        """Write down what is trained on what, for the model's card, and prepare to push.

        Args:
            step: Steps taken already.
            num_epochs: Epochs that the run came to, where the arguments leave it open.
            facts: Of the data.
        """
        if not self.accelerator.is_main_process:
            return
        arguments = public_arguments(self.args)
        if arguments["num_train_epochs"] is None:
            arguments["num_train_epochs"] = num_epochs
        self.log.write("run", step, data=facts, arguments=arguments, versions=library_versions())
        if self.args.push_to_hub:
            assert self.args.hub_model_id is not None, "checked by TrainingArguments"
            self._push = RunPush(self.args.hub_model_id, self.args.hub_private)
            self._push.prepare()

    def write_predictions(self, split: str, predictions: Sequence[dict[str, Any]]) -> None:
        """Write predictions_<split>.json: SpERT's JSON, with scores."""
        if self.accelerator.is_main_process:
            path = self.folder / f"predictions_{split.replace('+', '_')}.json"
            path.write_text(json.dumps(predictions, ensure_ascii=False), encoding="utf-8")

    def write_example(self, make: Callable[[], CardExample | None]) -> None:
        """Write the text that the card shows with the model's answer; if that fails, a warning is logged."""
        if not self.accelerator.is_main_process:
            return
        try:
            write_example(self.folder, make())
        except Exception as error:  # the model is trained
            write_example(self.folder, None)
            logger.warning(f"No example for the model card: {type(error).__name__}: {error}")

    def save_model(self, model: SpertModel, tokenizer: PreTrainedTokenizerBase) -> None:
        """Write the model folder."""
        if self.accelerator.is_main_process:
            save_model(model, tokenizer, self.folder)
        self.accelerator.wait_for_everyone()

    def save_checkpoint(
        self,
        model: SpertModel,
        tokenizer: PreTrainedTokenizerBase,
        optimizer: torch.optim.Optimizer,
        progress: Progress,
    ) -> None:
        """Write OUTPUT_DIR/last, from which the run can be resumed; push it where that is asked for."""
        if self.accelerator.is_main_process:
            save_checkpoint(model, tokenizer, optimizer, progress, self.settings, self.folder / "last")
            if self._push and self.args.hub_strategy == "every":
                self._push.push_checkpoint(self.folder / "last", progress.step)
        self.accelerator.wait_for_everyone()

    def end_run(self, finished: Progress | None) -> str | None:
        """Write the card, remove the checkpoint of a finished run, and push the model.

        Args:
            finished: Progress of a run of which nothing is left to resume.

        Returns:
            What to say about the push, if there was one.
        """
        said = None
        if self.accelerator.is_main_process:
            try:
                write_card(self.folder)
            except Exception as error:  # the model is trained and saved
                logger.warning(f"No model card: {type(error).__name__}: {error}")
            if finished:
                finish_run(finished, self.settings, self.folder)
            if self._push:
                address = self._push.push_result(self.folder, self.folder.name)
                said = f"Pushed to {address}" if address else f"Not pushed to {self._push.repo_id}: see above"
        self.accelerator.wait_for_everyone()
        return said


def check_output_dir(args: TrainingArguments) -> None:
    """Refuse to train over an earlier run.

    Raises:
        ValueError: If OUTPUT_DIR holds a run that is neither resumed nor to be overwritten.
    """
    folder = Path(args.output_dir)
    earlier = any((folder / name).exists() for name in ("last", "last.old", "metrics.jsonl", "training_state.json"))
    if earlier and not (args.eval_only or args.resume_from_checkpoint or args.overwrite_output_dir):
        raise ValueError(
            f"{folder} holds an earlier run: add --resume_from_checkpoint last to resume it, "
            "--overwrite_output_dir to replace it, or choose another --output_dir"
        )


def prepare_output_dir(args: TrainingArguments) -> None:
    """Make OUTPUT_DIR and, if asked, remove what an earlier run wrote there, and nothing else.

    To be called when data and model have been read: a mistyped name must not cost a trained model.
    """
    folder = Path(args.output_dir).resolve()
    folder.mkdir(parents=True, exist_ok=True)
    if not args.overwrite_output_dir or args.eval_only or args.resume_from_checkpoint:
        return
    for name in ("last", "last.old"):
        shutil.rmtree(folder / name, ignore_errors=True)
    remove_export(folder)
    records = ("metrics.jsonl", "eval_results.json", "training_state.json", EXAMPLE_FILE)
    written = (*records, "predictions_*.json", "model*.safetensors*")
    for pattern in written:
        for file in folder.glob(pattern):
            file.unlink()
