"""Tiny random encoders with tokenizers of their own kinds, and batches for them: everything built here, offline."""

from __future__ import annotations

import functools
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch
from tokenizers import Regex, Tokenizer, decoders, models, pre_tokenizers, processors, trainers
from torch import Tensor
from transformers import (
    AlbertTokenizer,
    AutoConfig,
    AutoModel,
    BertTokenizer,
    DebertaV2Tokenizer,
    DistilBertTokenizer,
    PreTrainedModel,
    PreTrainedTokenizerFast,
    RobertaTokenizer,
    XLMRobertaTokenizer,
)

from modeling_spert import SpertConfig, SpertModel
from modeling_spert.tokenization_spert import EncodedSentence
from modeling_spert.windows_spert import Window, collate_windows, make_windows

SENTENCES = (
    "Maria Lund founded the Harbour Institute in Norvane , and she still runs it .",
    "The institute 's first director was born near Oslo ; nobody replaced him .",
    "Works of art from Norvane are rarely shown in the capital ( or anywhere else ) .",
)
WORDS = sorted({word for sentence in SENTENCES for word in sentence.split()})
# The encoders that issue 2 names, and EuroBERT for its tokenizer: a regular expression splits before the byte level.
KINDS = "bert scibert distilbert electra roberta modernbert eurobert albert xlm-roberta deberta-v2".split()
HIDDEN = 32
POSITIONS = 48  # what every encoder below can read, special tokens included

_SMALL = {
    "hidden_size": HIDDEN,
    "num_hidden_layers": 2,
    "num_attention_heads": 4,
    "intermediate_size": 48,
    "max_position_embeddings": POSITIONS,
}
_SETTINGS: dict[str, dict[str, Any]] = {
    "distilbert": {"dim": HIDDEN, "n_layers": 2, "n_heads": 4, "hidden_dim": 48, "max_position_embeddings": POSITIONS},
    "electra": {**_SMALL, "embedding_size": 24},
    # Positions count from padding_idx + 1 = 2: two rows of the table are never read.
    "roberta": {**_SMALL, "max_position_embeddings": POSITIONS + 2, "pad_token_id": 1},
    "xlm-roberta": {**_SMALL, "max_position_embeddings": POSITIONS + 2, "pad_token_id": 1},
    "albert": {**_SMALL, "embedding_size": 24},
    "modernbert": {**_SMALL, "local_attention": 16, "reference_compile": False},
    "eurobert": {**_SMALL, "num_key_value_heads": 2},
    "deberta-v2": {**_SMALL, "relative_attention": True, "pos_att_type": ["p2c", "c2p"], "position_buckets": 8},
}


@functools.cache
def _wordpiece_vocabulary(cased: bool) -> dict[str, int]:
    specials = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
    words = WORDS if cased else sorted({word.lower() for word in WORDS})
    letters = sorted({letter for word in words for letter in word})
    pieces = ["found", "##ed", "in", "##stitute"]
    tokens = dict.fromkeys([*specials, *letters, *(f"##{letter}" for letter in letters), *pieces, *words[::2]])
    return {token: number for number, token in enumerate(tokens)}


@functools.cache
def _byte_level_json(specials: tuple[str, ...], split: bool) -> str:
    """A byte-level BPE trained on the sentences above; `split`: words are split off before, as in Llama 3."""
    tokenizer = Tokenizer(models.BPE())
    level = pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=not split)
    pattern = Regex(r" ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+")
    tokenizer.pre_tokenizer = (
        pre_tokenizers.Sequence([pre_tokenizers.Split(pattern, "isolated"), level]) if split else level
    )
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=400,
        special_tokens=list(specials),
        initial_alphabet=sorted(pre_tokenizers.ByteLevel.alphabet()),
        show_progress=False,
    )
    tokenizer.train_from_iterator(SENTENCES, trainer)
    return tokenizer.to_str()


def _unigram_vocabulary(specials: Sequence[str], lower: bool) -> list[tuple[str, float]]:
    words = sorted({word.lower() for word in WORDS}) if lower else WORDS
    letters = sorted({letter for word in words for letter in word})
    pieces = [("▁", -4.0), *((letter, -6.0) for letter in letters)]
    # Longer pieces with and without the word mark: were the mark lost, other pieces would be read.
    for word in words[::2]:
        pieces += [(f"▁{word}", -5.0), (word, -5.5)] if len(word) > 1 else [(f"▁{word}", -5.0)]
    return [(token, 0.0) for token in specials] + pieces


def build_tokenizer(kind: str) -> PreTrainedTokenizerFast:
    """A fast tokenizer as the encoder's own: its class, its normalisation, its marks of words."""
    if kind in ("bert", "electra"):
        return BertTokenizer(vocab=_wordpiece_vocabulary(cased=False))
    if kind == "scibert":
        return BertTokenizer(vocab=_wordpiece_vocabulary(cased=True), do_lower_case=False)
    if kind == "distilbert":
        return DistilBertTokenizer(vocab=_wordpiece_vocabulary(cased=False))
    if kind == "roberta":
        bpe = Tokenizer.from_str(_byte_level_json(("<s>", "<pad>", "</s>", "<unk>", "<mask>"), split=False))
        return RobertaTokenizer(vocab=bpe.get_vocab(), merges=_merges(bpe))
    if kind in ("modernbert", "eurobert"):
        return _bare_byte_level(split=kind == "eurobert")
    if kind == "albert":
        specials = ("<pad>", "<unk>", "[CLS]", "[SEP]", "[MASK]")
        return AlbertTokenizer(vocab=_unigram_vocabulary(specials, lower=True))
    if kind == "xlm-roberta":
        specials = ("<s>", "<pad>", "</s>", "<unk>", "<mask>")
        return XLMRobertaTokenizer(vocab=_unigram_vocabulary(specials, lower=False))
    assert kind == "deberta-v2"
    specials = ("[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]")
    return DebertaV2Tokenizer(vocab=_unigram_vocabulary(specials, lower=False))


