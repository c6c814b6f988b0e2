"""What the benchmarks run on: an encoder, SpERT heads that keep about as many spans as the gold holds, and texts.

Encoders: "base" has BERT base's shape (12 layers, hidden 768) and random weights; "bundled" is all-MiniLM-L6-v2 with
its pretrained weights; "tiny" is for trying the scripts out; `--model FOLDER` is a trained SpERT model. The cost of an
untrained model depends on how many spans survive the span classifier, so its biases are set on the texts at hand: as
many spans become entities, and as many relations hold, as the gold annotation has. A trained model is left as it is.
All share the tokenizer of the bundled encoder, which the `demo` extra installs.

Shape letters: B windows, S candidate spans, E entity classes, Q relation types.
"""

from __future__ import annotations

import argparse
import copy
import random
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor
from transformers import AutoConfig, PreTrainedTokenizerBase

from datasets_scripts import load_joint_dataset
from modeling_spert import SpertConfig, SpertModel
from modeling_spert.decoding_spert import decode_windows, decoding_rules
from modeling_spert.evaluation.examples import Example
from modeling_spert.tokenization_spert import encode_sentences, special_affixes
from modeling_spert.training.build_model import bundled_backbone
from modeling_spert.training.labelling import window_examples
from modeling_spert.training.tokenizer import load_tokenizer
from modeling_spert.windows_spert import Window, collate_windows, make_windows, plan_batches

SHAPES: dict[str, dict[str, int]] = {
    "base": {"hidden_size": 768, "num_hidden_layers": 12, "num_attention_heads": 12, "intermediate_size": 3072},
    "tiny": {"hidden_size": 32, "num_hidden_layers": 2, "num_attention_heads": 2, "intermediate_size": 64},
}
# Every lever, in the sizes that docs/levers.md has figures for.
LEVERS: dict[str, Any] = {
    "word_features": ["case"],
    "span_borders": "inside",
    "type_pairs": True,
    "pair_product": 64,
}
DTYPES = {"fp32": torch.float32, "tf32": torch.float32, "bf16": torch.bfloat16}


@dataclass(frozen=True)
class Setting:
    """Where and how a row is measured; `threads` is 0 on a GPU."""

    device: str
    threads: int
    dtype: str

    @property
    def is_available(self) -> bool:
        """Whether this machine has the device."""
        return self.device == "cpu" or torch.cuda.is_available()

    def apply(self) -> None:
        """Set the threads and the precision of matrix products."""
        if self.threads:
            torch.set_num_threads(self.threads)
        torch.set_float32_matmul_precision("high" if self.dtype == "tf32" else "highest")


@dataclass(frozen=True)
class Workload:
    """A model, its tokenizer, and labelled sentences."""

    model: SpertModel
    tokenizer: PreTrainedTokenizerBase
    examples: list[Example]
    data: str
    encoder: str

    @property
    def texts(self) -> list[str]:
        """The sentences as raw strings."""
        return [" ".join(example["tokens"]) for example in self.examples]

    @property
    def num_words(self) -> int:
        """Words of all sentences."""
        return sum(len(example["tokens"]) for example in self.examples)

    def windows(self) -> list[Window]:
        """A window per sentence."""
        return [window for _, window in window_examples(self.examples, self.tokenizer, self.model.config)]


def parser_of(docstring: str, *, quick: str) -> argparse.ArgumentParser:
    """The arguments that all benchmarks share.

    Args:
        docstring: Of the script: its method, printed by --help.
        quick: What `--quick` shrinks.
    """
    parser = argparse.ArgumentParser(
        description=docstring, formatter_class=argparse.RawDescriptionHelpFormatter, allow_abbrev=False
    )
    parser.add_argument("--encoder", choices=["base", "bundled", "tiny"], default="base", help="see workload.py")
    parser.add_argument("--model", help="folder or Hub name of a trained SpERT model, instead of --encoder")
    parser.add_argument("--data_dir", help="folder of CoNLL04; default: the demo corpus")
    parser.add_argument("--texts", type=int, default=64, help="sentences of the split, spread over it; 0: all")
    parser.add_argument("--worst_case", action="store_true", help="add rows for a model that keeps every span")
    parser.add_argument("--devices", nargs="+", choices=["cpu", "cuda"], default=["cpu", "cuda"])
    parser.add_argument("--threads", nargs="+", type=int, default=[1, 2], help="CPU threads, a row each")
    parser.add_argument("--dtypes", nargs="+", choices=list(DTYPES), default=["fp32", "tf32", "bf16"])
    parser.add_argument("--repetitions", type=int, default=5, help="timed repetitions")
    parser.add_argument("--warmup", type=int, default=1, help="repetitions before them")
    parser.add_argument(
        "--json",
        nargs="?",
        const="",
        help="write JSON here; without a value to benchmarks/results/<name>_<device>.json",
    )
    parser.add_argument("--quick", action="store_true", help=f"try the script out: {quick}")
    return parser


