"""The `evaluate` module as a stranger loads it: another folder, an empty cache, no network, no package."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from huggingface_hub import RepoCard
from score_reference import example, reference

from modeling_spert.evaluation.metrics import score_examples

ROOT = Path(__file__).resolve().parents[2]
MODULE = ROOT / "metrics" / "joint_extraction"

# What a stranger does, in one process because importing `evaluate` takes seconds: runs a list of calls of the metric,
# each answered with {"scores"} or {"error"}; runs the README's example; starts the Space, but for its form.
STRANGER = """
import contextlib, io, json, os, runpy, sys
from pathlib import Path

sys.modules["modeling_spert"] = None  # importing the package raises, installed or not
import evaluate
import evaluate.utils

job = json.loads(Path("job.json").read_text("utf-8"))
metric = evaluate.load(job["module"])
answers = []
for call in job["calls"]:
    try:
        for predictions, references in call.get("batches", []):
            metric.add_batch(predictions=predictions, references=references)
        for prediction, reference in call.get("rows", []):
            metric.add(prediction=prediction, reference=reference)
        answers.append({"scores": metric.compute(**call["compute"])})
    except Exception as error:
        answers.append({"error": f"{type(error).__name__}: {error}"})
info = {"features": str(metric.features), "citation": metric.citation, "class": type(metric).__name__}


def printed(folder, script):
    os.chdir(folder)
    with contextlib.redirect_stdout(io.StringIO()) as out:
        runpy.run_path(script)
    return out.getvalue()


