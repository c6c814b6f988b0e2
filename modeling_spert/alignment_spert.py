"""From words to subwords to windows: what the encoder reads, and the way back from its answers to the words.

A window is one row of a batch: consecutive sentences of one document, one `[CLS]`, no separators between sentences
(SpERT, section 3, reads one sentence per window). A sentence longer than a window is cut into overlapping pieces;
nothing is left out. Which sentences share a window depends on the document and the settings only.
"""

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor
from transformers import AutoTokenizer, PreTrainedTokenizerBase
from transformers.utils import logging

logger = logging.get_logger(__name__)

# Some tokenizers name no limit: `model_max_length` is then about 1e30.
_NO_LIMIT = 1_000_000


@dataclass(frozen=True)
class EncodedSentence:
    """Subwords of one sentence: their ids, and how many belong to each word (at least one)."""

    input_ids: tuple[int, ...]
    subwords_per_word: tuple[int, ...]


@dataclass(frozen=True)
class Piece:
    """Words `[start, end)` of a sentence of the document, as they stand in a window."""

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
    """

    input_ids: tuple[int, ...]
    word_index: tuple[int, ...]
    sentence_index: tuple[int, ...]
    pieces: tuple[Piece, ...]

    @property
    def first_words(self) -> tuple[int, ...]:
        """Position in the window of each piece's first word."""
        positions, position = [], 0
        for piece in self.pieces:
            positions.append(position)
            position += piece.end - piece.start
        return tuple(positions)


def load_tokenizer(name_or_folder: str, **kwargs: Any) -> PreTrainedTokenizerBase:
    """The fast tokenizer of an encoder, set so that words split beforehand keep their boundaries.

    Byte-level tokenizers (RoBERTa, ModernBERT) and some SentencePiece ones mark a word by the space before it: unless
    they put one before each word, every word of a pre-split sentence would read as the tail of the one before.

    Args:
        name_or_folder: As `AutoTokenizer.from_pretrained` takes it.
        **kwargs: Passed on.

    Raises:
        ValueError: If there is no fast tokenizer, which alone says which word a subword belongs to.
    """
    tokenizer = AutoTokenizer.from_pretrained(name_or_folder, **kwargs)
    if not tokenizer.is_fast:
        raise ValueError(f"{name_or_folder} has no fast tokenizer (tokenizer.json), which word alignment needs")
    backend = tokenizer.backend_tokenizer
    settings = json.loads(backend.to_str())
    if _mark_words(settings):
        tokenizer.add_prefix_space = True
        rebuilt = type(backend).from_str(json.dumps(settings))
        backend.normalizer, backend.pre_tokenizer = rebuilt.normalizer, rebuilt.pre_tokenizer
    _warn_of_lost_case(name_or_folder, settings)
    return tokenizer


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


def _mark_words(settings: dict[str, Any]) -> bool:
    """Let every word start as it does after a space; whether anything in the tokenizer's settings changed."""
    pre_tokenizer = settings.get("pre_tokenizer") or {}
    changed = False
    for place, step in enumerate(pre_tokenizer.get("pretokenizers", [pre_tokenizer])):
        if step.get("type") == "Metaspace" and step.get("prepend_scheme") != "always":
            step["prepend_scheme"], changed = "always", True
        elif step.get("type") == "ByteLevel" and not step.get("add_prefix_space", True):
            if place == 0:
                step["add_prefix_space"] = changed = True
            else:
                # What an earlier step split off inside a word (Llama 3's expression, in EuroBERT) would get a space
                # too: only the normalizer sees whole words.
                changed = _prepend_space(settings) or changed
    return changed


def _prepend_space(settings: dict[str, Any]) -> bool:
    normalizer = settings.get("normalizer") or {"type": "Sequence", "normalizers": []}
    steps = normalizer.get("normalizers", [normalizer])
    if any(step["type"] == "Prepend" for step in steps):
        return False
    settings["normalizer"] = {"type": "Sequence", "normalizers": [*steps, {"type": "Prepend", "prepend": " "}]}
    return True


