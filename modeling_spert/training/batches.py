"""Loading batches for training: their order is a function of (seed, epoch) only."""

from collections.abc import Iterable, Iterator, Sequence

import torch
from torch import Tensor
from torch.utils.data import DataLoader, Sampler
from transformers import PreTrainedTokenizerBase

from modeling_spert.configuration_spert import SpertConfig
from modeling_spert.evaluation.examples import Example
from modeling_spert.training.arguments import TrainingArguments
from modeling_spert.training.labelling import label_windows
from modeling_spert.training.negatives import NegativeSampler, TrainingCollator
from modeling_spert.training.variants import Variants, collect_mentions

# Batches whose rows are sorted together: enough for rows of about equal length in a batch, few enough that the batches
# differ from epoch to epoch.
_BATCHES_PER_POOL = 50


class EpochSampler(Sampler[int]):
    """All rows, and some of the extra ones, shuffled anew in every epoch; `epoch` is set by the training loop.

    Args:
        num_rows: Rows of the data set that every epoch has.
        seed: Seed of the run.
        lengths: Subwords of each row: batches then hold rows of about equal length, in random order. Default: rows in
            random order, as in the original.
        batch_size: Rows of a batch of one process; for `lengths`.
        num_extras: Extra rows, which follow the others in the data set.
        drawn: How many of the extra rows an epoch has, drawn anew each time.
    """

    def __init__(
        self,
        num_rows: int,
        seed: int,
        lengths: Sequence[int] | None = None,
        batch_size: int = 1,
        *,
        num_extras: int = 0,
        drawn: int = 0,
    ):
        self.num_rows, self.seed, self.epoch = num_rows, seed, 0
        self.lengths, self.batch_size = lengths, batch_size
        self.num_extras, self.drawn = num_extras, min(drawn, num_extras)

    def __len__(self) -> int:
        return self.num_rows + self.drawn

    def __iter__(self) -> Iterator[int]:
        generator = torch.Generator().manual_seed(self.seed * 1_000_003 + self.epoch)
        order = torch.randperm(len(self), generator=generator)
        if self.drawn:
            extras = self.num_rows + torch.randperm(self.num_extras, generator=generator)[: self.drawn]
            order = torch.cat((torch.arange(self.num_rows), extras))[order]
        rows = order.tolist()
        return iter(rows if self.lengths is None else self._group(rows, self.lengths, generator))

    def _group(self, rows: list[int], lengths: Sequence[int], generator: torch.Generator) -> list[int]:
        """Shuffled batches of rows of about equal length, taken from pools of shuffled rows."""
        size = self.batch_size
        whole = len(rows) - len(rows) % size  # the incomplete batch comes last, because the loader may drop it
        batches: list[list[int]] = []
        for low in range(0, whole, size * _BATCHES_PER_POOL):
            pool = sorted(rows[low : min(low + size * _BATCHES_PER_POOL, whole)], key=lambda row: lengths[row])
            batches.extend(pool[i : i + size] for i in range(0, len(pool), size))
        order = torch.randperm(len(batches), generator=generator).tolist()
        return [row for index in order for row in batches[index]] + rows[whole:]


def build_train_loader(
    examples: Sequence[Example],
    tokenizer: PreTrainedTokenizerBase,
    config: SpertConfig,
    args: TrainingArguments,
    extras: Sequence[Example] = (),
) -> tuple[DataLoader, EpochSampler, TrainingCollator]:
    """Batches of labelled windows with sampled negatives; the last incomplete batch is dropped, as in the original.

    Args:
        examples: The rows of the training split.
        tokenizer: Of the model.
        config: Of the model.
        args: Of the run.
        extras: Sentences of which every epoch has some (`--extra_relation_free`); their row ids follow the others'.

    Raises:
        ValueError: If the split holds no sentence.
    """
    everything = [*examples, *extras]
    rows = label_windows(everything, tokenizer, config)
    num_rows = sum(row.sentences[0].row_id < len(examples) for row in rows)
    if not num_rows:
        raise ValueError(f"--train_split {args.train_split} holds no sentence to train on")
    sampler = NegativeSampler(
        num_relation_types=config.num_relation_types,
        max_span_width=config.max_span_width,
        neg_entity_count=args.neg_entity_count,
        neg_relation_count=args.neg_relation_count,
        relation_negatives=args.relation_negatives,
        seed=args.seed,
    )
    variants = None
    if args.recase or args.replace_mentions:
        mentions = collect_mentions(examples)
        variants = Variants(everything, tokenizer, config, mentions, args.recase, args.replace_mentions, seed=args.seed)
    collator = TrainingCollator(sampler, tokenizer.pad_token_id or 0, variants=variants)
    lengths = [len(row.window.input_ids) for row in rows] if args.group_by_length else None
    order = EpochSampler(
        num_rows,
        args.seed,
        lengths,
        args.per_device_train_batch_size,
        num_extras=len(rows) - num_rows,
        drawn=round(args.extra_share * len(examples)),
    )
    loader: DataLoader = DataLoader(
        rows,  # type: ignore[arg-type] # a list is a map-style data set
        batch_size=args.per_device_train_batch_size,
        sampler=order,
        collate_fn=collator,
        drop_last=len(order) >= args.per_device_train_batch_size,
        num_workers=args.num_workers,
    )
    return loader, order, collator


def step_batches(
    loader: Iterable[dict[str, Tensor]], accumulation: int, steps: int, skip: int = 0
) -> Iterator[list[dict[str, Tensor]]]:
    """Groups of `accumulation` batches, one per optimizer step: groups `skip` to `steps` of the epoch.

    >>> [len(group) for group in step_batches([{}, {}, {}, {}, {}], accumulation=2, steps=2)]
    [2, 2]
    """
    group: list[dict[str, Tensor]] = []
    done = 0
    for batch in loader:
        group.append(batch)
        if len(group) == accumulation:
            if done >= skip:
                yield group
            done += 1
            if done >= steps:
                return
            group = []
    if group and done == 0 and skip == 0:  # an epoch shorter than one step is one step
        yield group
