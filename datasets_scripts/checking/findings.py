"""What the counts mean: findings with a severity, a sentence, and what to do."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from typing import Any

from datasets_scripts.checking.duplicates import SIMILAR
from datasets_scripts.checking.facts import SEVERITIES, DataCheck, Finding, LabelCounts, Place, Severity, SplitFacts
from datasets_scripts.checking.rows import Row
from datasets_scripts.joint_dataset import SkippedRow

MAX_PLACES = 20  # of a finding
RARE = 10  # training examples below which a label is rare
_FEW_WITHOUT = 0.02  # a share of rows without entities or relations below which a model may invent some
_UNKNOWN_WORDS = 1.0  # percent
_SMALL = 40  # training rows
_SLIP_SHARE = 0.05  # of a label's count: one that is spelled nearly alike and is rarer may be a slip of it
_SLIP_LETTERS = 5
_SLIP_RATIO = 0.83  # of `SequenceMatcher`: one letter in six
_BLANKS = re.compile(r"[\s_]+|(?<=\w)-(?=\w)")


@dataclass(frozen=True)
class Evidence:
    """The rows, and the places that the counts came from."""

    rows: Sequence[Row]
    skipped: Sequence[SkippedRow]
    overlaps: Mapping[str, Sequence[Place]]
    conversion: Mapping[str, Any]
    odd_signatures: Sequence[Place]
    crossing_sentences: Sequence[Place]
    cut: Sequence[Place]


def list_findings(facts: DataCheck, evidence: Evidence) -> list[Finding]:
    """All findings, the worst first, else in the order of a reader's questions."""
    found = [
        *_rows(facts, evidence),
        *_labels(facts),
        *_negatives(facts),
        *_widths(facts, evidence),
        *_widened(evidence.conversion),
        *_overlaps(facts, evidence),
        *_signatures(facts, evidence),
        *_duplicates(facts),
        *_documents(facts, evidence),
        *_lengths(facts, evidence),
    ]
    return sorted(found, key=lambda finding: SEVERITIES.index(finding.severity))


def _finding(
    severity: Severity,
    code: str,
    message: str,
    advice: str = "",
    places: Sequence[Place] = (),
    count: int | None = None,
) -> Finding:
    return Finding(severity, code, message, advice, len(places) if count is None else count, tuple(places[:MAX_PLACES]))


def _many(count: int, one: str, many: str | None = None) -> str:
    """A count with its noun.

    >>> _many(1, "row"), _many(1200, "entity", "entities")
    ('1 row', '1,200 entities')
    """
    return f"{count:,} {one if count == 1 else many or one + 's'}"


def _named(labels: Sequence[str]) -> str:
    shown = ", ".join(labels[:12])
    return shown if len(labels) <= 12 else f"{shown} and {len(labels) - 12} more"


def _train(facts: DataCheck) -> SplitFacts | None:
    return next((split for split in facts.splits if split.name == "train"), None)


def _rows(facts: DataCheck, evidence: Evidence) -> Iterator[Finding]:
    if evidence.skipped:
        places = [Place(row.file, row.row, None, row.message) for row in evidence.skipped]
        rows = _many(len(places), "row")
        yield _finding("error", "bad_rows", f"{rows} cannot be used and were left out.", "Correct them.", places)
    if not any(split.rows for split in facts.splits):
        yield _finding("error", "no_rows", "There is not a single row.")
        return
    train = _train(facts)
    if train is None:
        yield _finding("note", "no_train", "There is no train split.", "A model can be scored on these data only.")
    elif not train.entities:
        yield _finding("error", "nothing_to_learn", "The train split holds no entity: there is nothing to learn.")
    elif train.rows < _SMALL:
        message = f"The train split has only {_many(train.rows, 'row')}."
        yield _finding(
            "note", "small_train", message, "Train for more epochs, and read scores with care.", (), train.rows
        )
    if train is not None and not any(split.name in ("dev", "test") and split.rows for split in facts.splits):
        advice = (
            "Put some rows aside, such as by spert convert DATA --split 0.8,0.1,0.1 --output SPLIT_DATA: without them "
            "nothing says how good a model is."
        )
        yield _finding("warning", "nothing_to_score", "There is neither a dev nor a test split.", advice)
    empty = [row.place() for row in evidence.rows if not row.tokens]
    if empty:
        yield _finding("warning", "empty_rows", f"{_many(len(empty), 'row')} without a word.", "Remove them.", empty)