def _warn_of_lost_case(name_or_folder: str, settings: dict[str, Any]) -> None:
    """A folder with nothing but a `vocab.txt` (as SciBERT's) is read as lower-casing, also where it is cased."""
    normalizer, vocabulary = settings.get("normalizer") or {}, settings["model"].get("vocab")
    if normalizer.get("lowercase") and isinstance(vocabulary, dict):
        cased = [token for token in vocabulary if token.isalpha() and token != token.lower()]
        if cased:
            logger.warning(
                f"The tokenizer of {name_or_folder} lower-cases words, but its vocabulary holds {cased[0]!r}: where "
                "the encoder is cased, pass do_lower_case=False"
            )


def window_length(tokenizer: PreTrainedTokenizerBase, max_window_length: int | None) -> int:
    """Longest window in subwords: the least of what the model's settings and its tokenizer name; 512 if neither does.

    Raises:
        ValueError: If the limit leaves no room for words.
    """
    limits = [limit for limit in (max_window_length, tokenizer.model_max_length) if limit and limit < _NO_LIMIT]
    length = min(limits, default=512)
    specials = tokenizer.num_special_tokens_to_add()
    if length < specials + 2:
        raise ValueError(f"max_window_length must be at least {specials + 2} subwords, got {length}")
    return length


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
    encoded = iter([_count_subwords(batch, i, len(words), tokenizer) for i, words in enumerate(filled)])
    return [next(encoded) if len(sentence) else EncodedSentence((), ()) for sentence in sentences]


def _count_subwords(batch: Any, row: int, num_words: int, tokenizer: PreTrainedTokenizerBase) -> EncodedSentence:
    ids, words = batch["input_ids"][row], batch.word_ids(row)
    counts = [0] * num_words
    for word in words:
        counts[word] += 1
    if 0 in counts:
        unknown = tokenizer.unk_token_id if tokenizer.unk_token_id is not None else tokenizer.pad_token_id
        by_word: list[list[int]] = [[] for _ in counts]
        for subword, word in zip(ids, words, strict=True):
            by_word[word].append(subword)
        ids = [subword for subwords in by_word for subword in (subwords or [unknown])]
        counts = [max(count, 1) for count in counts]
    return EncodedSentence(tuple(ids), tuple(counts))


def special_affixes(tokenizer: PreTrainedTokenizerBase) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """The special tokens before and after a single text, such as `[CLS]` and `[SEP]`."""
    batch = tokenizer(["a"], is_split_into_words=True, add_special_tokens=True)
    ids, words = batch["input_ids"], batch.word_ids()
    inside = [position for position, word in enumerate(words) if word is not None]
    return tuple(ids[: inside[0]]), tuple(ids[inside[-1] + 1 :])


def make_windows(
    sentences: Sequence[EncodedSentence],
    affixes: tuple[tuple[int, ...], tuple[int, ...]],
    max_length: int,
    context: str = "none",
    overlap: int = 10,
) -> list[Window]:
    """Windows of one document.

    Args:
        sentences: Its sentences, in order. Empty ones are in no window.
        affixes: Special tokens before and after, from `special_affixes`.
        max_length: Longest window in subwords, special tokens included.
        context: "none", one sentence per window; "document", as many consecutive sentences as fit.
        overlap: Words that consecutive pieces of an over-long sentence share, at most half a piece: with the widest
            span, every candidate span lies inside some piece.

    >>> sentences = [EncodedSentence((5, 6, 7), (2, 1)), EncodedSentence((8,), (1,))]
    >>> make_windows(sentences, ((1,), (2,)), 16, "document")[0]
    Window(input_ids=(1, 5, 6, 7, 8, 2), word_index=(-1, 0, 0, 1, 2, -1), sentence_index=(0, 0, 1), \
pieces=(Piece(sentence=0, start=0, end=2), Piece(sentence=1, start=0, end=1)))
    """
    room = max_length - len(affixes[0]) - len(affixes[1])
    groups: list[list[Piece]] = []
    used = room + 1
    for number, sentence in enumerate(sentences):
        if not sentence.subwords_per_word:
            continue
        size = len(sentence.input_ids)
        whole = Piece(number, 0, len(sentence.subwords_per_word))
        if size > room:
            groups.extend([piece] for piece in _cut_sentence(number, sentence.subwords_per_word, room, overlap))
            used = room + 1
        elif context == "document" and used + size <= room:
            groups[-1].append(whole)
            used += size
        else:
            groups.append([whole])
            used = size
    return [_build_window(sentences, group, affixes, room) for group in groups]


