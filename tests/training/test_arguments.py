"""The command line of train_accelerate.py: every bad argument ends with a message that names it."""

import re
from pathlib import Path

import pytest

from modeling_spert import SpertConfig
from modeling_spert.configuration_spert import SETTING_CHOICES
from modeling_spert.training.arguments import (
    EPOCHS,
    MODEL_SETTINGS,
    TrainingArguments,
    argument_names,
    model_settings,
)
from modeling_spert.training.command_line import parse_arguments

NEEDED = ["--dataset", "demo", "--output_dir", "runs/x"]


def read_message(argv: list[str], capsys: pytest.CaptureFixture[str]) -> str:
    with pytest.raises(SystemExit) as stopped:
        parse_arguments(argv)
    assert stopped.value.code == 2
    return capsys.readouterr().err


def test_defaults_are_the_papers() -> None:
    args = parse_arguments(NEEDED)
    assert (args.per_device_train_batch_size, args.learning_rate, EPOCHS) == (2, 5e-5, 20)
    assert (args.neg_entity_count, args.neg_relation_count, args.relation_negatives) == (100, 100, "strong")
    assert (args.warmup_ratio, args.weight_decay, args.max_grad_norm) == (0.1, 0.01, 1.0)
    config = SpertConfig(entity_types=["A"], **model_settings(args))
    assert (config.max_span_width, config.width_embedding_size, config.relation_threshold) == (10, 25, 0.4)
    assert (config.span_pooling, config.relation_context, config.head_dropout) == ("max", "localized", 0.1)
    assert not args.bias_correction


@pytest.mark.parametrize(
    ("argv", "words"),
    [
        ([*NEEDED, "--learning_rat", "1"], "error: unknown argument --learning_rat; did you mean --learning_rate?\n"),
        ([*NEEDED, "--epochs=3"], "error: unknown argument --epochs; did you mean --num_train_epochs?\n"),
        ([*NEEDED, "--batch-size", "3"], "did you mean --per_device_train_batch_size?"),
        ([*NEEDED, "--xyzzy"], "unknown argument --xyzzy; --help lists the arguments"),
        ([*NEEDED, "more"], "unexpected value 'more'"),
        ([*NEEDED, "--seed", "one"], "error: --seed: invalid int value: 'one'\n"),
        ([*NEEDED, "--data_dir"], "error: --data_dir: expected one argument\n"),
        ([*NEEDED, "--max_span_width", "0"], "--max_span_width must be an integer >= 1, got 0"),
        ([*NEEDED, "--max_window_length", "2"], "--max_window_length must be an integer >= 8, got 2"),
        ([*NEEDED, "--learning_rate", "inf"], "--learning_rate must be finite, got inf"),
        ([*NEEDED, "--weight_decay", "inf"], "--weight_decay must be finite, got inf"),
        ([*NEEDED, "--head_learning_rate", "nan"], "--head_learning_rate must be at least 0, got nan"),
        ([*NEEDED, "--head_learning_rate", "-1"], "--head_learning_rate must be at least 0, got -1"),
        ([*NEEDED, "--max_steps", "-7"], "--max_steps must be at least -1, got -7"),
        ([*NEEDED, "--max_grad_norm", "0"], "--max_grad_norm must be finite and more than 0, got 0"),
        ([*NEEDED, "--warmup_ratio", "nan"], "--warmup_ratio must be between 0 and 1, got nan"),
        ([*NEEDED, "--recase", "1.2"], "--recase must be between 0 and 1, got 1.2"),
        ([*NEEDED, "--replace_mentions", "-1"], "--replace_mentions must be between 0 and 1, got -1"),
        ([*NEEDED, "--extra_share", "-1"], "--extra_share must be at least 0, got -1"),
        ([*NEEDED, "--extra_relation_free"], "--extra_relation_free: expected at least one argument"),
        ([*NEEDED, "--span_pooling", "median"], "median"),
        ([*NEEDED, "--num_train_epochs", "-1"], "--num_train_epochs must be at least 0, got -1"),
        ([*NEEDED, "--relation_threshold", "1.5"], "--relation_threshold must be between 0 and 1, got 1.5"),
        ([*NEEDED, "--neg_entity_count", "-2"], "--neg_entity_count must be at least -1, got -2"),
        ([*NEEDED, "--eval_only"], "--eval_only needs --model"),
        ([*NEEDED, "--eval_precision", "bf16"], "--eval_precision is for --eval_only"),
        ([*NEEDED, "--calibrate", "--eval_only", "--model", "m"], "--calibrate is for a training"),
        ([*NEEDED, "--patience", "2"], "--patience needs --eval_every"),
        ([*NEEDED, "--weight_decay", "-1"], "--weight_decay must be at least 0, got -1"),
        ([*NEEDED, "--push_to_hub"], "--push_to_hub needs --hub_model_id"),
        (["--output_dir", "x"], "DATA (or --dataset) is needed"),
        (["--dataset", "demo"], "--output_dir is needed"),
        ([*NEEDED, "--config", "absent.yaml"], "--config absent.yaml cannot be read"),
    ],
)
def test_parse_arguments_bad_flag_says_which(argv: list[str], words: str, capsys: pytest.CaptureFixture[str]) -> None:
    message = read_message(argv, capsys)
    assert words in message and message.startswith("error: ") and message.count("\n") == 1


