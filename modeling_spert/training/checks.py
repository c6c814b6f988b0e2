"""What is looked at before a training or an evaluation begins, so that it does not fail after hours or surprise."""

from collections import Counter
from collections.abc import Sequence

from transformers.utils import logging

from modeling_spert.evaluation.examples import Example
from modeling_spert.modeling_spert import SpertModel
from modeling_spert.training.arguments import TrainingArguments
from modeling_spert.training.data import TrainingData, choose_calibration_split
from modeling_spert.training.divergence import weights_not_finite
from modeling_spert.training.evaluate import check_best_metric
from modeling_spert.training.messages import no_split_text

logger = logging.get_logger(__name__)


def check_evaluation(args: TrainingArguments, data: TrainingData, eval_split: str | None, best_metric: str) -> None:
    """Check that the evaluation asked for can be made.

    Raises:
        ValueError: If its split or the metric that chooses the best model does not exist, or there is no split to
            calibrate on.
    """
    if args.calibrate:
        choose_calibration_split(args, data)
    if eval_split is None:
        if args.eval_only or args.eval_every:
            raise ValueError(f"{data.name}: {no_split_text(args.dataset)}; or name another split with --eval_split")
        return
    data.select(eval_split)
    check_best_metric(best_metric, data, no_overlapping=args.no_overlapping)
    both = set(eval_split.split("+")) & set(args.train_split.split("+"))
    if both and not args.eval_only:
        logger.warning(
            f"--eval_split {eval_split} shares {sorted(both)} with --train_split: its scores say nothing about other "
            "texts"
        )


def check_weights(model: SpertModel, args: TrainingArguments) -> None:
    """Refuse to train from weights that are NaN or infinite.

    Raises:
        ValueError: Naming the first of them.
    """
    names = weights_not_finite(model)
    if names:
        source = f"--model {args.model}" if args.model else f"--backbone {args.backbone}"
        raise ValueError(f"{source}: {names[0]} is not finite before any training; the file is damaged")


def warn_of_unknown_labels(data: TrainingData, model: SpertModel) -> None:
    """Name the labels of the data that the model cannot predict."""
    for kind in ("entity_types", "relation_types"):
        missing = sorted(set(getattr(data, kind)) - set(getattr(model.config, kind)))
        if missing:
            logger.warning(f"The model has no {kind} {missing}: they count as missed")


def warn_of_untrained_labels(data: TrainingData, examples: Sequence[Example], train_split: str) -> None:
    """Name the labels without a training example, which the model knows but cannot learn."""
    for kind, known in (("entities", data.entity_types), ("relations", data.relation_types)):
        trained = Counter(item["type"] for row in examples for item in row[kind])
        untrained = [label for label in known if label not in trained]
        if untrained:
            logger.warning(
                f"No training example: {kind} {', '.join(untrained)} are not in --train_split {train_split}, so the "
                "model does not learn them; where they occur in other splits they count as missed"
            )


def warn_of_wide_entities(examples: Sequence[Example], max_span_width: int) -> None:
    """Count the entities that are wider than the widest span, and show the first."""
    wide = [
        (row, entity)
        for row, example in enumerate(examples)
        for entity in example["entities"]
        if entity["end"] - entity["start"] > max_span_width
    ]
    if not wide:
        return
    row, entity = wide[0]
    words = " ".join(examples[row]["tokens"][entity["start"] : entity["end"]])
    shown = words if len(words) <= 60 else f"{words[:57]}..."
    logger.warning(
        f"Entities wider than --max_span_width {max_span_width}: {len(wide)}. They are trained on, but never found. "
        f"The first is {shown!r} in row {row} ({entity['end'] - entity['start']} words)"
    )
