"""Arguments of a training, in four groups. The defaults are the paper's (SpERT, section 4.1)."""

import inspect
import math
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path
from typing import Any, Literal

from modeling_spert.configuration_spert import SETTING_CHOICES, SpertConfig, check_setting

# So many steps are usually enough for a small data set. With far fewer, the model has often learned only that most
# spans are not entities.
ENOUGH_STEPS = 1000
EPOCHS = 20  # the paper's


def _arg(default: Any, doc: str) -> Any:
    return field(default=default, metadata={"help": doc})


def _setting(name: str, doc: str) -> Any:
    """A setting of `SpertConfig`. It is None unless given: the model then has its own value, or the paper's."""
    default = inspect.signature(SpertConfig.__init__).parameters[name].default
    shown = "" if default is None or default == () else f" (default: {default})"
    metadata: dict[str, Any] = {"help": doc + shown}
    if name in SETTING_CHOICES:
        metadata["choices"] = SETTING_CHOICES[name]
    return field(default=None, metadata=metadata)


@dataclass(frozen=True)
class DataArguments:
    """What to train on and what to score."""

    _argument_group_name = "data"

    dataset: str = _arg("", "conll04, scierc, ade, demo, or a file or folder of SpERT JSON, JSON Lines or Parquet")
    data_dir: str | None = _arg(None, "folder of the benchmark's files (default: download them)")
    fold: int | None = _arg(None, "fold of ade, 0 to 9")
    on_bad_row: Literal["raise", "skip"] = _arg("raise", "stop at a row that is not valid, or leave it out")
    train_split: str = _arg("train", "split to train on; 'train+dev' joins two")
    eval_split: str | None = _arg(None, "split to score (default: dev, else test)")
    extra_relation_free: list[str] | None = _arg(
        None, "files of sentences without relations to mix in: SpERT JSON, or text with a sentence per line"
    )
    extra_share: float = _arg(0.5, "how many of these an epoch has, for each sentence of the training split")
    recase: float = _arg(0.0, "share of the training sentences shown in small letters or capitals, half each")
    replace_mentions: float = _arg(
        0.0, "probability that a mention is replaced by another of its type from the training split"
    )


@dataclass(frozen=True)
class ModelArguments:
    """The encoder, the classifiers on it, and what counts as an entity or a relation."""

    _argument_group_name = "model"

    backbone: str = _arg("bert-base-cased", "pretrained encoder: Hub name, folder, or 'bundled' (all-MiniLM-L6-v2)")
    pretrained: Literal["all", "embeddings", "none"] = _arg("all", "which weights of the encoder to keep")
    lowercase: bool | None = _arg(None, "whether the tokenizer lower-cases: yes or no (default: as its files say)")
    model: str | None = _arg(None, "SpERT model to train further or to score, instead of an encoder")
    new_classifiers: bool = _arg(False, "with --model and other labels: start new classifiers")
    max_span_width: int | None = _setting("max_span_width", "widest candidate span, in words")
    width_embedding_size: int | None = _setting("width_embedding_size", "size of the width embedding, 0 for none")
    span_pooling: str | None = _setting("span_pooling", "how the vectors of a span's subwords are joined")
    relation_context: str | None = _setting(
        "relation_context", "context of a pair of spans: what is between them, the sentence, or the special token"
    )
    head_dropout: float | None = _setting("head_dropout", "dropout on the input of the classifiers")
    relation_threshold: float | None = _setting("relation_threshold", "probability from which a relation holds")
    relation_signatures: Literal["none", "train"] = _arg(
        "none", "train: a relation holds only between entity types that it joins in the training split"
    )
    overlap: Literal["allow", "nested", "flat", "train"] | None = _arg(
        None,
        "which entities may share words: any, those that contain one another, or none; the best are kept. train: as in "
        "the training split (default: allow)",
    )
    word_features: list[str] | None = _setting(
        "word_features", "what the encoder's input says of each word; case: which letters are capitals (default: none)"
    )
    span_borders: str | None = _setting("span_borders", "inside: span scores also read the first and the last word")
    type_pairs: bool | None = _setting("type_pairs", "yes: relation scores also read the types of both entities")
    pair_product: int | None = _setting(
        "pair_product", "size of a product of both entities that relation scores also read, 0 for none; 64 does well"
    )
    context: str | None = _setting("context", "a window is one sentence, or as much of a document as fits")
    max_window_length: int | None = _setting(
        "max_window_length", "longest window, in subwords (default: what the encoder takes)"
    )


