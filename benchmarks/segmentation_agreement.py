"""How well raw text is segmented back into a benchmark's own words: agreement, lost entities and relations, speed.

Method: every row of the evaluation split is turned into natural text (straight quotes, plain brackets, hyphens and
slashes rejoined where the data set splits them, then the Moses detokenizer of `sacremoses`), and segmented with rules
inferred from the training split. Gold entities keep their characters through the detokenizer by alignment. Counted are
rows with identical words, gold entities that begin and end at word boundaries of one sentence, and relations whose
two entities are such and share a sentence: what a perfect model could still find. "Same words" asks more: no entity has
other words inside than the original ("Texas." is one word of CoNLL04 where a sentence's period was left on it, but two
words of every consistent splitter); its second figure ignores that period. Three settings: a row is one sentence; a
row is split into sentences; all rows joined by blanks are split. Speed: the median over repetitions of
segmenting the joined text, in CPU time of the one thread, after a warm-up.

Usage: python -m benchmarks.segmentation_agreement --dataset conll04 --data_dir data/conll04
Needs: pip install sacremoses
"""

from __future__ import annotations

import argparse
import dataclasses
import difflib
import json
import re
import statistics
import sys
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from sacremoses import MosesDetokenizer

from modeling_spert.segmentation_rules_spert import DEFAULT_RULES, SegmentationRules
from modeling_spert.segmentation_spert import Word, segment
from modeling_spert.shared.commands import command
from modeling_spert.training.infer_segmentation import infer_rules

SPLITS = {
    "conll04": ("conll04_train.json", "conll04_{split}.json"),
    "scierc": ("scierc_train.json", "scierc_{split}.json"),
    "ade": ("ade_split_{fold}_train.json", "ade_split_{fold}_{split}.json"),
}
PLAIN = {"``": '"', "''": '"', "`": "'", "-LRB-": "(", "-RRB-": ")", "-LSB-": "[", "-RSB-": "]"}
PLAIN |= {"-LCB-": "{", "-RCB-": "}"}

Prepared = tuple[str, list[tuple[int, int]]]  # natural text of a row, characters of each of its tokens


def merge_quotes(tokens: Sequence[str]) -> Iterator[tuple[str, int]]:
    """The tokens, each with how many original tokens it replaces: CoNLL04 writes one quote as two (` `)."""
    position = 0
    while position < len(tokens):
        width = 2 if tokens[position] in ("`", "'") and tokens[position + 1 : position + 2] == [tokens[position]] else 1
        yield "".join(tokens[position : position + width]), width
        position += width


def detokenize(
    tokens: Sequence[str], rejoined: str, detokenizer: MosesDetokenizer
) -> tuple[str, list[tuple[int, int]]]:
    """Natural text for a row, and the characters of each of its tokens; characters in `rejoined` lose their blanks.

    Raises:
        ValueError: If the detokenizer changed a token so that it cannot be found again.
    """
    surfaces: list[str] = []
    for token, width in merge_quotes(tokens):
        surfaces += [PLAIN.get(token, token)] + [""] * (width - 1)
    text = detokenizer.detokenize([surface for surface in surfaces if surface], unescape=False)
    if rejoined:
        text = re.sub(rf"(?<=\w) ([{re.escape(rejoined)}]) (?=\w)", r"\1", text)
    ranges, position = [], 0
    for surface in surfaces:
        while surface and text[position : position + 1] == " ":
            position += 1
        if not text.startswith(surface, position):
            raise ValueError(f"the detokenizer changed {surface!r} at character {position} of a row")
        ranges.append((position, position + len(surface)))
        position += len(surface)
    return text, ranges


@dataclasses.dataclass
class Agreement:
    """Counts of what survives segmentation."""

    rows: int = 0
    identical: int = 0
    entities: int = 0
    kept_entities: int = 0
    relations: int = 0
    kept_relations: int = 0
    sentences: int = 0
    same_entities: int = 0
    same_relations: int = 0
    same_entities_period: int = 0
    same_relations_period: int = 0
    differences: Counter[str] = dataclasses.field(default_factory=Counter)

    def add_spans(
        self, row: dict[str, Any], ranges: list[tuple[int, int]], text: str, sentences: list[list[Word]]
    ) -> None:
        """Count a row's gold annotation; `ranges` are the characters of its tokens in `text`, so are the words'."""
        starts = {word.start: n for n, sentence in enumerate(sentences) for word in sentence}
        ends = {word.end: n for n, sentence in enumerate(sentences) for word in sentence}
        words = [(word.start, word.end) for sentence in sentences for word in sentence]
        sentence_of, same, same_period = [], [], []
        for entity in row["entities"]:
            gold = [(start, end) for start, end in ranges[entity["start"] : entity["end"]] if start < end]
            start, end = gold[0][0], gold[-1][1]
            sentence = starts.get(start)
            sentence_of.append(sentence if sentence is not None and ends.get(end) == sentence else None)
            found = {(first, last) for first, last in words if start <= first and last <= end}
            same.append(found == set(gold))
            if text[end - 1] == "." and end - gold[-1][0] > 1:
                gold[-1] = (gold[-1][0], end - 1)
                found -= {(end - 1, end)}
            same_period.append(same[-1] or found == set(gold))
        pairs = [(relation["head"], relation["tail"]) for relation in row["relations"]]
        self.entities += len(same)
        self.relations += len(pairs)
        self.kept_entities += sum(sentence is not None for sentence in sentence_of)
        self.kept_relations += sum(sentence_of[h] is not None and sentence_of[h] == sentence_of[t] for h, t in pairs)
        self.same_entities += sum(same)
        self.same_relations += sum(same[head] and same[tail] for head, tail in pairs)
        self.same_entities_period += sum(same_period)
        self.same_relations_period += sum(same_period[head] and same_period[tail] for head, tail in pairs)


