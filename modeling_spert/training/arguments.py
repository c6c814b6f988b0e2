"""Arguments of `train_accelerate.py`; the defaults are the paper's (SpERT, section 4.1)."""

import argparse
import sys
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Literal, NoReturn

import yaml
from transformers import HfArgumentParser


def _arg(default: Any, doc: str) -> Any:
    return field(default=default, metadata={"help": doc})


@dataclass
class TrainingArguments:
    """What to train, on what, how, and what to write."""

    dataset: str = _arg("", "conll04, scierc, ade, demo, or a file or folder of SpERT JSON, JSON Lines or Parquet")
    data_dir: str | None = _arg(None, "folder of the benchmark's files; default: download them")
    fold: int | None = _arg(None, "fold of ADE, 0 to 9")
    on_bad_row: Literal["raise", "skip"] = _arg("raise", "what to do with a row that is not valid")
    output_dir: str = _arg("", "folder for the model, metrics and predictions")
    overwrite_output_dir: bool = _arg(False, "remove an earlier run in output_dir first")
    verbose: bool = _arg(False, "more messages, and tracebacks for errors")
    config: str | None = _arg(None, "YAML file of these arguments; flags beat it")

    # Settings of the model without a default here: SpertConfig holds the paper's, and a model that is loaded its own.
    backbone: str = _arg("bert-base-cased", "pretrained encoder: Hub name, folder, or 'bundled' (all-MiniLM-L6-v2)")
    pretrained: Literal["all", "embeddings", "none"] = _arg("all", "which weights of the encoder to keep")
    lowercase: bool | None = _arg(None, "whether the tokenizer lower-cases; default: what its files say, else it does")
    freeze_backbone: bool = _arg(False, "train the heads only")
    freeze_embeddings: bool = _arg(False, "train all but the table of subwords: cheaper steps, most of all on CPU")
    model: str | None = _arg(None, "SpERT model to continue from or to evaluate, instead of an encoder")
    new_classifiers: bool = _arg(False, "with --model and other labels: start new classifiers")
    max_span_width: int | None = _arg(None, "widest candidate span, in words (paper: 10)")
    width_embedding_size: int | None = _arg(None, "size of the span width embedding, 0 for none (paper: 25)")
    span_pooling: Literal["max", "mean", "sum"] | None = _arg(None, "how a span's subwords are fused (paper: max)")
    relation_context: Literal["localized", "full", "cls"] | None = _arg(
        None, "context of a pair of spans: between them, the sentence, the special token (paper: localized)"
    )
    head_dropout: float | None = _arg(None, "dropout probability on the classifiers' input (paper: 0.1)")
    relation_threshold: float | None = _arg(None, "probability from which a relation holds (paper: 0.4)")
    context: Literal["none", "document"] | None = _arg(
        None, "one sentence per window, or as many of a document as fit (paper: none)"
    )
    max_window_length: int | None = _arg(None, "longest window in subwords; default: what the encoder takes")

    train_split: str = _arg("train", "split to train on; 'train+dev' joins two")
    num_train_epochs: int = _arg(20, "passes over the training split")
    max_steps: int = _arg(-1, "optimizer steps to stop after; -1: by epochs")
    per_device_train_batch_size: int = _arg(2, "windows per process and step")
    gradient_accumulation_steps: int = _arg(1, "batches per optimizer step")
    gradient_checkpointing: bool = _arg(False, "recompute activations to save memory")
    group_by_length: bool = _arg(False, "batches of windows of about equal length; the paper mixes lengths")
    num_workers: int = _arg(0, "processes that prepare batches")
    learning_rate: float = _arg(5e-5, "peak learning rate")
    head_learning_rate: float | None = _arg(None, "peak learning rate of the classifiers; default: the same")
    warmup_ratio: float = _arg(0.1, "share of the steps in which the learning rate rises")
    weight_decay: float = _arg(0.01, "decay of weights other than biases and layer norms")
    bias_correction: bool = _arg(False, "Adam with bias correction; the original has none")
    max_grad_norm: float = _arg(1.0, "norm that gradients are clipped to")
    neg_entity_count: int = _arg(100, "negative spans per sentence; -1: all")
    neg_relation_count: int = _arg(100, "negative pairs per sentence; -1: all")
    relation_negatives: Literal["strong", "weak"] = _arg("strong", "pairs of gold entities, or of any sampled spans")
    mixed_precision: Literal["no", "fp16", "bf16"] | None = _arg(
        None, "precision of the forward and backward pass; default: what `accelerate launch` says"
    )
    seed: int = _arg(42, "seed of initialisation, order, sampling and dropout")

    eval_split: str | None = _arg(None, "split to score at the end and every --eval_every; default: dev, else test")
    eval_only: bool = _arg(False, "score --model on --eval_split and stop")
    eval_precision: Literal["auto", "fp32", "bf16", "fp16"] | None = _arg(
        None, "precision of --eval_only; auto: bf16 where the hardware multiplies it; default: as the model was saved"
    )
    eval_every: int = _arg(0, "epochs between evaluations, which choose the best model; 0: at the end only")
    eval_batch_size: int = _arg(32, "windows per process and evaluation step")
    no_overlapping: bool = _arg(False, "score also by the original's 'no overlapping' convention (ADE)")
    best_metric: str | None = _arg(None, "score that chooses the best model; default: rel_strict_f1_micro")
    patience: int = _arg(0, "evaluations without a better score before stopping; 0: never")
    save_every: int = _arg(1, "epochs between checkpoints in OUTPUT_DIR/last; 0: at the end only")
    resume_from_checkpoint: str | None = _arg(None, "checkpoint folder to go on from; 'last': OUTPUT_DIR/last")
    log_every: int = _arg(50, "steps between lines of training loss in metrics.jsonl")
    report_to: str = _arg("none", "trackers of accelerate: tensorboard, wandb, all, or none")
    push_to_hub: bool = _arg(False, "push the model to the Hub")
    hub_model_id: str | None = _arg(None, "repository to push to, as org/name")
    hub_private: bool = _arg(False, "create the repository private")
    hub_strategy: Literal["best", "every"] = _arg(
        "best", "push the best model, at the end; or every checkpoint too, in the background"
    )

    def __post_init__(self) -> None:
        """Check what argparse cannot.

        Raises:
            ValueError: If an argument is out of range or two of them do not go together.
        """
        if not self.dataset:
            raise ValueError("--dataset is needed: conll04, scierc, ade, demo, or a file or folder of your own")
        if not self.output_dir:
            raise ValueError("--output_dir is needed: the folder to write the model and its scores to")
        if self.eval_only and not self.model:
            raise ValueError("--eval_only needs --model, the folder or Hub name of the model to score")
        if self.eval_precision and not self.eval_only:
            raise ValueError("--eval_precision is for --eval_only; a training scores its model as it is trained")
        if self.push_to_hub and not self.hub_model_id:
            raise ValueError("--push_to_hub needs --hub_model_id org/name")
        if self.push_to_hub and self.eval_only:
            raise ValueError("--eval_only trains nothing to push: python -m modeling_spert.hub FOLDER org/name does")
        if self.patience and not self.eval_every:
            raise ValueError("--patience needs --eval_every, the epochs between the evaluations it counts")
        for name, least in _LEAST.items():
            value = getattr(self, name)
            if value is not None and not value >= least:  # so that NaN fails too
                raise ValueError(f"--{name} must be at least {least}, got {getattr(self, name)}")
        for name in ("head_dropout", "relation_threshold", "warmup_ratio"):
            value = getattr(self, name)
            if value is not None and not 0 <= value <= 1:
                raise ValueError(f"--{name} must be between 0 and 1, got {getattr(self, name)}")


