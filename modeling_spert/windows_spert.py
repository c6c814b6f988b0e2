"""From subwords to windows to batches: what the encoder reads, and the way back from its answers to the words.

A window is one row of a batch: consecutive sentences of one document, one `[CLS]`, no separators between sentences
(SpERT, section 3, reads one sentence per window). A sentence longer than a window is cut into overlapping pieces;
nothing is left out. Which sentences share a window depends on the document and the settings only.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import accumulate

import torch
from torch import Tensor
from transformers import PreTrainedTokenizerBase

from .tokenization_spert import EncodedSentence, encode_sentences, special_affixes

# Some tokenizers name no limit: `model_max_length` is then about 1e30.
_NO_LIMIT = 1_000_000


@dataclass(frozen=True)
class Piece:
    """Words `[start, end)` of a sentence of the document that a window holds."""

    sentence: int
    start: int
    end: int


@dataclass(frozen=True)
class Window:
    """One row of a batch.

    Attributes:
        input_ids: Subwords, special tokens included.
        word_index: Word (of the window) of each subword, -1 on special tokens.
        sentence_index: Piece (of the window) of each word.
        pieces: What the window holds, in order; almost always whole sentences.
        num_cut_words: Words longer than a window, of which only the first subwords are read.
        cases: `letter_case` of each word; empty where the sentences have none.
    """

    input_ids: tuple[int, ...]
    word_index: tuple[int, ...]
    sentence_index: tuple[int, ...]
    pieces: tuple[Piece, ...]
    num_cut_words: int = 0
    cases: tuple[int, ...] = ()

    @property
    def first_words(self) -> tuple[int, ...]:
        """Position in the window of each piece's first word."""
        return tuple(accumulate((piece.end - piece.start for piece in self.pieces), initial=0))[:-1]


def window_documents(
    tokenizer: PreTrainedTokenizerBase,
    documents: Sequence[Sequence[Sequence[str]]],
    overlaps: Sequence[int],
    *,
    max_window_length: int | None = None,
    context: str = "none",
) -> list[list[Window]]:
    """Windows of each document, tokenized in one call.

    Args:
        tokenizer: The model's tokenizer.
        documents: Words of each sentence of each document.
        overlaps: For each document, as in `make_windows`: its widest span.
        max_window_length: As in `window_length`.
        context: As in `make_windows`.

    Raises:
        ValueError: If the window length leaves no space for words.
    """
    limit = window_length(tokenizer, max_window_length)
    affixes = special_affixes(tokenizer)
    encoded = iter(encode_sentences(tokenizer, [words for sentences in documents for words in sentences]))
    return [
        make_windows([next(encoded) for _ in sentences], affixes, limit, context, overlap)
        for sentences, overlap in zip(documents, overlaps, strict=True)
    ]


def window_length(tokenizer: PreTrainedTokenizerBase, max_window_length: int | None) -> int:
    """Longest window in subwords: the least of what the settings and the tokenizer name; 512 if neither does.

    Raises:
        ValueError: If the limit leaves no space for words.
    """
    limits = [limit for limit in (max_window_length, tokenizer.model_max_length) if limit and limit < _NO_LIMIT]
    length = min(limits, default=512)
    specials = tokenizer.num_special_tokens_to_add()
    if length < specials + 2:
        raise ValueError(f"max_window_length must be at least {specials + 2} subwords, got {length}")
    return length


def make_windows(
    sentences: Sequence[EncodedSentence],
    affixes: tuple[tuple[int, ...], tuple[int, ...]],
    max_length: int,
    context: str = "none",
    overlap: int = 10,
) -> list[Window]:
    """Windows of one document, in time linear in its words.

    Args:
        sentences: Its sentences, in order. Empty ones are in no window.
        affixes: Special tokens before and after, from `special_affixes`.
        max_length: Longest window in subwords, special tokens included.
        context: "none", one sentence per window; "document", as many consecutive sentences as fit.
        overlap: Words that consecutive pieces of an over-long sentence share, at most half a piece: with the widest
            span, every candidate span is whole in some piece.

    >>> sentences = [EncodedSentence((5, 6, 7), (2, 1)), EncodedSentence((8,), (1,))]
    >>> make_windows(sentences, ((1,), (2,)), 16, "document")[0]
    Window(input_ids=(1, 5, 6, 7, 8, 2), word_index=(-1, 0, 0, 1, 2, -1), sentence_index=(0, 0, 1), \
pieces=(Piece(sentence=0, start=0, end=2), Piece(sentence=1, start=0, end=1)), num_cut_words=0, cases=())
    """
    space = max_length - len(affixes[0]) - len(affixes[1])
    groups: list[list[_Part]] = []
    used = space + 1  # subwords of the last group; more than fit: it takes no further sentence
    for index, sentence in enumerate(sentences):
        size = len(sentence.input_ids)
        if not sentence.subwords_per_word:
            continue
        if size > space:  # a sentence that is too long gets windows of its own
            groups.extend([part] for part in _cut_sentence(index, sentence, space, overlap))
            used = space + 1
            continue
        if context != "document" or used + size > space:
            groups.append([])
            used = 0
        groups[-1].append(_Part(Piece(index, 0, len(sentence.subwords_per_word)), sentence))
        used += size
    return [_build_window(parts, affixes) for parts in groups]


