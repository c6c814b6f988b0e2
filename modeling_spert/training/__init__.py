"""Training: from labelled data to a model folder with scores and a card. From Python:

    from datasets_scripts import load_joint_dataset
    from modeling_spert.training import Trainer, TrainingArguments, build_model

    data = load_joint_dataset("demo")
    args = TrainingArguments(output_dir="runs/mine", backbone="bundled")
    model, tokenizer = build_model(args, data)
    trainer = Trainer(model, tokenizer, data, args)
    trainer.train()
    trainer.evaluate()
    trainer.save()

The arguments are those of `train_accelerate.py`, whose `--help` explains them.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from modeling_spert.training.arguments import TrainingArguments
from modeling_spert.training.build_model import build_model
from modeling_spert.training.command_line import parse_arguments
from modeling_spert.training.data import TrainingData
from modeling_spert.training.stopping import Interrupted, TrainingDiverged

if TYPE_CHECKING:
    from modeling_spert.training.callback import SpertCallback
    from modeling_spert.training.trainer import Trainer

__all__ = [
    "Interrupted",
    "SpertCallback",
    "Trainer",
    "TrainingArguments",
    "TrainingData",
    "TrainingDiverged",
    "build_model",
    "parse_arguments",
]

# Imported when they are asked for: everything else works without accelerate.
_LAZY = {"SpertCallback": "modeling_spert.training.callback", "Trainer": "modeling_spert.training.trainer"}


def __getattr__(name: str) -> Any:
    if name not in _LAZY:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    try:
        return getattr(import_module(_LAZY[name]), name)
    except ModuleNotFoundError as error:
        if error.name != "accelerate":
            raise
        raise ImportError("training needs accelerate: pip install 'modeling-spert[train]'", name=error.name) from error