def _labels(facts: DataCheck) -> Iterator[Finding]:
    train = _train(facts)
    for noun, labels in (("entity type", facts.entity_labels), ("relation type", facts.relation_labels)):
        unused = [item.label for item in labels if not item.total]
        if unused:
            message = f"{_many(len(unused), noun)} of the list never used: {_named(unused)}."
            yield _finding("note", "unused_labels", message, "Fine if meant for later data.", (), len(unused))
        if train is None:
            continue
        untrained = [item for item in labels if item.total and not item.counts.get("train")]
        if untrained:
            message = (
                f"{_many(len(untrained), noun)} only outside the train split, so untrained: {_counted(untrained)}."
            )
            advice = "A model cannot find them, and the score on dev or test counts that. Move some rows to train."
            yield _finding("warning", "untrained_labels", message, advice, (), len(untrained))
        rare = [item for item in labels if 0 < item.counts.get("train", 0) < RARE]
        if rare:
            shown = _named([f"{item.label} ({item.counts['train']})" for item in rare])
            message = f"{_many(len(rare), noun)} with fewer than {RARE} training examples: {shown}."
            advice = "Annotate more of them, or join them with another type."
            yield _finding("warning", "rare_labels", message, advice, (), len(rare))
    yield from _alike(facts)
    yield from _unscored(facts)


def _alike(facts: DataCheck) -> Iterator[Finding]:
    """Rare labels that are spelled nearly like a frequent one."""
    for noun, labels in (("entity type", facts.entity_labels), ("relation type", facts.relation_labels)):
        slips = [(item, other) for item in labels for other in labels if _may_be_slip(item, other)]
        if slips:
            named = _named([f"{i.label} ({i.total}) like {other.label} ({other.total})" for i, other in slips])
            count = len({item.label for item, _ in slips})
            message = f"{_many(count, noun)} spelled nearly like a frequent one: {named}."
            advice = "If it is a slip, rename the label; the model learns it as a type of its own."
            yield _finding("note", "labels_alike", message, advice, (), count)


def _may_be_slip(label: LabelCounts, frequent: LabelCounts) -> bool:
    """Whether a rare label may be a misspelling of a frequent one: equal except for case and blanks, or nearly."""
    if not 0 < label.total <= _SLIP_SHARE * frequent.total:
        return False
    one, other = (_BLANKS.sub("", item.label.casefold()) for item in (label, frequent))
    if one == other:
        return True
    # One inserted, lost or changed letter, or two exchanged. Digits, signs and short labels (A1, up+) tell types apart.
    is_plain = one.isalpha() and other.isalpha() and min(len(one), len(other)) >= _SLIP_LETTERS
    return is_plain and SequenceMatcher(None, one, other, autojunk=False).ratio() >= _SLIP_RATIO


def _unscored(facts: DataCheck) -> Iterator[Finding]:
    """Labels that are trained, but do not occur where scores are counted."""
    for split in facts.splits:
        if split.name not in ("dev", "test") or not split.rows:
            continue
        labels = [*facts.entity_labels, *facts.relation_labels]
        missing = [item.label for item in labels if item.counts.get("train") and not item.counts.get(split.name)]
        if missing:
            message = f"The {split.name} split has no example of {_named(missing)}: no score will say how they do."
            yield _finding("note", "unscored_labels", message, "", (), len(missing))


def _counted(labels: Sequence[LabelCounts]) -> str:
    return _named(
        [f"{item.label} ({', '.join(f'{split} {n}' for split, n in item.counts.items() if n)})" for item in labels]
    )


