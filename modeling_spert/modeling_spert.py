"""The SpERT model: one encoder pass, a span classifier and a relation classifier (SpERT, section 3).

Shape letters: B windows, L subwords, W words, K span widths, S candidate spans, N spans that take part in relations,
P candidate pairs, H hidden, D width embedding, E entity classes (with *none*), Q relation types.

Keys of a saved model: `backbone.*`, `entity_classifier.*`, `relation_classifier.*`, `width_embeddings.weight`.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

# Python looks first in the current folder, where a model folder's copy of this file hides the package of the same name.
if not __package__:
    raise ImportError(f"{__file__} is a saved model's code, not the package modeling_spert: run from another folder")

import torch
from torch import Tensor, nn
from transformers import AutoModel, PreTrainedConfig, PreTrainedModel, PreTrainedTokenizerBase
from transformers.utils import ModelOutput, logging

from .configuration_spert import SpertConfig
from .integrity_spert import check_cached_files
from .spans_spert import (
    candidate_mask,
    candidate_spans,
    context_ranges,
    ordered_pairs,
    pool_words,
    range_max,
    range_sum,
    range_table,
    sentence_ranges,
    surviving_spans,
)

logger = logging.get_logger(__name__)

# Pairs are scored in chunks whose (pairs, hidden) tensors hold about this many numbers: bounded memory for an
# untrained model that keeps every span, one chunk for any ordinary batch.
_CHUNK_NUMBERS = 1 << 22
_HUB_KWARGS = ("cache_dir", "force_download", "local_files_only", "proxies", "revision", "subfolder", "token")


@dataclass
class SpertOutput(ModelOutput):
    """What `SpertModel.forward` returns.

    Attributes:
        loss: Scalar, when labels were given: span cross-entropy + relation binary cross-entropy.
        entity_logits: (S, E), class 0 is *none*.
        relation_logits: (P, Q), one independent logit per relation type.
        spans: (S, 3) the candidates: window, first word, end.
        pairs: (P, 2) head and tail as indices into `spans`.
    """

    loss: Tensor | None = None
    entity_logits: Tensor | None = None
    relation_logits: Tensor | None = None
    spans: Tensor | None = None
    pairs: Tensor | None = None


class SpertPreTrainedModel(PreTrainedModel):
    """Weight initialisation and the switches that carry dtype, attention and checkpointing to the encoder."""

    config_class = SpertConfig
    config: SpertConfig
    base_model_prefix = "backbone"
    supports_gradient_checkpointing = True
    _supports_sdpa = True
    _supports_flash_attn = True
    _supports_flex_attn = True
    _supports_attention_backend = True


class SpertModel(SpertPreTrainedModel):
    """Span-based joint entity and relation extraction on any encoder that `AutoModel` loads.

    Use `from_backbone` to start from a pretrained encoder and `from_pretrained` to load a trained SpERT model.

    Args:
        config: The configuration; its `backbone_config` names the encoder, which starts from random weights. An
            unset `max_window_length` is set to what the encoder takes.

    Raises:
        ValueError: If `max_window_length` is more than the encoder has positions for.
    """

    def __init__(self, config: SpertConfig):
        super().__init__(config)
        self.backbone = AutoModel.from_config(config.backbone_config)
        _drop_pooler(self.backbone)
        config.max_window_length = _check_window_length(config.max_window_length, self.backbone)
        H, D = config.backbone_config.hidden_size, config.width_embedding_size
        self.width_embeddings = nn.Embedding(config.width_table_size, D) if D else None
        self.entity_classifier = nn.Linear(2 * H + D, config.num_entity_classes)
        Q = config.num_relation_types
        self.relation_classifier = nn.Linear(3 * H + 2 * D, Q) if Q else None
        self.dropout = nn.Dropout(config.head_dropout)
        self.post_init()

    @classmethod
    def from_backbone(
        cls,
        name_or_folder: str,
        *,
        entity_types: Sequence[str],
        relation_types: Sequence[str] = (),
        pretrained: str = "all",
        backbone_kwargs: dict[str, Any] | None = None,
        **config_kwargs: Any,
    ) -> "SpertModel":
        """Put new SpERT heads on a pretrained encoder.

        Args:
            name_or_folder: The encoder, as `AutoModel.from_pretrained` takes it.
            entity_types: Entity type labels.
            relation_types: Relation type labels; empty for entities only.
            pretrained: "all" encoder weights, its "embeddings" only, or "none" (the paper's ablation, section 4.4).
            backbone_kwargs: Passed on to `AutoModel.from_pretrained` (revision, token, dtype, attn_implementation, …).
            **config_kwargs: Settings of `SpertConfig`.

        Returns:
            The model in eval mode, as `from_pretrained` gives it.

        Raises:
            ValueError: If `pretrained` is unknown, the folder holds a SpERT model, or a setting is out of its range.
        """
        if pretrained not in ("all", "embeddings", "none"):
            raise ValueError(f'pretrained must be "all", "embeddings" or "none", got {pretrained!r}')
        backbone = AutoModel.from_pretrained(name_or_folder, **(backbone_kwargs or {}))
        if backbone.config.model_type == SpertConfig.model_type:
            raise ValueError(
                f"{name_or_folder} holds a SpERT model, not a bare encoder: load it with SpertModel.from_pretrained"
            )
        _drop_pooler(backbone)
        config = SpertConfig(
            backbone_config=backbone.config,
            entity_types=entity_types,
            relation_types=relation_types,
            attn_implementation=backbone.config._attn_implementation,  # else the default would go to the encoder
            **config_kwargs,
        )
        model = cls(config).to(backbone.dtype)
        if pretrained == "all":
            model.backbone = backbone
        elif pretrained == "embeddings":
            model.backbone.embeddings.load_state_dict(backbone.embeddings.state_dict())
        logger.info(f"Loaded pretrained weights ({pretrained}) of {backbone.config.model_type} from {name_or_folder}")
        return model.eval()

    @classmethod
    def from_pretrained(  # type: ignore[override]
        cls,
        name_or_folder: str,
        *args: Any,
        new_classifiers: bool = False,
        verify_files: bool = True,
        **kwargs: Any,
    ) -> Any:
        """Load a SpERT model from a folder or the Hub.

        Args:
            name_or_folder: Folder or repository name.
            *args: Passed on.
            new_classifiers: With other `entity_types` or `relation_types` than the saved ones (given as keywords or in
                `config`): keep the encoder and the width embeddings and start those classifiers anew.
            verify_files: Compare files in the Hub's cache with the digests the Hub announced for them.
            **kwargs: As `PreTrainedModel.from_pretrained` takes them; settings of `SpertConfig` override saved ones.

        Returns:
            The model in eval mode; with `output_loading_info`, a pair of it and that.

        Raises:
            ValueError: If there is no SpERT model (a bare encoder would silently stay random), if the labels differ
                and `new_classifiers` is not set, or if other weights than the new classifiers' do not fit.
            OSError: If a file in the Hub's cache is not the one the Hub announced, or there are no safetensors.
        """
        hub_kwargs = {key: kwargs[key] for key in _HUB_KWARGS if key in kwargs}
        saved, _ = PreTrainedConfig.get_config_dict(name_or_folder, **hub_kwargs)
        if saved.get("model_type") != SpertConfig.model_type:
            raise ValueError(
                f"{name_or_folder} holds a {saved.get('model_type')!r} model, not a SpERT model. To put SpERT heads on "
                f"this encoder: SpertModel.from_backbone({name_or_folder!r}, entity_types=[…], relation_types=[…])"
            )
        changed = [name for name in ("entity_types", "relation_types") if _labels_differ(name, saved, kwargs)]
        if changed and not new_classifiers:
            raise ValueError(
                f"{' and '.join(changed)} differ from those saved in {name_or_folder} ({saved[changed[0]]}): pass "
                "new_classifiers=True to keep its encoder and start new classifiers"
            )
        if changed:
            kwargs["ignore_mismatched_sizes"] = True
        with_info = kwargs.pop("output_loading_info", False)
        kwargs.setdefault("use_safetensors", True)  # a SpERT model is never a pickle
        try:
            model, info = super().from_pretrained(name_or_folder, *args, output_loading_info=True, **kwargs)
        finally:  # also after an error: that a file was altered is the better explanation
            if verify_files:
                check_cached_files(name_or_folder, **hub_kwargs)
        model.verify_files = verify_files
        if changed:
            model._start_classifiers(changed, info)
        return (model, info) if with_info else model

    def _start_classifiers(self, changed: Sequence[str], info: Mapping[str, Any]) -> None:
        """New weights for the classifiers of other labels, also where their number is the same."""
        heads = {"entity_types": "entity_classifier", "relation_types": "relation_classifier"}
        strange = [key for key, *_ in info["mismatched_keys"] if key.split(".")[0] not in map(heads.get, changed)]
        if strange:
            raise ValueError(f"the saved weights do not fit the settings given: {', '.join(sorted(strange))}")
        for name in changed:
            head = getattr(self, heads[name])
            if head is not None:
                nn.init.normal_(head.weight, std=self.config.initializer_range)
                nn.init.zeros_(head.bias)

    def extraction_pipeline(self, tokenizer: PreTrainedTokenizerBase, **kwargs: Any) -> Any:
        """The joint-extraction pipeline around this model.

        Args:
            tokenizer: The model's tokenizer.
            **kwargs: Settings of `JointExtractionPipeline`.
        """
        # Imported here, since the pipeline stands on the model; and named here, so that saving the model copies the
        # pipeline's file too: a model that was loaded from the Hub and is saved again would lose it otherwise.
        from .pipeline_spert import JointExtractionPipeline

        return JointExtractionPipeline(model=self, tokenizer=tokenizer, task="joint-extraction", **kwargs)

    def get_input_embeddings(self) -> nn.Module:
        """The encoder's word embeddings."""
        return self.backbone.get_input_embeddings()

    def set_input_embeddings(self, value: nn.Module) -> None:
        """Replace the encoder's word embeddings."""
        self.backbone.set_input_embeddings(value)

    def resize_token_embeddings(self, *args: Any, **kwargs: Any) -> nn.Module:
        """Resize the encoder's word embeddings and record the new size in the configuration."""
        embeddings = self.backbone.resize_token_embeddings(*args, **kwargs)
        self.config.backbone_config.vocab_size = self.backbone.config.vocab_size
        return embeddings

    def forward(
        self,
        input_ids: Tensor | None = None,
        attention_mask: Tensor | None = None,
        word_index: Tensor | None = None,
        sentence_index: Tensor | None = None,
        spans: Tensor | None = None,
        span_labels: Tensor | None = None,
        pairs: Tensor | None = None,
        pair_labels: Tensor | None = None,
        num_spans: Tensor | int | None = None,
        num_pairs: Tensor | int | None = None,
        entity_threshold: float | None = None,
        token_type_ids: Tensor | None = None,
        inputs_embeds: Tensor | None = None,
        return_dict: bool | None = None,
    ) -> SpertOutput | tuple[Tensor, ...]:
        """Classify spans, then pairs of spans.

        Args:
            input_ids: (B, L) subwords, special tokens included.
            attention_mask: (B, L).
            word_index: (B, L) word of each subword, -1 on special tokens and padding.
            sentence_index: (B, W) sentence of each word, -1 on padding.
            spans: (S, 3) window, first word, end; default: every span in a sentence up to `max_span_width`.
            span_labels: (S,) 0 is *none*.
            pairs: (P, 2) head and tail as indices into `spans`; default: all ordered pairs, within a sentence, of
                the spans classified an entity.
            pair_labels: (P, Q), multi-hot.
            num_spans: Spans to divide the span loss by, counted over all processes and accumulated batches;
                default: S.
            num_pairs: The same for pairs.
            entity_threshold: Probability that the best entity type of a span must reach for the span to take part
                in pairs; default: the best class must not be *none*.
            token_type_ids: (B, L), for encoders that want them.
            inputs_embeds: (B, L, H) instead of `input_ids`.
            return_dict: False for a tuple.

        Returns:
            `SpertOutput`.

        Raises:
            ValueError: If `word_index` or `sentence_index` is missing.
        """
        if word_index is None or sentence_index is None:
            raise ValueError("forward needs word_index (B, L) and sentence_index (B, W): use collate_windows")
        given = {"token_type_ids": token_type_ids, "inputs_embeds": inputs_embeds, "input_ids": input_ids}
        hidden_BLH = self.backbone(
            attention_mask=attention_mask, **{key: value for key, value in given.items() if value is not None}
        ).last_hidden_state
        cls_BH = hidden_BLH[:, 0]
        words_BWH, counts_BW = pool_words(hidden_BLH, word_index, sentence_index.shape[1], self.config.span_pooling)
        context_BWH = words_BWH
        if self.config.span_pooling != "max":  # contexts are max-pooled whatever fuses the spans
            context_BWH, _ = pool_words(hidden_BLH, word_index, sentence_index.shape[1], "max")

        if spans is None and self.training:
            spans = candidate_spans(sentence_index, self.config.max_span_width)
        pooled_SH = None
        if spans is None:
            spans, entity_logits = self._score_all_spans(cls_BH, words_BWH, counts_BW, sentence_index)
        else:
            pooled_SH = self._pool_spans(words_BWH, counts_BW, spans)
            entity_logits = self.entity_classifier(
                self.dropout(self._concat((cls_BH[spans[:, 0]], pooled_SH), (spans,)))
            )

        if self.relation_classifier is None:
            pairs, relation_logits = spans.new_zeros(0, 2), entity_logits.new_zeros(0, 0)
        else:
            local_pairs, members = pairs, None
            if pairs is None:
                members = surviving_spans(entity_logits, entity_threshold)
                kept = spans[members]
                groups = kept[:, 0] * sentence_index.shape[1] + sentence_index[kept[:, 0], kept[:, 1]]
                local_pairs = ordered_pairs(groups)
                pairs = members[local_pairs]
            member_spans = spans if members is None else spans[members]
            if pooled_SH is None:
                pooled_NH = self._pool_spans(words_BWH, counts_BW, member_spans)
            else:
                pooled_NH = pooled_SH if members is None else pooled_SH[members]
            score = self._score_pairs_whole if self.training else self._score_pairs_split
            relation_logits = score(cls_BH, context_BWH, sentence_index, member_spans, pooled_NH, local_pairs)

        loss = None
        if span_labels is not None:
            loss = _span_loss(entity_logits, span_labels, num_spans)
            if pair_labels is not None and self.relation_classifier is not None:
                loss = loss + _relation_loss(relation_logits, pair_labels, num_pairs)
        output = SpertOutput(loss, entity_logits, relation_logits, spans, pairs)
        return output.to_tuple() if return_dict is False else output

    def _score_all_spans(
        self, cls_BH: Tensor, words_BWH: Tensor, counts_BW: Tensor, sentence_index_BW: Tensor
    ) -> tuple[Tensor, Tensor]:
        """Every candidate span in eval mode: one running maximum (or sum) per width, no (S, H) tensor.

        The classifier's input is a concatenation, so its output is a sum of three terms: window, words, width.
        """
        K = min(self.config.max_span_width, sentence_index_BW.shape[1])
        mask_BKW = candidate_mask(sentence_index_BW, max(K, 1))
        H = cls_BH.shape[1]
        cls_weight, span_weight, width_weight = self.entity_classifier.weight.split(
            (H, H, self.config.width_embedding_size), dim=1
        )
        window_BE = nn.functional.linear(cls_BH, cls_weight, self.entity_classifier.bias)
        logits_BKWE = window_BE.new_zeros(*mask_BKW.shape, window_BE.shape[1])
        running_BWH, running_counts_BW = words_BWH, counts_BW
        for k in range(K):
            if k:
                running_BWH = self._widen(running_BWH[:, :-1], words_BWH[:, k:])
                running_counts_BW = running_counts_BW[:, :-1] + counts_BW[:, k:]
            pooled_BWH = self._average(running_BWH, running_counts_BW)
            logits_BKWE[:, k, : pooled_BWH.shape[1]] = nn.functional.linear(pooled_BWH, span_weight)
        logits_BKWE += window_BE[:, None, None]
        if self.width_embeddings is not None:
            width_KE = nn.functional.linear(self.width_embeddings.weight[1 : mask_BKW.shape[1] + 1], width_weight)
            logits_BKWE += width_KE[:, None]
        spans = mask_BKW.nonzero()
        row, width, start = spans.unbind(1)
        entity_logits = logits_BKWE.flatten(0, 2)[(row * mask_BKW.shape[1] + width) * mask_BKW.shape[2] + start]
        return torch.stack((row, start, start + width + 1), dim=1), entity_logits

    def _widen(self, running_BWH: Tensor, next_BWH: Tensor) -> Tensor:
        return torch.maximum(running_BWH, next_BWH) if self.config.span_pooling == "max" else running_BWH + next_BWH

    def _average(self, pooled: Tensor, counts: Tensor) -> Tensor:
        """Sums to means, over subwords as the original does; other poolings pass."""
        return pooled / counts.clamp(min=1).unsqueeze(-1) if self.config.span_pooling == "mean" else pooled

    def _pool_spans(self, words_BWH: Tensor, counts_BW: Tensor, spans_N3: Tensor) -> Tensor:
        """Span vectors (N, H)."""
        if self.config.span_pooling == "max":
            return range_max(range_table(words_BWH, words_BWH.shape[1]), spans_N3)
        counts = range_sum(counts_BW.unsqueeze(-1), spans_N3).squeeze(-1)
        return self._average(range_sum(words_BWH, spans_N3), counts)

    def _widths(self, spans_N3: Tensor) -> Tensor:
        return (spans_N3[:, 2] - spans_N3[:, 1]).clamp(max=self.config.width_table_size - 1)

    def _concat(self, vectors: tuple[Tensor, ...], spans: tuple[Tensor, ...]) -> Tensor:
        """Vectors ‖ width embeddings of the spans, along the last dimension."""
        if self.width_embeddings is None:
            return torch.cat(vectors, dim=-1)
        return torch.cat((*vectors, *(self.width_embeddings(self._widths(s)) for s in spans)), dim=-1)

    def _context(
        self, cls_BH: Tensor, table_JBWH: Tensor | None, sentence_index: Tensor, heads_P3: Tensor, tails_P3: Tensor
    ) -> Tensor:
        """Context vectors (P, H)."""
        if table_JBWH is None:
            return cls_BH[heads_P3[:, 0]]
        if self.config.relation_context == "full":
            return range_max(table_JBWH, sentence_ranges(sentence_index, heads_P3))
        return range_max(table_JBWH, context_ranges(heads_P3, tails_P3))

    def _context_table(self, words_BWH: Tensor) -> Tensor | None:
        return None if self.config.relation_context == "cls" else range_table(words_BWH, words_BWH.shape[1])

    def _score_pairs_whole(
        self,
        cls_BH: Tensor,
        words_BWH: Tensor,
        sentence_index: Tensor,
        spans_N3: Tensor,
        pooled_NH: Tensor,
        pairs_P2: Tensor,
    ) -> Tensor:
        """Relation logits (P, Q) from each pair's concatenated representation, with dropout: the training path."""
        head, tail = pairs_P2.unbind(1)
        context = self._context(cls_BH, self._context_table(words_BWH), sentence_index, spans_N3[head], spans_N3[tail])
        whole = self._concat((context, pooled_NH[head], pooled_NH[tail]), (spans_N3[head], spans_N3[tail]))
        return self.relation_classifier(self.dropout(whole))

    def _score_pairs_split(
        self,
        cls_BH: Tensor,
        words_BWH: Tensor,
        sentence_index: Tensor,
        spans_N3: Tensor,
        pooled_NH: Tensor,
        pairs_P2: Tensor,
    ) -> Tensor:
        """Relation logits (P, Q) as head + tail + context terms: the classifier is linear in its concatenated input.

        Heads and tails are multiplied once per span instead of once per pair, and pairs are scored in chunks.
        """
        H, D = pooled_NH.shape[1], self.config.width_embedding_size
        context_weight, head_weight, tail_weight, head_width, tail_width = self.relation_classifier.weight.split(
            (H, H, H, D, D), dim=1
        )
        head_NQ = nn.functional.linear(pooled_NH, head_weight, self.relation_classifier.bias)
        tail_NQ = nn.functional.linear(pooled_NH, tail_weight)
        if self.width_embeddings is not None:
            width_ND = self.width_embeddings(self._widths(spans_N3))
            head_NQ = head_NQ + nn.functional.linear(width_ND, head_width)
            tail_NQ = tail_NQ + nn.functional.linear(width_ND, tail_width)
        table = self._context_table(words_BWH) if len(pairs_P2) else None

        def score_context(heads_3: Tensor, tails_3: Tensor) -> Tensor:
            context = self._context(cls_BH, table, sentence_index, heads_3, tails_3)
            return nn.functional.linear(context, context_weight)

        chunk = max(_CHUNK_NUMBERS // H, 1)
        if len(pairs_P2) <= chunk:
            head, tail = pairs_P2.unbind(1)
            return head_NQ[head] + tail_NQ[tail] + score_context(spans_N3[head], spans_N3[tail])
        return _score_many_pairs(head_NQ, tail_NQ, spans_N3, pairs_P2, words_BWH.shape[:2], chunk, score_context)


def _score_many_pairs(head_NQ, tail_NQ, spans_N3, pairs_P2, window_shape, chunk, score_context) -> Tensor:
    """Chunked `head + tail + context`; when pairs outnumber the possible contexts, each context is scored once."""
    B, W = window_shape
    logits = head_NQ.new_empty(len(pairs_P2), head_NQ.shape[1])
    shared = B * (W + 1) ** 2 <= len(pairs_P2)
    if shared:
        seen = torch.zeros(B * (W + 1) ** 2, dtype=torch.bool, device=pairs_P2.device)
        for pairs in pairs_P2.split(chunk):
            seen[_context_keys(spans_N3, pairs, W)] = True
        keys = seen.nonzero().squeeze(1)
        slots = seen.cumsum(0) - 1
        row, start, end = keys // (W + 1) ** 2, keys // (W + 1) % (W + 1), keys % (W + 1)
        # Any two spans around the gap stand for all pairs that share it.
        left, right = torch.stack((row, start - 1, start), 1), torch.stack((row, end, end + 1), 1)
        context = torch.cat([score_context(a, b) for a, b in zip(left.split(chunk), right.split(chunk), strict=True)])
    for low in range(0, len(pairs_P2), chunk):
        pairs = pairs_P2[low : low + chunk]
        head, tail = pairs.unbind(1)
        if shared:
            context_PQ = context[slots[_context_keys(spans_N3, pairs, W)]]
        else:
            context_PQ = score_context(spans_N3[head], spans_N3[tail])
        logits[low : low + chunk] = head_NQ[head] + tail_NQ[tail] + context_PQ
    return logits


def _context_keys(spans_N3: Tensor, pairs_P2: Tensor, W: int) -> Tensor:
    row, start, end = context_ranges(spans_N3[pairs_P2[:, 0]], spans_N3[pairs_P2[:, 1]]).unbind(1)
    return (row * (W + 1) + start) * (W + 1) + end


def _span_loss(logits: Tensor, labels: Tensor, count: Tensor | int | None) -> Tensor:
    total = nn.functional.cross_entropy(logits.float(), labels, reduction="sum")
    return total / max(len(labels), 1) if count is None else total / count


def _relation_loss(logits: Tensor, labels: Tensor, count: Tensor | int | None) -> Tensor:
    """Mean over types, then over pairs; zero, but connected to the classifier, where there are no pairs."""
    total = nn.functional.binary_cross_entropy_with_logits(logits.float(), labels.float(), reduction="sum")
    total = total / logits.shape[1]
    return total / max(len(labels), 1) if count is None else total / count


def _drop_pooler(backbone: nn.Module) -> None:
    """SpERT reads the first position itself; an unused pooler would break distributed training."""
    if getattr(backbone, "pooler", None) is not None:
        backbone.pooler = None


def _check_window_length(wanted: int | None, backbone: PreTrainedModel) -> int | None:
    """The longest window, in subwords: as wanted, or what the encoder takes."""
    named = getattr(backbone.config, "max_position_embeddings", None)
    limits = [named] if named and named > 0 else []
    rows = _position_rows(backbone)
    limit = min([*limits, rows]) if rows else min(limits, default=None)
    if wanted is None:
        return limit
    # Without a table of positions (rotary, relative) what the encoder names is no hard limit.
    if rows and limit and wanted > limit:
        raise ValueError(f"max_window_length must be at most {limit}, the positions of the encoder, got {wanted}")
    return wanted


def _position_rows(backbone: nn.Module) -> int | None:
    """Positions of a learned table: RoBERTa-like encoders count from behind their padding index."""
    for name, module in backbone.named_modules():
        if name.endswith("position_embeddings") and isinstance(module, nn.Embedding):
            return module.num_embeddings - (0 if module.padding_idx is None else module.padding_idx + 1)
    return None


def _labels_differ(name: str, saved: dict[str, Any], kwargs: dict[str, Any]) -> bool:
    config = kwargs.get("config")
    wanted = kwargs.get(name, getattr(config, name, None) if config is not None else None)
    return wanted is not None and list(wanted) != list(saved.get(name, []))


SpertModel.register_for_auto_class("AutoModel")
