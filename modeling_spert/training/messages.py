"""What a training says: the plan before it starts, a line per evaluation, and what to do next. Text only."""

import shlex
from collections.abc import Mapping

from modeling_spert.evaluation.conventions import CONVENTIONS
from modeling_spert.training.arguments import ENOUGH_STEPS, TrainingArguments


def plan_text(
    args: TrainingArguments,
    *,
    name: str,
    sentences: int,
    extras: int = 0,
    steps: int,
    epochs: int,
    eval_split: str | None,
    device: str,
    unit: str = "sentence",
) -> str:
    """What the training is going to do.

    Args:
        args: Of the run.
        name: Of the data.
        sentences: Rows of the training split.
        extras: Sentences without relations that each epoch adds.
        steps: Optimizer steps of the run.
        epochs: Passes over the data, the last one perhaps cut short.
        eval_split: The split that is scored.
        device: With the number of processes.
        unit: What a row is.
    """
    batch = args.per_device_train_batch_size * args.gradient_accumulation_steps
    is_chosen = args.num_train_epochs is None and args.max_steps < 0
    hint = "; --num_train_epochs sets another number" if is_chosen else ""
    length = f"{steps} steps of {batch} ({epochs} {'epoch' if epochs == 1 else 'epochs'}{hint})"
    each = {0: "", 1: "each epoch and "}.get(args.eval_every, f"each {args.eval_every} epochs and ")
    scored = f"Scored on {eval_split}, {each}at the end" if eval_split else f"Not scored: {no_split_text(args.dataset)}"
    mixed = f" and {extras} without relations" if extras else ""
    return f"Training on {name}, {args.train_split}: {sentences} {unit}s{mixed}, {length}, on {device}. {scored}."


def no_split_text(dataset: str | None) -> str:
    """That there is nothing to score on, and how to get it.

    >>> no_split_text("my data")
    "there is no split dev or test. To get them: spert convert 'my data' --split 0.8,0.1,0.1 --output SPLIT_DATA"
    """
    source = shlex.quote(dataset or "DATA")
    return f"there is no split dev or test. To get them: spert convert {source} --split 0.8,0.1,0.1 --output SPLIT_DATA"


def time_text(seconds_per_step: float, steps_left: int) -> str:
    """About how long the training will take.

    >>> time_text(0.2, 1000)
    'About 3 minutes to go (0.20 s per step)'
    """
    return f"About {_duration(seconds_per_step * steps_left)} to go ({seconds_per_step:.2f} s per step)"


def _duration(seconds: float) -> str:
    """Seconds in words.

    >>> _duration(45), _duration(600), _duration(36_000)
    ('45 seconds', '10 minutes', '10 hours')
    """
    for size, unit in ((3600, "hour"), (60, "minute")):
        if seconds >= 2 * size:
            return f"{seconds / size:.0f} {unit}s"
    return f"{max(seconds, 1):.0f} seconds"


def scores_text(scores: Mapping[str, float]) -> str:
    """The micro averages as a table with a line per convention; the long report has the rest.

    >>> print(scores_text({"ner_precision_micro": 80.0, "ner_recall_micro": 40.0, "ner_f1_micro": 53.333}))
                               precision     recall         F1
      Entities                     80.00      40.00      53.33
    """
    lines = [" " * 25 + "".join(f"{name:>11}" for name in ("precision", "recall", "F1"))]
    for prefix, convention in CONVENTIONS.items():
        values = [scores.get(f"{prefix}_{measure}_micro") for measure in ("precision", "recall", "f1")]
        if None not in values:
            lines.append(f"  {convention.title:<23}" + "".join(f"{value:11.2f}" for value in values))
    return "\n".join(lines)


def nothing_found_text(scores: Mapping[str, float], args: TrainingArguments, steps: int, threshold: float) -> str:
    """Why nothing was predicted, and what to change; empty if something was.

    Args:
        scores: Of the evaluation.
        args: Of the run.
        steps: Optimizer steps taken.
        threshold: Probability from which a relation holds.

    >>> scores = {"ner_support": 9, "ner_predicted": 0, "rel_support": 4, "rel_predicted": 0}
    >>> print(nothing_found_text(scores, TrainingArguments(output_dir="x", num_train_epochs=2), 26, 0.4))
    No entity was predicted: 26 steps are few, about 1000 are usually enough. Try more epochs (--num_train_epochs is 2)
    or a higher learning rate (--learning_rate is 5e-05).
    """
    if scores.get("ner_support") and not scores.get("ner_predicted"):
        return f"No entity was predicted: {_length_advice(args, steps)}"
    if scores.get("rel_support") and not scores.get("rel_predicted"):
        below = f"No relation was predicted: none reached the probability --relation_threshold {threshold:g}"
        return f"{below}. {_length_advice(args, steps).capitalize()}"
    return ""


def _length_advice(args: TrainingArguments, steps: int) -> str:
    if args.eval_only:
        return "was the model trained for such texts, and long enough?"
    few = f"{steps} steps are few, about {ENOUGH_STEPS} are usually enough. " if steps < ENOUGH_STEPS else ""
    epochs = f" (--num_train_epochs is {args.num_train_epochs})" if args.num_train_epochs is not None else ""
    rate = f"a higher learning rate (--learning_rate is {args.learning_rate:g})"
    return f"{few}Try more epochs{epochs} or {rate}."


def next_steps_text(args: TrainingArguments, split: str) -> str:
    """Where the model is, and three commands to try next.

    Args:
        args: Of the run.
        split: A split that can be scored.

    >>> print(next_steps_text(TrainingArguments(output_dir="runs/mine", dataset="my data"), "dev"))
    The model is in runs/mine. Next:
      spert extract runs/mine "A sentence of yours."
      spert analyse runs/mine 'my data' --split dev --output report.html
      spert push runs/mine your-name/your-model
    """
    name = shlex.quote(args.output_dir)
    data = [shlex.quote(args.dataset or "DATA"), "--split", split]
    data += ["--data_dir", shlex.quote(args.data_dir)] if args.data_dir else []
    data += ["--fold", str(args.fold)] if args.fold is not None else []
    lines = [
        f"The model is in {name}. Next:",
        f'spert extract {name} "A sentence of yours."',
        f"spert analyse {name} {' '.join(data)} --output report.html",
        f"spert push {name} your-name/your-model",
    ]
    return "\n  ".join(lines)