@dataclass(frozen=True)
class _Part:
    """A piece with its subwords, none of its words longer than a window."""

    piece: Piece
    subwords: EncodedSentence
    num_cut_words: int = 0


def _cut_sentence(index: int, sentence: EncodedSentence, space: int, overlap: int) -> Iterator[_Part]:
    """Pieces of a sentence that does not fit, each as long as fits, sharing about `overlap` words."""
    counts = [min(count, space) for count in sentence.subwords_per_word]
    first_subwords = list(accumulate(sentence.subwords_per_word, initial=0))
    start = end = 0
    while end < len(counts):
        # At least half of every piece is new, however wide the overlap asked for.
        start = max(end - overlap, (start + end + 1) // 2)
        end, used = start, 0
        while end < len(counts) and used + counts[end] <= space:
            used += counts[end]
            end += 1
        # Only a piece of one word can be longer than the window: its first subwords are read.
        input_ids = sentence.input_ids[first_subwords[start] : first_subwords[end]]
        part = EncodedSentence(input_ids[:space], tuple(counts[start:end]), sentence.cases[start:end])
        yield _Part(Piece(index, start, end), part, int(len(input_ids) > space))


def _build_window(parts: Sequence[_Part], affixes: tuple[tuple[int, ...], tuple[int, ...]]) -> Window:
    before, after = affixes
    input_ids, word_index = list(before), [-1] * len(before)
    sentence_index: list[int] = []
    for index, part in enumerate(parts):
        input_ids += part.subwords.input_ids
        for word, count in enumerate(part.subwords.subwords_per_word, len(sentence_index)):
            word_index += (word,) * count
        sentence_index += (index,) * len(part.subwords.subwords_per_word)
    return Window(
        (*input_ids, *after),
        (*word_index, *[-1] * len(after)),
        tuple(sentence_index),
        tuple(part.piece for part in parts),
        sum(part.num_cut_words for part in parts),
        tuple(case for part in parts for case in part.subwords.cases),
    )


def collate_windows(windows: Sequence[Window], pad_token_id: int) -> dict[str, Tensor]:
    """One padded batch: `input_ids`, `attention_mask`, `word_index` (B, L), `sentence_index` and `word_case` (B, W)."""
    length = max((len(window.input_ids) for window in windows), default=0)
    num_words = max((len(window.sentence_index) for window in windows), default=0)
    return {
        "input_ids": _pad((window.input_ids for window in windows), length, pad_token_id),
        "attention_mask": _pad(((1,) * len(window.input_ids) for window in windows), length, 0),
        "word_index": _pad((window.word_index for window in windows), length, -1),
        "sentence_index": _pad((window.sentence_index for window in windows), num_words, -1),
        "word_case": _pad((window.cases for window in windows), num_words, 0),
    }


def _pad(rows: Iterable[tuple[int, ...]], length: int, value: int) -> Tensor:
    return torch.tensor([row + (value,) * (length - len(row)) for row in rows], dtype=torch.long)


def plan_batches(
    lengths: Sequence[int], batch_size: int, max_tokens: int | None = None, batch_cost: int = 48
) -> list[list[int]]:
    """Batches of rows of about equal length, longest first: the cheapest there are, by subwords and by batches.

    Of all ways to cut the rows, sorted by length, into batches it takes the one with the fewest subwords, padding
    included; each batch costs `batch_cost` subwords more. (With full batches of 32 rows, a fifth of CoNLL04's test set
    is padding; here it is 4 %, with 16 batches instead of 9.)

    Args:
        lengths: Subwords of each row.
        batch_size: Most rows in a batch.
        max_tokens: Most subwords in a batch, padding included; a longer row is a batch of its own.
        batch_cost: What a forward pass costs besides its subwords, in subwords.

    >>> plan_batches([3, 9, 8, 2], 2)
    [[1, 2], [0, 3]]
    >>> plan_batches([3, 99, 8, 2], 4)
    [[1], [2, 0, 3]]
    """
    order = sorted(range(len(lengths)), key=lambda row: -lengths[row])
    longest_first = [lengths[row] for row in order]
    costs, cuts = [0], [0]  # of the cheapest batches over each number of first rows; where the last of them begins
    for end in range(1, len(order) + 1):
        best, cut = costs[end - 1] + longest_first[end - 1] + batch_cost, end - 1
        for start in range(end - 2, max(end - batch_size, 0) - 1, -1):
            longest = longest_first[start]
            used = (end - start) * longest
            # Rows that differ by more than `batch_cost` are cheaper in two batches; this holds for larger batches too.
            if longest - longest_first[end - 1] > batch_cost or (max_tokens and used > max_tokens):
                break
            if costs[start] + used + batch_cost < best:
                best, cut = costs[start] + used + batch_cost, start
        costs.append(best)
        cuts.append(cut)
    batches: list[list[int]] = []
    end = len(order)
    while end:  # from the last batch back to the first
        batches.append(order[cuts[end] : end])
        end = cuts[end]
    return batches[::-1]
