"""Where words are cut inside, so that annotated entities begin and end at words.

A cut at the annotated places only would make words that no rule finds in raw text. So a kind of place (hyphens,
slashes, units) is cut everywhere or nowhere, and the choice goes into `types.json` and from there into the model's
configuration: the pipeline then cuts as the training data were cut.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Literal

from datasets_scripts.annotation_formats.alignment import AlignedDocument, align
from datasets_scripts.annotation_formats.documents import AnnotatedDocument
from datasets_scripts.annotation_formats.report import WIDENED
from datasets_scripts.annotation_formats.words import Splitter, splitter_by

SplitWords = Literal["never", "annotated"]
SPLIT_WORDS = ("never", "annotated")
Cuts = Mapping[str, Any]
NO_CUTS: Cuts = {"split_hyphens": "never", "split_slashes": "never", "split_units": False}
_CUTS = (  # the fewest first
    {"split_hyphens": "letters"},
    {"split_hyphens": "always"},
    {"split_slashes": "letters"},
    {"split_slashes": "always"},
    {"split_units": True},
)


def count_widened(documents: Sequence[AlignedDocument]) -> int:
    """How many entities are wider than annotated, because they begin or end inside a word."""
    return sum(note.kind is WIDENED for document in documents for note in document.notes)


def choose_cuts(documents: Sequence[AlignedDocument]) -> tuple[dict[str, Any], int]:
    """The fewest cuts that leave the fewest entities wider than annotated.

    Args:
        documents: The corpus, aligned without cuts.

    Returns:
        The settings, and how many entities they make exact.
    """
    # A document without widened entities has nothing to say, and one with words of its own cannot be cut.
    open_documents = [d.document for d in documents if d.document.sentences is None and count_widened([d])]
    chosen, before = dict(NO_CUTS), _widened_by(open_documents, NO_CUTS)
    left = before
    for cut in _CUTS:
        tried = chosen | cut
        widened = _widened_by(open_documents, tried) if left else 0
        if widened < left:
            chosen, left = tried, widened
    return chosen, before - left


def _widened_by(documents: Sequence[AnnotatedDocument], cuts: Cuts) -> int:
    splitter: Splitter = splitter_by(cuts)
    return count_widened([align(document, splitter) for document in documents])


def describe_cuts(cuts: Cuts, exact: int, are_made: bool) -> str:
    """What the report says: which cuts were made, or which would help."""
    ends = f"the annotated ends of {exact} {'entity' if exact == 1 else 'entities'}"
    names = ", ".join(f"{name}: {value}" for name, value in cuts.items() if value != NO_CUTS[name])
    if are_made:
        return (
            f"words: cut by {names}, everywhere, which keeps {ends}; types.json says so, and a model trained on these "
            "data cuts raw text the same way"
        )
    return f"words: spert convert … --split_words annotated --overwrite would keep {ends} ({names})"
