"""Calibration: temperatures that are found again, right answers told from wrong ones, and what a run makes of them."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import torch
from tiny_data import build_rows, write_dataset
from tiny_models import build_spert, build_tokenizer, save_backbone

import train_accelerate
from modeling_spert import SpertConfig, SpertModel
from modeling_spert.evaluation import predict_examples
from modeling_spert.training.temperatures import (
    LOW_RELATION_SCORE,
    Scored,
    compare_reliability,
    fit_temperatures,
    score_candidates,
)

TOKENIZER = build_tokenizer("bert")


def drawn(entity_temperature: float, relation_temperature: float, count: int = 6000) -> Scored:
    """Logits, with labels drawn from their probabilities at these temperatures."""
    generator = torch.Generator().manual_seed(0)
    entity_logits = 4 * torch.randn(count, 4, generator=generator)
    relation_logits = 3 * torch.randn(count, generator=generator)
    labels = torch.multinomial((entity_logits / entity_temperature).softmax(1), 1, generator=generator).squeeze(1)
    relations = torch.bernoulli((relation_logits / relation_temperature).sigmoid(), generator=generator)
    return Scored(entity_logits, labels, relation_logits, relations)


@pytest.mark.parametrize("temperatures", [(1.0, 1.0), (2.5, 0.6), (0.5, 4.0)])
def test_fit_temperatures_finds_those_of_the_labels(temperatures: tuple[float, float]):
    scored = drawn(*temperatures)
    fitted = fit_temperatures(scored)
    assert fitted == pytest.approx(temperatures, rel=0.08)
    found = compare_reliability(scored, SpertConfig(entity_temperature=fitted[0], relation_temperature=fitted[1]))
    assert found.entity_error < 0.02 and found.relation_error < 0.02
    if temperatures != (1.0, 1.0):
        assert found.entity_error_before > 0.05 and found.relation_error_before > 0.03


def test_fit_temperatures_without_candidates_leaves_scores_as_they_are():
    nothing = Scored(torch.zeros(0, 3), torch.zeros(0, dtype=torch.long), torch.zeros(0), torch.zeros(0))
    assert fit_temperatures(nothing) == (1.0, 1.0)
    assert str(compare_reliability(nothing, SpertConfig())) == ""


@pytest.mark.parametrize("symmetric", [[], ["s"]])
def test_score_candidates_tell_right_from_wrong(symmetric: list[str]):
    """What the model itself finds, taken for gold: then all that it finds is right, and nothing else."""
    model = build_spert(scale=3.0, backbone={"vocab_size": len(TOKENIZER)}, symmetric_relation_types=symmetric)
    rows = build_rows(6, seed=3)
    found = predict_examples(model, TOKENIZER, rows)
    gold = [
        {
            "tokens": row["tokens"],
            "entities": [{"type": e.label, "start": e.start, "end": e.end} for e in extraction.entities],
            "relations": [{"type": r.label, "head": r.head, "tail": r.tail} for r in extraction.relations],
        }
        for row, extraction in zip(rows, found, strict=True)
    ]
    scored = score_candidates(model, TOKENIZER, gold)
    num_entities = sum(len(row["entities"]) for row in gold)
    assert (scored.entity_labels > 0).sum() == num_entities > 10
    assert torch.equal(scored.entity_labels, scored.entity_logits.argmax(1))
    is_found = scored.relation_logits.sigmoid() >= model.config.relation_threshold
    assert (scored.relation_logits.sigmoid() >= LOW_RELATION_SCORE).all() and is_found.sum() > 10
    assert (scored.relation_labels[is_found] == 1).all()
    if not symmetric:
        assert (scored.relation_labels[~is_found] == 0).all() and len(is_found) > is_found.sum()


@pytest.fixture(scope="module")
def folders(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("calibration")
    save_backbone("bert", root / "bert")
    write_dataset(root / "data", train=24, dev=8)
    return root


def command(root: Path, output: str, *flags: str) -> list[str]:
    return [
        *("--dataset", str(root / "data"), "--backbone", str(root / "bert"), "--output_dir", str(root / output)),
        *("--num_train_epochs", "6", "--learning_rate", "4e-3", *flags),
    ]


def test_calibrated_run_stores_temperatures_and_says_what_they_did(folders: Path, capsys: pytest.CaptureFixture[str]):
    train_accelerate.main(command(folders, "plain"))
    train_accelerate.main(command(folders, "calibrated", "--calibrate"))
    plain, calibrated = (SpertModel.from_pretrained(folders / name) for name in ("plain", "calibrated"))
    assert plain.config.entity_temperature == plain.config.relation_temperature == 1.0
    assert calibrated.config.entity_temperature != 1.0
    weights = plain.state_dict()
    assert all(torch.equal(weights[name], tensor) for name, tensor in calibrated.state_dict().items())
    results = json.loads((folders / "calibrated" / "eval_results.json").read_text("utf-8"))
    errors = results["calibration_error"]["dev"]
    assert errors["entity_error"] != errors["entity_error_before"]
    assert "calibration_error" not in json.loads((folders / "plain" / "eval_results.json").read_text("utf-8"))
    assert "Expected calibration error on dev, before → after: entities 0." in capsys.readouterr().out
    card = (folders / "calibrated" / "README.md").read_text("utf-8")
    assert f"| dev | entity scores | {errors['entity_error_before']:.3f} | {errors['entity_error']:.3f} |" in card


def test_calibration_of_a_finished_run_and_a_training_from_its_model(folders: Path):
    train_accelerate.main(command(folders, "later"))
    train_accelerate.main(command(folders, "later", "--calibrate", "--resume_from_checkpoint", "last"))
    fitted = SpertModel.from_pretrained(folders / "later").config.entity_temperature
    assert fitted != 1.0
    train_accelerate.main(command(folders, "on", "--max_steps", "1", "--model", str(folders / "later")))
    assert SpertModel.from_pretrained(folders / "on").config.entity_temperature == 1.0


def test_calibration_needs_a_split_that_is_not_trained_on(folders: Path, capsys: pytest.CaptureFixture[str]):
    with pytest.raises(SystemExit) as stopped:
        train_accelerate.main(command(folders, "bad", "--calibrate", "--train_split", "train+dev"))
    assert stopped.value.code == 2
    assert (
        "--calibrate needs a split dev that is not trained on, got --train_split train+dev" in capsys.readouterr().err
    )