def _merges(bpe: Tokenizer) -> list[tuple[str, str]]:
    return [tuple(merge) for merge in json.loads(bpe.to_str())["model"]["merges"]]


def _bare_byte_level(split: bool) -> PreTrainedTokenizerFast:
    """A tokenizer that is its tokenizer.json and no class of its own, as ModernBERT's."""
    specials = ("[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]")
    bpe = Tokenizer.from_str(_byte_level_json(specials, split))
    ends = [(token, bpe.token_to_id(token)) for token in ("[CLS]", "[SEP]")]
    bpe.post_processor = processors.TemplateProcessing(single="[CLS] $A [SEP]", special_tokens=ends)
    names = {f"{token[1:-1].lower()}_token": token for token in specials}
    return PreTrainedTokenizerFast(tokenizer_object=bpe, **names)


def build_encoder(kind: str, vocab_size: int, **settings: Any) -> PreTrainedModel:
    """The encoder with random weights, the same each time, in eval mode."""
    model_type = "bert" if kind == "scibert" else kind
    settings = {**_SETTINGS.get(kind, _SMALL), "vocab_size": vocab_size, **settings}
    if kind in ("modernbert", "eurobert"):  # their defaults name tokens of a vocabulary of 50,000 and more
        settings |= {f"{name}_token_id": number for name, number in (("pad", 0), ("bos", 2), ("eos", 3))}
    if kind == "modernbert":
        settings |= {"cls_token_id": 2, "sep_token_id": 3}
    with torch.random.fork_rng():
        torch.manual_seed(0)
        return AutoModel.from_config(AutoConfig.for_model(model_type, **settings)).eval()


def save_backbone(kind: str, folder: Path, **settings: Any) -> PreTrainedModel:
    """Write an encoder with its tokenizer; SciBERT's folder holds only a `vocab.txt`, as on the Hub."""
    tokenizer = build_tokenizer(kind)
    encoder = build_encoder(kind, len(tokenizer), **settings)
    encoder.save_pretrained(folder)
    if kind == "scibert":
        (folder / "vocab.txt").write_text("\n".join(_wordpiece_vocabulary(cased=True)) + "\n", "utf-8")
    else:
        tokenizer.save_pretrained(folder)
    return encoder


def build_spert(
    seed: int = 0, scale: float = 1.0, backbone: dict[str, Any] | None = None, **settings: Any
) -> SpertModel:
    """A SpERT model with random weights on a tiny BERT, in eval mode.

    Args:
        seed: Of the weights.
        scale: Factor on the weights of the classifiers: with a larger one, probabilities lie farther apart.
        backbone: Settings of the BERT, over the tiny ones.
        **settings: Of `SpertConfig`.
    """
    settings = {"entity_types": ["A", "B", "C"], "relation_types": ["r", "s"], "max_span_width": 4, **settings}
    config = AutoConfig.for_model("bert", **{**_SMALL, "vocab_size": 64, **(backbone or {})})
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        model = SpertModel(SpertConfig(backbone_config=config, **settings)).eval()
        with torch.no_grad():
            for parameter in model.backbone.parameters():  # else every subword's vector is nearly the same
                parameter.add_(torch.randn_like(parameter) * 0.2)
            for head in (model.entity_classifier, model.relation_classifier):
                if head is not None:
                    head.weight.normal_(std=0.2 * scale)
    _balance(model)
    return model


@torch.no_grad()
def _balance(model: SpertModel) -> None:
    """Biases with which every class wins about equally often: some spans survive, some relations hold."""
    output = model(**build_batch(build_window([1, 2, 1, 3, 1, 1], [2, 1, 1], seed=9)))
    model.entity_classifier.bias.sub_(output.entity_logits.mean(0))
    if model.relation_classifier is not None and len(output.pairs):
        model.relation_classifier.bias.sub_(output.relation_logits.mean(0))


def encode_counts(counts: Sequence[int], seed: int = 0, vocab_size: int = 64) -> EncodedSentence:
    """A sentence whose words have these many subwords, with ids that depend on the seed only."""
    generator = torch.Generator().manual_seed(seed)
    ids = torch.randint(5, vocab_size, (sum(counts),), generator=generator).tolist()
    return EncodedSentence(tuple(ids), tuple(counts))


def build_window(*sentences: Sequence[int], seed: int = 0) -> Window:
    """One window over sentences given as subword counts of their words; none: a window without words."""
    if not sentences:
        return Window((2, 3), (-1, -1), (), ())
    encoded = [encode_counts(counts, seed * 100 + number) for number, counts in enumerate(sentences)]
    (window,) = make_windows(encoded, ((2,), (3,)), 10_000, "document")
    return window


def build_batch(*windows: Window) -> dict[str, Tensor]:
    """The padded batch of some windows."""
    return collate_windows(windows, 0)
