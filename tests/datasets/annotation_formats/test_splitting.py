"""Documents into train, dev and test: exact sizes, the same for a seed, labels spread."""

from __future__ import annotations

from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from datasets_scripts.annotation_formats.splitting import SPLITS, check_fractions, split_documents, split_sizes


def counts(labels: list[Counter[str]], splits: list[str], label: str) -> list[int]:
    return [sum(c[label] for c, s in zip(labels, splits, strict=True) if s == split) for split in SPLITS]


def test_split_spreads_rare_labels_over_all_splits():
    labels = [Counter({"treats": 1 + place % 2}) for place in range(90)]
    labels += [Counter({"causes": 1, "treats": 1}) for _ in range(10)]
    for seed in range(5):
        splits = split_documents(labels, (0.8, 0.1, 0.1), seed)
        assert Counter(splits) == {"train": 80, "dev": 10, "test": 10}
        assert counts(labels, splits, "causes") == [8, 1, 1]
        assert all(10 <= share <= 18 for share in counts(labels, splits, "treats")[1:])


def test_split_label_of_one_document_goes_to_train():
    labels = [Counter({"treats": 1}) for _ in range(20)] + [Counter({"rare": 1})]
    for seed in range(5):
        assert split_documents(labels, (0.8, 0.1, 0.1), seed)[-1] == "train"


@given(
    st.lists(st.dictionaries(st.sampled_from("abcdef"), st.integers(1, 9)), max_size=40),
    st.sampled_from([(0.8, 0.1, 0.1), (0.5, 0.5, 0.0), (1.0, 0.0, 0.0), (0.1, 0.1, 0.8)]),
    st.integers(0, 3),
)
def test_split_sizes_are_exact_and_a_seed_gives_one_answer(labels, fractions, seed):
    splits = split_documents(labels, fractions, seed)
    assert splits == split_documents(labels, fractions, seed)
    assert [splits.count(name) for name in SPLITS] == split_sizes(len(labels), fractions)


def test_split_of_another_seed_differs():
    labels = [Counter({"treats": 1})] * 50
    assert len({tuple(split_documents(labels, (0.8, 0.1, 0.1), seed)) for seed in range(4)}) == 4


@given(st.integers(0, 300), st.sampled_from([(0.8, 0.1, 0.1), (0.6, 0.4, 0.0), (0.34, 0.33, 0.33), (0.01, 0.01, 0.98)]))
def test_split_sizes_add_up_and_train_is_never_empty(count, fractions):
    sizes = split_sizes(count, fractions)
    assert sum(sizes) == count and min(sizes) >= 0
    assert not count or sizes[0]
    assert all(size == 0 for size, fraction in zip(sizes, fractions, strict=True) if fraction == 0)


@pytest.mark.parametrize(
    "fractions", [(0.8, 0.1), (0.8, 0.1, 0.2), (0, 0.5, 0.5), (1.2, -0.1, -0.1), "abc", 1, (0.8, 0.2, None)]
)
def test_split_fractions_that_do_not_add_up_are_refused(fractions):
    with pytest.raises(ValueError, match="split must be three fractions"):
        check_fractions(fractions)


def test_split_gives_each_split_its_share_of_a_label_that_every_document_has():
    labels = [Counter({"treats": 1 + place % 7}) for place in range(400)]
    splits = split_documents(labels, (0.8, 0.1, 0.1), seed=0)
    assert counts(labels, splits, "treats") == pytest.approx([1277, 160, 160], rel=0.02)


def test_split_trains_on_a_label_of_two_documents():
    labels = [Counter({"treats": 1}) for _ in range(30)] + [Counter({"rare": 1, "treats": 1})] * 2
    for seed in range(5):
        assert split_documents(labels, (0.8, 0.1, 0.1), seed)[-2:] == ["train", "train"]
