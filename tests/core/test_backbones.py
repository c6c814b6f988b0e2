"""Every kind of encoder, from its folder and its own tokenizer to a training step and back to a folder."""

from __future__ import annotations

import json
import logging
from dataclasses import dataclass
from pathlib import Path

import pytest
import torch
from tiny_models import KINDS, POSITIONS, SENTENCES, build_tokenizer, save_backbone
from torch import Tensor
from transformers import AutoTokenizer, PreTrainedTokenizerBase

from modeling_spert import SpertModel
from modeling_spert.tokenization_spert import EncodedSentence, encode_sentences, special_affixes
from modeling_spert.training.tokenizer import load_tokenizer
from modeling_spert.windows_spert import Window, collate_windows, make_windows, window_length

# Words with what gets lost first: punctuation that belongs to the word before it, letters no vocabulary knows, case.
WORDS = [*SENTENCES[0].split(), "'s", "co-founder", "(", "Norvane", "'s", "Æther", "norvane", "2024", "™"]
BYTE_LEVEL = ("roberta", "modernbert", "eurobert")
NO_POSITION_TABLE = ("modernbert", "eurobert")


@dataclass(frozen=True)
class Backbone:
    kind: str
    folder: Path
    model: SpertModel
    tokenizer: PreTrainedTokenizerBase

    @property
    def tokenizer_options(self) -> dict[str, bool]:
        """What the caller must say where the folder does not."""
        return {"do_lower_case": False} if self.kind == "scibert" else {}

    def windows(self, sentences: list[list[str]], context: str = "none") -> list[Window]:
        limit = window_length(self.tokenizer, self.model.config.max_window_length)
        encoded = encode_sentences(self.tokenizer, sentences)
        return make_windows(encoded, special_affixes(self.tokenizer), limit, context, overlap=4)

    def batch(self) -> dict[str, Tensor]:
        windows = self.windows([sentence.split() for sentence in SENTENCES])
        return collate_windows(windows, self.tokenizer.pad_token_id)


