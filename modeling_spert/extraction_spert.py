"""The extraction engine: documents in, entities and relations of their sentences out.

Pipeline, evaluation and ONNX models all extract through `Extractor`: published scores come from the code that users
call. A document becomes windows, windows of about equal length become batches, each batch is one forward pass, and what
is found in the pieces of a sentence is put together again.
"""

from bisect import bisect_left
from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, fields
from typing import Any

import torch
from torch import nn
from transformers import PreTrainedConfig, PreTrainedTokenizerBase
from transformers.utils import logging

from .configuration_spert import check_setting
from .decoding_spert import (
    Entity,
    Extraction,
    Relation,
    build_extraction,
    decode_windows,
    decoding_rules,
    drop_unseen_signatures,
    merge_pieces,
    resolve_overlaps,
)
from .inputs_spert import Document
from .spans_spert import ordered_pairs
from .windows_spert import Piece, Window, collate_windows, plan_batches, window_documents

# Below transformers' own logger, so that its verbosity holds here too.
logger = logging.get_logger(f"transformers.{__name__}")


@dataclass(frozen=True)
class _Row:
    """One row of a batch: a window, and the document that it is part of."""

    index: int  # of the document, in its call
    document: Document
    window: Window


# What was found in the pieces of each sentence, by document and sentence.
_Found = defaultdict[tuple[int, int], list[tuple[Piece, Extraction]]]


@dataclass(kw_only=True)
class Extractor:
    """Entities and relations of documents, with one model and one set of thresholds.

    Args:
        model: A `SpertModel` or `OnnxSpertModel`. A model in training mode is put in eval mode at each call, and stays
            in it: call `model.train()` before training resumes.
        tokenizer: Its tokenizer.
        device: Where batches go; default: the model's device.
        entity_threshold: This and the other settings are those of `JointExtractionPipeline`, which describes them.

    Raises:
        ValueError: If a setting is out of its range.
    """

    model: Any = field(kw_only=False)
    tokenizer: PreTrainedTokenizerBase = field(kw_only=False)
    entity_threshold: float | None = None
    relation_threshold: float | None = None
    max_entities_per_sentence: int = 256
    overlap: str | None = None
    batch_size: int = 32
    max_tokens: int = 4096
    max_window_length: int | None = None
    context: str | None = None
    device: torch.device | str | None = None

    def __post_init__(self) -> None:
        """Check the settings and fill in the model's."""
        config = self.model.config
        check_settings(config, **{name: value for name, value in vars(self).items() if name in EXTRACTION_SETTINGS})
        self.device = self.device or self.model.device
        self.entity_threshold = config.entity_threshold if self.entity_threshold is None else self.entity_threshold
        self.max_window_length = self.max_window_length or config.max_window_length
        self.context = self.context or config.context
        self._given_overlap = self.overlap or "allow"  # given entities are dropped only where the caller asks for it
        self.overlap = self.overlap or config.overlap
        self._rules = decoding_rules(config, self.relation_threshold)
        self._num_cut_words = self._num_unrelated = self._num_full = 0

    def __call__(self, documents: Sequence[Document]) -> list[list[Extraction]]:
        """The extraction of every sentence of every document, words counted from the sentence's first."""
        found = self.extract(documents)
        self.report()
        return found

    def report(self) -> None:
        """Warn, once for all since the last report, of what was not read: for streams, which `extract` by parts."""
        limit = self.max_entities_per_sentence
        full = f"sentences have {limit} entities or more: the best {limit} are kept"
        for count, message in (
            (self._num_cut_words, "words have more subwords than a window: only their first ones are read"),
            (self._num_unrelated, "given entities do not fit into a window: they get no relations"),
            (self._num_full, f"{full}. Raise entity_threshold, or max_entities_per_sentence"),
        ):
            if count:
                logger.warning(f"{count} {message}")
        self._num_cut_words = self._num_unrelated = self._num_full = 0

    @torch.no_grad()
    def extract(self, documents: Sequence[Document]) -> list[list[Extraction]]:
        """As a call, but what was not read is only counted, for `report`."""
        if isinstance(self.model, nn.Module) and self.model.training:
            self.model.eval()
        rows = self._make_rows(documents)
        found: _Found = defaultdict(list)
        # Given entities bring their own spans and pairs, so they cannot share a batch with windows that have none.
        self._run([row for row in rows if row.document.given is None], self._extract, found)
        self._run([row for row in rows if row.document.given is not None], self._relate, found)
        return [
            [self._merge(document, s, found.get((index, s), [])) for s in range(len(document.sentences))]
            for index, document in enumerate(documents)
        ]

    def _make_rows(self, documents: Sequence[Document]) -> list[_Row]:
        widest = self.model.config.max_span_width
        windows_by_document = window_documents(
            self.tokenizer,
            [[[word.text for word in sentence] for sentence in document.sentences] for document in documents],
            [max([widest, *(e.end - e.start for e in document.given or ())]) for document in documents],
            max_window_length=self.max_window_length,
            context=self.context or "none",
        )
        rows = [
            _Row(index, document, window)
            for index, (document, windows) in enumerate(zip(documents, windows_by_document, strict=True))
            for window in windows
        ]
        self._num_cut_words += sum(row.window.num_cut_words for row in rows)
        return rows

    def _run(
        self, rows: Sequence[_Row], decode: Callable[[Sequence[_Row]], list[list[Extraction]]], found: _Found
    ) -> None:
        """Add what is found in the rows, batch by batch."""
        lengths = [len(row.window.input_ids) for row in rows]
        for indices in plan_batches(lengths, self.batch_size, self.max_tokens):
            batch = [rows[index] for index in indices]
            for row, extractions in zip(batch, decode(batch), strict=True):
                for piece, extraction in zip(row.window.pieces, extractions, strict=True):
                    found[row.index, piece.sentence].append((piece, extraction))

    def _extract(self, rows: Sequence[_Row]) -> list[list[Extraction]]:
        """Entities and relations of each piece of each row."""
        windows = [row.window for row in rows]
        limit = self.max_entities_per_sentence
        output = self.model(
            **self._collate(windows),
            entity_threshold=self.entity_threshold,
            max_entities_per_sentence=limit,
            overlap=self.overlap,
        )
        found = decode_windows(output, windows, self._rules)
        self._num_full += sum(len(extraction.entities) >= limit for pieces in found for extraction in pieces)
        return found

    def _relate(self, rows: Sequence[_Row]) -> list[list[Extraction]]:
        """Given entities of each piece of each row, and the relations between them."""
        windows = [row.window for row in rows]
        batch = self._collate(windows)
        spans, groups, entities = _given_spans(rows)
        spans_N3 = batch["input_ids"].new_tensor(spans).reshape(-1, 3)
        pairs_P2 = ordered_pairs(spans_N3.new_tensor(groups))
        differ_P = (spans_N3[pairs_P2[:, 0]] != spans_N3[pairs_P2[:, 1]]).any(1)  # one span may have several labels
        output = self.model(**batch, spans=spans_N3, pairs=pairs_P2[differ_P])
        return decode_windows(output, windows, self._rules, entities)

    def _collate(self, windows: Sequence[Window]) -> dict[str, torch.Tensor]:
        batch = collate_windows(windows, self.tokenizer.pad_token_id or 0)
        return {name: tensor.to(self.device) for name, tensor in batch.items()}

    def _merge(self, document: Document, sentence: int, found: Sequence[tuple[Piece, Extraction]]) -> Extraction:
        """The extraction of a sentence from those of its pieces."""
        if document.given is not None:
            return resolve_overlaps(self._merge_given(document, sentence, found), self._given_overlap)
        if len(found) == 1:
            return found[0][1]
        merged = merge_pieces((piece.start, extraction) for piece, extraction in found)
        # Checked again: where pieces disagree on a type or on borders, the better one stays.
        return drop_unseen_signatures(resolve_overlaps(merged, self.overlap or "allow"), self._rules)

    def _merge_given(self, document: Document, sentence: int, found: Sequence[tuple[Piece, Extraction]]) -> Extraction:
        """All given entities of a sentence, and the relations found in its pieces."""
        first = document.first_words[sentence]
        inside = _given_inside(document, first, first + len(document.sentences[sentence]))
        given = [(document.given or ())[index] for index in inside]
        entities = [Entity(e.start - first, e.end - first, e.label) for e in given]
        scores: dict[tuple[int, int, str], float] = {}
        unread = set(range(len(entities)))
        for piece, extraction in found:
            # The entities of a piece's extraction are the given ones inside the piece, in the same order.
            read = [index - inside[0] for index in _given_inside(document, first + piece.start, first + piece.end)]
            unread.difference_update(read)
            for r in extraction.relations:
                key = (read[r.head], read[r.tail], r.label)
                scores[key] = max(r.score, scores.get(key, 0.0))
        self._num_unrelated += len(unread)
        return build_extraction(entities, (Relation(*key, score) for key, score in scores.items()))


