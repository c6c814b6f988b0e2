"""SpERT under transformers' own `Trainer`: new negatives in every epoch, and real scores at every evaluation.

    windows = label_windows(examples, tokenizer, model.config)
    collator = TrainingCollator(NegativeSampler(model.config.num_relation_types), tokenizer.pad_token_id)
    callback = SpertCallback(collator, tokenizer, dev_examples)
    Trainer(model, args, train_dataset=windows, data_collator=collator, callbacks=[callback]).train()

What it cannot do: `Trainer` joins the outputs of the batches, but the spans and pairs of each batch count windows from
0, so the `predictions` of `predict()` and of `compute_metrics` cannot be decoded. Use `predict_examples`, or the scores
that this callback adds. `nn.DataParallel` cuts spans as if they were rows: start several GPUs with `accelerate launch`.
With gradient accumulation, `Trainer` averages batches of different sizes; `modeling_spert.training.Trainer` does not.
"""

from collections.abc import Sequence
from typing import Any

from transformers import PreTrainedTokenizerBase, TrainerCallback, TrainerControl, TrainerState
from transformers import TrainingArguments as TransformersArguments

from modeling_spert.evaluation.examples import Example
from modeling_spert.evaluation.metrics import score_examples
from modeling_spert.evaluation.predict import extraction_to_example, predict_examples
from modeling_spert.training.negatives import TrainingCollator


class SpertCallback(TrainerCallback):
    """Gives the collator the epoch, and adds the scores of some examples to each evaluation.

    The scores are named `eval_ner_f1_micro`, `eval_rel_strict_f1_micro` and so on, so that `metric_for_best_model` can
    choose the best model by them.

    Args:
        collator: The `data_collator` of the Trainer.
        tokenizer: For scores.
        examples: Rows to score at every evaluation; none: no scores.
    """

    def __init__(
        self,
        collator: TrainingCollator,
        tokenizer: PreTrainedTokenizerBase | None = None,
        examples: Sequence[Example] = (),
    ):
        if examples and tokenizer is None:
            raise ValueError("tokenizer is needed to score examples, got None")
        self.collator, self.tokenizer, self.examples = collator, tokenizer, examples

    def on_train_begin(
        self, args: TransformersArguments, state: TrainerState, control: TrainerControl, **kwargs: Any
    ) -> None:
        """Refuse settings under which the negatives would not change.

        Raises:
            ValueError: If the workers outlive an epoch: they keep the collator of the first.
        """
        if args.dataloader_num_workers and args.dataloader_persistent_workers:
            raise ValueError(
                "dataloader_persistent_workers must be False, got True: such workers would draw the negatives of the "
                "first epoch in every epoch"
            )

    def on_epoch_begin(
        self, args: TransformersArguments, state: TrainerState, control: TrainerControl, **kwargs: Any
    ) -> None:
        """New negatives for this epoch."""
        self.collator.epoch = int(state.epoch or 0)

    def on_evaluate(
        self,
        args: TransformersArguments,
        state: TrainerState,
        control: TrainerControl,
        model: Any = None,
        metrics: dict[str, float] | None = None,
        **kwargs: Any,
    ) -> None:
        """Score the examples and add the averages to the metrics of the evaluation."""
        if not self.examples or metrics is None:
            return
        assert self.tokenizer is not None
        was_training = model.training
        found = predict_examples(model, self.tokenizer, self.examples)
        model.train(was_training)
        predictions = [
            extraction_to_example(example, extraction) for example, extraction in zip(self.examples, found, strict=True)
        ]
        config = model.config
        scores = score_examples(
            self.examples,
            predictions,
            entity_types=config.entity_types,
            relation_types=config.relation_types,
            symmetric_relation_types=config.symmetric_relation_types,
        )
        metrics.update({f"eval_{name}": value for name, value in scores.items() if "/" not in name})
