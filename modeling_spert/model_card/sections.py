"""The parts of a model card, as Markdown, each from the record of a run. Quoted text is escaped."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from modeling_spert.evaluation.conventions import CONVENTIONS
from modeling_spert.model_card.label_examples import (
    ANY_SENTENCE,
    ENTITY_EXAMPLES,
    RELATION_EXAMPLES,
    SENTENCES,
    data_set_family,
)
from modeling_spert.model_card.record import RunRecord
from modeling_spert.shared.markdown import escape, quote, table

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


def snippet(model_name: str, record: RunRecord) -> str:
    """Python code that loads the model and prints what it finds."""
    text = SENTENCES.get(data_set_family(record.data.get("name")), ANY_SENTENCE)
    model, sentence = (quote(value) for value in (model_name, text))
    return "\n".join(
        [
            "from transformers import pipeline",
            "",
            f'extract = pipeline("joint-extraction", model={model}, trust_remote_code=True)',
            f"answer = extract({sentence})",
            'for entity in answer["entities"]:',
            '    print(entity["label"], entity["text"], round(entity["score"], 2))',
            'for relation in answer["relations"]:',
            '    head, tail = (answer["entities"][relation[side]]["text"] for side in ("head", "tail"))',
            '    print(relation["label"], head, "->", tail, round(relation["score"], 2))',
        ]
    )


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
    head = [title, "meaning"] + ["example"] * any(examples)
    head += ["F1" if kind == "entity" else "F1 (strict)", "support"] if scores else []
    rows = []
    for label, example in zip(labels, examples, strict=True):
        meaning = names.get(f"{kind}/{label}", label) + (" (symmetric)" if label in symmetric else "")
        row = [escape(label), escape(meaning)] + [example] * any(examples)
        if scores:
            row += [_number(scores.get(f"{prefix}_f1/{label}")), _number(scores.get(f"{prefix}_support/{label}"), 0)]
        rows.append(row)
    return table(head, rows)


def _example(family: str, kind: str, label: str) -> str:
    key = f"{family}/{label}"
    if kind == "entity":
        return escape(ENTITY_EXAMPLES.get(key, ""))
    return " → ".join(escape(part) for part in RELATION_EXAMPLES.get(key, ()))


def _number(value: float | None, digits: int = 2) -> str:
    return "" if value is None else f"{value:.{digits}f}"


def metric_rows(record: RunRecord) -> list[tuple[str, str, str]]:
    """(prefix of the scores, average, name that states the convention) of every average that was scored."""
    scores = (record.results or {}).get("scores", {})
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
    """The scores, each with its convention."""
    rows = metric_rows(record)
    if record.results is None or not rows:
        return "Not scored yet."
    scores = record.results["scores"]
    name = record.data.get("title") or record.results.get("dataset") or "the data"
    split = record.results.get("split")
    lines = [f"On the split {escape(split)} of {escape(name)}{_revision_note(record)}, in percent:", ""]
    cells = []
    for prefix, average, title in rows:
        values = [_number(scores.get(f"{prefix}_{measure}_{average}")) for measure in ("precision", "recall", "f1")]
        cells.append(
            [title.replace(" F1", ""), CONVENTIONS[prefix.removeprefix("no_overlapping_")].definition, *values]
        )
    lines.append(table(["", "correct if", "precision", "recall", "F1"], cells))
    lines += [
        "",
        "Boundaries and strict scores can differ widely: never quote a relation score without its convention.",
    ]
    return "\n".join(lines)


def scored_revision(record: RunRecord) -> str | None:
    """The digest of the rows that were scored, if the run recorded it."""
    facts = record.data.get("eval") or {}
    return facts.get("revision") if facts.get("split") == (record.results or {}).get("split") else None


def _revision_note(record: RunRecord) -> str:
    revision = scored_revision(record)
    return f" (rows {escape(revision)})" if revision else ""


def limits(record: RunRecord) -> str:
    """What the model does not do, or does badly, as a list."""
    config, data = record.config, record.data
    train = data.get("train") or {}
    width = config["max_span_width"]
    items = [
        f"Entities of more than {width} words are never found"
        + (f"; {train['wide_entities']} of the training data's {train['entities']} are wider." if train else "."),
        "Relations are found within a sentence only; between sentences there are none.",
    ]
    if train and config["relation_types"]:
        without, count = train["without_relations"], train["sentences"]
        if without == 0:
            items.insert(
                0,
                "Every sentence it was trained on holds a relation. In ordinary text most hold none, and there "
                "the model **finds too many** entities and relations: raise `entity_threshold` and "
                "`relation_threshold`, or add sentences without relations to the training data.",
            )
        else:
            items.append(f"{without} of its {count} training sentences hold no relation.")
    if config.get("symmetric_relation_types"):
        labels = ", ".join(escape(label) for label in config["symmetric_relation_types"])
        items.append(f"{labels} have no direction: the entity that starts earlier is the head.")
    if data.get("licence"):
        items.append(_licence_note(data))
    return "\n".join(f"- {item}" for item in items)


def _licence_note(data: Mapping[str, Any]) -> str:
    title = escape(data["title"])
    if data["licence"] == "unknown":
        return (
            f"{title} is third-party data whose publishers do not name a licence: check its terms before you use or "
            "share this model."
        )
    return f"The training data, {title}, are under the licence {escape(data['licence'])}."


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
            f"{train['sentences']} sentences with {train['entities']} entities and {train['relations']} relations "
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
