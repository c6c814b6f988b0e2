"""benchmarks/sweep.py: plans that are checked, trainings side by side that resume, differences that are paired."""

import doctest
import json
import os
import signal
import sys
import threading
import time
from pathlib import Path
from typing import Any

import pytest
import yaml
from tiny_data import write_dataset
from tiny_models import save_backbone

from benchmarks import side_by_side, sweep
from benchmarks.runs import Job, run_script

ROOT = Path(__file__).resolve().parents[2]


def write_plan(folder: Path, **content: Any) -> Path:
    path = folder / "plan.yaml"
    path.write_text(yaml.safe_dump({"runs": {"base": {"dataset": "demo"}}, **content}, sort_keys=False), "utf-8")
    return path


def test_examples_of_the_sweep() -> None:
    found = doctest.testmod(sweep)
    assert found.attempted and not found.failed


def test_plan_runs_extend_runs_before_them(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HERE", str(tmp_path))
    runs = {
        "base": {},
        "fast": {"extends": "base", "learning_rate": 1e-3, "extra_relation_free": ["$HERE/a", "b"]},
        "faster": {"extends": "fast", "learning_rate": 1e-2, "seeds": [7], "data_dir": None},
    }
    plan = sweep.read_plan(write_plan(tmp_path, common={"dataset": "demo", "data_dir": "x"}, seeds=[1, 2], runs=runs))
    assert plan.baseline == "base"
    assert [member.job.name for member in plan.jobs] == [
        "base_seed1",
        "base_seed2",
        "fast_seed1",
        "fast_seed2",
        "faster_seed7",
    ]
    assert plan.jobs[0].job.flags == ("--dataset=demo", "--data_dir=x", "--seed", "1")
    args = plan.jobs[-1].job.arguments(tmp_path)
    assert (args.learning_rate, args.seed, args.data_dir) == (0.01, 7, None)
    assert args.extra_relation_free == [f"{tmp_path}/a", "b"]


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ({"runs": {"a": {"extends": "b"}, "b": {}}}, "run a extends 'b', which does not come before it"),
        ({"runs": {}}, "must have runs"),
        ({"baseline": "none"}, "baseline 'none' is not among the runs base"),
        ({"runz": {}}, "unknown key 'runz'"),
        ({"checks": {"speed": "x"}}, "checks may have relation_free, got speed"),
        ({"common": {"data_dir": "$NOT_SET_ANYWHERE"}}, "$NOT_SET_ANYWHERE names a variable"),
    ],
)
def test_plan_that_is_wrong_says_where(content: dict[str, Any], words: str, tmp_path: Path) -> None:
    path = write_plan(tmp_path, **content)
    with pytest.raises(ValueError) as raised:
        sweep.read_plan(path)
    assert words in str(raised.value) and "plan.yaml" in str(raised.value)


def line(run: str, seed: int, value: float, **more: Any) -> dict[str, Any]:
    scores = dict.fromkeys(sweep.SCORES, value)
    return {"run": run, "seed": seed, "scores": scores, "cpu_seconds": 120, **more}


def test_table_pairs_seeds_with_the_baselines() -> None:
    lines = [line("base", seed, value) for seed, value in ((1, 10.0), (2, 20.0), (3, 90.0))]
    lines += [line("other", seed, value) for seed, value in ((1, 11.0), (2, 23.0), (4, 0.0))]
    lines.append(line("more", 1, 10.0, ordinary_text={"relations_per_100_sentences": 12.5, "entity_f1": None}))
    base, other, more = sweep.table_rows(lines, "base")
    assert base[:4] == ["base", "3", "40.00 ± 43.59", ""]
    assert other[:4] == ["other", "3", "11.33 ± 11.50", "+2.00 ± 1.00 (p 0.5, n 2)"]
    assert more[:4] == ["more", "1", "10.00", "+0.00"] and more[-3:] == ["12.50", "", "2.0"]


def test_sign_flip_test_is_small_only_if_all_pairs_agree() -> None:
    assert sweep.sign_flip_test([1.0, 1.2, 0.9, 1.1, 1.0]) == 2 / 32
    assert sweep.sign_flip_test([1.0, -1.2, 0.9, -1.1, 0.5]) > 0.5


def fake_training(monkeypatch: pytest.MonkeyPatch, program: str) -> None:
    monkeypatch.setattr(side_by_side, "find_state", lambda job, output: (None, None))
    command = [sys.executable, "-S", "-c", f"import signal, sys, time; {program}"]
    monkeypatch.setattr(side_by_side, "training_command", lambda job, *_, is_resumed: [*command, job.name])


