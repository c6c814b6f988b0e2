"""From words to subwords: every word has some, whatever its characters and length."""

from __future__ import annotations

import pytest
from tiny_models import SENTENCES, build_tokenizer

from modeling_spert.tokenization_spert import EncodedSentence, encode_sentences, special_affixes
from modeling_spert.windows_spert import make_windows


def test_encode_sentences_reads_words_without_subwords_as_unknown():
    tokenizer = build_tokenizer("bert")
    unknown = tokenizer.unk_token_id
    (encoded,) = encode_sentences(tokenizer, [["in", "", "\u200b", "in", "\x00", " "]])
    (number,) = encode_sentences(tokenizer, [["in"]])[0].input_ids
    assert encoded == EncodedSentence(
        (number, unknown, unknown, number, unknown, unknown), (1,) * 6, (2, 1, 1, 2, 1, 1)
    )


def test_encode_sentences_without_unknown_token_reads_the_padding_token():
    tokenizer = build_tokenizer("roberta")
    tokenizer.unk_token = None
    tokenizer.backend_tokenizer.normalizer = None
    (encoded,) = encode_sentences(tokenizer, [["in", ""]])
    assert encoded.subwords_per_word[1] == 1 and encoded.input_ids[-1] == tokenizer.pad_token_id


def test_encode_sentences_keeps_empty_sentences_in_their_place():
    tokenizer = build_tokenizer("bert")
    sentences = [[], SENTENCES[0].split(), [], SENTENCES[1].split()]
    together = encode_sentences(tokenizer, sentences)
    assert together == [encode_sentences(tokenizer, [sentence])[0] for sentence in sentences]
    assert together[0] == together[2] == EncodedSentence((), ())
    assert encode_sentences(tokenizer, []) == [] and encode_sentences(tokenizer, [[]]) == [EncodedSentence((), ())]


def test_encode_sentences_needs_no_limit_of_the_tokenizer(caplog: pytest.LogCaptureFixture):
    tokenizer = build_tokenizer("bert")
    tokenizer.model_max_length = 8
    (encoded,) = encode_sentences(tokenizer, [["in"] * 50])
    assert encoded.subwords_per_word == (1,) * 50 and not caplog.records


@pytest.mark.parametrize("kind", ["bert", "roberta", "xlm-roberta"])
def test_encode_sentences_takes_a_word_of_50_000_characters(kind: str, caplog: pytest.LogCaptureFixture):
    tokenizer = build_tokenizer(kind)
    encoded = encode_sentences(tokenizer, [["in", "sh" * 25_000, "Oslo"]])
    if kind == "bert":  # WordPiece gives up on words of more than 100 characters
        assert encoded[0].subwords_per_word[1] == 1
    else:
        assert encoded[0].subwords_per_word[1] > 10_000
    windows = make_windows(encoded, special_affixes(tokenizer), 64)
    assert {word for window in windows for word in range(window.pieces[0].start, window.pieces[0].end)} == {0, 1, 2}
    assert max(len(window.input_ids) for window in windows) <= 64


def test_special_affixes_are_the_encoders_own():
    tokenizer = build_tokenizer("bert")
    assert special_affixes(tokenizer) == ((tokenizer.cls_token_id,), (tokenizer.sep_token_id,))
    tokenizer = build_tokenizer("roberta")
    assert special_affixes(tokenizer) == ((tokenizer.bos_token_id,), (tokenizer.eos_token_id,))