@pytest.fixture(scope="module", params=KINDS)
def backbone(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Backbone:
    folder = tmp_path_factory.mktemp(request.param)
    save_backbone(request.param, folder)
    torch.manual_seed(0)
    model = SpertModel.from_backbone(str(folder), entity_types=["A", "B"], relation_types=["r"], max_span_width=3)
    options = {"do_lower_case": False} if request.param == "scibert" else {}
    return Backbone(request.param, folder, model, load_tokenizer(str(folder), **options))


def encode_words(tokenizer: PreTrainedTokenizerBase, words: list[str]) -> list[int]:
    (encoded,) = encode_sentences(tokenizer, [words])
    return list(encoded.input_ids)


def test_backbones_words_read_as_in_running_text(backbone: Backbone):
    plain = AutoTokenizer.from_pretrained(backbone.folder, **backbone.tokenizer_options)
    running = plain(" " + " ".join(WORDS), add_special_tokens=False)["input_ids"]
    assert encode_words(backbone.tokenizer, WORDS) == running
    # A sentence's first word is no exception.
    assert [number for word in WORDS for number in encode_words(backbone.tokenizer, [word])] == running
    assert (encode_words(plain, WORDS) == running) == (backbone.kind not in BYTE_LEVEL)


def test_backbones_saved_tokenizer_keeps_the_word_boundaries(backbone: Backbone, tmp_path: Path):
    expected = encode_words(backbone.tokenizer, WORDS)
    backbone.tokenizer.save_pretrained(tmp_path / "once")
    # Loaded by a stranger, and saved once more from there.
    for name in ("once", "twice"):
        loaded = AutoTokenizer.from_pretrained(tmp_path / name)
        assert encode_words(loaded, WORDS) == expected
        assert encode_words(load_tokenizer(str(tmp_path / name)), WORDS) == expected
        assert special_affixes(loaded) == special_affixes(backbone.tokenizer)
        loaded.save_pretrained(tmp_path / "twice")


def test_backbones_cased_vocabulary_keeps_case(backbone: Backbone):
    upper, lower = encode_words(backbone.tokenizer, ["Norvane"]), encode_words(backbone.tokenizer, ["norvane"])
    assert (upper == lower) == (backbone.kind in ("bert", "distilbert", "electra", "albert"))


def test_backbones_every_word_has_subwords(backbone: Backbone):
    words = [*WORDS, "", "\u200b", "\xad", " ", "\t", "字", "\U0001f600", "[SEP]", "<s>", "a b", "x" * 300]
    limit = POSITIONS * 20
    (window,) = make_windows(
        encode_sentences(backbone.tokenizer, [words]), special_affixes(backbone.tokenizer), limit, overlap=4
    )
    index = list(window.word_index)
    before, after = special_affixes(backbone.tokenizer)
    assert index[: len(before)] == [-1] * len(before) and index[len(index) - len(after) :] == [-1] * len(after)
    inner = index[len(before) : len(index) - len(after)]
    assert inner == sorted(inner) and set(inner) == set(range(len(words)))
    assert len(window.input_ids) == len(index) and None not in window.input_ids
    # Nothing a word says can end the window early for what stands after it.
    assert window.input_ids[: len(before)] == before and window.input_ids[len(index) - len(after) :] == after


def test_backbones_longest_window_fills_the_encoder(backbone: Backbone):
    config, tokenizer = backbone.model.config, backbone.tokenizer
    assert config.max_window_length == window_length(tokenizer, config.max_window_length) == POSITIONS
    specials = sum(map(len, special_affixes(tokenizer)))

    def forward(length: int):
        words = EncodedSentence((6,) * (length - specials), (1,) * (length - specials))
        (window,) = make_windows([words], special_affixes(tokenizer), length)
        assert len(window.input_ids) == length
        with torch.no_grad():
            return backbone.model.eval()(**collate_windows([window], tokenizer.pad_token_id))

    assert forward(POSITIONS).entity_logits.isfinite().all()
    if backbone.kind not in NO_POSITION_TABLE:
        with pytest.raises((IndexError, RuntimeError)):
            forward(POSITIONS + 1)


def test_backbones_long_sentences_become_windows_it_can_read(backbone: Backbone):
    words = WORDS * 5
    windows = backbone.windows([words])
    assert len(windows) > 3 and max(len(window.input_ids) for window in windows) <= POSITIONS
    covered = {word for window in windows for word in range(window.pieces[0].start, window.pieces[0].end)}
    assert covered == set(range(len(words)))
    with torch.no_grad():
        output = backbone.model.eval()(**collate_windows(windows, backbone.tokenizer.pad_token_id))
    assert set(output.spans[:, 0].tolist()) == set(range(len(windows)))


def test_backbones_training_step_reaches_every_weight(backbone: Backbone):
    model, batch = backbone.model, backbone.batch()
    spans = model.eval()(**batch).spans[::3]
    pairs = torch.tensor([[0, 1], [1, 2], [2, 0]])
    labels = {"span_labels": torch.arange(len(spans)) % 3, "pair_labels": torch.tensor([[1.0], [0.0], [1.0]])}
    model.train()
    loss = model(**batch, spans=spans, pairs=pairs, **labels).loss
    loss.backward()
    missing = [name for name, parameter in model.named_parameters() if parameter.grad is None]
    assert missing == []  # one would stop distributed training
    still = [
        name
        for name, parameter in model.named_parameters()
        # Attention does not change when all keys move alike: their bias has no gradient but rounding errors.
        if not parameter.grad.any() and not name.endswith("key.bias")
    ]
    assert still == []
    model.zero_grad()


@torch.no_grad()
def test_backbones_saved_model_gives_equal_answers(backbone: Backbone, tmp_path: Path):
    backbone.model.save_pretrained(tmp_path)
    loaded, info = SpertModel.from_pretrained(tmp_path, output_loading_info=True)
    assert not any(info[key] for key in ("missing_keys", "unexpected_keys", "mismatched_keys"))
    assert type(loaded.backbone) is type(backbone.model.backbone)
    batch = backbone.batch()
    expected, found = backbone.model.eval()(**batch, entity_threshold=0.0), loaded(**batch, entity_threshold=0.0)
    assert len(expected.pairs) > 100
    for name in ("entity_logits", "relation_logits"):
        torch.testing.assert_close(found[name], expected[name], rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("kind", ["xlm-roberta", "deberta-v2"])
def test_backbones_sentencepiece_without_dummy_prefix_marks_words_all_the_same(kind: str, tmp_path: Path):
    # Some converted SentencePiece models say add_prefix_space=False: words split beforehand would lose their marks.
    words = SENTENCES[0].split()
    expected = encode_words(build_tokenizer(kind), words)
    tokenizer = type(build_tokenizer(kind))(vocab=_vocabulary(kind), add_prefix_space=False)
    tokenizer.save_pretrained(tmp_path)
    assert encode_words(load_tokenizer(str(tmp_path)), words) == expected
    load_tokenizer(str(tmp_path)).save_pretrained(tmp_path / "again")
    assert encode_words(AutoTokenizer.from_pretrained(tmp_path / "again"), words) == expected


def _vocabulary(kind: str) -> list[tuple[str, float]]:
    model = json.loads(build_tokenizer(kind).backend_tokenizer.to_str())["model"]
    return [(token, score) for token, score in model["vocab"]]


def test_backbones_cased_folder_without_settings_warns(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    messages: list[str] = []
    logger = logging.getLogger("modeling_spert.training")
    monkeypatch.setattr(logger, "warning", lambda message, *args: messages.append(message))
    save_backbone("scibert", tmp_path / "cased")  # nothing but a vocab.txt says that it is cased
    save_backbone("bert", tmp_path / "uncased")
    load_tokenizer(str(tmp_path / "uncased"))
    load_tokenizer(str(tmp_path / "cased"), do_lower_case=False)
    assert messages == []
    load_tokenizer(str(tmp_path / "cased"))
    assert len(messages) == 1 and "lower-cases words" in messages[0] and "do_lower_case=False" in messages[0]


def test_backbones_slow_tokenizer_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    class Slow:
        is_fast = False

    monkeypatch.setattr(AutoTokenizer, "from_pretrained", lambda *args, **kwargs: Slow())
    with pytest.raises(ValueError, match=r"some/encoder has no fast tokenizer \(tokenizer\.json\)"):
        load_tokenizer("some/encoder")
