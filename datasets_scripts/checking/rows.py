"""The rows of a data set as the checks read them: each with its split and its index."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from datasets_scripts.checking.facts import Place
from datasets_scripts.joint_dataset import JointDataset

_LONGEST_TEXT = 160  # characters of a place
SENTENCE_ENDS = frozenset(".!?…。！？")


@dataclass(frozen=True)
class Row:
    """A row and where it is."""

    split: str
    index: int
    example: Mapping[str, Any]

    @property
    def tokens(self) -> list[str]:
        """Its words."""
        return self.example["tokens"]

    @property
    def entities(self) -> list[dict[str, Any]]:
        """Its entities, `type`, `start`, `end`."""
        return self.example["entities"]

    @property
    def relations(self) -> list[dict[str, Any]]:
        """Its relations, `type`, `head`, `tail`."""
        return self.example["relations"]

    def words(self, entity: Mapping[str, Any]) -> str:
        """The words of an entity."""
        return " ".join(self.tokens[entity["start"] : entity["end"]])

    def place(self, text: str | None = None) -> Place:
        """Where it is; `text` is shortened, and the sentence by default."""
        shown = " ".join(self.tokens) if text is None else text
        shown = shown if len(shown) <= _LONGEST_TEXT else shown[: _LONGEST_TEXT - 1] + "…"
        return Place(self.split, self.index, self.example.get("orig_id"), shown)


def read_rows(dataset: JointDataset) -> list[Row]:
    """All rows, split by split."""
    return [
        Row(split, index, example)
        for split, examples in dataset.splits.items()
        for index, example in enumerate(examples.to_list())
    ]


def crosses_sentence_end(row: Row, relation: Mapping[str, Any]) -> bool:
    """Whether a full stop, question or exclamation mark is a word between the two entities of a relation."""
    first, second = sorted(
        (row.entities[relation[end]]["start"], row.entities[relation[end]]["end"]) for end in ("head", "tail")
    )
    return any(word in SENTENCE_ENDS for word in row.tokens[first[1] : second[0]])


def count_pairs(rows: Iterable[Row]) -> dict[str, list[Place]]:
    """Pairs of overlapping entities: "same_span", "nested", "crossing", each with its places."""
    found: dict[str, list[Place]] = {"same_span": [], "nested": [], "crossing": []}
    for row in rows:
        ordered = sorted(row.entities, key=lambda entity: (entity["start"], -entity["end"]))
        for index, outer in enumerate(ordered):
            for inner in ordered[index + 1 :]:
                if inner["start"] >= outer["end"]:
                    break
                same = (inner["start"], inner["end"]) == (outer["start"], outer["end"])
                kind = "same_span" if same else "nested" if inner["end"] <= outer["end"] else "crossing"
                names = [f"{row.words(entity)} ({entity['type']})" for entity in (outer, inner)]
                found[kind].append(row.place(" / ".join(names)))
    return found