EXTRACTION_SETTINGS = tuple(f.name for f in fields(Extractor) if f.name not in ("model", "tokenizer", "device"))


def check_settings(config: PreTrainedConfig, **settings: Any) -> dict[str, Any]:
    """Those settings that are not None, with numbers of other libraries (numpy) as Python's, checked.

    Raises:
        ValueError: If a setting is out of its range, or the window longer than the model's.
    """
    given = {name: value for name, value in settings.items() if value is not None}
    checked = {name: value.item() if hasattr(value, "item") else value for name, value in given.items()}
    for name, value in checked.items():
        check_setting(name, value)
    wanted, longest = checked.get("max_window_length"), config.max_window_length
    if wanted is not None and longest is not None and wanted > longest:
        raise ValueError(f"max_window_length must be at most the model's, {longest}, got {wanted}")
    return checked


def _given_spans(rows: Sequence[_Row]) -> tuple[list[list[int]], list[int], list[Entity]]:
    """The given entities that a piece holds whole: spans (row, first word, end), index of the piece, and entity."""
    spans: list[list[int]] = []
    groups: list[int] = []
    entities: list[Entity] = []
    num_pieces = 0
    for index, row in enumerate(rows):
        for first, piece in zip(row.window.first_words, row.window.pieces, strict=True):
            start = row.document.first_words[piece.sentence] + piece.start
            for given in _given_inside(row.document, start, start + piece.end - piece.start):
                entity = (row.document.given or ())[given]
                spans.append([index, entity.start - start + first, entity.end - start + first])
                groups.append(num_pieces)
                entities.append(Entity(entity.start, entity.end, entity.label))
            num_pieces += 1
    return spans, groups, entities


def _given_inside(document: Document, start: int, end: int) -> list[int]:
    """Indices of the given entities inside the words `[start, end)`, in order."""
    given = document.given or ()
    low, high = (bisect_left(given, word, key=lambda entity: entity.start) for word in (start, end))
    return [index for index in range(low, high) if given[index].end <= end]