def settings_of(args: argparse.Namespace) -> list[Setting]:
    """A setting per device, thread count and precision; tf32 exists on GPUs only."""
    cpu = [Setting("cpu", threads, dtype) for threads in args.threads for dtype in args.dtypes if dtype != "tf32"]
    cuda = [Setting("cuda", 0, dtype) for dtype in args.dtypes]
    return [*(cpu if "cpu" in args.devices else ()), *(cuda if "cuda" in args.devices else ())]


def results_device(settings: Sequence[Setting]) -> str:
    """The device in the name of the results: that of the rows that can be measured here."""
    return "cuda" if any(setting.device == "cuda" and setting.is_available for setting in settings) else "cpu"


def load_workload(args: argparse.Namespace, split: str = "test") -> Workload:
    """The model and the sentences that the arguments name; an untrained model is balanced on these sentences."""
    data = load_joint_dataset("conll04", data_dir=args.data_dir) if args.data_dir else load_joint_dataset("demo")
    examples: list[Example] = list(data.select(split))
    if args.texts:
        step = max(len(examples) / args.texts, 1.0)
        examples = [examples[int(i * step)] for i in range(min(args.texts, len(examples)))]
    if args.model:
        model, name = SpertModel.from_pretrained(args.model).eval(), "trained"
        return Workload(model, load_tokenizer(args.model), examples, data.name, name)
    labels: dict[str, Any] = {"entity_types": data.entity_types, "relation_types": data.relation_types}
    labels["symmetric_relation_types"] = data.symmetric_relation_types
    tokenizer = load_tokenizer(bundled_backbone())
    torch.manual_seed(0)
    if args.encoder == "bundled":
        model = SpertModel.from_backbone(bundled_backbone(), **labels)
    else:
        shape = AutoConfig.for_model("bert", vocab_size=len(tokenizer), **SHAPES[args.encoder])
        model = SpertModel(SpertConfig(backbone_config=shape, **labels)).eval()
    workload = Workload(model, tokenizer, examples, data.name, args.encoder)
    entities = sum(len(example["entities"]) for example in examples)
    relations = sum(len(example["relations"]) for example in examples)
    balance(model, collate(plan(workload.windows(), 32), tokenizer), entities, relations)
    return workload


@torch.inference_mode()
def balance(model: SpertModel, batches: Sequence[dict[str, Tensor]], entities: int, relations: int) -> None:
    """Set the biases so that about this many spans are entities, and relations hold, over all the batches.

    The whole sentence's share of a span's score is set to zero, else a random model takes all spans of few sentences.
    """
    with torch.no_grad():
        model.entity_classifier.weight[:, : model.config.backbone_config.hidden_size] = 0
    logits_SE = torch.cat([model(**batch).entity_logits for batch in batches])
    margins = logits_SE[:, 1:].amax(1) - logits_SE[:, 0]
    model.entity_classifier.bias[0] += _threshold(margins, entities)
    if model.relation_classifier is not None:
        logits = torch.cat([model(**batch).relation_logits.flatten() for batch in batches])
        cut = torch.logit(torch.tensor(model.config.relation_threshold))
        model.relation_classifier.bias += cut - _threshold(logits, relations)


def _threshold(values: Tensor, count: int) -> Tensor:
    """A value that `count` of these exceed: halfway between two of them, so that no rounding decides."""
    if values.numel() == 0:
        return values.new_zeros(())
    ordered = values.sort(descending=True).values
    bounded = torch.cat((ordered[:1] + 1, ordered, ordered[-1:] - 1))
    above = min(count, len(ordered))
    return bounded[above : above + 2].mean()