def _cut_sentence(number: int, subwords: Sequence[int], room: int, overlap: int) -> list[Piece]:
    """Pieces of a sentence that does not fit, each as long as fits, sharing about `overlap` words."""
    sizes = [min(count, room) for count in subwords]
    pieces, start, num_words = [], 0, len(sizes)
    while True:
        end, used = start, 0
        while end < num_words and used + sizes[end] <= room:
            used += sizes[end]
            end += 1
        pieces.append(Piece(number, start, end))
        if end == num_words:
            return pieces
        # At least half of every piece is new, however wide the overlap asked for.
        start = max(end - overlap, (start + end + 1) // 2)


def _build_window(
    sentences: Sequence[EncodedSentence],
    pieces: Sequence[Piece],
    affixes: tuple[tuple[int, ...], tuple[int, ...]],
    room: int,
) -> Window:
    before, after = affixes
    input_ids, word_index = list(before), [-1] * len(before)
    sentence_index: list[int] = []
    for order, piece in enumerate(pieces):
        sentence = sentences[piece.sentence]
        position = sum(sentence.subwords_per_word[: piece.start])
        counts = sentence.subwords_per_word[piece.start : piece.end]
        for word, count in enumerate(counts, len(sentence_index)):
            kept = min(count, room)
            if kept < count:
                logger.warning(f"A word of {count} subwords does not fit into a window: its first {room} are read")
            input_ids += sentence.input_ids[position : position + kept]
            word_index += (word,) * kept
            position += count
        sentence_index += (order,) * len(counts)
    input_ids.extend(after)
    word_index.extend([-1] * len(after))
    return Window(tuple(input_ids), tuple(word_index), tuple(sentence_index), tuple(pieces))


def collate_windows(windows: Sequence[Window], pad_token_id: int) -> dict[str, Tensor]:
    """One padded batch: `input_ids`, `attention_mask`, `word_index` (B, L) and `sentence_index` (B, W)."""
    length = max((len(window.input_ids) for window in windows), default=0)
    num_words = max((len(window.sentence_index) for window in windows), default=0)
    return {
        "input_ids": _pad((window.input_ids for window in windows), length, pad_token_id),
        "attention_mask": _pad(((1,) * len(window.input_ids) for window in windows), length, 0),
        "word_index": _pad((window.word_index for window in windows), length, -1),
        "sentence_index": _pad((window.sentence_index for window in windows), num_words, -1),
    }


def _pad(rows: Iterable[tuple[int, ...]], length: int, value: int) -> Tensor:
    return torch.tensor([row + (value,) * (length - len(row)) for row in rows], dtype=torch.long)


def plan_batches(
    lengths: Sequence[int], batch_size: int, max_tokens: int | None = None, batch_cost: int = 48
) -> list[list[int]]:
    """Batches of rows of about equal length, longest first: the cheapest there are, by subwords and by batches.

    Among all ways to cut the rows, sorted by length, into batches it takes the one with the fewest subwords, padding
    included, where a further batch costs as much as `batch_cost` subwords. (Full batches are not cheap: at 32 rows a
    batch, a fifth of CoNLL04's test set is padding; here 4 % with 16 batches in place of 9.)

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
    costs, cuts = [0], [0]  # of the cheapest batches over the first rows, and where the last of them begins
    for end in range(1, len(order) + 1):
        best, cut = costs[end - 1] + longest_first[end - 1] + batch_cost, end - 1
        for start in range(end - 2, max(end - batch_size, 0) - 1, -1):
            longest = longest_first[start]
            used = (end - start) * longest
            # Rows that differ by more than `batch_cost` are cheaper in two batches; so is every larger one.
            if longest - longest_first[end - 1] > batch_cost or (max_tokens and used > max_tokens):
                break
            if costs[start] + used + batch_cost < best:
                best, cut = costs[start] + used + batch_cost, start
        costs.append(best)
        cuts.append(cut)
    batches: list[list[int]] = []
    end = len(order)
    while end:
        batches.append(order[cuts[end] : end])
        end = cuts[end]
    return batches[::-1]
