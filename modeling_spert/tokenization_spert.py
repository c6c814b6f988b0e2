"""From words to subwords: how many each word has, and which letters of the word are capitals."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from transformers import PreTrainedTokenizerBase


@dataclass(frozen=True)
class EncodedSentence:
    """Subwords of one sentence: their ids, how many belong to each word (at least one), and the `letter_case` of each.

    Without cases, which only the word feature "case" reads, every word's is 0, as that of padding.
    """

    input_ids: tuple[int, ...]
    subwords_per_word: tuple[int, ...]
    cases: tuple[int, ...] = ()


def letter_case(word: str) -> int:
    """Class of a word by its capitals, which an uncased tokenizer drops.

    Returns:
        1 no letter and no digit; 2 letters, none a capital; 3 two letters or more, all capitals; 4 the first letter a
        capital and no other; 5 digits without letters; 6 any other.

    >>> [letter_case(word) for word in ("--", "of", "U.S.", "John", "A", "1990", "McCoy", "iPod")]
    [1, 2, 3, 4, 4, 5, 6, 6]
    """
    if word.islower():  # most words, found at once
        return 2
    letters = [character for character in word if character.isalpha()]
    if not letters:
        return 5 if any(character.isdigit() for character in word) else 1
    num_capitals = sum(map(str.isupper, letters))
    if num_capitals == 0:
        return 2
    if num_capitals == 1 and letters[0].isupper():
        return 4
    return 3 if num_capitals == len(letters) else 6


def check_vocabulary(tokenizer: PreTrainedTokenizerBase, vocab_size: int) -> None:
    """Refuse a tokenizer that cannot be the model's.

    transformers makes one of special tokens alone, without a word, where a tokenizer.json cannot be fetched.

    Args:
        tokenizer: The tokenizer.
        vocab_size: Rows of the encoder's word embeddings.

    Raises:
        ValueError: If it knows no word, or more subwords than the encoder has embeddings for.
    """
    if len(tokenizer) <= len(set(tokenizer.all_special_ids)):
        raise ValueError(
            f"the tokenizer of {tokenizer.name_or_path} knows no word: its tokenizer.json is missing or could not be "
            "downloaded; load it again with force_download=True"
        )
    if len(tokenizer) > vocab_size:
        raise ValueError(
            f"the tokenizer has {len(tokenizer)} subwords, the encoder embeddings for {vocab_size}: it is not this "
            "model's tokenizer. After adding tokens call model.resize_token_embeddings(len(tokenizer))"
        )


def encode_sentences(tokenizer: PreTrainedTokenizerBase, sentences: Sequence[Sequence[str]]) -> list[EncodedSentence]:
    """Subwords of every sentence, word by word, in one call of the tokenizer and without special tokens.

    A word that gives no subword (empty, or made of characters the tokenizer drops) is read as the unknown token.
    Lone surrogates, which no tokenizer can encode, are read as question marks.

    Args:
        tokenizer: A fast tokenizer.
        sentences: Words of each sentence.
    """
    filled = [sentence for sentence in sentences if len(sentence)]
    if not filled:
        return [EncodedSentence((), ()) for _ in sentences]
    batch = tokenizer(
        [[word.encode("utf-8", "replace").decode() for word in sentence] for sentence in filled],
        is_split_into_words=True,
        add_special_tokens=False,
        return_attention_mask=False,
        return_token_type_ids=False,
        verbose=False,
    )
    encoded = iter([_encode_sentence(batch, i, words, tokenizer) for i, words in enumerate(filled)])
    return [next(encoded) if len(sentence) else EncodedSentence((), ()) for sentence in sentences]


def _encode_sentence(
    batch: Any, row: int, sentence: Sequence[str], tokenizer: PreTrainedTokenizerBase
) -> EncodedSentence:
    ids, words = batch["input_ids"][row], batch.word_ids(row)
    counts = [0] * len(sentence)
    for word in words:
        counts[word] += 1
    if 0 in counts:
        unknown = tokenizer.unk_token_id if tokenizer.unk_token_id is not None else tokenizer.pad_token_id
        by_word: list[list[int]] = [[] for _ in counts]
        for subword, word in zip(ids, words, strict=True):
            by_word[word].append(subword)
        ids = [subword for subwords in by_word for subword in (subwords or [unknown])]
        counts = [max(count, 1) for count in counts]
    return EncodedSentence(tuple(ids), tuple(counts), tuple(map(letter_case, sentence)))


def special_affixes(tokenizer: PreTrainedTokenizerBase) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """The special tokens before and after a single text, such as `[CLS]` and `[SEP]`."""
    batch = tokenizer(["a"], is_split_into_words=True, add_special_tokens=True)
    ids, words = batch["input_ids"], batch.word_ids()
    inside = [position for position, word in enumerate(words) if word is not None]
    return tuple(ids[: inside[0]]), tuple(ids[inside[-1] + 1 :])
