"""What `spert analyse` does: predictions with scores, the analysis, the report, the best thresholds."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any


def write_analysis(
    models: Sequence[str],
    data: str,
    split: str | None,
    data_dir: str | None,
    fold: int | None,
    output: Path,
    save_thresholds: bool,
) -> Iterator[str]:
    """Write the report of a model, and of a second one compared with it.

    Args:
        models: The model, and the one to compare it with, if any.
        data: As `load_joint_dataset` takes it.
        split: Default: dev, else test.
        data_dir: Folder of a benchmark's files.
        fold: Of ADE.
        output: The HTML file.
        save_thresholds: Whether to store the best thresholds in the model's folder.

    Yields:
        Lines that say what was found and written.

    Raises:
        ValueError: If there is no such split, or thresholds are to be stored in a model that is not a folder.
    """
    from datasets_scripts import load_joint_dataset
    from modeling_spert import analysis
    from spert_cli.models import load_model

    dataset = load_joint_dataset(data, data_dir, fold)
    split = split or next((name for name in ("dev", "test") if name in dataset.splits), None)
    if split is None:
        raise ValueError(f"{data} has no split dev or test: name another with --split, such as --split train")
    if save_thresholds and not Path(models[0]).is_dir():
        raise ValueError(f"--thresholds save needs a model folder on this machine, got {models[0]}")
    gold = list(dataset.select(split))
    loaded = [load_model(name) for name in models]
    predictions = [analysis.predict_with_scores(model, tokenizer, gold) for model, tokenizer in loaded]
    config, labels = loaded[0][0].config, list(dataset.symmetric_relation_types)
    settings: dict[str, Any] = {"baseline": predictions[1], "baseline_name": models[1]} if len(models) > 1 else {}
    found = analysis.analyse(
        gold,
        predictions[0],
        entity_types=list(dataset.entity_types),
        relation_types=list(dataset.relation_types),
        symmetric_relation_types=labels,
        entity_threshold=config.entity_threshold,
        relation_threshold=config.relation_threshold,
        model_name=models[0],
        data_name=f"{dataset.name}, {split}",
        unit=dataset.unit,
        **settings,
    )
    analysis.write_report(found, output)
    yield f"The report: {output}"
    best = analysis.best_thresholds_text(found)
    if best:
        yield best
        if split == "test":
            yield "These were chosen on test: to report test scores, choose thresholds on dev (--split dev)."
    if save_thresholds:
        analysis.save_thresholds(models[0], found.best_thresholds)
        yield f"Stored in {models[0]}/config.json"
