"""The order of training: a function of seed and epoch, every row once, and grouped by length only where asked."""

from collections.abc import Sequence

from hypothesis import given
from hypothesis import strategies as st

from modeling_spert.training.batches import EpochSampler

LENGTHS = [(7 * row) % 97 + 3 for row in range(603)]


def order_of(seed: int, epoch: int, lengths: Sequence[int] | None = None, batch_size: int = 1) -> list[int]:
    sampler = EpochSampler(len(LENGTHS), seed, lengths, batch_size)
    sampler.epoch = epoch
    return list(sampler)


def padding_share(order: Sequence[int], batch_size: int) -> float:
    batches = [[LENGTHS[row] for row in order[i : i + batch_size]] for i in range(0, len(order), batch_size)]
    return 1 - sum(LENGTHS) / sum(len(batch) * max(batch) for batch in batches)


def test_epoch_sampler_order_is_a_function_of_seed_and_epoch():
    for settings in ((None, 1), (LENGTHS, 8)):
        first = order_of(1, 0, *settings)
        assert first == order_of(1, 0, *settings)
        assert first != order_of(2, 0, *settings) and first != order_of(1, 1, *settings)


def test_epoch_sampler_group_by_length_pads_less():
    for batch_size in (2, 8):
        plain = padding_share(order_of(1, 0), batch_size)
        grouped = order_of(1, 0, LENGTHS, batch_size)
        assert padding_share(grouped, batch_size) < 0.05 < plain
        # The batches come in random order: lengths neither rise nor fall over the epoch.
        longest = [max(LENGTHS[row] for row in grouped[i : i + batch_size]) for i in range(0, 600, batch_size)]
        rises = sum(a < b for a, b in zip(longest, longest[1:], strict=False))
        assert 0.3 < rises / len(longest) < 0.7


def test_epoch_sampler_group_by_length_leaves_random_rows_over():
    leftover = {row for epoch in range(60) for row in order_of(1, epoch, LENGTHS, 8)[600:]}
    assert {LENGTHS[row] > 50 for row in leftover} == {True, False}


@given(st.lists(st.integers(1, 50), max_size=200), st.integers(1, 9), st.integers(0, 5))
def test_epoch_sampler_group_by_length_has_every_row_once(lengths: list[int], batch_size: int, epoch: int):
    sampler = EpochSampler(len(lengths), 3, lengths, batch_size)
    sampler.epoch = epoch
    assert sorted(sampler) == list(range(len(lengths)))
