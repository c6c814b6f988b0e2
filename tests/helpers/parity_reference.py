"""The original implementation's tiny SciERC model, what it answered and how it trained: arrays and numbers, no words.

Subwords are renumbered: the table of word embeddings holds only those that occur here. To write the stored files anew,
from the repository's root:

    python -c "import sys; sys.path.insert(0, 'tests'); import parity_reference; parity_reference.write('../shared')"
"""

from __future__ import annotations

import functools
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from score_reference import reference
from torch import Tensor
from transformers import AutoConfig

from modeling_spert import SpertConfig, SpertModel
from modeling_spert.tokenization_spert import EncodedSentence, encode_sentences, special_affixes
from modeling_spert.training.tokenizer import load_tokenizer
from modeling_spert.windows_spert import Window, collate_windows, make_windows

FOLDER = Path(__file__).parents[1] / "data" / "reference"
ARRAYS = FOLDER / "scierc_tiny.npz"  # weights, and the answers to 59 test sentences
TRAINING = FOLDER / "scierc_tiny_training.json"  # samples, losses and learning rates
MAX_SPAN_WIDTH, RELATION_THRESHOLD = 8, 0.3
_LONGEST = 128  # positions kept of 512
# Test sentences with relations of symmetric types that the model finds the wrong way round, or both ways; the 52 have
# none.
TURNED_ROWS = (47, 166, 191, 334, 421, 450, 489)


def build_model(
    weights: Mapping[str, Tensor], encoder: Mapping[str, Any], types: Mapping[str, Sequence[str]]
) -> SpertModel:
    """A SpERT model with the original's weights under our names, in eval mode."""
    settings = dict(encoder)
    settings["vocab_size"] = len(weights["backbone.embeddings.word_embeddings.weight"])
    settings["max_position_embeddings"] = len(weights["backbone.embeddings.position_embeddings.weight"])
    config = SpertConfig(
        backbone_config=AutoConfig.for_model("bert", **settings),
        max_span_width=MAX_SPAN_WIDTH,
        relation_threshold=RELATION_THRESHOLD,
        **types,
    )
    model = SpertModel(config)
    model.load_state_dict(dict(weights))
    return model.eval()


def window_of(sentence: EncodedSentence, affixes: tuple[tuple[int, ...], tuple[int, ...]]) -> Window:
    (window,) = make_windows([sentence], affixes, 512)
    return window


def training_batch(samples: Sequence[Mapping[str, Any]], windows: Sequence[Window]) -> dict[str, Tensor]:
    """The batch of some samples of the original, with the spans and pairs that it drew."""
    batch = collate_windows(windows, 0)
    spans = [[row, *span] for row, sample in enumerate(samples) for span in sample["spans"]]
    firsts = np.cumsum([0, *(len(sample["spans"]) for sample in samples)])
    pairs = [[h + firsts[row], t + firsts[row]] for row, sample in enumerate(samples) for h, t in sample["pairs"]]
    labels = [label for sample in samples for label in sample["span_types"]]
    pair_labels = [label for sample in samples for label in sample["pair_types"]]
    Q = len(types()["relation_types"])
    batch["spans"], batch["span_labels"] = torch.tensor(spans), torch.tensor(labels)
    batch["pairs"] = torch.tensor(pairs, dtype=torch.long).reshape(-1, 2)
    batch["pair_labels"] = torch.tensor(pair_labels, dtype=torch.float32).reshape(-1, Q)
    return batch


def types() -> dict[str, list[str]]:
    """The labels, in the order of the classifiers."""
    return {name: reference()[name] for name in ("entity_types", "relation_types", "symmetric_relation_types")}


# --- What is stored -----------------------------------------------------------------------------------------------


@functools.cache
def stored_arrays() -> dict[str, np.ndarray]:
    with np.load(ARRAYS) as arrays:
        return dict(arrays)


@functools.cache
def stored_training() -> dict[str, Any]:
    return json.loads(TRAINING.read_text("utf-8"))


def stored_model(**encoder: Any) -> SpertModel:
    """The tiny model; settings of its encoder may be overridden."""
    weights = {
        name.removeprefix("weights/"): torch.from_numpy(array)
        for name, array in stored_arrays().items()
        if name.startswith("weights/")
    }
    return build_model(weights, {**stored_training()["encoder"], **encoder}, types())


def stored_rows() -> list[int]:
    """Numbers of the 52 test sentences."""
    return stored_arrays()["rows"].tolist()


def stored_answer(row: int, name: str) -> np.ndarray:
    """`span_words` (N, 2), `entity_probs` (N, 7), `pair_spans` (P, 2) or `relation_probs` (P, 7) of a sentence."""
    return stored_arrays()[f"{row}/{name}"]


def stored_prediction(row: int) -> dict[str, Any]:
    """What the original predicts for a sentence, with scores."""
    predicted = reference()["predicted"][row]
    return {
        kind: [
            {**item, "score": score}
            for item, score in zip(predicted[kind], stored_answer(row, f"{kind}_scores").tolist(), strict=True)
        ]
        for kind in ("entities", "relations")
    }


def stored_window(row: int) -> Window:
    arrays = stored_arrays()
    return _stored_window(arrays[f"{row}/input_ids"].tolist(), arrays[f"{row}/subwords"].tolist())


def stored_batch(samples: Sequence[Mapping[str, Any]]) -> dict[str, Tensor]:
    windows = [_stored_window(sample["input_ids"], sample["subwords"]) for sample in samples]
    return training_batch(samples, windows)


