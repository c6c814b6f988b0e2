"""What SpERT asks of an encoder: subwords in, a vector for each out, and a first position that stands for the text."""

import torch
from torch import Tensor, nn
from transformers import AutoModel, PreTrainedConfig, PreTrainedModel
from transformers.utils import logging

logger = logging.get_logger(__name__)


def build_backbone(config: PreTrainedConfig) -> PreTrainedModel:
    """An encoder of a configuration, with random weights.

    Raises:
        ValueError: If it is not one that reads subwords.
    """
    return strip_backbone(AutoModel.from_config(config))


def strip_backbone(model: PreTrainedModel) -> PreTrainedModel:
    """The part of a pretrained model that SpERT reads: of an encoder-decoder the encoder, without pooler.

    Raises:
        ValueError: If the model does not read subwords.
    """
    kind = model.config.model_type
    if model.main_input_name != "input_ids":
        raise ValueError(f"SpERT needs an encoder that reads subwords, but {kind} reads {model.main_input_name}")
    for name in ("hidden_size", "vocab_size"):
        if not isinstance(getattr(model.config, name, None), int):
            raise ValueError(f"SpERT needs an encoder with one {name} in its configuration, and {kind} has none")
    if model.config.is_encoder_decoder:
        model = model.get_encoder()
    # SpERT reads the first position itself, and unused weights would break distributed training. Some encoders call
    # their pooler without asking whether there is one, so something must be there.
    if getattr(model, "pooler", None) is not None:
        model.register_module("pooler", nn.Identity())
    return model


def check_window_length(wanted: int | None, backbone: PreTrainedModel) -> int | None:
    """The longest window, in subwords: as wanted, or what the encoder takes.

    Raises:
        ValueError: If the encoder has a table of positions, and it is shorter.
    """
    named = getattr(backbone.config, "max_position_embeddings", None)
    limits = [named] if named and named > 0 else []
    rows = _position_rows(backbone)
    limit = min([*limits, rows]) if rows else min(limits, default=None)
    if wanted is None:
        return limit
    # Without a table of positions (rotary, relative) the length that the encoder names is not a hard limit.
    if rows and limit and wanted > limit:
        raise ValueError(f"max_window_length must be at most {limit}, the positions of the encoder, got {wanted}")
    return wanted


def _position_rows(backbone: nn.Module) -> int | None:
    """Positions of a learned table: RoBERTa-like encoders count from after their padding index."""
    for name, module in backbone.named_modules():
        table = getattr(module, "weight", None)
        if name.endswith("position_embeddings") and isinstance(table, Tensor) and table.ndim == 2:
            padding = getattr(module, "padding_idx", None)
            return len(table) - (0 if padding is None else padding + 1)
    return None


@torch.no_grad()
def probe_backbone(backbone: PreTrainedModel, name: str) -> None:
    """Read a few subwords, and warn of what would make scores worse.

    Args:
        backbone: In eval mode.
        name: What to call it in messages.

    Raises:
        ValueError: If it cannot read subwords with an attention mask.
    """
    ids = torch.arange(8, device=backbone.device) + backbone.config.vocab_size // 2 - 4
    other_end, padded = ids.clone(), torch.nn.functional.pad(ids, (0, 4))
    other_end[-1] = ids[0]
    try:
        plain, changed, masked = (_read(backbone, row, len(ids)) for row in (ids, other_end, padded))
    except (AttributeError, IndexError, NotImplementedError, RuntimeError, TypeError, ValueError) as error:
        raise ValueError(f"SpERT cannot use {name}, which fails to read subwords: {error!r}") from error
    if torch.equal(plain[0], changed[0]):
        logger.warning(
            f"{name} is a causal model: its first position does not see the text, for which it stands in SpERT. "
            "Expect lower scores than with an encoder that reads in both directions"
        )
    tolerance = 0.01 if plain.dtype == torch.float32 else 0.2
    if (plain - masked).abs().max() > tolerance * plain.float().std():
        logger.warning(
            f"{name} does not leave padding out, whatever the attention mask: scores will depend a little on the "
            "other texts of a batch. With batch_size=1 they do not"
        )


def _read(backbone: PreTrainedModel, ids_L: Tensor, length: int) -> Tensor:
    """Vectors of the first `length` subwords; the rest is padding."""
    mask_L = (torch.arange(len(ids_L), device=ids_L.device) < length).long()
    return backbone(input_ids=ids_L[None], attention_mask=mask_L[None]).last_hidden_state[0, :length]
