"""Training from Python: the statements of the documentation, and data of any kind that holds what is needed."""

import ast
import json
import re
import textwrap
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import transformers
from tiny_data import build_rows, write_dataset
from tiny_models import save_backbone
from transformers import pipeline

import modeling_spert.training
from modeling_spert.training import Trainer, TrainingArguments, TrainingData, build_model
from modeling_spert.training.checkpoints import save_model
from modeling_spert.training.evaluate import share_documents

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def encoder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("encoder") / "bert"
    save_backbone("bert", folder)
    return folder


def documented_statements(doc: str) -> str:
    """The indented block of a docstring."""
    return textwrap.dedent("\n".join(line for line in doc.splitlines() if line.startswith("    ")))


def test_documented_statements_train_a_model(encoder: Path, tmp_path: Path) -> None:
    """The package's docstring as it is, on a smaller encoder and smaller data."""
    code = documented_statements(modeling_spert.training.__doc__)
    assert len(ast.parse(code).body) == 2 + 4 + 3  # imports; data to trainer; train, evaluate, save
    data = write_dataset(tmp_path / "data", train=4)
    for ours, tiny in (('"demo"', str(data)), ('"bundled"', str(encoder)), ('"runs/mine"', str(tmp_path / "mine"))):
        assert ours in code
        code = code.replace(ours, repr(tiny))
    code = code.replace("backbone=", "max_steps=3, backbone=")
    names: dict[str, Any] = {}
    exec(compile(code, "docstring", "exec"), names)
    results = json.loads((tmp_path / "mine" / "eval_results.json").read_text("utf-8"))
    assert results["scores"] == names["trainer"].scores and results["step"] == 3
    answer = pipeline("joint-extraction", model=str(tmp_path / "mine"))("Maria Lund met Ada Berg.")
    assert set(answer) == {"text", "entities", "relations"}
    assert (tmp_path / "mine" / "README.md").is_file()


def test_training_guide_has_the_statements_of_the_docstring_and_its_callback_example_runs(
    encoder: Path, tmp_path: Path
) -> None:
    blocks = re.findall(r"```python\n(.*?)```", (ROOT / "docs" / "training.md").read_text("utf-8"), re.DOTALL)
    statements = documented_statements(modeling_spert.training.__doc__)
    assert ast.dump(ast.parse(blocks[0].replace("my_data", "demo"))) == ast.dump(ast.parse(statements))
    rows = {"train": build_rows(4, 1), "dev": build_rows(2, 2)}
    own = TrainingArguments(output_dir=str(tmp_path / "own"), backbone=str(encoder))
    model, tokenizer = build_model(own, OwnData(rows))
    args = transformers.TrainingArguments(
        str(tmp_path / "out"), use_cpu=True, max_steps=2, report_to="none", save_strategy="no", disable_tqdm=True
    )
    names = {"data": OwnData(rows), "model": model, "tokenizer": tokenizer, "args": args}
    exec(compile(blocks[1], "guide", "exec"), names)


@dataclass
class OwnData:
    """Data that no reader of ours has read."""

    rows: Mapping[str, Sequence[Mapping[str, Any]]]
    name: str = "my notes"
    entity_types: Sequence[str] = ("Per", "Org")
    relation_types: Sequence[str] = ("runs", "met")
    symmetric_relation_types: Sequence[str] = ("met",)
    label_names: Mapping[str, str] = field(default_factory=dict)

    @property
    def splits(self) -> Mapping[str, Any]:
        return self.rows

    def select(self, splits: str) -> Sequence[Mapping[str, Any]]:
        return self.rows[splits]

    def facts(self, train_split: str, eval_split: str | None, max_span_width: int) -> dict[str, Any]:
        return {"name": self.name, "title": self.name, "language": "en"}


