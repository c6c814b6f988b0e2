"""The SpERT model: one encoder pass, a span classifier and a relation classifier (SpERT, section 3).

Shape letters: B windows, L subwords, W words, K span widths, S candidate spans, N entities, P candidate pairs,
H hidden, D width embedding, E entity classes (with *none*), Q relation types.

Keys of a saved model: `backbone.*`, `entity_classifier.*`, `relation_classifier.*`, `width_embeddings.weight`; with
levers also `case_embeddings.weight`, `span_borders.weight`, `pair_levers.*`.
"""

from dataclasses import dataclass
from typing import Any

# Python looks first in the current folder, where a model folder's copy of this file hides the package of the same name.
if not __package__:
    raise ImportError(f"{__file__} is a saved model's code, not the package modeling_spert: run from another folder")

from torch import Tensor, nn
from torch.nn.functional import binary_cross_entropy_with_logits, cross_entropy
from transformers import PreTrainedTokenizerBase
from transformers.utils import ModelOutput

from .configuration_spert import SpertConfig, check_setting
from .heads_spert import FastHeads, Heads, TrainingHeads, WordStates
from .levers_spert import build_case_embeddings, build_pair_levers, subword_case
from .loading_spert import SpertPreTrainedModel, build_backbone, check_window_length
from .spans_spert import filter_spans


@dataclass
class SpertOutput(ModelOutput):
    """What `SpertModel.forward` returns.

    Attributes:
        loss: Scalar, when labels were given: span cross-entropy + relation binary cross-entropy.
        entity_logits: (S, E), class 0 is *none*.
        relation_logits: (P, Q), one independent logit per relation type.
        spans: (S, 3) the candidates: window, first word, end.
        pairs: (P, 2) head and tail as indices into `spans`.
        entities: (N,) indices into `spans` of those classified an entity; None where spans were given.
        hidden_states: The encoder's, on request.
        attentions: The encoder's, on request.
    """

    loss: Tensor | None = None
    entity_logits: Tensor | None = None
    relation_logits: Tensor | None = None
    spans: Tensor | None = None
    pairs: Tensor | None = None
    entities: Tensor | None = None
    hidden_states: tuple[Tensor, ...] | None = None
    attentions: tuple[Tensor, ...] | None = None


