"""From logits to entities and relations (SpERT, sections 3.2 and 3.3: filtering, threshold).

Shape letters: B windows, S candidate spans, P candidate pairs, E entity classes, Q relation types.
"""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from transformers import PreTrainedConfig
from transformers.utils import ModelOutput

from .configuration_spert import check_setting
from .spans_spert import calibrate_logits, choose_spans
from .windows_spert import Window


@dataclass(frozen=True, order=True)
class Entity:
    """A typed span of words `[start, end)` of a sentence, with its probability."""

    start: int
    end: int
    label: str
    score: float = 1.0


@dataclass(frozen=True, order=True)
class Relation:
    """A typed, directed pair of entities, as indices into the entities of the same extraction."""

    head: int
    tail: int
    label: str
    score: float = 1.0


@dataclass(frozen=True)
class Extraction:
    """Entities of a sentence, sorted by start, end and label, and its relations, sorted by head, tail and label."""

    entities: tuple[Entity, ...] = ()
    relations: tuple[Relation, ...] = ()


def build_extraction(entities: Sequence[Entity], relations: Iterable[Relation]) -> Extraction:
    """Sort entities and relations, and point the relations at the entities' new places.

    >>> build_extraction([Entity(4, 5, "B"), Entity(0, 1, "A")], [Relation(0, 1, "r")]).relations
    (Relation(head=1, tail=0, label='r', score=1.0),)
    """
    order = sorted(range(len(entities)), key=lambda i: entities[i])
    place = {old: new for new, old in enumerate(order)}
    moved = (replace(relation, head=place[relation.head], tail=place[relation.tail]) for relation in relations)
    return Extraction(tuple(entities[i] for i in order), tuple(sorted(moved)))


@dataclass(frozen=True)
class DecodingRules:
    """How probabilities become entities and relations.

    Attributes:
        entity_types: Labels of the span classes 1, 2, ….
        relation_types: Labels of the relation classes.
        symmetric_relation_types: Made canonical: the span that starts earlier is the head. Predicted both ways, the
            first in pair order keeps its score, as in the original.
        relation_threshold: Probability from which a relation holds.
        relation_signatures: Head type, relation type and tail type that go together; see `drop_unseen_signatures`.
        entity_temperature: Of the entity probabilities.
        relation_temperature: Of the relation probabilities, with which the threshold is compared.
    """

    entity_types: tuple[str, ...]
    relation_types: tuple[str, ...]
    symmetric_relation_types: frozenset[str]
    relation_threshold: float
    relation_signatures: frozenset[tuple[str, str, str]] = frozenset()
    entity_temperature: float = 1.0
    relation_temperature: float = 1.0


def decoding_rules(config: PreTrainedConfig, relation_threshold: float | None = None) -> DecodingRules:
    """The rules of a `SpertConfig`, with another relation threshold if one is given.

    Raises:
        ValueError: If the threshold is not a probability.
    """
    if relation_threshold is None:
        relation_threshold = config.relation_threshold
    check_setting("relation_threshold", relation_threshold)
    symmetric = frozenset(config.symmetric_relation_types)
    signatures = frozenset((head, relation, tail) for head, relation, tail in config.relation_signatures or ())
    return DecodingRules(
        tuple(config.entity_types),
        tuple(config.relation_types),
        symmetric,
        relation_threshold,
        signatures,
        config.entity_temperature,
        config.relation_temperature,
    )


@dataclass(frozen=True)
class _Member:
    """An entity with its window and piece; its words count from the piece's first."""

    row: int
    piece: int
    entity: Entity


