"""A SpERT model as transformers' own common tests want it: a tester with a configuration and inputs, and test classes.

This module needs nothing of those tests, so that it can be imported everywhere; `define_tests` gets their classes.
"""

from __future__ import annotations

import copy
import unittest
from typing import Any

import torch
from torch import Tensor
from transformers import AutoConfig

from modeling_spert import SpertConfig, SpertModel

_SIZES = {"vocab_size": 99, "hidden_size": 32, "num_hidden_layers": 2, "num_attention_heads": 4,
          "intermediate_size": 37, "max_position_embeddings": 64}  # fmt: skip
_MODERNBERT = {"pad_token_id": 0, "bos_token_id": 2, "eos_token_id": 3, "cls_token_id": 2, "sep_token_id": 3}
ENCODERS: dict[str, dict[str, Any]] = {
    "bert": _SIZES,
    "roberta": {**_SIZES, "pad_token_id": 1, "max_position_embeddings": 66},
    "modernbert": {**_SIZES, **_MODERNBERT},
}


class SpertTester:
    """What the common tests ask for: sizes, a configuration, and a batch of two sentences in every window."""

    base_model_class = SpertModel
    batch_size, seq_length, is_training = 5, 9, True
    hidden_size, num_hidden_layers, num_attention_heads = 32, 2, 4

    def __init__(self, model_type: str):
        self.model_type = model_type

    def get_config(self) -> SpertConfig:
        """A tiny model of this encoder."""
        backbone = AutoConfig.for_model(self.model_type, **ENCODERS[self.model_type])
        return SpertConfig(
            backbone_config=backbone, entity_types=["A", "B"], relation_types=["r", "s"], max_span_width=3
        )

    def prepare_config_and_inputs_for_common(self) -> tuple[SpertConfig, dict[str, Tensor]]:
        """The configuration and a batch without spans: the model classifies all."""
        ids = torch.randint(5, 99, (self.batch_size, self.seq_length), generator=torch.Generator().manual_seed(0))
        words = torch.tensor([-1, 0, 0, 1, 2, 3, 3, 4, -1]).repeat(self.batch_size, 1)
        sentences = torch.tensor([0, 0, 0, 1, 1]).repeat(self.batch_size, 1)
        inputs = {"input_ids": ids, "attention_mask": torch.ones_like(ids)}
        return self.get_config(), {**inputs, "word_index": words, "sentence_index": sentences}


class _CommonTests:
    """The settings of the common tests; mixed into a class for each encoder."""

    all_model_classes = (SpertModel,)
    _is_composite = True
    test_can_init_all_missing_weights_before_2023 = True  # else skipped for want of a copyright line
    additional_model_inputs = ("word_index", "sentence_index")
    model_type: str
    config_tester_class: Any

    def setUp(self) -> None:
        self.model_tester = SpertTester(self.model_type)
        self.config_tester = self.config_tester_class(
            self, config_class=SpertConfig, has_text_modality=False, entity_types=["A"], relation_types=["r"]
        )

    def test_config(self) -> None:
        """transformers' ConfigTester."""
        self.config_tester.run_common_tests()

    def _prepare_for_class(
        self, inputs_dict: dict[str, Any], model_class: type, return_labels: bool = False
    ) -> dict[str, Any]:
        """The inputs; labels come with the spans and pairs that they label."""
        inputs = copy.deepcopy(inputs_dict)
        if not return_labels:
            return inputs
        row = torch.arange(len(inputs["input_ids"]))
        first = torch.stack((row, torch.zeros_like(row), torch.ones_like(row)), dim=1)
        return {
            **inputs,
            "spans": torch.cat((first, first + torch.tensor([0, 1, 2]))),
            "span_labels": row.repeat(2) % 3,
            "pairs": torch.stack((row, row + len(row)), dim=1),
            "pair_labels": torch.ones(len(row), 2),
        }


def define_tests(model_tester_mixin: type, config_tester: type) -> dict[str, type]:
    """A test class for each encoder, by its name.

    Args:
        model_tester_mixin: transformers' ModelTesterMixin.
        config_tester: transformers' ConfigTester.
    """
    return {
        name: type(
            name,
            (_CommonTests, model_tester_mixin, unittest.TestCase),
            {"model_type": model_type, "config_tester_class": config_tester, "__module__": "test_common"},
        )
        for model_type in ENCODERS
        for name in [f"{model_type.capitalize()}Test"]
    }