def keep_every_span(model: SpertModel) -> SpertModel:
    """A copy whose every candidate span is an entity: the most pairs there can be."""
    greedy = copy.deepcopy(model)
    with torch.no_grad():
        greedy.entity_classifier.bias[0] = -1e4
    return greedy


def add_levers(model: SpertModel, overlap: str) -> SpertModel:
    """The model with all levers, around the same encoder.

    Their weights are zero, so that it finds the same entities and pairs: what differs is the work, not the answers,
    except for the entities that `overlap` drops.
    """
    config = copy.deepcopy(model.config)
    for name, value in {**LEVERS, "overlap": overlap}.items():
        setattr(config, name, value)
    levered = SpertModel(config)
    levered.backbone = model.backbone
    levered.to(model.device, model.dtype).load_state_dict(model.state_dict(), strict=False)
    with torch.no_grad():
        for name, parameter in levered.named_parameters():
            if name not in model.state_dict():
                parameter.zero_()
    return levered.eval()


def plan(windows: Sequence[Window], batch_size: int, max_tokens: int = 4096) -> list[list[Window]]:
    """Length-sorted batches, as the pipeline makes them."""
    lengths = [len(window.input_ids) for window in windows]
    return [[windows[row] for row in rows] for rows in plan_batches(lengths, batch_size, max_tokens)]


def collate(
    batches: Sequence[Sequence[Window]], tokenizer: PreTrainedTokenizerBase, device: str = "cpu"
) -> list[dict[str, Tensor]]:
    """The padded tensors of every batch."""
    collated = (collate_windows(batch, tokenizer.pad_token_id or 0) for batch in batches)
    return [{key: value.to(device) for key, value in batch.items()} for batch in collated]


def padding_share(batches: Sequence[Sequence[Window]]) -> float:
    """Share of padding in all subwords of the batches."""
    used = sum(len(window.input_ids) for batch in batches for window in batch)
    filled = sum(len(batch) * max(len(window.input_ids) for window in batch) for batch in batches)
    return 1 - used / filled


@torch.inference_mode()
def extract(model: SpertModel, batch: dict[str, Tensor], windows: Sequence[Window]) -> list:
    """Forward and decoding of one batch."""
    return decode_windows(model(**batch), windows, decoding_rules(model.config))


@torch.inference_mode()
def encode(model: SpertModel, batch: dict[str, Tensor]) -> Tensor:
    """The bare encoder on the same batch: the last layer's hidden states."""
    return model.backbone(input_ids=batch["input_ids"], attention_mask=batch["attention_mask"]).last_hidden_state


@torch.inference_mode()
def count_extracted(model: SpertModel, batches: Sequence[dict[str, Tensor]]) -> dict[str, int]:
    """Candidate spans, surviving spans and scored pairs over all batches."""
    spans = kept = pairs = 0
    for batch in batches:
        output = model(**batch)
        spans += len(output.spans)
        kept += int((output.entity_logits.argmax(1) > 0).sum())
        pairs += len(output.pairs)
    return {"spans": spans, "surviving": kept, "pairs": pairs}


def window_of_length(workload: Workload, num_subwords: int, seed: int = 0) -> Window:
    """One sentence of exactly this many subwords, special tokens included, made of the corpus's words."""
    before, after = special_affixes(workload.tokenizer)
    budget = num_subwords - len(before) - len(after)
    words = [word for example in workload.examples for word in example["tokens"]]
    random.Random(seed).shuffle(words)
    (sentence,) = encode_sentences(workload.tokenizer, [words * (1 + budget // len(words))])
    chosen, used = [], 0
    for word, count in zip(words * (1 + budget // len(words)), sentence.subwords_per_word, strict=True):
        if used + count <= budget:
            chosen.append(word)
            used += count
        if used == budget:
            break
    (encoded,) = encode_sentences(workload.tokenizer, [chosen])
    (window,) = make_windows([encoded], (before, after), num_subwords, "none")
    assert len(window.input_ids) == num_subwords
    return window