def test_trainer_takes_data_of_any_kind(encoder: Path, tmp_path: Path) -> None:
    data: TrainingData = OwnData({"train": build_rows(6, 1), "dev": build_rows(2, 2)})
    args = TrainingArguments(output_dir=str(tmp_path / "out"), backbone=str(encoder), max_steps=2)
    model, tokenizer = build_model(args, data)
    trainer = Trainer(model, tokenizer, data, args)
    trainer.train()
    assert trainer.evaluate()["ner_support"] == 6 and trainer.eval_split == "dev"
    trainer.save()
    assert "# SpERT on my notes" in (tmp_path / "out" / "README.md").read_text("utf-8")


def test_model_takes_signatures_from_the_training_split_when_asked(encoder: Path, tmp_path: Path) -> None:
    train, dev = ({"tokens": ["a", "b"], "entities": [], "relations": []} for _ in range(2))
    for row, tail_type in ((train, "Org"), (dev, "Per")):
        row["entities"] = [{"type": "Per", "start": 0, "end": 1}, {"type": tail_type, "start": 1, "end": 2}]
        row["relations"] = [{"type": "runs", "head": 0, "tail": 1}]
    data = OwnData({"train": [train, train], "dev": [dev]})
    wanted = {"output_dir": str(tmp_path / "out"), "backbone": str(encoder)}
    assert build_model(TrainingArguments(**wanted), data)[0].config.relation_signatures is None
    model, tokenizer = build_model(TrainingArguments(**wanted, relation_signatures="train"), data)
    assert model.config.relation_signatures == [["Per", "runs", "Org"]]
    # They are those of the data that the model is trained on now, not those of an earlier training.
    save_model(model, tokenizer, tmp_path / "model")
    wanted["model"] = str(tmp_path / "model")
    assert build_model(TrainingArguments(**wanted), data)[0].config.relation_signatures is None
    scored = build_model(TrainingArguments(**wanted, eval_only=True), data)[0]
    assert scored.config.relation_signatures == [["Per", "runs", "Org"]]


def test_trainer_holds_the_best_model_after_training(encoder: Path, tmp_path: Path) -> None:
    """The model object of the caller gets the weights that OUTPUT_DIR has, and a later score is theirs."""
    data = OwnData({"train": build_rows(24, 1), "dev": build_rows(6, 2)})
    args = TrainingArguments(
        output_dir=str(tmp_path / "out"),
        backbone=str(encoder),
        num_train_epochs=6,
        learning_rate=4e-3,
        eval_every=1,
        best_metric="ner_f1_micro",
    )
    model, tokenizer = build_model(args, data)
    trainer = Trainer(model, tokenizer, data, args)
    trainer.train()
    lines = [json.loads(line) for line in (tmp_path / "out" / "metrics.jsonl").read_text("utf-8").splitlines()]
    scores = {line["step"]: line["ner_f1_micro"] for line in lines if line["kind"] == "eval"}
    assert trainer.evaluate()["ner_f1_micro"] == max(scores.values()) == scores[trainer.progress.step]


def test_package_does_not_import_the_data_sets() -> None:
    """The two packages meet in the scripts only."""
    for path in (ROOT / "modeling_spert").rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            names = [node.module or ""] if isinstance(node, ast.ImportFrom) else []
            names += [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            assert not any(name.split(".")[0] == "datasets_scripts" for name in names), path


def test_script_is_three_functions() -> None:
    text = (ROOT / "train_accelerate.py").read_text("utf-8")
    functions = [node.name for node in ast.parse(text).body if isinstance(node, ast.FunctionDef)]
    assert functions == ["load_data", "training_function", "main"] and len(text.splitlines()) <= 150


@pytest.mark.parametrize("processes", [1, 2, 3, 9])
def test_share_documents_gives_every_row_to_one_process(processes: int) -> None:
    rows = [
        {"tokens": ["w"] * (1 + index % 7), "doc_id": f"d{index // 3}" if index % 2 else None, "sentence_index": index}
        for index in range(20)
    ]
    shares = [share_documents(rows, process, processes) for process in range(processes)]
    assert sorted(row for share in shares for row in share) == list(range(20))
    for index in (1, 3, 7, 9):
        same = {other for other in range(20) if rows[other]["doc_id"] == rows[index]["doc_id"]}
        assert any(same <= set(share) for share in shares)  # a document is never cut
