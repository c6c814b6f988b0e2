"""Turn a checkpoint folder of the original SpERT implementation (lavis-nlp/spert) into a model folder of this package.

    python -m modeling_spert.convert_original SOURCE --types types.json --output DIR \
        --max_span_width 10 --relation_threshold 0.4

SOURCE holds `config.json` (a BERT's), `pytorch_model.bin` or `model.safetensors`, and `vocab.txt`; the labels are in
the types file of the data it was trained on. DIR becomes a complete model folder: configuration, weights, tokenizer,
card and the code that travels with them.
"""

from __future__ import annotations

import argparse
import json
import pickle
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import torch
from huggingface_hub.errors import StrictDataclassError
from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import Tensor
from transformers import BertConfig, BertTokenizer
from transformers.utils import logging

from modeling_spert.configuration_spert import SpertConfig
from modeling_spert.model_card.build import add_card
from modeling_spert.modeling_spert import SpertModel
from modeling_spert.shared.commands import CommandParser, command
from modeling_spert.shared.json_files import read_object
from modeling_spert.shared.staging import replace_folder, save_parts, staged_folder
from modeling_spert.training.infer_segmentation import infer_rules

_WEIGHT_FILES = ("model.safetensors", "pytorch_model.bin")
_TOKENIZER_FILES = ("vocab.txt", "tokenizer.json")
# Name of a module in this package -> its name in the original.
_ORIGINAL_NAMES = {
    "backbone.": "bert.",
    "entity_classifier.": "entity_classifier.",
    "relation_classifier.": "rel_classifier.",
    "width_embeddings.": "size_embeddings.",
}
# What BERT checkpoints of other versions also hold: a layer that SpERT never reads, and buffers that are computed.
_UNUSED = ("bert.pooler.dense.weight", "bert.pooler.dense.bias", "bert.embeddings.position_ids")
# Entries of the original's config.json that belong to its class or its version of transformers, not to the encoder.
_NOT_THE_ENCODERS = ("architectures", "model_type", "transformers_version", "torch_dtype", "dtype", "spert_version")


def convert_checkpoint(
    source: str | Path,
    output: str | Path,
    *,
    max_span_width: int,
    relation_threshold: float,
    types: str | Path | None = None,
    lowercase: bool | None = None,
    train_data: str | Path | None = None,
) -> SpertModel:
    """Write a complete model folder with the weights of an original checkpoint, all of it or nothing.

    Args:
        source: The checkpoint folder.
        output: The folder to write, absent or empty.
        max_span_width: Widest candidate span, in words: the original's `max_span_size`.
        relation_threshold: Probability from which a relation holds: the original's `rel_filter_threshold`.
        types: The types file the checkpoint was trained with; default: `types.json` in `source`.
        lowercase: Whether the tokenizer lower-cases; default: what its files say.
        train_data: Training file in SpERT's JSON, from which the rules that split raw text into words are inferred;
            default: the general rules.

    Returns:
        The model, in eval mode.

    Raises:
        ValueError: If something is missing or does not fit; the message names it.
    """
    source, output = Path(source), Path(output)
    if output.exists() and (not output.is_dir() or any(output.iterdir())):
        raise ValueError(f"--output {output} is not an empty folder: choose another, nothing is overwritten")
    if not source.is_dir():
        raise ValueError(f"{source} is not a folder: SOURCE is the checkpoint folder that the original saved")
    settings = read_object(source / "config.json")
    labels = _read_labels(Path(types) if types else source / "types.json")
    weights = _read_weights(source)
    tokenizer = _read_tokenizer(source, lowercase)
    config = SpertConfig(
        backbone_config=_encoder_config({**_encoder_sizes(weights), **settings}, source),
        **labels,
        max_span_width=max_span_width,
        relation_threshold=relation_threshold,
        segmentation=infer_rules(_read_words(Path(train_data))).to_dict() if train_data else None,
        **_width_table(weights),
    )
    model = _build_model(config, weights)
    rows = config.backbone_config.vocab_size
    if len(tokenizer) > rows:
        raise ValueError(
            f"the tokenizer in {source} has {len(tokenizer)} entries, more than the {rows} rows of "
            "bert.embeddings.word_embeddings.weight: it belongs to another checkpoint"
        )
    tokenizer.model_max_length = min(tokenizer.model_max_length, config.backbone_config.max_position_embeddings)
    _save_folder(model, tokenizer, output)
    return model


