"""One run of the training script: what its steps share, and what it writes about itself.

`metrics.jsonl` gets a line per event ("run", "train", "eval"), `eval_results.json` the last scores with what they are
scores of; the model's card is made from these two.
"""

import json
import platform
import shutil
import time
from dataclasses import dataclass, field
from importlib import metadata
from pathlib import Path
from typing import Any

from accelerate import Accelerator
from transformers import PreTrainedTokenizerBase

from datasets_scripts import JointDataset
from datasets_scripts.data_facts import data_facts
from modeling_spert.modeling_spert import SpertModel
from modeling_spert.onnx.files import remove_export
from modeling_spert.training.arguments import TrainingArguments, public_arguments
from modeling_spert.training.checkpoints import Progress
from modeling_spert.training.push import RunPush
from modeling_spert.version import __version__


@dataclass
class Run:
    """What the steps of one run share; `model` is the plain model, `progress` where training stands."""

    args: TrainingArguments
    accelerator: Accelerator
    data: JointDataset
    model: SpertModel
    tokenizer: PreTrainedTokenizerBase
    progress: Progress = field(default_factory=Progress)
    push: RunPush | None = None

    @property
    def output_dir(self) -> Path:
        """Where everything is written."""
        return Path(self.args.output_dir).resolve()

    @property
    def eval_split(self) -> str | None:
        """The split to score: as asked, else dev, else test, if it is not trained on."""
        trained = [] if self.args.eval_only else [name.strip() for name in self.args.train_split.split("+")]
        free = [name for name in ("dev", "test") if name in self.data.splits and name not in trained]
        return self.args.eval_split or next(iter(free), None)

    @property
    def best_metric(self) -> str:
        """The score that chooses the best model."""
        default = "rel_strict_f1_micro" if self.data.relation_types else "ner_f1_micro"
        return self.args.best_metric or default

    def forget_later_lines(self) -> None:
        """Drop lines of metrics.jsonl from behind the checkpoint: a killed run had gone further than it saved."""
        path = self.output_dir / "metrics.jsonl"
        if self.accelerator.is_main_process and path.exists():
            lines = path.read_text(encoding="utf-8").splitlines(keepends=True)
            whole = [line for line in lines if line.endswith("\n")]  # a kill may have cut the last one
            kept = [line for line in whole if json.loads(line)["step"] <= self.progress.step]
            path.write_text("".join(kept), encoding="utf-8")

    def log(self, kind: str, **values: Any) -> None:
        """Add a line to metrics.jsonl and tell the trackers."""
        if not self.accelerator.is_main_process:
            return
        line = {"kind": kind, "step": self.progress.step, **values, "time": time.strftime("%Y-%m-%dT%H:%M:%S")}
        with open(self.output_dir / "metrics.jsonl", "a", encoding="utf-8") as file:
            file.write(json.dumps(line) + "\n")
        numbers = {f"{kind}/{name}": value for name, value in values.items() if isinstance(value, int | float)}
        self.accelerator.log(numbers, step=self.progress.step)


def log_run(run: Run) -> None:
    """Write down what is trained on what, for the model's card, and prepare to push."""
    args = run.args
    if not run.accelerator.is_main_process:
        return
    facts = data_facts(run.data, args.train_split, run.eval_split, run.model.config.max_span_width)
    names = ("modeling-spert", "torch", "transformers", "accelerate")
    versions = {"Python": platform.python_version(), **{name: library_version(name) for name in names}}
    run.log("run", data=facts, arguments=public_arguments(args), versions=versions)
    if args.push_to_hub:
        assert args.hub_model_id is not None
        run.push = RunPush(args.hub_model_id, args.hub_private)
        run.push.prepare()


def library_version(name: str) -> str:
    """The version of an installed distribution."""
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:  # run from a checkout
        return __version__ if name == "modeling-spert" else "unknown"


def check_output_dir(args: TrainingArguments) -> None:
    """Refuse to train over another run.

    Raises:
        ValueError: If OUTPUT_DIR holds a run that is neither resumed nor to be overwritten.
    """
    folder = Path(args.output_dir)
    earlier = any((folder / name).exists() for name in ("last", "last.old", "metrics.jsonl"))
    if earlier and not (args.eval_only or args.resume_from_checkpoint or args.overwrite_output_dir):
        raise ValueError(
            f"{folder} holds an earlier run: add --resume_from_checkpoint last to go on with it, "
            "--overwrite_output_dir to replace it, or choose another --output_dir"
        )


def prepare_output_dir(args: TrainingArguments, accelerator: Accelerator) -> None:
    """Make OUTPUT_DIR and, if asked, remove what an earlier run wrote there, and nothing else.

    Called when data and model have been read: a mistyped name must not cost a trained model.
    """
    folder = Path(args.output_dir).resolve()
    if accelerator.is_main_process:
        folder.mkdir(parents=True, exist_ok=True)
        if args.overwrite_output_dir and not (args.eval_only or args.resume_from_checkpoint):
            for name in ("last", "last.old"):
                shutil.rmtree(folder / name, ignore_errors=True)
            remove_export(folder)
            for pattern in ("metrics.jsonl", "eval_results.json", "predictions_*.json", "model*.safetensors*"):
                for file in folder.glob(pattern):
                    file.unlink()
    accelerator.wait_for_everyone()


def write_results(run: Run, scores: dict[str, float]) -> None:
    """Write eval_results.json: the scores and what they are scores of."""
    if not run.accelerator.is_main_process:
        return
    results = {
        "dataset": run.data.name,
        "split": run.eval_split,
        "step": run.progress.step,
        "date": time.strftime("%Y-%m-%d"),
        "arguments": public_arguments(run.args),
        "scores": scores,
    }
    path = run.output_dir / "eval_results.json"
    path.write_text(json.dumps(results, indent=1, ensure_ascii=False), encoding="utf-8")
