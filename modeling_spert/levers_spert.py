"""Terms of the scores that the published SpERT does not have. Each is off unless the configuration names it.

docs/levers.md says what each brings. One more, `span_borders`, is a linear layer, which `heads_spert` calls.

Shape letters: B windows, L subwords, W words, N spans, P pairs, H hidden, E entity classes (with *none*), Q relation
types, X what a span adds to its pairs.
"""

import inspect

import torch
from torch import Tensor, nn
from transformers import PreTrainedModel

from .configuration_spert import SpertConfig

_NUM_CASES = 8  # `letter_case` has six classes, and 0 stands for padding


def build_case_embeddings(config: SpertConfig, backbone: PreTrainedModel) -> nn.Embedding | None:
    """The table that the word feature "case" adds to the embeddings of subwords, if the configuration has it.

    Raises:
        ValueError: If the encoder does not take embeddings in place of subwords.
    """
    if "case" not in config.word_features:
        return None
    if "inputs_embeds" not in inspect.signature(backbone.forward).parameters:
        kind = config.backbone_config.model_type
        raise ValueError(f"{kind} does not take inputs_embeds, which word_features need: pass word_features=[]")
    return nn.Embedding(_NUM_CASES, backbone.get_input_embeddings().weight.shape[1], padding_idx=0)


def subword_case(word_case_BW: Tensor, word_index_BL: Tensor) -> Tensor:
    """The case of the word that each subword belongs to, 0 on special tokens and padding: (B, L).

    >>> subword_case(torch.tensor([[4, 2]]), torch.tensor([[-1, 0, 0, 1, -1]])).tolist()
    [[0, 4, 4, 2, 0]]
    """
    padded = nn.functional.pad(word_case_BW, (0, 1))
    return padded.gather(1, torch.where(word_index_BL < 0, word_case_BW.shape[1], word_index_BL))


def build_pair_levers(config: SpertConfig) -> nn.ModuleDict:
    """The terms of the relation scores that a configuration asks for. All have the interface of `TypePairs`."""
    levers = nn.ModuleDict()
    if config.type_pairs and config.relation_types:
        levers["types"] = TypePairs(config.num_entity_classes, config.num_relation_types)
    if config.pair_product and config.relation_types:
        H = config.backbone_config.hidden_size
        levers["product"] = PairProduct(H, config.pair_product, config.num_relation_types)
    return levers


class TypePairs(nn.Module):
    """`type_pairs`: which relations join which types, learned from the probabilities of both spans' types."""

    def __init__(self, num_classes: int, num_relation_types: int):
        super().__init__()
        self.classifier = nn.Linear(num_classes**2, num_relation_types, bias=False)

    def span_parts(self, vectors_NH: Tensor, logits_NE: Tensor) -> tuple[Tensor, Tensor]:
        """What each span adds to its pairs, as head and as tail: (N, X) twice.

        Args:
            vectors_NH: The spans' vectors, after dropout.
            logits_NE: Their entity logits, from which no gradient flows back.
        """
        types_NE = logits_NE.detach().float().softmax(1).to(vectors_NH.dtype)
        return types_NE, types_NE

    def forward(self, heads_PX: Tensor, tails_PX: Tensor) -> Tensor:
        """What is added to the relation logits (P, Q) of pairs, from the parts of their spans."""
        return self.classifier((heads_PX.unsqueeze(2) * tails_PX.unsqueeze(1)).flatten(1))


class PairProduct(nn.Module):
    """`pair_product`: the product of the head and the tail, each read by a layer of its own."""

    def __init__(self, hidden_size: int, size: int, num_relation_types: int):
        super().__init__()
        self.head, self.tail = nn.Linear(hidden_size, size), nn.Linear(hidden_size, size)
        self.classifier = nn.Linear(size, num_relation_types, bias=False)

    def span_parts(self, vectors_NH: Tensor, logits_NE: Tensor) -> tuple[Tensor, Tensor]:
        """As in `TypePairs`; X is the size of the product."""
        return self.head(vectors_NH).relu(), self.tail(vectors_NH).relu()

    def forward(self, heads_PX: Tensor, tails_PX: Tensor) -> Tensor:
        """As in `TypePairs`."""
        return self.classifier(heads_PX * tails_PX)