def _read_words(path: Path) -> list[list[str]]:
    """The words of each row of a training file."""
    try:
        return [[str(word) for word in row["tokens"]] for row in json.loads(path.read_text(encoding="utf-8"))]
    except (OSError, ValueError, KeyError, TypeError, RecursionError) as error:
        raise ValueError(f"--train_data {path} is not a file in SpERT's JSON: {error!r}") from error


def _read_labels(path: Path) -> dict[str, Any]:
    """The labels in the original's types file, as settings of `SpertConfig`.

    A second, smaller reader than that of `datasets_scripts`, which this package does not import: the configuration
    checks the labels themselves.
    """
    if not path.is_file():
        raise ValueError(
            f"{path} is not there: name the types file of the data that the checkpoint was trained on with --types"
        )
    content = read_object(path)
    sections = {"entity": content.get("entities"), "relation": content.get("relations", {})}
    for kind, section in sections.items():
        if not isinstance(section, dict) or not all(isinstance(options, dict) for options in section.values()):
            raise ValueError(
                f'{path}: expected the original\'s form {{"entities": {{"Peop": {{"short": …}}, …}}, '
                f'"relations": {{…}}}}, got {section!r:.80} for its {kind} types'
            )
    entities, relations = sections["entity"] or {}, sections["relation"] or {}
    return {
        "entity_types": list(entities),
        "relation_types": list(relations),
        "symmetric_relation_types": [label for label in relations if relations[label].get("symmetric")],
        "label_names": {
            f"{kind}/{label}": str(options.get("verbose", label))
            for kind, section in (("entity", entities), ("relation", relations))
            for label, options in section.items()
        },
    }


def _read_weights(source: Path) -> dict[str, Tensor]:
    """The tensors of a checkpoint by their names in the original, without those that are never used."""
    path = next((source / name for name in _WEIGHT_FILES if (source / name).is_file()), None)
    if path is None:
        raise ValueError(f"{source} has no weights: it holds neither {' nor '.join(_WEIGHT_FILES)}")
    try:
        if path.suffix == ".safetensors":
            weights = load_file(path)
        else:
            weights = torch.load(path, map_location="cpu", weights_only=True)
    except (OSError, RuntimeError, EOFError, pickle.UnpicklingError, SafetensorError) as error:
        reason = next(iter(str(error).splitlines()), repr(error))  # an EOFError says nothing
        raise ValueError(f"{path} cannot be read as a file of tensors: {reason}") from error
    if not isinstance(weights, Mapping) or not all(
        isinstance(name, str) and torch.is_tensor(tensor) for name, tensor in weights.items()
    ):
        raise ValueError(f"{path} must hold tensors by name (a state dict), got something else")
    named = {_current_name(name): tensor for name, tensor in weights.items()}
    # An empty tensor (a width embedding of size 0, a classifier of no relation types) has no counterpart here.
    return {name: tensor for name, tensor in named.items() if name not in _UNUSED and tensor.numel()}


def _current_name(name: str) -> str:
    """The oldest BERT checkpoints name the parameters of LayerNorm after TensorFlow's.

    >>> _current_name("bert.embeddings.LayerNorm.gamma")
    'bert.embeddings.LayerNorm.weight'
    """
    for old, new in ((".LayerNorm.gamma", ".LayerNorm.weight"), (".LayerNorm.beta", ".LayerNorm.bias")):
        if name.endswith(old):
            return name.removesuffix(old) + new
    return name


