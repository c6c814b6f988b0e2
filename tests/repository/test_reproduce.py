"""benchmarks/reproduce.py, ablations.py and the recipes: jobs that go on, figures that add up, two steps of each."""

import doctest
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
import yaml
from tiny_data import TYPES, build_rows
from tiny_models import save_backbone

import train_accelerate
from benchmarks import ablations, published, reproduce, runs

ROOT = Path(__file__).resolve().parents[2]
RECIPES = sorted(path.stem for path in (ROOT / "configs").glob("*.yaml"))


@pytest.fixture(scope="module")
def folders(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Invented sentences in files named as the benchmarks', and a tiny encoder."""
    root = tmp_path_factory.mktemp("reproduce")
    save_backbone("bert", root / "bert")
    data = root / "data"
    data.mkdir()
    splits = {f"{name}_{split}": 8 for name in ("conll04", "scierc") for split in ("train", "dev", "test")}
    splits |= {f"ade_split_{fold}_{split}": 8 for fold in range(2) for split in ("train", "test")}
    for seed, (name, count) in enumerate(splits.items()):
        (data / f"{name}.json").write_text(json.dumps(build_rows(count, seed)), "utf-8")
    for name in ("conll04", "scierc", "ade"):
        (data / f"{name}_types.json").write_text(json.dumps(TYPES), "utf-8")
    return {"root": root, "data": data, "bert": root / "bert"}


def command(folders: dict[str, Path], dataset: str, output: str, *own: str, extra: Sequence[str] = ()) -> list[str]:
    here = ("--data_dir", str(folders["data"]), "--output", str(folders["root"] / output))
    small = ("--backbone", str(folders["bert"]), "--max_steps", "2")
    return [dataset, *own, *here, "--", *small, *extra]


def ablation_command(folders: dict[str, Path], output: str, *names: str) -> list[str]:
    _, *rest = command(folders, "conll04", output, "--dataset", "conll04")
    return [*names, *rest]


Call = Callable[[Sequence[str]], tuple[int, bool]]


@pytest.fixture
def called(monkeypatch: pytest.MonkeyPatch) -> list[list[str]]:
    """Trainings run in this process; the commands they would have been run by."""
    commands: list[list[str]] = []

    def call(argv: Sequence[str]) -> tuple[int, bool]:
        commands.append(list(argv))
        train_accelerate.main(list(argv[2:]))
        return 0, False

    monkeypatch.setattr(runs, "_call", call)
    return commands


def run_main(script: ModuleType, argv: list[str]) -> int:
    function = reproduce.reproduce if script is reproduce else ablations.ablate
    return runs.run_script(function, script.parse_arguments(argv))


def start_script(argv: list[str]) -> subprocess.Popen[str]:
    pipes: dict[str, Any] = {"stdout": subprocess.PIPE, "stderr": subprocess.STDOUT, "text": True}
    env = {**os.environ, "ACCELERATE_USE_CPU": "1"}
    return subprocess.Popen([sys.executable, "-m", "benchmarks.reproduce", *argv], cwd=ROOT, env=env, **pipes)


@pytest.mark.parametrize("module", [runs, reproduce, ablations])
def test_examples_of_the_benchmark_scripts(module: ModuleType) -> None:
    found = doctest.testmod(module, optionflags=doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE)
    assert found.attempted and not found.failed


def scored(seed: int, fold: int | None, value: float) -> reproduce.Scored:
    names = [
        f"{variant}{kind}_{measure}_{average}"
        for variant in ("", "no_overlapping_")
        for kind in ("ner", "rel", "rel_strict")
        for measure in ("precision", "recall", "f1")
        for average in ("micro", "macro")
    ]
    return reproduce.Scored(seed, fold, dict.fromkeys(names, value))


def test_aggregate_over_seeds() -> None:
    summary = reproduce.aggregate([scored(1, None, 10.0), scored(2, None, 20.0), scored(3, None, 60.0)])
    mean, deviation = summary["no_overlapping_rel_strict_f1_macro"]
    assert len(summary) == 36 and mean == pytest.approx(30) and deviation == pytest.approx(700**0.5)


def test_aggregate_averages_folds_before_seeds() -> None:
    values = {(1, 0): 10.0, (1, 1): 30.0, (2, 0): 50.0, (2, 1): 90.0}
    summary = reproduce.aggregate([scored(seed, fold, value) for (seed, fold), value in values.items()])
    assert summary["ner_f1_micro"] == pytest.approx((45, 1250**0.5))  # of 20 and 70


def test_aggregate_one_seed_deviates_over_folds_and_one_run_not_at_all() -> None:
    folds = [scored(1, 0, 10.0), scored(1, 1, 30.0)]
    assert reproduce.aggregate(folds)["rel_f1_micro"] == pytest.approx((20, 200**0.5))
    assert reproduce.aggregate(folds[:1])["rel_f1_micro"] == (10.0, None)


def test_report_sets_the_published_figure_beside_its_own_convention() -> None:
    for dataset, figures in published.PUBLISHED_F1.items():
        found = [scored(1, None, 10.0), scored(2, None, 20.0)]
        report = reproduce.format_results(dataset, found, reproduce.aggregate(found), {"Command": "x"})
        lines = [line for line in report.splitlines() if line.endswith(" |") and "±" in line]
        assert len(lines) == 12 and all("| 15.00 ± 7.07 |" in line for line in lines)
        assert sum("|  |" not in line for line in lines) == len(figures)
    (line,) = [line for line in report.splitlines() if line.startswith("| relations, strict, no overlapping | macro")]
    assert line.endswith("| 79.24 |")


def test_reproduce_keeps_what_is_finished_and_runs_the_rest(
    folders: dict[str, Path], called: list[list[str]], capsys: pytest.CaptureFixture[str]
) -> None:
    output = folders["root"] / "seeds"
    process = start_script(command(folders, "conll04", "seeds", "--seeds", "1"))
    printed, _ = process.communicate(timeout=240)
    assert process.returncode == 0, printed
    assert (output / "reproduce.md").read_text("utf-8") in printed and "One run." in printed
    assert "not recorded" not in printed and "- Encoder: local folder bert" in printed
    assert str(folders["root"]) not in (output / "reproduce.md").read_text("utf-8")

    run_main(reproduce, command(folders, "conll04", "seeds", "--seeds", "2"))
    printed = capsys.readouterr().out
    assert len(called) == 1 and "[1/2] seed42: finished before" in printed and "[2/2] seed43: starts" in printed
    content = json.loads((output / "reproduce.json").read_text("utf-8"))
    assert content["seeds"] == [42, 43] and content["folds"] == []
    assert content["facts"]["Scored on"] == "test, after 2 steps" and "train+dev" in content["facts"]["Recipe"]
    found = [run["scores"]["ner_f1_micro"] for run in content["runs"]]
    assert content["scores"]["ner_f1_micro"]["mean"] == pytest.approx(sum(found) / 2)
    report = (output / "reproduce.md").read_text("utf-8")
    assert report in printed and "over 2 seeds" in report and "Incomplete" not in report
    run_main(reproduce, command(folders, "conll04", "seeds", "--seeds", "2"))
    assert len(called) == 1


def test_reproduce_other_arguments_are_refused_before_anything_runs(
    folders: dict[str, Path], called: list[list[str]], capsys: pytest.CaptureFixture[str]
) -> None:
    run_main(reproduce, command(folders, "scierc", "refused", "--seeds", "1"))
    other = command(folders, "scierc", "refused", "--seeds", "2", extra=("--learning_rate", "1e-3"))
    assert run_main(reproduce, other) == 2
    assert "--learning_rate was 5e-05, is 0.001" in capsys.readouterr().err and len(called) == 1
    (folders["root"] / "refused" / "seed42" / "eval_results.json").unlink()
    assert run_main(reproduce, other) == 2
    assert "unfinished run that cannot be resumed" in capsys.readouterr().err and len(called) == 1


def test_reproduce_ade_runs_folds_with_and_without_overlap(folders: dict[str, Path], called: list[list[str]]) -> None:
    run_main(reproduce, command(folders, "ade", "ade", "--seeds", "1", "--folds", "0", "1"))
    content = json.loads((folders["root"] / "ade" / "reproduce.json").read_text("utf-8"))
    results = [
        json.loads((folders["root"] / "ade" / f"seed42_fold{fold}" / "eval_results.json").read_text("utf-8"))
        for fold in (0, 1)
    ]
    assert [result["dataset"] for result in results] == ["ade_fold_0", "ade_fold_1"] and len(called) == 2
    for name in ("ner_f1_macro", "no_overlapping_ner_f1_macro"):
        values = [result["scores"][name] for result in results]
        assert content["scores"][name]["mean"] == pytest.approx(sum(values) / 2)
    assert "over 2 folds, one seed" in (folders["root"] / "ade" / "reproduce.md").read_text("utf-8")


def test_reproduce_ctrl_c_saves_and_the_same_command_goes_on(
    folders: dict[str, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    argv = command(folders, "conll04", "stopped", "--seeds", "1", extra=("--max_steps", "5000", "--log_every", "1"))
    process = start_script(argv)
    metrics = folders["root"] / "stopped" / "seed42" / "metrics.jsonl"
    deadline = time.monotonic() + 120
    while not (metrics.exists() and metrics.read_text("utf-8").count("\n") >= 3):
        assert process.poll() is None and time.monotonic() < deadline, process.communicate()[0]
        time.sleep(0.05)
    process.send_signal(signal.SIGINT)
    printed, _ = process.communicate(timeout=120)
    assert process.returncode == 130 and "Stopped in seed42. To resume, give the same command again" in printed
    assert (folders["root"] / "stopped" / "seed42" / "last" / "model.safetensors").is_file()
    commands: list[Sequence[str]] = []

    def fail(argv: Sequence[str]) -> tuple[int, bool]:
        commands.append(argv)
        return 3, False

    monkeypatch.setattr(runs, "_call", fail)
    with pytest.raises(SystemExit) as stopped:
        run_main(reproduce, argv)
    assert stopped.value.code == 3 and commands[0][-2:] == ["--resume_from_checkpoint", "last"]


@pytest.mark.parametrize(
    ("argv", "words"),
    [
        (["conll04", "--folds", "1"], "--folds goes with ade only, got [1] for conll04"),
        (["ade", "--folds", "3", "10"], "--folds must be different numbers from 0 to 9, got [3, 10]"),
        (["ade", "--folds", "3", "3"], "--folds must be different numbers from 0 to 9, got [3, 3]"),
        (["scierc", "--seeds", "0"], "--seeds must be at least 1, got 0"),
        (["scierc", "--config", "absent.yaml"], "--config absent.yaml cannot be read"),
        (["scierc", "--config", str(ROOT / "configs" / "ade.yaml")], "is a recipe for ade, not for scierc"),
        (["ace05"], "invalid choice: 'ace05'"),
    ],
)
def test_reproduce_bad_argument_says_which(argv: list[str], words: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as stopped:
        reproduce.parse_arguments(argv)
    assert stopped.value.code == 2 and words in capsys.readouterr().err


def test_reproduce_defaults_are_the_papers_recipe_and_five_seeds() -> None:
    args = reproduce.parse_arguments(["scierc"])
    assert list(args.seeds) == [42, 43, 44, 45, 46] and args.output == Path("runs/reproduce/scierc")
    assert Path(args.config) == ROOT / "configs" / "scierc.yaml"


def test_ablations_share_the_recipes_run_and_stand_beside_the_paper(
    folders: dict[str, Path], called: list[list[str]]
) -> None:
    argv = ablation_command(folders, "ablations", "relation_negatives", "freeze_backbone")
    run_main(ablations, argv)
    output = folders["root"] / "ablations"
    assert sorted(path.name for path in output.iterdir() if path.is_dir()) == [
        "freeze_backbone=True_seed42",
        "recipe_seed42",
        "relation_negatives=weak_seed42",
    ]
    report = (output / "ablations.md").read_text("utf-8")
    assert "| weak, in the paper |  | 4.3 | 84.4 |  |  |" in report and "Scored on: dev, after 2 steps" in report
    content = json.loads((output / "ablations.json").read_text("utf-8"))
    assert list(content["ablations"]["relation_negatives"]["values"]) == ["strong", "weak"]
    assert (output / "ablations.png").read_bytes().startswith(b"\x89PNG")
    run_main(ablations, argv)
    assert len(called) == 3


def test_ablations_flags_and_values_are_training_arguments_and_the_papers_comes_first() -> None:
    recipe = ["--config", str(ROOT / "configs" / "conll04.yaml")]
    paper = train_accelerate.parse_arguments(recipe)
    for ablation in published.ABLATIONS.values():
        assert str(getattr(paper, ablation.flag)) == ablation.values[0]
        for value in ablation.values:
            switched = train_accelerate.parse_arguments([*recipe, f"--{ablation.flag}", value])
            assert str(getattr(switched, ablation.flag)) == value


@pytest.mark.parametrize("recipe", RECIPES)
def test_recipe_trains_two_steps(recipe: str, folders: dict[str, Path]) -> None:
    path = ROOT / "configs" / f"{recipe}.yaml"
    output = folders["root"] / "recipes" / recipe
    here = ["--data_dir", str(folders["data"]), "--backbone", str(folders["bert"]), "--output_dir", str(output)]
    train_accelerate.main(["--config", str(path), *here, "--max_steps", "2"])
    results = json.loads((output / "eval_results.json").read_text("utf-8"))
    wanted = yaml.safe_load(path.read_text("utf-8"))
    assert results["step"] == 2 and results["split"] == "test"
    assert {name: results["arguments"][name] for name in wanted if name not in ("backbone", "output_dir")} == {
        name: value for name, value in wanted.items() if name not in ("backbone", "output_dir")
    }


def test_recipes_of_the_paper_differ_from_the_bundled_only_in_the_encoder() -> None:
    for dataset in ("conll04", "scierc", "ade"):
        paper, bundled = (
            yaml.safe_load((ROOT / "configs" / f"{name}.yaml").read_text("utf-8"))
            for name in (dataset, f"{dataset}_bundled")
        )
        changed = {name for name in paper if paper[name] != bundled.get(name)}
        assert changed - {"lowercase"} == {"backbone", "output_dir"} and bundled["backbone"] == "bundled"
        assert paper["num_train_epochs"] == 20 and paper["per_device_train_batch_size"] == 2