def decode_windows(
    output: ModelOutput,
    windows: Sequence[Window],
    rules: DecodingRules,
    given: Sequence[Entity] | None = None,
) -> list[list[Extraction]]:
    """Entities and relations of each piece of each window, words counted from the piece's first.

    Args:
        output: What the model returned for the batch made of `windows`.
        windows: The windows, in the batch's order.
        rules: Labels and thresholds.
        given: The entities whose spans were given to the model, in their order; the answer has their labels and
            scores, whatever the model says of them.

    Raises:
        ValueError: If spans were given to the model, but no entities here, or scores are not numbers: no comparison
            with them holds, and the answer would be empty.
    """
    if given is None and output.entities is None:
        raise ValueError("the model got spans to classify: pass their entities as given=[…]")
    output = _fetch(output)
    indexed = _found_entities(output, rules) if given is None else _given_entities(output, given)
    first_words = [window.first_words for window in windows]
    members: dict[int, _Member] = {}
    for index, row, entity in indexed:
        piece = windows[row].sentence_index[entity.start]
        offset = first_words[row][piece]
        members[index] = _Member(row, piece, replace(entity, start=entity.start - offset, end=entity.end - offset))
    return _assemble(windows, members, _found_relations(output, rules), rules)


def _fetch(output: ModelOutput) -> ModelOutput:
    """What is decoded of the output, on the host: from a GPU, at once instead of value by value."""
    names = ("entity_logits", "relation_logits", "spans", "pairs", "entities")
    fetched = type(output)(**{name: output[name].cpu() for name in names if output.get(name) is not None})
    if any(value.is_floating_point() and value.isnan().any() for value in fetched.values()):
        raise ValueError(
            "the model's scores are not numbers (NaN): its weights are damaged, or training has diverged, or they are "
            "too large for its precision. Load an earlier model, or try precision='fp32'"
        )
    return fetched


def _assemble(
    windows: Sequence[Window],
    members: dict[int, _Member],
    found: Iterable[tuple[int, int, int, float]],
    rules: DecodingRules,
) -> list[list[Extraction]]:
    """Entities and relations sorted into their windows and pieces."""
    entities: list[list[list[Entity]]] = [[[] for _ in window.pieces] for window in windows]
    relations: list[list[dict[tuple[int, int, str], Relation]]] = [[{} for _ in window.pieces] for window in windows]
    place: dict[int, int] = {}
    for index, member in members.items():
        siblings = entities[member.row][member.piece]
        place[index] = len(siblings)
        siblings.append(member.entity)
    for head, tail, label, score in found:
        name = rules.relation_types[label]
        if name in rules.symmetric_relation_types and members[tail].entity.start < members[head].entity.start:
            head, tail = tail, head
        key = (place[head], place[tail], name)
        relations[members[head].row][members[head].piece].setdefault(key, Relation(*key, score))
    return [
        [
            drop_unseen_signatures(build_extraction(e, r.values()), rules)
            for e, r in zip(row_entities, row_relations, strict=True)
        ]
        for row_entities, row_relations in zip(entities, relations, strict=True)
    ]


def _found_entities(output: ModelOutput, rules: DecodingRules) -> list[tuple[int, int, Entity]]:
    """Index, window and entity of every span that the model found, in candidate order."""
    found = output["entities"]
    if len(found) == 0:
        return []
    logits = calibrate_logits(output["entity_logits"][found].float(), rules.entity_temperature)
    scores, labels = logits.softmax(1)[:, 1:].max(1)
    return [
        (index, row, Entity(start, end, rules.entity_types[label], score))
        for index, (row, start, end), label, score in zip(
            found.tolist(), output["spans"][found].tolist(), labels.tolist(), scores.tolist(), strict=True
        )
    ]


def _given_entities(output: ModelOutput, given: Sequence[Entity]) -> list[tuple[int, int, Entity]]:
    return [
        (index, row, replace(entity, start=start, end=end))
        for index, ((row, start, end), entity) in enumerate(zip(output["spans"].tolist(), given, strict=True))
    ]