def _read_tokenizer(source: Path, lowercase: bool | None) -> BertTokenizer:
    if not any((source / name).is_file() for name in _TOKENIZER_FILES):
        raise ValueError(
            f"{source} has no tokenizer: copy the vocab.txt of the encoder that was fine-tuned into the folder"
        )
    said = _saved_lowercase(source)
    if lowercase is None and said is None:
        raise ValueError(
            f"the tokenizer files in {source} do not say whether it lower-cases words: add --cased or --uncased "
            "(the original's option is `lowercase`, false unless it was set)"
        )
    # SpERT: its option `lowercase` overrides the tokenizer's files in the same way.
    return BertTokenizer.from_pretrained(source, do_lower_case=said if lowercase is None else lowercase)


def _saved_lowercase(source: Path) -> bool | None:
    """Whether the tokenizer's files say that it lower-cases; None if they do not say."""
    if (source / "tokenizer_config.json").is_file():
        said = read_object(source / "tokenizer_config.json").get("do_lower_case")
        if said is not None:
            return bool(said)
    if (source / "tokenizer.json").is_file():
        normalizer = read_object(source / "tokenizer.json").get("normalizer") or {}
        if "lowercase" in normalizer:
            return bool(normalizer["lowercase"])
    return None


def _encoder_config(settings: dict[str, Any], source: Path) -> BertConfig:
    kind = settings.get("model_type", "bert")
    if kind != "bert":
        raise ValueError(
            f'{source / "config.json"} names the encoder family {kind!r}, but original checkpoints have a "bert"'
        )
    if "num_attention_heads" not in settings:
        raise ValueError(
            f"{source / 'config.json'} lacks num_attention_heads, which no tensor tells: is it an encoder's?"
        )
    try:
        return BertConfig(**{name: value for name, value in settings.items() if name not in _NOT_THE_ENCODERS})
    except (TypeError, ValueError, StrictDataclassError) as error:
        raise ValueError(f"{source / 'config.json'} is not the configuration of a BERT: {error}") from error


def _encoder_sizes(weights: Mapping[str, Tensor]) -> dict[str, int]:
    """The sizes of the encoder that shapes tell; config.json overrides them, and all shapes are checked later."""
    sources = {
        ("vocab_size", 0): "bert.embeddings.word_embeddings.weight",
        ("hidden_size", 1): "bert.embeddings.word_embeddings.weight",
        ("max_position_embeddings", 0): "bert.embeddings.position_embeddings.weight",
        ("type_vocab_size", 0): "bert.embeddings.token_type_embeddings.weight",
        ("intermediate_size", 0): "bert.encoder.layer.0.intermediate.dense.weight",
    }
    sizes = {
        size: weights[name].shape[dimension]
        for (size, dimension), name in sources.items()
        if name in weights and weights[name].ndim == 2
    }
    layers = {name.split(".")[3] for name in weights if name.startswith("bert.encoder.layer.")}
    return {**sizes, "num_hidden_layers": len(layers)}


def _width_table(weights: Mapping[str, Tensor]) -> dict[str, Any]:
    """Rows and size of the width embedding table, where the checkpoint has one of two dimensions."""
    table = weights.get("size_embeddings.weight")
    if table is None:
        # No table: either the embedding is of size 0, or it is missing. The classifier's input tells which.
        classifier, hidden = weights.get("entity_classifier.weight"), weights.get("bert.embeddings.LayerNorm.weight")
        if classifier is not None and hidden is not None and classifier.shape[-1] == 2 * len(hidden):
            return {"width_embedding_size": 0}
        return {}
    return {} if table.ndim != 2 else {"width_table_size": table.shape[0], "width_embedding_size": table.shape[1]}