def _stored_window(input_ids: Sequence[int], subwords: Sequence[int]) -> Window:
    sentence = EncodedSentence(tuple(input_ids[1:-1]), tuple(subwords))
    return window_of(sentence, ((input_ids[0],), (input_ids[-1],)))


# --- From ../shared -----------------------------------------------------------------------------------------------


def read_json(path: Path) -> Any:
    return json.loads(path.read_text("utf-8"))


def checkpoint_folder(shared: Path) -> Path:
    return shared / "reference" / "scierc_tiny" / "original_checkpoint"


def original_weights(shared: Path) -> dict[str, Tensor]:
    """The original's weights under our names."""
    saved = torch.load(checkpoint_folder(shared) / "pytorch_model.bin", weights_only=True)
    names = {"bert": "backbone", "rel_classifier": "relation_classifier", "size_embeddings": "width_embeddings"}
    kept = {key: value for key, value in saved.items() if "pooler" not in key and "position_ids" not in key}
    return {
        ".".join((names.get(head, head), rest)): kept[f"{head}.{rest}"]
        for head, rest in (k.split(".", 1) for k in kept)
    }


def encoder_settings(shared: Path) -> dict[str, Any]:
    """What of the checkpoint's configuration its encoder needs; the sizes of its tables are in the weights."""
    config = read_json(checkpoint_folder(shared) / "config.json")
    names = ("hidden_size", "num_hidden_layers", "num_attention_heads", "intermediate_size", "hidden_act",
             "layer_norm_eps", "type_vocab_size", "hidden_dropout_prob", "attention_probs_dropout_prob")  # fmt: skip
    return {name: config[name] for name in names}


def reference_from_shared(shared: Path) -> tuple[dict[str, np.ndarray], dict[str, Any]]:
    """What ARRAYS and TRAINING hold."""
    folder = shared / "reference" / "scierc_tiny"
    outputs, rows = np.load(folder / "eval_outputs.npz"), read_json(folder / "eval_rows.json")
    predictions = read_json(folder / "predictions.json")
    losses, steps = read_json(folder / "train_loss.json"), read_json(folder / "train_steps.json")
    samples = [*losses["samples"], *(sample for step in steps["steps"] for sample in step["samples"])]
    tokenizer = load_tokenizer(str(checkpoint_folder(shared)))
    test_set = read_json(shared / "data" / "scierc" / "scierc_test.json")
    decoded = [row["row"] for row in rows] + list(TURNED_ROWS)
    encoded = encode_sentences(
        tokenizer, [test_set[row]["tokens"] for row in decoded] + [it["tokens"] for it in samples]
    )
    (cls,), (sep,) = special_affixes(tokenizer)
    used = sorted({0, cls, sep, *(number for sentence in encoded for number in sentence.input_ids)})
    renumbered = {old: new for new, old in enumerate(used)}

    def numbers(ids: Sequence[int]) -> list[int]:
        return [renumbered[number] for number in ids]

    arrays: dict[str, np.ndarray] = {"rows": np.array([row["row"] for row in rows])}
    for row, sentence in zip(decoded, encoded, strict=False):
        for kind in ("entities", "relations"):
            arrays[f"{row}/{kind}_scores"] = np.array([item["score"] for item in predictions[row][kind]])
        arrays[f"{row}/input_ids"] = np.array(numbers([cls, *sentence.input_ids, sep]), dtype=np.int16)
        arrays[f"{row}/subwords"] = np.array(sentence.subwords_per_word, dtype=np.int16)
    for row in arrays["rows"].tolist():
        assert numbers(outputs[f"{row}/input_ids"].tolist()) == arrays[f"{row}/input_ids"].tolist()
        for name, width in (("span_words", 2), ("entity_probs", 7), ("pair_spans", 2), ("relation_probs", 7)):
            array = outputs[f"{row}/{name}"].reshape(-1, width)
            arrays[f"{row}/{name}"] = array.astype(np.int16) if array.dtype.kind == "i" else array
    for name, tensor in original_weights(shared).items():
        kept = used if name.endswith("word_embeddings.weight") else slice(None)
        kept = slice(_LONGEST) if name.endswith("position_embeddings.weight") else kept
        arrays[f"weights/{name}"] = tensor[kept].numpy()

    sentences = iter(encoded[len(decoded) :])

    def bare(sample: Mapping[str, Any]) -> dict[str, Any]:
        sentence = next(sentences)
        ids = numbers([cls, *sentence.input_ids, sep])
        names = ("spans", "span_types", "pairs", "pair_types")
        return {"input_ids": ids, "subwords": sentence.subwords_per_word, **{name: sample[name] for name in names}}

    training = {
        "encoder": encoder_settings(shared),
        "loss": {**{name: losses[name] for name in ("entity_loss", "relation_loss", "loss")},
                 "samples": [bare(sample) for sample in losses["samples"]]},
        "steps": {
            **{name: value for name, value in steps.items() if name != "steps"},
            "steps": [
                {"loss": s["loss"], "lr": s["lr"], "samples": [bare(sample) for sample in s["samples"]]}
                for s in steps["steps"]
            ],
        },
    }  # fmt: skip
    return arrays, json.loads(json.dumps(training))


def write(shared: str) -> None:
    """Write ARRAYS and TRAINING."""
    arrays, training = reference_from_shared(Path(shared))
    np.savez_compressed(ARRAYS, **arrays)
    TRAINING.write_text(json.dumps(training, separators=(",", ":")) + "\n", "utf-8")
