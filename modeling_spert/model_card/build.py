"""The model card of a trained model, from its folder alone: `python -m modeling_spert.model_card FOLDER`.

The text is that of `model_card.md`, a template that people can edit; the facts are those of config.json,
eval_results.json, metrics.jsonl and card_example.json. The same files give the same card.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml
from huggingface_hub import EvalResult, ModelCardData
from transformers.utils import logging

from modeling_spert.model_card.curve import draw_training_curve
from modeling_spert.model_card.label_examples import SENTENCES, data_set_family
from modeling_spert.model_card.record import RunRecord, read_record
from modeling_spert.model_card.sections import (
    base_model,
    example_note,
    label_table,
    limits,
    metric_rows,
    scored_revision,
    scores_section,
    snippet,
    summary,
    training_section,
)
from modeling_spert.shared.markdown import escape, one_line

logger = logging.get_logger(__name__)

CARD_FILE = "README.md"
CURVE_FILE = "training_curve.png"
_BUNDLED_LICENCE = "apache-2.0"


@dataclass(frozen=True)
class CardOptions:
    """What a card says beyond the run's record, or instead of it.

    Attributes:
        repo_id: Where the model is or will be pushed; default: the run's `--hub_model_id`, else the folder's name.
        license: Of the weights; default: the template's.
        language: Code of the texts' language, such as "en".
        base_model: Hub name of the encoder.
        dataset_id: Hub name of the data set.
        revision: Tag, branch or commit that the snippet loads; default: "main", where there is a repository.
        template: The template's file; default: the project's `model_card.md`.
    """

    repo_id: str | None = None
    license: str | None = None
    language: str | None = None
    base_model: str | None = None
    dataset_id: str | None = None
    revision: str | None = None
    template: Path | None = None


def build_card(
    folder: Path, options: CardOptions | None = None, *, place: Path | None = None, records: Path | None = None
) -> str:
    """The card's text: YAML metadata and Markdown.

    Args:
        folder: A model folder of the training script.
        options: What to say instead of the run's record.
        place: Where the folder will be, if it is going to be moved.
        records: Where the run's record is, if not in the folder.

    Raises:
        ValueError: If there is no SpERT model in the folder, or the template has an unknown placeholder.
    """
    options = options or CardOptions()
    record = read_record(folder, records)
    repository = options.repo_id or _pushed_to(record)
    name = repository or _folder_name(place or folder)
    metadata, body = _read_template(options.template or _template_file())
    title = f"SpERT on {record.data['title']}" if record.data else name
    values = {
        "title": escape(title),
        "max_span_width": str(record.config["max_span_width"]),
        "summary": summary(record),
        "snippet": snippet(name, record, options.revision or ("main" if repository else None)),
        "example": example_note(record),
        "entity_table": label_table(record, "entity"),
        "relation_table": label_table(record, "relation"),
        "scores": scores_section(record),
        "limits": limits(record),
        "training": training_section(record, CURVE_FILE if (folder / CURVE_FILE).is_file() else None),
        "data_citation": f"Data: {escape(record.data['citation'])}" if record.data.get("citation") else "",
    }
    card_data = _build_metadata(record, metadata, name, options)
    return f"---\n{card_data.to_yaml()}\n---\n\n{_fill(body, values).strip()}\n"


def write_card(folder: Path, options: CardOptions | None = None, *, curve: bool = True) -> Path:
    """Write README.md into a model folder and, with matplotlib and `curve`, the picture of its training.

    Returns:
        The card's file.

    Raises:
        ValueError: As `build_card`.
    """
    if curve:
        record = read_record(folder)
        draw_training_curve(record.losses, record.evaluations, folder / CURVE_FILE)
    text = build_card(folder, options)
    path = folder / CARD_FILE
    path.write_text(text, encoding="utf-8")
    return path


def add_card(folder: Path, *, place: Path, records: Path | None = None) -> None:
    """Write the card of a checkpoint that is being saved; if that fails, a warning is logged.

    Args:
        folder: Where the checkpoint is being written.
        place: Where it will be.
        records: Where the run's record is, if not in the folder.
    """
    try:
        (folder / CARD_FILE).write_text(build_card(folder, place=place, records=records), encoding="utf-8")
    except Exception as error:
        logger.warning(f"No model card was written to {place}: {type(error).__name__}: {error}")


def _template_file() -> Path:
    """The template: in an installed package in its top folder, in a checkout at the top of that."""
    beside = Path(__file__).with_name("model_card.md")
    return beside if beside.is_file() else Path(__file__).parents[2] / "model_card.md"


def _pushed_to(record: RunRecord) -> str | None:
    return record.arguments.get("hub_model_id") if record.arguments.get("push_to_hub") else None


def _folder_name(folder: Path) -> str:
    folder = folder.resolve()
    return f"{folder.parent.name}/last" if folder.name == "last" else folder.name


def _read_template(path: Path) -> tuple[dict[str, Any], str]:
    match = re.match(r"---\n(.*?)\n---\n(.*)", path.read_text(encoding="utf-8"), re.DOTALL)
    metadata = yaml.safe_load(match.group(1)) if match else None
    if match is None or not isinstance(metadata, dict):
        raise ValueError(f"{path}: a template starts with YAML metadata between two lines of ---")
    return metadata, match.group(2)


def _fill(body: str, values: dict[str, str]) -> str:
    """The template's text with its placeholders replaced; values are not searched for placeholders.

    >>> _fill("{{ a }}, {{b}}", {"a": "{{ b }}", "b": "2"})
    '{{ b }}, 2'
    """

    def value(match: re.Match[str]) -> str:
        if match[1] not in values:
            raise ValueError(f"model_card.md has the placeholder {match[0]}; known ones are {', '.join(values)}")
        return values[match[1]]

    return re.sub(r"\{\{\s*(\w+)\s*\}\}", value, body)


def _build_metadata(record: RunRecord, fixed: dict[str, Any], name: str, options: CardOptions) -> ModelCardData:
    data = record.data
    # Only when the data and the bundled encoder have the same known licence is everything in the weights accounted for.
    known_terms = data.get("licence") == _BUNDLED_LICENCE and record.arguments.get("backbone") == "bundled"
    published = [data["name"]] if data_set_family(data.get("name")) in SENTENCES else None
    known = {
        "license": options.license or (_BUNDLED_LICENCE if known_terms else None),
        "language": options.language or data.get("language"),
        "base_model": options.base_model or base_model(record),
        "datasets": [options.dataset_id] if options.dataset_id else published,
    }
    settings = {**fixed, **{key: value for key, value in known.items() if value}}
    return ModelCardData(model_name=name.split("/")[-1], eval_results=_eval_results(record, options), **settings)


def _eval_results(record: RunRecord, options: CardOptions) -> list[EvalResult] | None:
    """The scores for the Hub's `model-index`: the name of each says its convention."""
    if record.results is None:
        return None
    name = one_line(record.data.get("name") or record.results.get("dataset") or "") or "unknown"
    common: dict[str, Any] = {
        "task_type": "token-classification",
        "task_name": "Joint entity and relation extraction",
        "dataset_type": options.dataset_id or name,
        "dataset_name": one_line(record.data.get("title") or "") or name,
        "metric_type": "f1",
    }
    return [
        EvalResult(
            metric_name=title,
            metric_value=round(scores[f"{prefix}_f1_{average}"], 2),
            dataset_split=split or None,
            dataset_revision=scored_revision(record, split),
            **common,
        )
        for split, scores in record.scores.items()
        for prefix, average, title in metric_rows(record, scores)
    ] or None