@dataclass(frozen=True)
class OptimisationArguments:
    """How to train."""

    _argument_group_name = "optimisation"

    num_train_epochs: int | None = _arg(
        None, f"passes over the training split (default: 20, or as many as {ENOUGH_STEPS} steps need)"
    )
    max_steps: int = _arg(-1, "optimizer steps after which to stop; -1: as many as the epochs have")
    per_device_train_batch_size: int = _arg(2, "windows per process and batch")
    gradient_accumulation_steps: int = _arg(1, "batches per optimizer step")
    learning_rate: float = _arg(5e-5, "peak learning rate")
    head_learning_rate: float | None = _arg(
        None, "peak learning rate of the classifiers (default: that of the encoder)"
    )
    warmup_ratio: float = _arg(0.1, "share of the steps in which the learning rate rises")
    weight_decay: float = _arg(0.01, "decay of all weights except biases and layer norms")
    max_grad_norm: float = _arg(1.0, "norm to which gradients are clipped")
    bias_correction: bool = _arg(False, "Adam with bias correction, which the original leaves out")
    neg_entity_count: int = _arg(100, "negative spans per sentence; -1: all")
    neg_relation_count: int = _arg(100, "negative pairs per sentence; -1: all")
    relation_negatives: Literal["strong", "weak"] = _arg("strong", "pairs of gold entities, or of any sampled spans")
    freeze_backbone: bool = _arg(False, "train the classifiers only")
    freeze_embeddings: bool = _arg(False, "train everything except the table of subwords: faster, most of all on CPU")
    mixed_precision: Literal["no", "fp16", "bf16"] | None = _arg(
        None, "precision of the forward and backward pass (default: what `accelerate launch` says)"
    )
    gradient_checkpointing: bool = _arg(False, "compute activations twice to save memory")
    group_by_length: bool = _arg(False, "put windows of about equal length into a batch; the paper mixes lengths")
    num_workers: int = _arg(0, "processes that prepare batches")
    seed: int = _arg(42, "seed of initialisation, order, sampling and dropout")


@dataclass(frozen=True)
class OutputArguments:
    """When to score, and what to write."""

    _argument_group_name = "evaluation and output"

    output_dir: str = _arg("", "folder for the model, scores and predictions")
    overwrite_output_dir: bool = _arg(False, "remove an earlier run in the folder first")
    resume_from_checkpoint: str | None = _arg(None, "checkpoint to resume from; 'last' is OUTPUT_DIR/last")
    save_every: int = _arg(1, "epochs between checkpoints; 0: one at the end")
    eval_only: bool = _arg(False, "score --model on --eval_split, train nothing")
    eval_precision: Literal["auto", "fp32", "bf16", "fp16"] | None = _arg(
        None, "precision of --eval_only (default: as the model was saved); auto: the fastest on this machine"
    )
    eval_every: int = _arg(0, "epochs between evaluations, which choose the best model; 0: score once, at the end")
    eval_batch_size: int = _arg(32, "windows per process and batch when scoring")
    best_metric: str | None = _arg(
        None, "score that chooses the best model (default: rel_strict_f1_micro, or ner_f1_micro without relations)"
    )
    patience: int = _arg(0, "stop after so many evaluations without a better score; 0: never")
    calibrate: bool = _arg(
        False, "fit the scores on dev after the last epoch, so that of those of 0.8 four fifths are right"
    )
    no_overlapping: bool = _arg(False, "also score without overlapping entities, as published for ADE")
    log_every: int = _arg(50, "steps between training losses in metrics.jsonl")
    card_example: str = _arg(
        "auto",
        "text in the model's card, with its answer: a text of yours; none; data: the shortest scored row with a "
        "relation that the model finds; auto: a sentence invented for a benchmark, none for your own data",
    )
    report_to: str = _arg("none", "trackers of accelerate: tensorboard, wandb, all, or none")
    push_to_hub: bool = _arg(False, "push the model to the Hub")
    hub_model_id: str | None = _arg(None, "repository to push to, as org/name")
    hub_private: bool = _arg(False, "create the repository private")
    hub_strategy: Literal["best", "every"] = _arg("best", "push the best model at the end, or every checkpoint too")
    config: str | None = _arg(None, "YAML file of these arguments; flags override it")
    verbose: bool = _arg(False, "more messages, and tracebacks for errors")


ARGUMENT_GROUPS = (DataArguments, ModelArguments, OptimisationArguments, OutputArguments)