def _found_relations(output: ModelOutput, rules: DecodingRules) -> list[tuple[int, int, int, float]]:
    """Head span, tail span, type and score of every relation at or above the threshold, in pair order."""
    threshold, temperature = rules.relation_threshold, rules.relation_temperature
    if output["relation_logits"].numel() == 0:
        return []
    # Logits are compared, so that there is no second (P, Q) tensor, of probabilities.
    least = math.log(threshold / (1 - threshold)) if 0 < threshold < 1 else (threshold - 0.5) * math.inf
    pair, label = (output["relation_logits"] >= least * temperature).nonzero().unbind(1)
    scores = calibrate_logits(output["relation_logits"][pair, label].float(), temperature).sigmoid().tolist()
    found = output["pairs"][pair].tolist()
    return [(head, tail, q, score) for (head, tail), q, score in zip(found, label.tolist(), scores, strict=True)]


def drop_unseen_signatures(extraction: Extraction, rules: DecodingRules) -> Extraction:
    """Drop the relations between types that no signature of the rules joins. SpERT: no such check.

    A relation type that no signature names is not checked, nor is an entity type that the model does not know (entities
    may be given). A symmetric type joins its two types in either order.
    """
    signatures = rules.relation_signatures
    checked = {relation for _, relation, _ in signatures}

    def holds(relation: Relation) -> bool:
        head, tail = (extraction.entities[index].label for index in (relation.head, relation.tail))
        if relation.label not in checked or not {head, tail} <= set(rules.entity_types):
            return True
        turned = relation.label in rules.symmetric_relation_types and (tail, relation.label, head) in signatures
        return turned or (head, relation.label, tail) in signatures

    return replace(extraction, relations=tuple(filter(holds, extraction.relations))) if signatures else extraction


def merge_pieces(pieces: Iterable[tuple[int, Extraction]]) -> Extraction:
    """One extraction of a sentence from those of its overlapping pieces: the union; the higher score stays.

    Args:
        pieces: First word of the piece in the sentence, and its extraction.
    """
    entities: dict[tuple[int, int], Entity] = {}
    relations: dict[tuple[tuple[int, int], tuple[int, int], str], float] = {}
    for offset, extraction in pieces:
        moved = [replace(e, start=e.start + offset, end=e.end + offset) for e in extraction.entities]
        for entity in moved:
            span = (entity.start, entity.end)
            if span not in entities or entity.score > entities[span].score:
                entities[span] = entity
        for relation in extraction.relations:
            head, tail = moved[relation.head], moved[relation.tail]
            key = ((head.start, head.end), (tail.start, tail.end), relation.label)
            relations[key] = max(relation.score, relations.get(key, 0.0))
    place = {span: i for i, span in enumerate(entities)}
    found = (Relation(place[head], place[tail], label, s) for (head, tail, label), s in relations.items())
    return build_extraction(list(entities.values()), found)


def resolve_overlaps(extraction: Extraction, mode: str) -> Extraction:
    """Drop entities that overlap a better one, and the relations of every dropped entity.

    Args:
        extraction: Entities and relations of one sentence.
        mode: "allow" keeps all; "nested" lets spans contain, but not cross, one another; "flat" allows no overlap.

    Raises:
        ValueError: If the mode is unknown.

    >>> extraction = Extraction((Entity(0, 2, "A", 0.9), Entity(1, 3, "B", 0.8)), (Relation(0, 1, "r"),))
    >>> resolve_overlaps(extraction, "flat")
    Extraction(entities=(Entity(start=0, end=2, label='A', score=0.9),), relations=())
    """
    check_setting("overlap", mode)
    if mode == "allow":
        return extraction
    best_first = sorted(range(len(extraction.entities)), key=lambda i: -extraction.entities[i].score)
    kept = sorted(choose_spans([(entity.start, entity.end) for entity in extraction.entities], best_first, mode))
    place = {old: new for new, old in enumerate(kept)}
    relations = (
        replace(r, head=place[r.head], tail=place[r.tail])
        for r in extraction.relations
        if r.head in place and r.tail in place
    )
    return build_extraction([extraction.entities[i] for i in kept], relations)