def measure(rows: list[dict[str, Any]], prepared: list[Prepared], rules: SegmentationRules) -> Agreement:
    """Agreement over rows that are segmented one by one."""
    agreement = Agreement()
    for row, (text, ranges) in zip(rows, prepared, strict=True):
        sentences = segment(text, rules)
        found = [word.text for sentence in sentences for word in sentence]
        gold = [token for token, _ in merge_quotes(row["tokens"])]
        agreement.rows += 1
        agreement.identical += found == gold
        agreement.sentences += len(sentences)
        matcher = difflib.SequenceMatcher(None, gold, found, autojunk=False)
        for tag, i, j, k, m in matcher.get_opcodes():
            if tag != "equal":
                agreement.differences[f"{' '.join(gold[i:j][:4])} => {' '.join(found[k:m][:4])}"] += 1
        agreement.add_spans(row, ranges, text, sentences)
    return agreement


def measure_joined(rows: list[dict[str, Any]], prepared: list[Prepared], rules: SegmentationRules) -> Agreement:
    """Agreement over all rows joined by blanks; a row is identical if its words are and no other row shares them."""
    agreement = Agreement()
    text = " ".join(text for text, _ in prepared)
    sentences = segment(text, rules)
    agreement.sentences = len(sentences)
    offset = 0
    for row, (row_text, ranges) in zip(rows, prepared, strict=True):
        last = offset + len(row_text)
        shifted = [(start + offset, end + offset) for start, end in ranges]
        touching = [words for words in sentences if words[0].start < last and words[-1].end > offset]
        found = [word.text for words in touching for word in words]
        agreement.rows += 1
        agreement.identical += len(touching) == 1 and found == [token for token, _ in merge_quotes(row["tokens"])]
        agreement.add_spans(row, shifted, text, touching)
        offset = last + 1
    return agreement


def measure_speed(text: str, rules: SegmentationRules, repetitions: int = 7) -> tuple[float, float, float]:
    """Median, slowest and fastest million characters per second."""
    text = text * (1 + 500_000 // max(len(text), 1))
    segment(text, rules)
    speeds = []
    for _ in range(repetitions):
        started = time.process_time()
        segment(text, rules)
        speeds.append(len(text) / 1e6 / (time.process_time() - started))
    return statistics.median(speeds), min(speeds), max(speeds)


def report(name: str, agreement: Agreement) -> str:
    """Three lines of the table: rows, entities, relations."""

    def share(part: int, whole: int) -> str:
        return f"{100 * part / max(whole, 1):6.2f} % ({whole - part} of {whole} lost)"

    return (
        f"{name}: {agreement.sentences} sentences\n"
        f"  rows      identical {share(agreement.identical, agreement.rows)}\n"
        f"  entities  at word boundaries of a sentence {share(agreement.kept_entities, agreement.entities)}; "
        f"same words {share(agreement.same_entities, agreement.entities)}, "
        f"except for a final period {share(agreement.same_entities_period, agreement.entities)}\n"
        f"  relations in one sentence {share(agreement.kept_relations, agreement.relations)}; "
        f"same words {share(agreement.same_relations, agreement.relations)}, "
        f"except for a final period {share(agreement.same_relations_period, agreement.relations)}"
    )


@command()
def main() -> None:
    """Print the table, the rules and the most frequent differences."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--dataset", choices=sorted(SPLITS), required=True, help="which benchmark")
    parser.add_argument("--data_dir", type=Path, required=True, help="folder of its SpERT JSON files")
    parser.add_argument("--split", default="test", help="split to segment")
    parser.add_argument("--fold", type=int, default=0, help="fold of ADE")
    parser.add_argument("--rules", choices=("train", "default"), default="train", help="inferred from train, or not")
    parser.add_argument("--differences", type=int, default=20, help="how many differing tokens to list")
    args = parser.parse_args()
    train_name, name = (pattern.format(fold=args.fold, split=args.split) for pattern in SPLITS[args.dataset])
    rows = json.loads((args.data_dir / name).read_text(encoding="utf-8"))
    rules = DEFAULT_RULES
    if args.rules == "train":
        train = json.loads((args.data_dir / train_name).read_text(encoding="utf-8"))
        rules = infer_rules(row["tokens"] for row in train)
    print(json.dumps(rules.to_dict(), ensure_ascii=True))

    detokenizer = MosesDetokenizer("en")
    rejoined = ("-" if rules.split_hyphens != "never" else "") + ("/" if rules.split_slashes != "never" else "")
    prepared = [detokenize(row["tokens"], rejoined, detokenizer) for row in rows]
    whole = measure(rows, prepared, dataclasses.replace(rules, split_sentences=False))
    print(report("a row is one sentence", whole))
    print(report("rows split", measure(rows, prepared, rules)))
    print(report("rows joined, split", measure_joined(rows, prepared, rules)))
    median, slowest, fastest = measure_speed(" ".join(text for text, _ in prepared), rules)
    print(f"speed {median:.2f} million characters/s (median of 7; {slowest:.2f} to {fastest:.2f})")
    print("most frequent differences, gold => found:")
    for difference, count in whole.differences.most_common(args.differences):
        print(f"  {count:4d}  {difference}")


if __name__ == "__main__":
    sys.exit(main())
