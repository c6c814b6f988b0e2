"""SpERT under transformers' Trainer: negatives change with the epoch, and evaluations give real scores."""

from pathlib import Path
from typing import Any

import pytest
import transformers
from tiny_data import build_rows
from tiny_models import save_backbone

from modeling_spert import SpertModel
from modeling_spert.evaluation.metrics import score_examples
from modeling_spert.training import SpertCallback, callback
from modeling_spert.training.labelling import label_windows
from modeling_spert.training.negatives import NegativeSampler, TrainingCollator
from modeling_spert.training.tokenizer import load_tokenizer

LABELS: dict[str, Any] = {"entity_types": ["Per", "Org"], "relation_types": ["runs", "met"]}


@pytest.fixture
def parts(tmp_path: Path) -> dict[str, Any]:
    save_backbone("bert", tmp_path / "bert")
    model = SpertModel.from_backbone(str(tmp_path / "bert"), **LABELS)
    tokenizer = load_tokenizer(str(tmp_path / "bert"))
    collator = TrainingCollator(NegativeSampler(2, neg_entity_count=5), tokenizer.pad_token_id)
    rows = build_rows(4, 1)
    return {"model": model, "tokenizer": tokenizer, "collator": collator, "rows": rows}


def train(parts: dict[str, Any], folder: Path, *callbacks: Any, **settings: Any) -> transformers.Trainer:
    settings = {"num_train_epochs": 3, "per_device_train_batch_size": 4, "report_to": "none", **settings}
    args = transformers.TrainingArguments(
        str(folder), use_cpu=True, save_strategy="no", disable_tqdm=True, remove_unused_columns=False, **settings
    )
    windows = label_windows(parts["rows"], parts["tokenizer"], parts["model"].config)
    trainer = transformers.Trainer(
        parts["model"],
        args,
        train_dataset=windows,
        eval_dataset=windows,
        data_collator=parts["collator"],
        callbacks=list(callbacks),
    )
    trainer.train()
    return trainer


@pytest.mark.parametrize("workers", [0, 1])
def test_callback_draws_new_negatives_in_every_epoch(
    workers: int, parts: dict[str, Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    drawn: list[list[list[int]]] = []
    forward = SpertModel.forward

    def note(self: SpertModel, *args: Any, **kwargs: Any) -> Any:
        drawn.append(sorted(kwargs["spans"][kwargs["span_labels"] == 0].tolist()))
        return forward(self, *args, **kwargs)

    monkeypatch.setattr(SpertModel, "forward", note)
    train(parts, tmp_path / "with", SpertCallback(parts["collator"]), dataloader_num_workers=workers)
    assert len(drawn) == 3 and parts["collator"].epoch == 2
    assert len({str(spans) for spans in drawn}) == 3


def test_callback_refuses_workers_that_outlive_an_epoch(parts: dict[str, Any], tmp_path: Path) -> None:
    settings = {"dataloader_num_workers": 1, "dataloader_persistent_workers": True}
    with pytest.raises(ValueError, match="dataloader_persistent_workers must be False"):
        train(parts, tmp_path / "out", SpertCallback(parts["collator"]), **settings)


def test_callback_adds_the_scores_of_predictions(
    parts: dict[str, Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Another prediction than the model's, which is none after three steps, so that the scores are not all zero."""
    gold = parts["rows"]

    found = [{"tokens": row["tokens"], "entities": row["entities"][:1], "relations": []} for row in gold]
    monkeypatch.setattr(callback, "predict_examples", lambda model, tokenizer, examples: found)
    monkeypatch.setattr(callback, "extraction_to_example", lambda example, extraction: extraction)
    trainer = train(parts, tmp_path / "out", SpertCallback(parts["collator"], parts["tokenizer"], gold))
    metrics = trainer.evaluate()
    wanted = score_examples(gold, found, **LABELS)
    assert 0 < wanted["ner_f1_micro"] < 100 and metrics["eval_ner_f1_micro"] == wanted["ner_f1_micro"]
    assert "eval_loss" in metrics and not any("/" in name for name in metrics)


def test_callback_scores_choose_the_best_model(parts: dict[str, Any], tmp_path: Path) -> None:
    """`metric_for_best_model` finds the scores, with nothing replaced."""
    trainer = train(
        parts,
        tmp_path / "out",
        SpertCallback(parts["collator"], parts["tokenizer"], parts["rows"]),
        eval_strategy="epoch",
        metric_for_best_model="eval_ner_f1_micro",
    )
    assert trainer.state.best_metric is not None and 0 <= trainer.state.best_metric <= 100


def test_callback_needs_a_tokenizer_for_scores(parts: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="tokenizer is needed"):
        SpertCallback(parts["collator"], examples=parts["rows"])
