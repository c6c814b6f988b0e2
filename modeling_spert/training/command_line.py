"""The command line of `train_accelerate.py`: flags, the YAML file that `--config` names, and `--help` by groups."""

import argparse
import difflib
import re
import sys
from collections.abc import Iterable
from typing import Any, NoReturn

import yaml
from transformers import HfArgumentParser

from modeling_spert.training.arguments import ARGUMENT_GROUPS, TrainingArguments, argument_names
from modeling_spert.training.failures import report_once

# What other training scripts call our arguments.
_OTHER_NAMES = {
    "batch_size": "per_device_train_batch_size",
    "train_batch_size": "per_device_train_batch_size",
    "data": "dataset",
    "dropout": "head_dropout",
    "encoder": "backbone",
    "lr": "learning_rate",
    "model_name_or_path": "backbone",
    "output": "output_dir",
    "resume": "resume_from_checkpoint",
    "steps": "max_steps",
    "threshold": "relation_threshold",
}


class _HelpFormatter(argparse.HelpFormatter):
    """Each flag once, with its default unless the text says what happens without it."""

    def __init__(self, prog: str):
        super().__init__(prog, max_help_position=32)

    def _format_action_invocation(self, action: argparse.Action) -> str:
        # HfArgumentParser adds --data-dir to --data_dir: one of them is enough here.
        flags = ", ".join(flag for flag in action.option_strings if "-" not in flag.lstrip("-"))
        if action.nargs in (0, "?"):  # a switch: `--verbose yes` works too, but `--verbose` is all it takes
            return flags
        return f"{flags} {self._format_args(action, self._get_default_metavar_for_optional(action))}"

    def _get_default_metavar_for_optional(self, action: argparse.Action) -> str:
        return {int: "N", float: "X"}.get(action.type) or action.dest.upper()  # type: ignore[call-overload]

    def _get_help_string(self, action: argparse.Action) -> str:
        text = action.help or ""
        hidden = action.default is False or action.default in (None, "", argparse.SUPPRESS)
        return text if hidden else f"{text} (default: %(default)s)"


class _Parser(HfArgumentParser):
    """Raises what argparse would print, so that the message can say where a value came from."""

    def error(self, message: str) -> NoReturn:
        # "argument --seed_x/--seed-x: invalid int value" becomes "--seed_x: invalid int value".
        raise ValueError(re.sub(r"^argument (--\w+)(/--[\w-]+)?", r"\1", message))


def parse_arguments(argv: list[str] | None = None) -> TrainingArguments:
    """Arguments from flags and from the YAML file that `--config` names; flags override the file.

    A first argument that is not a flag is the data: `my_data` is `--dataset my_data`. An unknown flag, an unknown key
    of the file or a value out of range ends the program with one line and exit code 2.

    Args:
        argv: The flags; default: those of the program.
    """
    argv = sys.argv[1:] if argv is None else argv
    if argv and not argv[0].startswith("-"):
        argv = ["--dataset", *argv]
    parser = _build_parser()
    try:
        path = _read_config_flag(argv)
        args = TrainingArguments(**_parse(parser, [*(_read_yaml(path, parser) if path else []), *argv]))
        if not args.dataset:
            raise ValueError("DATA (or --dataset) is needed: a file or folder, or demo, conll04, scierc, ade")
    except ValueError as error:
        sys.exit(report_once(error))
    return args


def nearest_argument(name: str, known: Iterable[str]) -> str | None:
    """The argument that a wrong name most likely means.

    >>> nearest_argument("epochs", ["num_train_epochs", "eval_every"])
    'num_train_epochs'
    >>> nearest_argument("learning_rat", ["learning_rate", "head_learning_rate"])
    'learning_rate'
    >>> nearest_argument("zzz", ["seed"])
    """
    known = list(known)
    if _OTHER_NAMES.get(name) in known:
        return _OTHER_NAMES[name]
    containing = sorted((other for other in known if len(name) > 3 and name in other), key=len)
    return next(iter([*containing, *difflib.get_close_matches(name, known, n=1)]), None)


def _build_parser() -> _Parser:
    return _Parser(
        ARGUMENT_GROUPS,
        usage="%(prog)s DATA --output_dir FOLDER [arguments]",
        description="Train SpERT and score it. DATA, or --dataset DATA, is a file or folder of your own, or one of "
        "demo, conll04, scierc and ade.",
        epilog="Example: %(prog)s demo --backbone bundled --output_dir runs/demo",
        formatter_class=_HelpFormatter,
        allow_abbrev=False,
    )


def _read_config_flag(argv: list[str]) -> str | None:
    finder = _Parser(add_help=False, allow_abbrev=False)
    finder.add_argument("--config")
    return finder.parse_known_args(argv)[0].config


def _parse(parser: _Parser, argv: list[str]) -> dict[str, Any]:
    values, unknown = parser.parse_known_args(argv)
    if not unknown:
        return vars(values)
    name = unknown[0].partition("=")[0]
    if not name.startswith("-"):
        raise ValueError(f"unexpected value {name!r}: a value follows the name of its argument, as --seed 1")
    raise ValueError(f"unknown argument {name}{_suggestion(name.lstrip('-').replace('-', '_'), '--')}")


def _suggestion(name: str, prefix: str = "") -> str:
    nearest = nearest_argument(name, argument_names())
    return f"; did you mean {prefix}{nearest}?" if nearest else "; --help lists the arguments"


def _read_yaml(path: str, parser: _Parser) -> list[str]:
    """The settings of the file as flags, so that they are checked like flags."""
    try:
        with open(path, encoding="utf-8") as file:
            settings = yaml.safe_load(file) or {}
    except (OSError, ValueError, yaml.YAMLError) as error:
        raise ValueError(f"--config {path} cannot be read: {' '.join(str(error).split())}") from error
    if not isinstance(settings, dict):
        raise ValueError(f"--config {path} must hold 'name: value' lines, got {type(settings).__name__}")
    choices = {action.dest: action.choices or () for action in parser._actions}
    flags: list[str] = []
    for name, value in settings.items():
        if name not in choices:
            raise ValueError(f"--config {path}: unknown argument {name!r}{_suggestion(str(name))}")
        if value is False and "no" in choices[name]:
            value = "no"  # YAML reads a plain no as false
        if isinstance(value, list):
            flags += [f"--{name}", *map(str, value)] if value else []
        elif value is not None:
            flags.append(f"--{name}={value}")
    try:
        parser.parse_args(flags)
    except ValueError as error:
        raise ValueError(f"--config {path}: {error}") from error
    return flags