def _negatives(facts: DataCheck) -> Iterator[Finding]:
    """Whether a model sees sentences without anything to find; documents are judged by their sentences."""
    train = _train(facts)
    if train is None or not train.rows:
        return
    sentences, without_entities, without_relations = train.by_sentence
    if train.entities and without_entities / sentences < _FEW_WITHOUT:
        yield _never_empty("note", facts.unit, sentences, without_entities, "an entity", "entities")
    if train.relations and without_relations / sentences < _FEW_WITHOUT:
        yield _never_empty("warning", facts.unit, sentences, without_relations, "a relation", "relations")


def _never_empty(severity: Severity, unit: str, sentences: int, without: int, one: str, many: str) -> Finding:
    row, rows = "training row", "training rows"
    if unit == "document":
        row, rows = "sentence of the training documents", "sentences of the training documents"
    found = f"Only {without:,} of {sentences:,} {rows} {'is' if without == 1 else 'are'}" if without else f"No {row} is"
    advice = (
        f"A model that has never seen a sentence without {many} invents some in ordinary text. Add sentences that "
        "have none."
    )
    return _finding(severity, f"{many}_everywhere", f"{found} without {one}.", advice, (), without)


def _widths(facts: DataCheck, evidence: Evidence) -> Iterator[Finding]:
    limit = facts.max_span_width
    wide = [
        (entity["end"] - entity["start"], row.place(f"{entity['end'] - entity['start']} words: {row.words(entity)}"))
        for row in evidence.rows
        for entity in row.entities
        if entity["end"] - entity["start"] > limit
    ]
    if wide:
        widest = max(width for width, _ in wide)
        message = (
            f"{_many(len(wide), 'entity', 'entities')} wider than {limit} words: trained on, but never predicted, "
            "nor are their relations."
        )
        advice = f"Annotate less of them, or train with --max_span_width {widest} (slower: more candidates)."
        yield _finding("warning", "wide_entities", message, advice, [place for _, place in wide])


def _widened(conversion: Mapping[str, Any]) -> Iterator[Finding]:
    """Entities that the conversion from an annotation tool made wider than annotated."""
    changed = conversion.get("changed")
    for kind, why in (("widened", "to whole words"), ("discontinuous_widened", "over their gaps")):
        found = changed.get(kind) if isinstance(changed, Mapping) else None
        if not isinstance(found, Mapping) or not isinstance(found.get("count"), int):
            continue
        entities = _many(found["count"], "entity", "entities")
        example = " ".join(str(found.get("example", "")).split())
        message = f"{entities} widened {why} when the data were converted, such as in {example}."
        advice = "A model learns and finds them as wide."
        if kind == "widened":
            advice += (
                " spert convert SOURCE --output DATA --split_words annotated --overwrite may keep some as annotated."
            )
        yield _finding("note", f"{kind}_entities", message, advice, (), found["count"])


def _overlaps(facts: DataCheck, evidence: Evidence) -> Iterator[Finding]:
    if facts.same_span:
        pairs = _many(facts.same_span, "pair")
        message = f"{pairs} of entities on the same words with two types: a model gives each span one type."
        advice = "Keep the type that matters more, or make a type for both."
        yield _finding("warning", "same_span", message, advice, evidence.overlaps["same_span"])
    for kind, verb in (("nested", "where one contains the other"), ("crossing", "that overlap without nesting")):
        places = evidence.overlaps[kind]
        if places:
            message = f"{_many(len(places), 'pair')} of entities {verb}: the model can find both."
            yield _finding("note", f"{kind}_entities", message, "", places)


