"""How long the rows are for an encoder: subwords, windows, words its tokenizer cannot write."""

from collections.abc import Sequence
from typing import Any

from datasets_scripts.checking.facts import Place, SubwordFacts
from datasets_scripts.checking.rows import Row

_NO_LIMIT = 10**6  # tokenizers without a length say a number far above this
_CHUNK = 512  # rows in a call of the tokenizer


def measure_subwords(
    rows: Sequence[Row], tokenizer: Any, max_window_length: int | None
) -> tuple[SubwordFacts, list[Place]]:
    """Lengths in subwords, and the rows that do not fit into a window.

    Args:
        rows: The rows.
        tokenizer: A fast tokenizer.
        max_window_length: Longest window in subwords; None: what the tokenizer says, or 512 where it says nothing.

    Raises:
        ValueError: The tokenizer is not a fast one.
    """
    if not getattr(tokenizer, "is_fast", False):
        raise ValueError("tokenizer must be a fast one (with a tokenizer.json): only these know which word is which")
    limits = [limit for limit in (max_window_length, tokenizer.model_max_length) if limit and limit < _NO_LIMIT]
    limit = min(limits, default=512)
    specials = tokenizer.num_special_tokens_to_add()
    filled = [row for row in rows if row.tokens]
    longest = subwords = unknown = 0
    cut = []
    for first in range(0, len(filled), _CHUNK):
        chunk = filled[first : first + _CHUNK]
        words = [[word.encode("utf-8", "replace").decode() for word in row.tokens] for row in chunk]
        batch = tokenizer(words, is_split_into_words=True, add_special_tokens=False, verbose=False)
        for index, (row, ids) in enumerate(zip(chunk, batch["input_ids"], strict=True)):
            subwords += len(ids)
            longest = max(longest, len(ids) + specials)
            unknown += len({w for w, i in zip(batch.word_ids(index), ids, strict=True) if i == tokenizer.unk_token_id})
            if len(ids) + specials > limit:
                cut.append(
                    row.place(f"{len(ids) + specials} subwords, {len(row.tokens)} words: {' '.join(row.tokens)}")
                )
    num_words = sum(len(row.tokens) for row in filled)
    facts = SubwordFacts(
        window_length=limit,
        longest=longest,
        rows_cut=len(cut),
        subwords_per_word=round(subwords / max(num_words, 1), 3),
        unknown_words=round(100 * unknown / max(num_words, 1), 3),
    )
    return facts, cut