class SpertModel(SpertPreTrainedModel):
    """Span-based joint entity and relation extraction on any encoder that `AutoModel` loads.

    Use `from_backbone` to start from a pretrained encoder and `from_pretrained` to load a trained SpERT model.

    Args:
        config: The configuration; its `backbone_config` names the encoder, which starts from random weights. An
            unset `max_window_length` is set to what the encoder takes.

    Raises:
        ValueError: If `max_window_length` is more than the encoder has positions for, or it does not read subwords.
    """

    def __init__(self, config: SpertConfig):
        super().__init__(config)
        self.backbone = build_backbone(config.backbone_config)
        config.max_window_length = check_window_length(config.max_window_length, self.backbone)
        H, D = config.backbone_config.hidden_size, config.width_embedding_size
        self.width_embeddings = nn.Embedding(config.width_table_size, D) if D else None
        self.entity_classifier = nn.Linear(2 * H + D, config.num_entity_classes)
        Q = config.num_relation_types
        self.relation_classifier = nn.Linear(3 * H + 2 * D, Q) if Q else None
        self.dropout = nn.Dropout(config.head_dropout)
        # What the paper does not have: nothing, unless the configuration says so.
        self.case_embeddings = build_case_embeddings(config, self.backbone)
        has_borders = config.span_borders == "inside"
        self.span_borders = nn.Linear(2 * H, config.num_entity_classes, bias=False) if has_borders else None
        self.pair_levers = build_pair_levers(config)
        self.post_init()

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
        max_entities_per_sentence: int | None = None,
        overlap: str | None = None,
        word_case: Tensor | None = None,
        token_type_ids: Tensor | None = None,
        inputs_embeds: Tensor | None = None,
        output_attentions: bool | None = None,
        output_hidden_states: bool | None = None,
        return_dict: bool | None = None,
    ) -> SpertOutput | tuple[Tensor, ...]:
        """Classify spans, then pairs of spans.

        There are three ways to call it. Nothing given: every span of a sentence up to `max_span_width` is classified,
        and every ordered pair of the spans found. Spans and pairs given: these are classified. With labels too, which
        training gives: also the loss. In training mode, given spans and pairs are read with dropout.

        Args:
            input_ids: (B, L) subwords, special tokens included.
            attention_mask: (B, L).
            word_index: (B, L) word of each subword, -1 on special tokens and padding.
            sentence_index: (B, W) sentence of each word, -1 on padding.
            spans: (S, 3) window, first word, end.
            span_labels: (S,) 0 is *none*.
            pairs: (P, 2) head and tail as indices into `spans`.
            pair_labels: (P, Q), multi-hot.
            num_spans: Spans to divide the span loss by, counted over all processes and accumulated batches;
                default: S.
            num_pairs: The same for pairs.
            entity_threshold: Probability that the best entity type of a span must reach for the span to be an entity;
                default: the best class must not be *none*.
            max_entities_per_sentence: Most entities of a sentence, the best first; default: all.
            overlap: Which entities may share words; default: the configuration's.
            word_case: (B, W) `letter_case` of each word, 0 on padding; for models with the word feature "case".
            token_type_ids: (B, L), for encoders that want them.
            inputs_embeds: (B, L, H) instead of `input_ids`.
            output_attentions: Also return the encoder's attentions; default: the configuration's.
            output_hidden_states: Also return the encoder's hidden states; default: the configuration's.
            return_dict: False for a tuple; default: the configuration's.

        Returns:
            `SpertOutput`.

        Raises:
            ValueError: If `word_index` or `sentence_index` is missing, or `word_case` where the model reads it, or
                spans come without pairs, pairs without spans, or labels without both, or `overlap` is unknown.
        """
        if word_index is None or sentence_index is None:
            raise ValueError("forward needs word_index (B, L) and sentence_index (B, W): use collate_windows")
        if (spans is None) != (pairs is None) or (spans is None and span_labels is not None):
            raise ValueError("spans and pairs come together, and labels come with them: pass both, or neither")
        if self.case_embeddings is not None:
            input_ids, inputs_embeds = None, self._add_case(input_ids, inputs_embeds, word_case, word_index)
        # Encoding (section 3): each window is read once, however many spans and pairs it has.
        encoded = self._encode(
            input_ids=input_ids,
            attention_mask=attention_mask,
            token_type_ids=token_type_ids,
            inputs_embeds=inputs_embeds,
            output_attentions=output_attentions,
            output_hidden_states=output_hidden_states,
        )
        states = WordStates.from_hidden(encoded.last_hidden_state, word_index, sentence_index, self.config.span_pooling)
        on_request = {name: getattr(encoded, name, None) for name in ("hidden_states", "attentions")}
        del encoded  # its memory serves the heads
        heads: Heads = (TrainingHeads if self.training and spans is not None else FastHeads)(self, states)
        entities = None
        if spans is None or pairs is None:
            # Span classification (section 3.1), of every span.
            logits_BKWE, mask_BKW = heads.classify_candidates()
            # Span filtering (section 3.2): spans of the class *none* are dropped, the others paired.
            overlap = self.config.overlap if overlap is None else overlap
            check_setting("overlap", overlap)
            spans, entity_logits, entities, pairs = filter_spans(
                logits_BKWE,
                mask_BKW,
                sentence_index,
                entity_threshold,
                max_entities_per_sentence,
                overlap,
                temperature=self.config.entity_temperature,
            )
        else:
            # Span classification (section 3.1), of the given spans, which are not filtered.
            entity_logits = heads.classify_spans(spans)
        # Relation classification (section 3.3).
        if self.relation_classifier is None:
            pairs, relation_logits = pairs[:0], entity_logits.new_zeros(0, 0)
        else:
            relation_logits = heads.classify_pairs(spans, entity_logits, pairs, entities)
        # Joint loss (section 3.4).
        loss = None
        if span_labels is not None:
            loss = span_loss(entity_logits, span_labels, num_spans)
            if pair_labels is not None and self.relation_classifier is not None:
                loss = loss + relation_loss(relation_logits, pair_labels, num_pairs)
        output = SpertOutput(loss, entity_logits, relation_logits, spans, pairs, entities, **on_request)
        return output if (self.config.return_dict if return_dict is None else return_dict) else output.to_tuple()

    def _add_case(
        self, input_ids: Tensor | None, embeds_BLH: Tensor | None, word_case: Tensor | None, word_index: Tensor
    ) -> Tensor:
        """The subwords' embeddings with those of their words' letter case."""
        if word_case is None:
            raise ValueError(
                "this model reads the letter case of words: pass word_case (B, W), as collate_windows does"
            )
        assert self.case_embeddings is not None
        embeds_BLH = self.get_input_embeddings()(input_ids) if embeds_BLH is None else embeds_BLH
        return embeds_BLH + self.case_embeddings(subword_case(word_case, word_index))

    def _encode(self, **inputs: Any) -> Any:
        """The encoder's output; it gets only the inputs that there are, since not every encoder takes all of them."""
        for name in ("output_attentions", "output_hidden_states"):
            inputs[name] = getattr(self.config, name) if inputs[name] is None else inputs[name]
        given = {name: value for name, value in inputs.items() if value is not None and value is not False}
        return self.backbone(**given)

    def extraction_pipeline(self, tokenizer: PreTrainedTokenizerBase, **kwargs: Any) -> Any:
        """The joint-extraction pipeline around this model.

        Args:
            tokenizer: The model's tokenizer.
            **kwargs: Settings of `JointExtractionPipeline`.
        """
        # Imported here, because the pipeline needs the model. All modules that travel are named in this file, because
        # transformers copies only files that it reaches from here, and completes an interrupted download only for
        # files that this file itself imports.
        from .decoding_spert import Extraction  # noqa: F401
        from .extraction_spert import Extractor  # noqa: F401
        from .inputs_spert import Document  # noqa: F401
        from .pipeline_spert import JointExtractionPipeline
        from .precision_spert import PRECISIONS  # noqa: F401
        from .segmentation_rules_spert import SegmentationRules  # noqa: F401
        from .segmentation_spert import segment  # noqa: F401
        from .streams_spert import Answers  # noqa: F401
        from .tokenization_spert import EncodedSentence  # noqa: F401
        from .windows_spert import Window  # noqa: F401

        return JointExtractionPipeline(model=self, tokenizer=tokenizer, task="joint-extraction", **kwargs)


def span_loss(logits_SE: Tensor, labels_S: Tensor, count: Tensor | int | None) -> Tensor:
    """Cross-entropy over the classes, averaged over spans."""
    total = cross_entropy(logits_SE.float(), labels_S, reduction="sum")
    return total / max(len(labels_S), 1) if count is None else total / count


def relation_loss(logits_PQ: Tensor, labels_PQ: Tensor, count: Tensor | int | None) -> Tensor:
    """Binary cross-entropy, averaged over types, then over pairs; without pairs zero, but with a gradient."""
    total = binary_cross_entropy_with_logits(logits_PQ.float(), labels_PQ.float(), reduction="sum")
    total = total / logits_PQ.shape[1]
    return total / max(len(labels_PQ), 1) if count is None else total / count


SpertModel.register_for_auto_class("AutoModel")