def test_side_by_side_runs_as_many_as_asked_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    fake_training(monkeypatch, "print(sys.argv[1]); sum(range(10**6)); sys.exit(3 * (sys.argv[1] == 'c'))")
    jobs = [Job(name, ()) for name in "abcd"]
    running = [0]

    def next_job() -> Job | None:
        if not jobs:
            return None
        running.append(running[-1] + 1)
        return jobs.pop(0)

    ended = []
    for each in side_by_side.run_side_by_side(next_job, tmp_path, 2):
        ended.append((each.job.name, each.code))
        running.append(running[-1] - 1)
    assert sorted(ended) == [("a", 0), ("b", 0), ("c", 3), ("d", 0)]
    assert running[:3] == [0, 1, 2] and max(running) == 2 and running[-1] == 0
    assert (tmp_path / "a.log").read_text() == "a\n" and side_by_side.cpu_seconds(Job("a", ()), tmp_path) > 0


def test_side_by_side_passes_a_signal_on_and_starts_nothing_more(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    saves = "signal.signal(2, lambda *_: sys.exit(130)); print('up', flush=True); time.sleep(60)"
    fake_training(monkeypatch, saves)
    jobs = [Job(name, ()) for name in "abc"]

    def interrupt() -> None:
        logs, deadline = [tmp_path / "a.log", tmp_path / "b.log"], time.monotonic() + 60
        while not all(log.exists() and log.read_text() for log in logs) and time.monotonic() < deadline:
            time.sleep(0.05)
        os.kill(os.getpid(), signal.SIGINT)

    threading.Thread(target=interrupt).start()
    ended = list(side_by_side.run_side_by_side(lambda: jobs.pop(0) if jobs else None, tmp_path, 2))
    assert sorted((each.job.name, each.code) for each in ended) == [("a", 130), ("b", 130)] and len(jobs) == 1


def test_sweep_trains_records_and_keeps_what_is_finished(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    save_backbone("bert", tmp_path / "bert")
    write_dataset(tmp_path / "data", train=8, dev=4)
    (tmp_path / "plain.txt").write_text("Maria Lund saw Tor Vik.\nNobody came.\n", "utf-8")
    common = {"dataset": str(tmp_path / "data"), "backbone": str(tmp_path / "bert"), "max_steps": 3, "eval_every": 1}
    content = {"seeds": [5], "common": common, "checks": {"relation_free": str(tmp_path / "plain.txt")}}
    path = write_plan(tmp_path, **content, runs={"base": {}, "recased": {"extends": "base", "recase": 0.5}})
    argv = [str(path), "--output", str(tmp_path / "runs"), "--jobs", "2"]
    assert run_script(sweep.sweep, sweep.parse_arguments(argv)) == 0
    printed = capsys.readouterr().out
    lines = sweep.read_results(tmp_path / "runs" / "results.jsonl")
    assert sorted((each["run"], each["seed"], each["step"], each["split"]) for each in lines) == [
        ("base", 5, 3, "dev"),
        ("recased", 5, 3, "dev"),
    ]
    assert {each["arguments"]["recase"] for each in lines} == {0.0, 0.5}
    assert all(each["ordinary_text"]["sentences"] == 2 and each["commit"] and each["cpu_seconds"] > 0 for each in lines)
    assert str(tmp_path) not in json.dumps(lines)
    assert "| recased | 1 |" in printed and "| run | n | entities | − base |" in printed

    # A kill before its line was written: the line is made of the finished run.
    results = tmp_path / "runs" / "results.jsonl"
    results.write_text(json.dumps(lines[0]) + "\n" + json.dumps(lines[1])[:50], "utf-8")
    assert run_script(sweep.sweep, sweep.parse_arguments(argv)) == 0
    again = sweep.read_results(results)
    assert "starts" not in capsys.readouterr().out
    assert sorted(each["run"] for each in again) == ["base", "recased"]

    write_plan(tmp_path, **content, runs={"base": {"learning_rate": 0.5}})
    assert run_script(sweep.sweep, sweep.parse_arguments(argv)) == 2
    assert (
        "run base, seed 5, has results with other flags (--learning_rate was 5e-05, is 0.5" in capsys.readouterr().err
    )


def test_plan_of_the_levers_has_valid_flags(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("CONLL04_DIR", "RELATION_FREE", "RELATION_FREE_HELD_OUT"):
        monkeypatch.setenv(name, str(tmp_path / name))
    monkeypatch.chdir(ROOT)
    plan = sweep.read_plan(ROOT / "benchmarks" / "plus_levers.yaml")
    arguments = {member.run: member.job.arguments(tmp_path) for member in plan.jobs}
    assert (arguments["base"].recase, arguments["base"].relation_threshold) == (0.0, 0.4)
    assert (arguments["plus"].recase, arguments["plus"].relation_threshold) == (0.05, 0.7)
    assert len(plan.jobs) == 3 * len(arguments)