def _signatures(facts: DataCheck, evidence: Evidence) -> Iterator[Finding]:
    if evidence.odd_signatures:
        count = len(evidence.odd_signatures)
        message = f"{_many(count, 'relation')} between entity types that are unusual for the relation type."
        yield _finding(
            "warning",
            "odd_signatures",
            message,
            "Look at them: some may be slips, or the wrong way round.",
            evidence.odd_signatures,
        )
    single = facts.single_signatures
    if single:
        message = f"{_many(len(single), 'relation type')} with exactly one pair of entity types: {_named(single)}."
        yield _finding("note", "single_signatures", message, "", (), len(single))


def _duplicates(facts: DataCheck) -> Iterator[Finding]:
    across = [group for group in facts.duplicates if len(group.splits) > 1]
    for exact, code, words in (
        (True, "duplicates_across_splits", "the same text"),
        (False, "near_duplicates_across_splits", f"nearly the same text (similarity {SIMILAR} or more)"),
    ):
        groups = [group for group in across if group.exact == exact]
        if groups:
            places = [place for group in groups for place in group.places]
            message = f"{_many(len(groups), 'group')} of rows in different splits with {words}: {len(places):,} rows."
            advice = "A score on rows that were trained on says nothing. Keep each text in one split."
            yield _finding("warning", code, message, advice, places, len(groups))
    within = [group for group in facts.duplicates if len(group.splits) == 1]
    if within:
        places = [place for group in within for place in group.places]
        message = (
            f"{_many(len(within), 'group')} of rows in one split with (nearly) the same text: {len(places):,} rows."
        )
        yield _finding("note", "duplicates_within_a_split", message, "", places, len(within))
    other = [group for group in facts.duplicates if group.differently_annotated]
    if other:
        places = [place for group in other for place in group.places]
        message = f"{_many(len(other), 'text')} annotated in two ways."
        yield _finding("warning", "differently_annotated", message, "Decide for one.", places, len(other))


def _documents(facts: DataCheck, evidence: Evidence) -> Iterator[Finding]:
    splits_of: dict[str, dict[str, Row]] = {}
    rows_of: dict[str, int] = {}
    for row in evidence.rows:
        name = row.example.get("doc_id")
        if name is not None:
            splits_of.setdefault(name, {}).setdefault(row.split, row)
            rows_of[name] = rows_of.get(name, 0) + 1
    shared = [
        row.place(f"document {name}") for name, rows in splits_of.items() if len(rows) > 1 for row in rows.values()
    ]
    if shared:
        count = sum(len(rows) > 1 for rows in splits_of.values())
        message = f"{_many(count, 'document')} with rows in more than one split."
        advice = "Split by document: sentences of one text share names and facts."
        yield _finding("warning", "documents_across_splits", message, advice, shared, count)
    cut = sum(count > 1 for count in rows_of.values())
    if cut:
        message = (
            f"{_many(cut, 'document')} as several rows: a relation joins two entities of one row, so there is none "
            "between sentences."
        )
        advice = "If the annotation has relations between sentences, give each document as one row."
        yield _finding("note", "documents_as_sentences", message, advice, (), cut)
    if evidence.crossing_sentences:
        relations = _many(len(evidence.crossing_sentences), "relation")
        message = f"{relations} between entities of different sentences, in rows of several sentences."
        advice = "They are learned as long as the rows stay whole."
        yield _finding("note", "relations_across_sentences", message, advice, evidence.crossing_sentences)


def _lengths(facts: DataCheck, evidence: Evidence) -> Iterator[Finding]:
    if facts.subwords is None:
        return
    if evidence.cut:
        message = (
            f"{_many(len(evidence.cut), 'row')} longer than the encoder's {facts.subwords.window_length} subwords."
        )
        advice = (
            "They are cut into overlapping pieces: nothing is lost but relations between entities that are far apart. "
            "Use an encoder with longer windows, or shorter rows."
        )
        yield _finding("warning", "long_rows", message, advice, evidence.cut)
    if facts.subwords.unknown_words > _UNKNOWN_WORDS:
        message = f"{facts.subwords.unknown_words:.1f} % of the words are unknown to the tokenizer."
        yield _finding("warning", "unknown_words", message, "Choose an encoder for this language and script.")
