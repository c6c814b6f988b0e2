"""The parts of a model card, as Markdown, each from the record of a run. Quoted text is escaped."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from modeling_spert.evaluation.conventions import CONVENTIONS
from modeling_spert.model_card.label_examples import (
    DEMO_SENTENCE,
    ENTITY_EXAMPLES,
    RELATION_EXAMPLES,
    SENTENCES,
    data_set_family,
)
from modeling_spert.model_card.record import RunRecord
from modeling_spert.shared.markdown import escape, one_line, quote, table

_SENTENCES = {**SENTENCES, "demo": DEMO_SENTENCE}
_PLACEHOLDER = "Put a text like those of the training data here."
_RECIPE = {
    "backbone": "encoder",
    "model": "continued from",
    "pretrained": "encoder weights kept",
    "context": "context",
    "train_split": "training split",
    "num_train_epochs": "epochs",
    "max_steps": "steps, if limited",
    "per_device_train_batch_size": "batch size per process",
    "gradient_accumulation_steps": "batches per step",
    "learning_rate": "learning rate",
    "head_learning_rate": "learning rate of the classifiers",
    "warmup_ratio": "warm-up",
    "weight_decay": "weight decay",
    "head_dropout": "dropout on the classifiers",
    "neg_entity_count": "negative spans per sentence",
    "neg_relation_count": "negative pairs per sentence",
    "relation_negatives": "negative pairs",
    "mixed_precision": "mixed precision",
    "seed": "seed",
}


def snippet(model_name: str, record: RunRecord, revision: str | None) -> str:
    """Python code that loads the model and prints what it finds, with what it has found as comments.

    Args:
        model_name: A folder, or `org/name`.
        record: Of the run.
        revision: Tag, branch or commit to load; None for a folder.
    """
    example = record.example
    text = example.text if example else _SENTENCES.get(data_set_family(record.data.get("name")), _PLACEHOLDER)
    model, sentence = quote(model_name), quote(text)
    if revision is not None:
        model += f", revision={quote(revision)}"
    unpinned = ['# "main" changes: name the commit or the tag whose code you have read instead.']
    return "\n".join(
        [
            "from transformers import pipeline",
            "",
            *(unpinned if revision == "main" else []),
            f'extract = pipeline("joint-extraction", model={model}, trust_remote_code=True)',
            f"answer = extract({sentence})",
            'for entity in answer["entities"]:',
            '    print(entity["label"], entity["text"], round(entity["score"], 2))',
            'for relation in answer["relations"]:',
            '    head, tail = (answer["entities"][relation[side]]["text"] for side in ("head", "tail"))',
            '    print(relation["label"], head, "->", tail, round(relation["score"], 2))',
            *(f"# {one_line(line)}" for line in (example.lines if example else ())),
        ]
    )


def example_note(record: RunRecord) -> str:
    """Where the sentence of the snippet is from, and whose answer is under it."""
    example = record.example
    if example is None:
        return ""
    title = escape(record.data.get("title") or "the data")
    origin = {
        "data": f"The sentence is from the split {escape(example.split)} of {title}: the shortest row with a relation "
        "that the model finds",
        "invented": f"The sentence was invented for this card: the rows of {title} are not shown",
    }.get(example.origin, "The sentence was chosen by whoever made this card")
    return f"{origin}. The comments at the end are the model's own answer, its mistakes included."


def summary(record: RunRecord) -> str:
    """One or two sentences: on which encoder, trained on what."""
    kind = record.config["backbone_config"].get("model_type", "transformer")
    start = base_model(record)
    encoder = f"{escape(start)} ({escape(kind)})" if start else f"a {escape(kind)} model"
    trained = f", trained on {escape(record.data['title'])}" if record.data else ""
    return f"The encoder is {encoder}{trained}."


def base_model(record: RunRecord) -> str | None:
    """The Hub name of the encoder, or of the model that training continued from; None if it was a local folder."""
    name = record.arguments.get("model") or record.arguments.get("backbone")
    if name == "bundled":
        return "sentence-transformers/all-MiniLM-L6-v2"
    return None if not name or " " in name else name


def label_table(record: RunRecord, kind: str) -> str:
    """The labels of one kind, "entity" or "relation", with meanings, examples and scores where there are any."""
    labels = record.config[f"{kind}_types"]
    title = f"{kind.capitalize()} types"
    if not labels:
        return f"{title}: none."
    family = data_set_family(record.data.get("name"))
    names = record.config.get("label_names") or {}
    symmetric = record.config.get("symmetric_relation_types") or []
    scores = (record.results or {}).get("scores", {})
    prefix = "ner" if kind == "entity" else "rel_strict"
    examples = [_example(family, kind, label) for label in labels]
    meanings = [_meaning(names.get(f"{kind}/{label}"), label, label in symmetric) for label in labels]
    head = [title] + ["meaning"] * any(meanings) + ["example"] * any(examples)
    head += ["F1" if kind == "entity" else "F1 (strict)", "support"] if scores else []
    rows = []
    for label, meaning, example in zip(labels, meanings, examples, strict=True):
        row = [escape(label)] + [escape(meaning)] * any(meanings) + [example] * any(examples)
        if scores:
            row += [_number(scores.get(f"{prefix}_f1/{label}")), _number(scores.get(f"{prefix}_support/{label}"), 0)]
        rows.append(row)
    return table(head, rows)


def _meaning(name: str | None, label: str, symmetric: bool) -> str:
    """What a label's own text does not say.

    >>> _meaning("Person", "Per", False), _meaning("Near", "Near", True), _meaning(None, "Near", False)
    ('Person', 'symmetric', '')
    """
    parts = [name] if name and name != label else []
    return ", ".join([*parts, *(["symmetric"] if symmetric else [])])


def _example(family: str, kind: str, label: str) -> str:
    key = f"{family}/{label}"
    if kind == "entity":
        return escape(ENTITY_EXAMPLES.get(key, ""))
    return " → ".join(escape(part) for part in RELATION_EXAMPLES.get(key, ()))


def _number(value: float | None, digits: int = 2) -> str:
    return "" if value is None else f"{value:.{digits}f}"


def metric_rows(record: RunRecord, scores: Mapping[str, float]) -> list[tuple[str, str, str]]:
    """(prefix of the scores, average, name that states the convention) of every average that was scored."""
    rows = []
    for variant, remark in (("", ""), ("no_overlapping_", ", without overlapping entities")):
        for prefix, convention in CONVENTIONS.items():
            if prefix != "ner" and not record.config["relation_types"]:
                continue
            for average in ("micro", "macro"):
                if f"{variant}{prefix}_f1_{average}" in scores:
                    rows.append((variant + prefix, average, convention.score_name(average) + remark))
    return rows


def scores_section(record: RunRecord) -> str:
    """The scores of every split, each with its convention."""
    tables = [
        part for split, scores in record.scores.items() for part in _split_section(record, split, scores) if scores
    ]
    if not tables:
        return "Not scored yet."
    rule = "Boundaries and strict scores can differ widely: never quote a relation score without its convention."
    return "\n\n".join([*tables, rule, *_calibration(record)])


def _split_section(record: RunRecord, split: str, scores: Mapping[str, float]) -> list[str]:
    rows = metric_rows(record, scores)
    if not rows:
        return []
    name = record.data.get("title") or (record.results or {}).get("dataset") or "the data"
    revision = scored_revision(record, split)
    note = f" (rows {escape(revision)})" if revision else ""
    cells = []
    for prefix, average, title in rows:
        values = [_number(scores.get(f"{prefix}_{measure}_{average}")) for measure in ("precision", "recall", "f1")]
        definition = CONVENTIONS[prefix.removeprefix("no_overlapping_")].definition
        cells.append([title.replace(" F1", ""), definition, *values])
    return [
        f"On the split {escape(split)} of {escape(name)}{note}, in percent:",
        table(["", "correct if", "precision", "recall", "F1"], cells),
    ]


def _calibration(record: RunRecord) -> list[str]:
    """What the calibration did, for each split on which it was measured."""
    errors = (record.results or {}).get("calibration_error")
    if not isinstance(errors, Mapping):
        return []
    rows = []
    for split, found in ((split, found) for split, found in errors.items() if isinstance(found, Mapping)):
        for kind in ("entity", "relation"):
            before, after = found.get(f"{kind}_error_before"), found.get(f"{kind}_error")
            if before is not None and after is not None:
                rows.append([escape(split), f"{kind} scores", f"{before:.3f}", f"{after:.3f}"])
    temperatures = ", ".join(f"{record.config.get(f'{kind}_temperature', 1.0):.2f}" for kind in ("entity", "relation"))
    intro = (
        f"The scores are calibrated on dev (temperatures of entities and relations: {temperatures}): expected "
        "calibration error, ten bins, of the scores that come close to an answer. Thresholds act on calibrated scores."
    )
    return [intro, table(["split", "", "before", "after"], rows)] if rows else []


def scored_revision(record: RunRecord, split: str) -> str | None:
    """The digest of the rows of a split that was scored, if the run recorded it."""
    facts = record.data.get("eval") or {}
    return facts.get("revision") if facts.get("split") == split else None


def limits(record: RunRecord) -> str:
    """What the model does not do, or does badly, as a list."""
    config, data = record.config, record.data
    train = data.get("train") or {}
    width = config["max_span_width"]
    items = [
        f"Entities of more than {width} words are never found"
        + (f"; {train['wide_entities']} of the training data's {train['entities']} are wider." if train else "."),
        _relation_scope(config),
    ]
    if train and config["relation_types"]:
        without, count = train["without_relations"], train["sentences"]
        if record.arguments.get("extra_relation_free"):
            share = escape(record.arguments.get("extra_share"))
            items.append(f"For each training sentence, {share} sentences without relations were mixed in.")
        elif without == 0:
            items.insert(
                0,
                "Every sentence it was trained on holds a relation. In ordinary text most hold none, and there "
                "the model **finds too many** entities and relations: raise `entity_threshold` and "
                "`relation_threshold`, or train with sentences without relations (`--extra_relation_free`).",
            )
        else:
            within = "training sentences"
            if _unit(train) == "document":
                within = f"sentences, in {_size(train)},"
            items.append(f"{without} of its {count} {within} hold no relation.")
    if config.get("symmetric_relation_types"):
        labels = ", ".join(escape(label) for label in config["symmetric_relation_types"])
        items.append(f"{labels} have no direction: the entity that starts earlier is the head.")
    if data.get("licence"):
        items.append(_licence_note(data))
    return "\n".join(f"- {item}" for item in items)


def _relation_scope(config: Mapping[str, Any]) -> str:
    if (config.get("segmentation") or {}).get("split_sentences", True):
        return "Relations are found within a sentence only; between sentences there are none."
    return (
        "A text is read as one piece, as in the training data, and relations across its sentences are found; of a text "
        "that does not fit the encoder, only within overlapping pieces."
    )


def _licence_note(data: Mapping[str, Any]) -> str:
    title = escape(data["title"])
    if data["licence"] == "unknown":
        return (
            f"{title} is third-party data whose publishers do not name a licence: check its terms before you use or "
            "share this model."
        )
    return f"The training data, {title}, are under the licence {escape(data['licence'])}."


def _size(split: Mapping[str, Any]) -> str:
    """The rows of a split, by their unit: "8 sentences"."""
    count = split["rows"] if _unit(split) == "document" else split["sentences"]
    return f"{count} {_unit(split)}s"


def _unit(split: Mapping[str, Any]) -> str:
    return "document" if split.get("unit") == "document" and isinstance(split.get("rows"), int) else "sentence"


def training_section(record: RunRecord, curve_file: str | None) -> str:
    """Recipe, data, versions and the curve."""
    parts = []
    arguments = record.arguments
    if arguments:
        settings = {**arguments, **{name: value for name, value in record.config.items() if name in _RECIPE}}
        rows = [
            [title, escape(settings[name])]
            for name, title in _RECIPE.items()
            if settings.get(name) is not None and not (name == "max_steps" and settings[name] < 0)
        ]
        if arguments.get("model"):
            rows = [row for row in rows if row[0] not in ("encoder", "encoder weights kept")]
        parts.append(table(["setting", "value"], rows))
    train = record.data.get("train")
    if train:
        parts.append(
            f"{_size(train)} with {train['entities']} entities and {train['relations']} relations "
            f"(rows {escape(train['revision'])})."
        )
    if record.versions:
        parts.append("Versions: " + ", ".join(f"{escape(k)} {escape(v)}" for k, v in record.versions.items()) + ".")
    if curve_file:
        parts.append(f"![Training loss and scores over the steps]({curve_file})")
    if arguments:
        written = quote(dict(arguments), indent=1)
        parts.append(f"<details><summary>All arguments</summary>\n\n```json\n{written}\n```\n\n</details>")
    return "\n\n".join(parts) or "Not recorded."
