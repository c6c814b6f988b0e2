"""A new model: SpERT heads on a pretrained encoder, which is tried out first."""

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor
from transformers import AutoModel, PreTrainedModel
from transformers.utils import logging

from modeling_spert.configuration_spert import SpertConfig
from modeling_spert.loading_spert import strip_backbone

logger = logging.get_logger(__name__)

PRETRAINED_PARTS = ("all", "embeddings", "none")


def from_backbone(
    name_or_folder: str,
    *,
    model_class: Any,
    entity_types: Sequence[str],
    relation_types: Sequence[str] = (),
    pretrained: str = "all",
    backbone_kwargs: dict[str, Any] | None = None,
    **config_kwargs: Any,
) -> Any:
    """Put new SpERT heads on a pretrained encoder; called as `SpertModel.from_backbone(name, …)`.

    Longformer, LUKE and XLNet have weights that SpERT does not use: to train them in several processes, set
    `find_unused_parameters` in `DistributedDataParallelKwargs`.

    Args:
        name_or_folder: The encoder, as `AutoModel.from_pretrained` takes it.
        model_class: `SpertModel`, or a subclass.
        entity_types: Entity type labels.
        relation_types: Relation type labels; empty for entities only.
        pretrained: "all" encoder weights, its "embeddings" only, or "none" (the paper's ablation, section 4.4).
        backbone_kwargs: Passed on to `AutoModel.from_pretrained` (revision, token, dtype, attn_implementation, …).
        **config_kwargs: Settings of `SpertConfig`.

    Returns:
        The model in eval mode, as `from_pretrained` gives it.

    Raises:
        ValueError: If `pretrained` is unknown, the folder holds a SpERT model, or one that cannot be its encoder,
            or a setting is out of its range.
    """
    if pretrained not in PRETRAINED_PARTS:
        raise ValueError(f"pretrained must be one of {', '.join(PRETRAINED_PARTS)}, got {pretrained!r}")
    loaded = AutoModel.from_pretrained(name_or_folder, **(backbone_kwargs or {}))
    if loaded.config.model_type == SpertConfig.model_type:
        raise ValueError(
            f"{name_or_folder} holds a SpERT model, not a bare encoder: load it with SpertModel.from_pretrained"
        )
    backbone = strip_backbone(loaded)
    probe_backbone(backbone, name_or_folder)
    config = model_class.config_class(
        backbone_config=loaded.config,
        entity_types=entity_types,
        relation_types=relation_types,
        attn_implementation=loaded.config._attn_implementation,  # else the default would go to the encoder
        **config_kwargs,
    )
    model = model_class(config).to(backbone.dtype)
    if pretrained == "all":
        model.backbone = backbone
    elif pretrained == "embeddings":
        # With positions and layer norm where they are one module; some encoders have only the words' table.
        if hasattr(backbone, "embeddings"):
            model.backbone.embeddings.load_state_dict(backbone.embeddings.state_dict())
        else:
            model.backbone.set_input_embeddings(backbone.get_input_embeddings())
    logger.info(f"Loaded pretrained weights ({pretrained}) of {loaded.config.model_type} from {name_or_folder}")
    return model.eval()


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
