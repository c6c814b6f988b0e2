"""The tokenizer of a pretrained encoder, set so that words split beforehand keep their boundaries.

Only a new model needs this: it saves its tokenizer with these settings, and `AutoTokenizer` loads it with them.
"""

import json
from typing import Any

from transformers import AutoTokenizer, PreTrainedTokenizerBase
from transformers.utils import logging

logger = logging.get_logger("modeling_spert.training")


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


def _mark_words(settings: dict[str, Any]) -> bool:
    """Let every word start as it does after a space; whether anything in the tokenizer's settings changed."""
    pre_tokenizer = settings.get("pre_tokenizer") or {}
    changed = False
    for index, step in enumerate(pre_tokenizer.get("pretokenizers", [pre_tokenizer])):
        if step.get("type") == "Metaspace" and step.get("prepend_scheme") != "always":
            step["prepend_scheme"], changed = "always", True
        elif step.get("type") == "ByteLevel" and not step.get("add_prefix_space", True):
            if index == 0:
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
    """A folder with only a `vocab.txt` (such as SciBERT's) is read as lower-casing, even if it is cased."""
    normalizer, vocabulary = settings.get("normalizer") or {}, settings["model"].get("vocab")
    if normalizer.get("lowercase") and isinstance(vocabulary, dict):
        cased = [token for token in vocabulary if token.isalpha() and token != token.lower()]
        if cased:
            logger.warning(
                f"The tokenizer of {name_or_folder} lower-cases words, but its vocabulary holds {cased[0]!r}: where "
                "the encoder is cased, pass do_lower_case=False"
            )