# Arguments that are settings of SpertConfig, under the same name.
MODEL_SETTINGS = (
    "max_span_width",
    "width_embedding_size",
    "span_pooling",
    "relation_context",
    "head_dropout",
    "relation_threshold",
    "word_features",
    "span_borders",
    "type_pairs",
    "pair_product",
    "context",
    "max_window_length",
)
_MINIMA = {
    "num_train_epochs": 0,
    "max_steps": -1,
    "per_device_train_batch_size": 1,
    "gradient_accumulation_steps": 1,
    "num_workers": 0,
    "learning_rate": 0,
    "head_learning_rate": 0,
    "weight_decay": 0,
    "neg_entity_count": -1,
    "neg_relation_count": -1,
    "eval_every": 0,
    "eval_batch_size": 1,
    "patience": 0,
    "save_every": 0,
    "log_every": 1,
    "extra_share": 0,
}
_SHARES = ("warmup_ratio", "recase", "replace_mentions")  # from 0 to 1


@dataclass(frozen=True)
class TrainingArguments(OutputArguments, OptimisationArguments, ModelArguments, DataArguments):
    """All arguments of a training: the four groups together.

    >>> args = TrainingArguments(output_dir="runs/mine", learning_rate=1e-4)
    >>> args.learning_rate, args.per_device_train_batch_size
    (0.0001, 2)

    Raises:
        ValueError: If an argument is out of range, or two of them do not go together.
    """

    def __post_init__(self) -> None:
        self._check_combinations()
        for name in MODEL_SETTINGS:
            if getattr(self, name) is not None:
                _check_model_setting(name, getattr(self, name))
        for name, least in _MINIMA.items():
            value = getattr(self, name)
            if value is not None and not value >= least:  # so that NaN fails too
                raise ValueError(f"--{name} must be at least {least}, got {value}")
            if value == math.inf:
                raise ValueError(f"--{name} must be finite, got {value}")
        for name in _SHARES:
            if not 0 <= getattr(self, name) <= 1:
                raise ValueError(f"--{name} must be between 0 and 1, got {getattr(self, name)}")
        if not 0 < self.max_grad_norm < math.inf:
            raise ValueError(f"--max_grad_norm must be finite and more than 0, got {self.max_grad_norm}")

    def _check_combinations(self) -> None:
        if not self.output_dir:
            raise ValueError("--output_dir is needed: the folder to write the model and its scores to")
        if self.eval_only and not self.model:
            raise ValueError("--eval_only needs --model, the folder or Hub name of the model to score")
        if self.eval_precision and not self.eval_only:
            raise ValueError("--eval_precision is for --eval_only; a training scores its model as it is trained")
        if self.calibrate and self.eval_only:
            raise ValueError("--calibrate is for a training; --eval_only scores --model as it is")
        if self.push_to_hub and not self.hub_model_id:
            raise ValueError("--push_to_hub needs --hub_model_id org/name")
        if self.push_to_hub and self.eval_only:
            raise ValueError("--eval_only trains nothing to push: spert push FOLDER org/name does")
        if self.eval_only and self.overlap == "train":
            raise ValueError("--overlap train is for a training; with --eval_only name allow, nested or flat")
        if self.patience and not self.eval_every:
            raise ValueError("--patience needs --eval_every, the epochs between the evaluations it counts")


def _check_model_setting(name: str, value: Any) -> None:
    try:
        check_setting(name, value)
    except ValueError as error:
        raise ValueError(f"--{error}") from error


def model_settings(args: ModelArguments) -> dict[str, Any]:
    """The settings of `SpertConfig` that were given."""
    return {name: getattr(args, name) for name in MODEL_SETTINGS if getattr(args, name) is not None}


def argument_names() -> list[str]:
    """The names of all arguments."""
    return [argument.name for argument in fields(TrainingArguments)]


def public_arguments(args: TrainingArguments) -> dict[str, Any]:
    """The arguments as a record of the run may show them: a folder of this machine is shown by its name only."""
    shown = asdict(args)
    for name in ("data_dir", "output_dir", "config", "resume_from_checkpoint"):
        if shown[name]:
            shown[name] = Path(shown[name]).name
    for name in ("dataset", "backbone", "model"):  # a name, unless there is a folder
        if shown[name] and Path(shown[name]).expanduser().exists():
            shown[name] = f"local folder {Path(shown[name]).resolve().name}"
    if args.extra_relation_free:
        shown["extra_relation_free"] = [Path(path).name for path in args.extra_relation_free]
    return shown