def _build_model(config: SpertConfig, weights: dict[str, Tensor]) -> SpertModel:
    """The model with the checkpoint's weights.

    Raises:
        ValueError: Listing missing, unknown and mis-shaped tensors by their names in the original.
    """
    with torch.device("meta"):  # shapes only: sizes in config.json may be wrong, and beyond all memory
        outline = SpertModel(config)
    expected = {_original_name(name): (name, tensor.shape) for name, tensor in outline.state_dict().items()}
    missing = [f"{name} {tuple(shape)}" for name, (_, shape) in expected.items() if name not in weights]
    unknown = [f"{name} {tuple(tensor.shape)}" for name, tensor in weights.items() if name not in expected]
    shapes = [
        f"{name} is {tuple(weights[name].shape)}, expected {tuple(shape)}"
        for name, (_, shape) in expected.items()
        if name in weights and weights[name].shape != shape
    ]
    parts = {"missing": missing, "unknown": unknown, "of another shape": shapes}
    problems = [f"{title} ({len(lines)}): {_some_of(lines)}" for title, lines in parts.items() if lines]
    if problems:
        raise ValueError(
            "the checkpoint's tensors do not fit its config.json and the types file, which name "
            f"{len(config.entity_types)} entity types (with none, {config.num_entity_classes} classes) and "
            f"{config.num_relation_types} relation types. " + ". ".join(problems)
        )
    model = SpertModel(config)
    model.load_state_dict({name: weights[original] for original, (name, _) in expected.items()})
    return model.eval()


def _some_of(lines: Sequence[str], most: int = 8) -> str:
    return "; ".join([*lines[:most], *([f"and {len(lines) - most} more"] if len(lines) > most else [])])


def _original_name(name: str) -> str:
    """The original's name of a tensor.

    >>> _original_name("backbone.embeddings.LayerNorm.bias"), _original_name("relation_classifier.bias")
    ('bert.embeddings.LayerNorm.bias', 'rel_classifier.bias')
    """
    own = next(prefix for prefix in _ORIGINAL_NAMES if name.startswith(prefix))
    return _ORIGINAL_NAMES[own] + name.removeprefix(own)


def _save_folder(model: SpertModel, tokenizer: BertTokenizer, output: Path) -> None:
    """Write the folder whole: a kill leaves no half-written model under its name."""
    with staged_folder(output) as staged:
        save_parts(model, tokenizer, staged)
        add_card(staged, place=output)
        replace_folder(staged, output)


def parse_arguments(argv: Sequence[str] | None = None) -> argparse.Namespace:
    """The command line; what a checkpoint does not hold has no default."""
    parser = CommandParser(
        prog="python -m modeling_spert.convert_original",
        description="Turn a checkpoint folder of the original SpERT implementation into a model folder.",
    )
    parser.add_argument("source", metavar="SOURCE", help="the original's checkpoint folder")
    parser.add_argument("--types", help="types file it was trained with; default: SOURCE/types.json")
    parser.add_argument("--output", required=True, metavar="DIR", help="model folder to write, absent or empty")
    parser.add_argument("--max_span_width", type=int, help="widest candidate span in words (original: max_span_size)")
    parser.add_argument(
        "--relation_threshold", type=float, help="probability from which a relation holds (rel_filter_threshold)"
    )
    case = parser.add_mutually_exclusive_group()
    case.add_argument("--cased", dest="lowercase", action="store_false", default=None, help="words keep their case")
    case.add_argument("--uncased", dest="lowercase", action="store_true", default=None, help="words are lower-cased")
    parser.add_argument("--train_data", help="training file, to infer how raw text is split into words")
    args = parser.parse_args(argv)
    for name, original, usual in (
        ("max_span_width", "max_span_size", 10),
        ("relation_threshold", "rel_filter_threshold", 0.4),
    ):
        if getattr(args, name) is None:
            parser.error(
                f"--{name} is needed: the checkpoint does not hold it. It is `{original}` of the configuration that "
                f"the original was trained or evaluated with ({usual} in its examples)"
            )
    return args


@command()
def main(argv: Sequence[str] | None = None) -> None:
    """Convert, and print where the model is."""
    args = parse_arguments(argv)
    logging.disable_progress_bar()
    convert_checkpoint(**vars(args))
    print(f"Wrote the model to {args.output}")


if __name__ == "__main__":
    sys.exit(main())
