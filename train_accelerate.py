"""Train and evaluate SpERT on a benchmark or on your own data, on CPU, one GPU or many.

    python train_accelerate.py --dataset demo --backbone bundled --output_dir runs/demo
    accelerate launch train_accelerate.py --dataset my_data --output_dir runs/mine

OUTPUT_DIR becomes the model folder to use or to push, OUTPUT_DIR/last the checkpoint to resume from. Scores and losses
go to metrics.jsonl, the last scores to eval_results.json, predictions to predictions_<split>.json. The same from
Python: see `modeling_spert.training.Trainer`.
"""

import sys

from transformers.utils import logging

from datasets_scripts import DownloadError, JointDataset, load_joint_dataset
from modeling_spert.training import Interrupted, Trainer, TrainingArguments, build_model, parse_arguments
from modeling_spert.training.output_folder import check_output_dir

logger = logging.get_logger("modeling_spert.training")


def load_data(args: TrainingArguments) -> JointDataset:
    """The data set that the arguments name; rows that are skipped are reported."""
    data = load_joint_dataset(args.dataset, data_dir=args.data_dir, fold=args.fold, on_bad_row=args.on_bad_row)
    for skipped in data.skipped:
        logger.warning(f"Skipped a row: {skipped.message}")
    return data


def training_function(args: TrainingArguments) -> dict[str, float]:
    """Train unless told otherwise, evaluate and save; returns the scores of the model in OUTPUT_DIR."""
    check_output_dir(args)
    data = load_data(args)
    model, tokenizer = build_model(args, data)
    trainer = Trainer(model, tokenizer, data, args)
    if not args.eval_only:
        trainer.train()
    if trainer.eval_split:
        trainer.evaluate()
    if not args.eval_only:
        trainer.save()
    trainer.close()
    return trainer.scores


def main(argv: list[str] | None = None) -> None:
    """Command line entry. What a user can mend ends with one line and exit code 2, a stopped run with 130."""
    args = parse_arguments(argv)
    logging.set_verbosity_info() if args.verbose else logging.set_verbosity_warning()
    logging.disable_progress_bar()  # those of loading and saving weights would break the training's
    try:
        training_function(args)
    except Interrupted as stopped:
        print(f"\n{stopped}", file=sys.stderr)
        sys.exit(130)
    except (ValueError, OSError, DownloadError) as error:
        if args.verbose:
            raise
        print(f"error: {error}", file=sys.stderr)
        sys.exit(2)


if __name__ == "__main__":
    main()