# Arguments that are settings of SpertConfig, under the same name.
MODEL_SETTINGS = (
    "max_span_width",
    "width_embedding_size",
    "span_pooling",
    "relation_context",
    "head_dropout",
    "relation_threshold",
    "context",
    "max_window_length",
)


def public_arguments(args: TrainingArguments) -> dict[str, Any]:
    """The arguments as a record of the run may show them: of folders of this machine only the name."""
    shown = asdict(args)
    for name in ("data_dir", "output_dir", "config", "resume_from_checkpoint"):
        if shown[name]:
            shown[name] = Path(shown[name]).name
    for name in ("dataset", "backbone", "model"):  # a name, unless there is a folder
        if shown[name] and Path(shown[name]).expanduser().exists():
            shown[name] = f"local folder {Path(shown[name]).resolve().name}"
    return shown


_LEAST = {
    "max_span_width": 1,
    "width_embedding_size": 0,
    "num_train_epochs": 0,
    "per_device_train_batch_size": 1,
    "gradient_accumulation_steps": 1,
    "num_workers": 0,
    "learning_rate": 0,
    "weight_decay": 0,
    "max_grad_norm": 0,
    "neg_entity_count": -1,
    "neg_relation_count": -1,
    "eval_every": 0,
    "eval_batch_size": 1,
    "patience": 0,
    "save_every": 0,
    "log_every": 1,
}


def model_settings(args: TrainingArguments) -> dict[str, Any]:
    """The settings of `SpertConfig` that were given."""
    return {name: getattr(args, name) for name in MODEL_SETTINGS if getattr(args, name) is not None}


class _Parser(HfArgumentParser):
    """Raises what argparse would print, so that the message can say where a value came from."""

    def error(self, message: str) -> NoReturn:
        raise ValueError(message)


def parse_arguments(argv: list[str] | None = None) -> TrainingArguments:
    """Arguments from flags and from the YAML file that `--config` names; flags beat the file.

    Unknown flags, unknown keys of the file and values out of range end the program with a message.
    """
    parser = _Parser(TrainingArguments, description=__doc__, allow_abbrev=False)
    finder = argparse.ArgumentParser(add_help=False, allow_abbrev=False)
    finder.add_argument("--config")
    path = finder.parse_known_args(argv)[0].config
    try:
        flags = _read_yaml(path, parser) if path else []
        return TrainingArguments(**vars(parser.parse_args([*flags, *(sys.argv[1:] if argv is None else argv)])))
    except ValueError as error:
        HfArgumentParser.error(parser, str(error))
        raise  # not reached: it ends the program


def _read_yaml(path: str, parser: HfArgumentParser) -> list[str]:
    """The settings of the file as flags, so that they are checked like flags."""
    try:
        with open(path, encoding="utf-8") as file:
            settings = yaml.safe_load(file) or {}
    except (OSError, yaml.YAMLError) as error:
        raise ValueError(f"--config {path} cannot be read: {error}") from error
    if not isinstance(settings, dict):
        raise ValueError(f"--config {path} must hold 'name: value' lines, got {type(settings).__name__}")
    choices = {action.dest: action.choices or () for action in parser._actions}
    flags: list[str] = []
    for name, value in settings.items():
        if name not in choices:
            raise ValueError(f"--config {path}: unknown argument {name!r}")
        if value is False and "no" in choices[name]:
            value = "no"  # YAML reads a plain no as false
        if value is not None:
            flags.append(f"--{name}={value}")
    try:
        parser.parse_args(flags)
    except ValueError as error:
        raise ValueError(f"--config {path}: {error}") from error
    return flags
