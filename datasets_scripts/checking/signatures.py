"""Type signatures: which entity types each relation type joins (SpERT's data are nearly free of exceptions)."""

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from typing import Any

from datasets_scripts.checking.facts import Place, Signature
from datasets_scripts.checking.rows import Row

_ENOUGH = 20  # relations of a type before a rare signature is odd
_ODD_SHARE = 0.04  # of the type's relations: a rarer signature may be a slip, …
_ODD_SUM = 0.06  # … unless such signatures together are more: then the type is simply not tied to entity types

Key = tuple[str, str, str]


def signature_of(row: Row, relation: Mapping[str, Any], symmetric: Collection[str]) -> Key:
    """Relation type, head type and tail type; the two in alphabetical order where direction means nothing."""
    head, tail = (row.entities[relation[end]]["type"] for end in ("head", "tail"))
    if relation["type"] in symmetric and tail < head:
        head, tail = tail, head
    return relation["type"], head, tail


def find_signatures(rows: Sequence[Row], relation_types: Sequence[str], symmetric: Collection[str]) -> list[Signature]:
    """All signatures, in the order of the relation types, the most frequent first."""
    counts: dict[Key, Counter[str]] = {}
    for row in rows:
        for relation in row.relations:
            counts.setdefault(signature_of(row, relation, symmetric), Counter())[row.split] += 1
    odd = _odd_signatures({key: by_split.total() for key, by_split in counts.items()})
    order = {label: index for index, label in enumerate(relation_types)}
    return [
        Signature(*key, dict(by_split), key in odd)
        for key, by_split in sorted(
            counts.items(), key=lambda item: (order.get(item[0][0], len(order)), -item[1].total(), item[0])
        )
    ]


def _odd_signatures(counts: Mapping[Key, int]) -> set[Key]:
    """The signatures that are so rare among those of their type that they may be slips.

    >>> _odd_signatures({("born", "Person", "Place"): 60, ("born", "Place", "Person"): 1})
    {('born', 'Place', 'Person')}
    """
    totals: Counter[str] = Counter()
    for (relation_type, *_), count in counts.items():
        totals[relation_type] += count
    rare = {key for key, count in counts.items() if count <= _ODD_SHARE * totals[key[0]]}
    together: Counter[str] = Counter()
    for key in rare:
        together[key[0]] += counts[key]
    return {key for key in rare if totals[key[0]] >= _ENOUGH and together[key[0]] <= _ODD_SUM * totals[key[0]]}


def odd_places(rows: Sequence[Row], signatures: Sequence[Signature], symmetric: Collection[str]) -> list[Place]:
    """Where the odd signatures are."""
    odd = {(signature.relation, signature.head, signature.tail) for signature in signatures if signature.odd}
    places = []
    for row in rows:
        for relation in row.relations:
            if signature_of(row, relation, symmetric) in odd:
                head, tail = (row.entities[relation[end]] for end in ("head", "tail"))
                places.append(
                    row.place(
                        f"{row.words(head)} ({head['type']}) —{relation['type']}→ {row.words(tail)} ({tail['type']})"
                    )
                )
    return places