evaluate.utils.launch_gradio_widget = lambda metric: print(metric.name)
home = os.getcwd()
info["example"] = printed(job["root"], os.path.join(home, "example.py"))
info["space"] = printed(os.path.join(home, "space"), "app.py")
Path(home, "answers.json").write_text(json.dumps({"answers": answers, "info": info}), "utf-8")
"""


GOLD = [
    {**example([("A", 0, 1), ("B", 2, 4)], [("R", 0, 1), ("S", 0, 1)]), "tokens": list("abcd"), "orig_id": "7"},
    {**example([("A", 0, 2), ("B", 1, 2)]), "tokens": list("ab"), "doc_id": "d", "sentence_index": 1, "orig_id": 8},
    example([], []),
]
PREDICTED = [
    example([("A", 0, 1), ("A", 2, 4)], [("R", 0, 1), ("S", 1, 0)]),
    example([("A", 0, 2)]),
    example([("C", 0, 1)]),
]
for _row in PREDICTED[:2]:  # scores in some rows and not in others
    for _item in (*_row["entities"], *_row["relations"]):
        _item["score"] = 0.5
OPTIONS: dict[str, Any] = {
    "symmetric_relation_types": ["S"],
    "no_overlapping": True,
    "entity_types": ["B", "A", "D"],
    "relation_types": ["Q"],
}
BAD_INDEX = example([("A", 0, 1)], [("R", 0, 1)])

CALLS: dict[str, dict[str, Any]] = {
    "default": {"compute": {"predictions": PREDICTED, "references": GOLD}},
    "options": {"compute": {"predictions": PREDICTED, "references": GOLD, **OPTIONS}},
    "batches": {"batches": [[PREDICTED[:1], GOLD[:1]], [PREDICTED[1:], GOLD[1:]]], "compute": {}},
    "rows": {"rows": [list(pair) for pair in zip(PREDICTED, GOLD, strict=True)], "compute": {}},
    "empty": {"compute": {"predictions": [], "references": []}},
    "lengths": {"compute": {"predictions": PREDICTED[:2], "references": GOLD[:1]}},
    "one side": {"compute": {"predictions": PREDICTED}},
    "no relations": {"compute": {"predictions": [{"entities": []}], "references": GOLD[:1]}},
    "bad index": {"compute": {"predictions": [BAD_INDEX], "references": GOLD[:1]}},
    "type no string": {
        "compute": {
            "predictions": [{"entities": [{"type": 3, "start": 0, "end": 1}], "relations": []}],
            "references": GOLD[:1],
        }
    },
    "unknown option": {"compute": {"predictions": PREDICTED, "references": GOLD, "symmetric_types": ["S"]}},
    "after errors": {"compute": {"predictions": PREDICTED, "references": GOLD}},
}


def readme_example() -> tuple[str, str]:
    """The code of the README and what it says the code prints."""
    found = re.search(r"```python\n(.*?)```\n\n```\n(.*?)```", (MODULE / "README.md").read_text("utf-8"), re.DOTALL)
    assert found
    return found[1], found[2]


@pytest.fixture(scope="module")
def answers(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    folder = tmp_path_factory.mktemp("stranger")
    calls = {**CALLS, **{f"reference {option}": reference_call(option) for option in ("overlapping", "no_overlapping")}}
    job = {"module": str(MODULE), "root": str(ROOT), "calls": list(calls.values())}
    (folder / "job.json").write_text(json.dumps(job), "utf-8")
    (folder / "stranger.py").write_text(STRANGER, "utf-8")
    (folder / "example.py").write_text(readme_example()[0], "utf-8")
    # A Space's folder does not have the script's name.
    shutil.copytree(MODULE, folder / "space", ignore=shutil.ignore_patterns("__pycache__"))

    environment = {k: v for k, v in os.environ.items() if not k.startswith(("HF_", "PYTHONPATH"))}
    environment |= {"HF_HOME": str(folder / "cache"), "HF_HUB_OFFLINE": "1", "HF_EVALUATE_OFFLINE": "1"}
    done = subprocess.run(
        [sys.executable, "stranger.py"], cwd=folder, env=environment, capture_output=True, text=True, timeout=240
    )
    assert done.returncode == 0, done.stderr[-3000:]
    result = json.loads((folder / "answers.json").read_text("utf-8"))
    return {**dict(zip(calls, result["answers"], strict=True)), "info": result["info"]}


def reference_call(option: str) -> dict[str, Any]:
    stored = reference()
    return {
        "compute": {
            "predictions": stored["predicted"],
            "references": stored["gold"],
            "symmetric_relation_types": stored["symmetric_relation_types"],
            "no_overlapping": option == "no_overlapping",
        }
    }


def test_evaluate_module_scores_file_is_the_packages() -> None:
    package, copy = ROOT / "modeling_spert" / "evaluation" / "metrics.py", MODULE / "joint_extraction_scores.py"
    assert copy.read_bytes() == package.read_bytes(), (
        "the two files must be identical; edit modeling_spert/evaluation/metrics.py, then run: "
        "cp modeling_spert/evaluation/metrics.py metrics/joint_extraction/joint_extraction_scores.py"
    )


@pytest.mark.parametrize("call", ["default", "batches", "rows", "after errors"])
def test_evaluate_module_gives_the_packages_numbers(answers: dict[str, Any], call: str) -> None:
    assert answers[call] == {"scores": score_examples(GOLD, PREDICTED)}


def test_evaluate_module_passes_every_option_on(answers: dict[str, Any]) -> None:
    expected = score_examples(GOLD, PREDICTED, **OPTIONS)
    for left_out in OPTIONS:  # each option makes a difference here
        assert list(score_examples(GOLD, PREDICTED, **{k: v for k, v in OPTIONS.items() if k != left_out}).items()) != (
            list(expected.items())
        )
    assert list(answers["options"]["scores"].items()) == list(expected.items())


@pytest.mark.parametrize("option", ["overlapping", "no_overlapping"])
def test_evaluate_module_equals_the_originals_scores(answers: dict[str, Any], option: str) -> None:
    expected = reference()["scores"][option]
    scores = answers[f"reference {option}"]["scores"]
    assert {key: scores[key] for key in expected} == pytest.approx(expected, abs=1e-6, rel=0)


def test_evaluate_module_scores_nothing_as_zero(answers: dict[str, Any]) -> None:
    assert answers["empty"] == {"scores": score_examples([], [])}


@pytest.mark.parametrize(
    ("call", "message"),
    [
        ("lengths", "ValueError: .* lists of the same length, got 2 and 1"),
        ("one side", "ValueError: .* lists of the same length, got 3 and none"),
        ("no relations", r"ValueError: predictions\[0\] must be .*, got {'entities': \[\]} \(KeyError: 'relations'\)"),
        ("bad index", "ValueError: row 0: head and tail of a predicted relation .* 1 entities, got .*'tail': 1"),
        ("type no string", "ValueError: .*don't match the expected format"),
        ("unknown option", "TypeError: .*unexpected keyword argument 'symmetric_types'"),
    ],
)
def test_evaluate_module_names_what_is_wrong(answers: dict[str, Any], call: str, message: str) -> None:
    assert re.match(message, answers[call].get("error", "no error"), flags=re.DOTALL)


def test_evaluate_module_declares_features_and_citation(answers: dict[str, Any]) -> None:
    info = answers["info"]
    assert info["class"] == "JointExtraction"
    assert all(name in info["features"] for name in ("predictions", "references", "start", "head"))
    assert "1909.07755" in info["citation"]


def test_evaluate_module_readme_example_prints_what_it_says(answers: dict[str, Any]) -> None:
    assert answers["info"]["example"] == readme_example()[1]


def test_evaluate_module_loads_in_its_space(answers: dict[str, Any]) -> None:
    assert answers["info"]["space"] == "joint_extraction\n"


def test_evaluate_module_readme_has_a_spaces_header() -> None:
    header = RepoCard.load(MODULE / "README.md", ignore_metadata_errors=False).data.to_dict()
    assert header["sdk"] == "gradio"
    assert {"evaluate", "metric"} <= set(header["tags"])
    assert (MODULE / header["app_file"]).is_file()