def test_help_shows_the_groups_and_each_flag_once(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as stopped:
        parse_arguments(["--help"])
    text = capsys.readouterr().out
    assert stopped.value.code == 0
    headings = re.findall(r"^(\w[\w ]*):$", text, re.MULTILINE)
    assert headings[1:] == ["data", "model", "optimisation", "evaluation and output"]
    shown = re.findall(r"^  (--\w+)", text, re.MULTILINE)
    assert shown == [f"--{name}" for name in argument_names()] and "default: None" not in text
    assert "widest candidate span, in words (default: 10)" in " ".join(text.split())
    assert parse_arguments([*NEEDED, "--per-device-train-batch-size", "3"]).per_device_train_batch_size == 3


@pytest.mark.parametrize("name", sorted(SETTING_CHOICES.keys() & set(MODEL_SETTINGS)))
def test_choices_of_settings_are_those_of_the_configuration(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    for choice in SETTING_CHOICES[name]:
        expected = [choice] if name == "word_features" else choice
        assert getattr(parse_arguments([*NEEDED, f"--{name}", choice]), name) == expected
    assert "invalid choice" in read_message([*NEEDED, f"--{name}", "other"], capsys)


def test_parse_arguments_flags_beat_the_file(tmp_path: Path) -> None:
    path = tmp_path / "run.yaml"
    path.write_text("dataset: demo\noutput_dir: here\nlearning_rate: 1e-4\nnum_train_epochs: 3\n")
    args = parse_arguments(["--config", str(path), "--num_train_epochs", "7"])
    assert (args.dataset, args.learning_rate, args.num_train_epochs) == ("demo", 1e-4, 7)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("learning_rat: 1", "unknown argument 'learning_rat'; did you mean learning_rate?"),
        ("learning_rate: fast", "invalid float value: 'fast'"),
        ("learning_rate: .nan", "--learning_rate must be at least 0, got nan"),
        ("num_train_epochs: 2.5", "invalid int value: '2.5'"),
        ("fold: yes", "invalid int value: 'True'"),
        ("span_pooling: median", "invalid choice: 'median'"),
        ("- a\n- b", "must hold 'name: value' lines"),
        ("a: [", "cannot be read"),
    ],
)
def test_parse_arguments_bad_file_says_where(
    text: str, words: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "run.yaml"
    path.write_text(text)
    message = read_message([*NEEDED, "--config", str(path)], capsys)
    assert words in message and ("run.yaml" in message or "nan" in message)


def test_parse_arguments_file_may_say_no(tmp_path: Path) -> None:
    path = tmp_path / "run.yaml"
    path.write_text("mixed_precision: no\nno_overlapping: yes\nmax_span_width: null\n")
    args = parse_arguments([*NEEDED, "--config", str(path)])
    assert (args.mixed_precision, args.no_overlapping, args.max_span_width) == ("no", True, None)


def test_parse_arguments_takes_several_values_from_flags_and_from_the_file(tmp_path: Path) -> None:
    path = tmp_path / "run.yaml"
    path.write_text("extra_relation_free: [a.json, b.txt]\nextra_share: 1\n")
    assert parse_arguments([*NEEDED, "--config", str(path)]).extra_relation_free == ["a.json", "b.txt"]
    args = parse_arguments([*NEEDED, "--config", str(path), "--extra_relation_free", "c.txt", "d.txt", "--seed", "1"])
    assert (args.extra_relation_free, args.extra_share, args.seed) == (["c.txt", "d.txt"], 1.0, 1)


def test_every_argument_has_a_doc() -> None:
    fields = TrainingArguments.__dataclass_fields__.values()
    assert all(field.metadata.get("help") for field in fields)


def test_the_recipes_are_valid() -> None:
    recipes = sorted((Path(__file__).parents[2] / "configs").glob("*.yaml"))
    assert recipes
    for recipe in recipes:
        parse_arguments(["--config", str(recipe), "--output_dir", "runs/x"])


def test_levers_are_read_from_flags_and_from_a_file(tmp_path):
    flags = "--overlap train --word_features case --span_borders inside --type_pairs yes --pair_product 64".split()
    path = tmp_path / "levers.yaml"
    path.write_text(
        "overlap: train\nword_features: [case]\nspan_borders: inside\ntype_pairs: true\npair_product: 64\n", "utf-8"
    )
    for given in (flags, ["--config", str(path)]):
        args = parse_arguments(["--dataset", "demo", "--output_dir", "runs/x", *given])
        assert args.overlap == "train"
        levers = {"word_features": ["case"], "span_borders": "inside", "type_pairs": True, "pair_product": 64}
        assert model_settings(args) == levers


@pytest.mark.parametrize(
    ("flags", "message"),
    [
        (["--word_features", "suffix"], "--word_features: invalid choice: 'suffix'"),
        (["--pair_product", "-1"], "--pair_product must be an integer >= 0, got -1"),
        (["--overlap", "none"], "--overlap: invalid choice: 'none'"),
        (["--overlap", "train", "--eval_only", "yes", "--model", "x"], "--overlap train is for a training"),
    ],
)
def test_levers_out_of_range_are_refused_in_one_line(flags, message, capsys):
    with pytest.raises(SystemExit) as stop:
        parse_arguments(["--dataset", "demo", "--output_dir", "runs/x", *flags])
    printed = capsys.readouterr().err
    assert stop.value.code == 2 and message in printed and printed.count("\n") == 1
