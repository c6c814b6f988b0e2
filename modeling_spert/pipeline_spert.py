"""`pipeline("joint-extraction")`: text in, entities and relations with scores and character offsets out.

Texts are split into sentences and words by the rules in the model's configuration, windows of many texts are sorted
by length into batches, and the answers come back in the order of the texts.
"""

import copy
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from itertools import islice
from typing import Any

from transformers import Pipeline
from transformers.utils import logging

from .configuration_spert import check_setting
from .decoding_spert import (
    OVERLAP_MODES,
    Entity,
    Extraction,
    Relation,
    build_extraction,
    decode_windows,
    decoding_rules,
    merge_pieces,
    resolve_overlaps,
)
from .inputs_spert import Document, GivenEntity, document_of_tokens, form_of, give_entities, words_at
from .precision_spert import set_precision
from .segmentation_spert import SegmentationRules, Word, segment
from .tokenization_spert import check_vocabulary, encode_sentences, special_affixes
from .windows_spert import Piece, Window, collate_windows, make_windows, plan_batches, window_length

logger = logging.get_logger(__name__)

# Documents that are split, sorted and answered together: enough for full batches of equal length, few enough to
# keep a stream flowing.
_CHUNK_DOCUMENTS = 256

Splitter = Callable[[str], Sequence[Sequence[tuple[int, int]]]]


class JointExtractionPipeline(Pipeline):
    """Entities and relations of texts, of words, or relations between entities you already have.

    Call it with a string or a dict for one answer, a list for a list, any other iterable for an iterator.

    Inputs: a text; `{"text": …}`; `{"tokens": […]}`, one sentence; `{"sentences": [[…], …]}`, a document; any of the
    dicts with `"entities": [{"start", "end", "label"}]` (characters of a text, words of tokens) for the relations
    between just these.

    Settings, here or per call:
        entity_threshold: Probability that an entity's best type must reach; default: the best class wins.
        relation_threshold: Probability from which a relation holds; default: the model's.
        overlap: "allow", "nested" (spans may contain one another) or "flat".
        batch_size: Most windows in a forward pass (32).
        max_tokens: Most subwords in a forward pass, padding included (4096).
        max_window_length: Longest window in subwords; default: the model's.
        context: "none", a window per sentence, or "document"; default: as the model was trained.
        splitter: A function from a text to the `(start, end)` characters of the words of each sentence, in place of
            the model's own rules.

    Here only:
        precision: "auto" runs the model in bf16 where the device multiplies bf16 in hardware (GPUs; CPUs with AMX or
            AVX512-BF16), else in fp32; "fp32", "bf16" and "fp16" are themselves. Default: as the model was loaded.
            The model is converted in place. (transformers' own `dtype="auto"` means: as the weights were saved.)
    """

    _load_tokenizer = True
    _load_processor = False
    _load_image_processor = False
    _load_video_processor = False
    _load_feature_extractor = False
    _rules: tuple[dict[str, Any] | None, SegmentationRules] | None = None

    def __init__(self, *args: Any, precision: str | None = None, **kwargs: Any):
        super().__init__(*args, **kwargs)
        if self.tokenizer is None:
            raise ValueError("the pipeline needs the model's tokenizer: tokenizer=AutoTokenizer.from_pretrained(…)")
        if precision is not None:
            set_precision(self.model, precision, self.device)
        config = self.model.config
        check_vocabulary(self.tokenizer, config.backbone_config.vocab_size)

    def _sanitize_parameters(
        self,
        entity_threshold: float | None = None,
        relation_threshold: float | None = None,
        overlap: str | None = None,
        max_tokens: int | None = None,
        max_window_length: int | None = None,
        context: str | None = None,
        splitter: Splitter | None = None,
    ) -> tuple[dict[str, Any], dict[str, Any], dict[str, Any]]:
        """Check the settings and sort them to the steps that use them."""
        if overlap is not None and overlap not in OVERLAP_MODES:
            raise ValueError(f"overlap must be one of {', '.join(OVERLAP_MODES)}, got {overlap!r}")
        if context not in (None, "none", "document"):
            raise ValueError(f'context must be "none" or "document", got {context!r}')
        for name, value in (("max_tokens", max_tokens), ("max_window_length", max_window_length)):
            _check_at_least_one(name, value)
        longest = self.model.config.max_window_length
        if max_window_length is not None and longest is not None and max_window_length > longest:
            raise ValueError(f"max_window_length must be at most the model's, {longest}, got {max_window_length}")
        decoding_rules(self.model.config, relation_threshold)
        if entity_threshold is not None:
            check_setting("entity_threshold", entity_threshold)
        windows = {"max_tokens": max_tokens, "max_window_length": max_window_length, "context": context}
        forward = {"entity_threshold": entity_threshold, "relation_threshold": relation_threshold, **windows}
        given = ({"splitter": splitter}, forward, {"overlap": overlap})
        return tuple({k: v for k, v in step.items() if v is not None} for step in given)  # type: ignore[return-value]

    def __call__(self, inputs: Any, *args: Any, batch_size: int | None = None, **kwargs: Any) -> Any:
        """Answer one input, a list of them, or an iterable of them; see the class for forms and settings."""
        if args:
            raise TypeError("the pipeline takes one positional argument, the inputs; settings are keywords")
        if isinstance(inputs, bytes) or not isinstance(inputs, Iterable):
            raise ValueError(f"inputs must be a text, a dict, or a list or iterable of these, got {inputs!r}")
        kwargs.pop("num_workers", None)  # of the base class; nothing here runs in workers
        chosen = self._sanitize_parameters(**kwargs)
        steps = zip((self._preprocess_params, self._forward_params, self._postprocess_params), chosen, strict=True)
        preprocess, forward, postprocess = ({**default, **own} for default, own in steps)
        forward["batch_size"] = self._batch_size if batch_size is None else batch_size
        _check_at_least_one("batch_size", forward["batch_size"])
        if isinstance(inputs, str | Mapping):
            return next(self._stream([inputs], preprocess, forward, postprocess))
        answers = self._stream(inputs, preprocess, forward, postprocess)
        return list(answers) if isinstance(inputs, list | tuple) else answers

    def _stream(self, inputs: Iterable[Any], preprocess: dict, forward: dict, postprocess: dict) -> Iterator[dict]:
        """Answers in the order of the inputs, a chunk of documents at a time."""
        rest = iter(inputs)
        while chunk := list(islice(rest, _CHUNK_DOCUMENTS)):
            documents = [self.preprocess(item, **preprocess) for item in chunk]
            with _eval_mode(self.model):
                found = self._extract(documents, **forward)
            for document, extractions in zip(documents, found, strict=True):
                yield self.postprocess((document, extractions), **postprocess)

    def preprocess(self, input_: Any, splitter: Splitter | None = None) -> Document:
        """Split an input into sentences and words.

        Raises:
            ValueError: If the input has none of the known forms, or a given entity has no words.
        """
        if isinstance(input_, str):
            input_ = {"text": input_}
        elif isinstance(input_, list | tuple):
            input_ = {"tokens": input_}
        form = form_of(input_)
        if form == "text":
            sentences = self._split_text(input_["text"], splitter)
            document = Document(input_["text"], tuple(tuple(sentence) for sentence in sentences))
        else:
            document = document_of_tokens([input_["tokens"]] if form == "tokens" else input_["sentences"], form)
        if input_.get("entities") is None:
            return document
        return give_entities(document, input_["entities"], in_characters=form == "text")

    def _split_text(self, text: str, splitter: Splitter | None) -> Sequence[Sequence[Word]]:
        if splitter is None:
            return segment(text, self._segmentation_rules())
        return words_at(text, splitter(text))

    def _segmentation_rules(self) -> SegmentationRules:
        """The rules in the model's configuration; checked again only after they have changed."""
        settings = self.model.config.segmentation
        if self._rules is None or self._rules[0] != settings:
            rules = SegmentationRules.from_dict(settings) if settings else SegmentationRules()
            self._rules = (copy.deepcopy(settings), rules)
        return self._rules[1]

    def _extract(
        self,
        documents: Sequence[Document],
        batch_size: int | None = None,
        max_tokens: int = 4096,
        max_window_length: int | None = None,
        context: str | None = None,
        entity_threshold: float | None = None,
        relation_threshold: float | None = None,
    ) -> list[list[Extraction]]:
        """Extraction of every sentence of every document."""
        config, tokenizer = self.model.config, self.tokenizer
        rules = decoding_rules(config, relation_threshold)
        thresholds = {"entity_threshold": entity_threshold, "rules": rules}
        limit = window_length(tokenizer, max_window_length or config.max_window_length)
        affixes = special_affixes(tokenizer)
        encoded = iter(encode_sentences(tokenizer, [[w.text for w in s] for d in documents for s in d.sentences]))
        windows: list[tuple[int, Window]] = []
        for number, document in enumerate(documents):
            sentences = [next(encoded) for _ in document.sentences]
            overlap = max([config.max_span_width, *(e.end - e.start for e in document.given or ())])
            for window in make_windows(sentences, affixes, limit, context or config.context, overlap):
                windows.append((number, window))
        pieces: dict[tuple[int, int], list[tuple[Piece, Extraction]]] = {}
        for given in (False, True):
            chosen = [item for item in windows if (documents[item[0]].given is not None) == given]
            lengths = [len(window.input_ids) for _, window in chosen]
            for rows in plan_batches(lengths, batch_size or 32, max_tokens):
                batch = [chosen[row] for row in rows]
                owners = [documents[number] for number, _ in batch] if given else None
                found = self.forward({"windows": [w for _, w in batch], "owners": owners, **thresholds})
                for (number, window), extractions in zip(batch, found["extractions"], strict=True):
                    for piece, extraction in zip(window.pieces, extractions, strict=True):
                        pieces.setdefault((number, piece.sentence), []).append((piece, extraction))
        return [
            [_merge(document, s, first, pieces.get((number, s), [])) for s, first in enumerate(document.first_words)]
            for number, document in enumerate(documents)
        ]

    def _forward(self, input_tensors: dict[str, Any]) -> dict[str, Any]:
        """One batch of windows through the model, decoded."""
        windows, owners, rules = input_tensors["windows"], input_tensors["owners"], input_tensors["rules"]
        pad_token_id = self.tokenizer.pad_token_id or 0
        batch = {key: value.to(self.device) for key, value in collate_windows(windows, pad_token_id).items()}
        if owners is None:
            output = self.model(**batch, entity_threshold=input_tensors["entity_threshold"])
            return {"extractions": decode_windows(output, windows, rules)}
        spans, entities = _given_spans(windows, owners)
        tensor = batch["input_ids"].new_tensor
        output = self.model(
            **batch,
            spans=tensor(spans).reshape(-1, 3),
            pairs=tensor(_given_pairs(spans, windows)).reshape(-1, 2),
        )
        return {"extractions": decode_windows(output, windows, rules, entities)}

    def postprocess(self, model_outputs: tuple[Document, list[Extraction]], overlap: str = "allow") -> dict[str, Any]:
        """The answer as plain JSON types: `text`, `entities` with characters and words, `relations` between them."""
        document, extractions = model_outputs
        words, firsts = document.words, document.first_words
        widened = {(e.start, e.end, e.label) for e in document.given or () if e.widened}
        entities: list[dict[str, Any]] = []
        relations: list[dict[str, Any]] = []
        for first, extraction in zip(firsts, extractions, strict=True):
            resolved = resolve_overlaps(extraction, overlap)
            for r in resolved.relations:
                head, tail = r.head + len(entities), r.tail + len(entities)
                relations.append({"label": r.label, "score": r.score, "head": head, "tail": tail})
            for e in resolved.entities:
                start, end = words[first + e.start].start, words[first + e.end - 1].end
                answer = {"label": e.label, "score": e.score, "start": start, "end": end}
                answer |= {"text": document.text[start:end], "words": [first + e.start, first + e.end]}
                if (first + e.start, first + e.end, e.label) in widened:
                    answer["widened"] = True
                entities.append(answer)
        return {"text": document.text, "entities": entities, "relations": relations}

    def save_pretrained(self, save_directory: Any, **kwargs: Any) -> None:
        """Save the model, with its code, and the tokenizer.

        The base class would write what is registered here into the configuration; ours always names its pipeline.
        """
        self.model.save_pretrained(save_directory, **kwargs)
        self.tokenizer.save_pretrained(save_directory, **kwargs)


@contextmanager
def _eval_mode(model: Any) -> Iterator[None]:
    """Without dropout: a model object may come from training, which then goes on as before."""
    training, rest = [], [model]
    while rest:  # as model.modules(), which takes twenty times as long: it spells out every name
        module = rest.pop()
        rest.extend(module.children())
        if module.training:
            training.append(module)
    if training:
        model.eval()
    try:
        yield
    finally:
        for module in training:  # only these: a frozen encoder may have been in eval mode all the while
            module.training = True


def _given_spans(windows: Sequence[Window], owners: Sequence[Document]) -> tuple[list[list[int]], list[Entity]]:
    """Spans (row, first word, end) of the given entities that lie wholly in a piece, and these entities."""
    spans, entities = [], []
    for row, (window, document) in enumerate(zip(windows, owners, strict=True)):
        firsts = document.first_words
        for place, piece in zip(window.first_words, window.pieces, strict=True):
            low, high = firsts[piece.sentence] + piece.start, firsts[piece.sentence] + piece.end
            for entity in document.given or ():
                if low <= entity.start and entity.end <= high:
                    spans.append([row, entity.start - low + place, entity.end - low + place])
                    entities.append(Entity(entity.start, entity.end, entity.label))
    return spans, entities


def _given_pairs(spans: Sequence[Sequence[int]], windows: Sequence[Window]) -> list[tuple[int, int]]:
    """All ordered pairs of different spans in the same piece."""
    groups: dict[tuple[int, int], list[int]] = {}
    for number, (row, start, _) in enumerate(spans):
        groups.setdefault((row, windows[row].sentence_index[start]), []).append(number)
    return [(a, b) for group in groups.values() for a in group for b in group if spans[a] != spans[b]]


def _merge(document: Document, sentence: int, first: int, pieces: Sequence[tuple[Piece, Extraction]]) -> Extraction:
    """The extraction of a sentence, whose first word is `first`, from those of its pieces."""
    if document.given is not None:
        return _merge_given(document.given, first, first + len(document.sentences[sentence]), pieces)
    return pieces[0][1] if len(pieces) == 1 else merge_pieces((piece.start, found) for piece, found in pieces)


def _merge_given(
    given: Sequence[GivenEntity], first: int, end: int, pieces: Sequence[tuple[Piece, Extraction]]
) -> Extraction:
    """All given entities of the sentence `[first, end)`, and the relations found in its pieces."""
    entities = [Entity(e.start - first, e.end - first, e.label) for e in given if first <= e.start and e.end <= end]
    scores: dict[tuple[int, int, str], float] = {}
    read: set[int] = set()
    for piece, extraction in pieces:
        inside = [i for i, e in enumerate(entities) if piece.start <= e.start and e.end <= piece.end]
        read.update(inside)
        for r in extraction.relations:
            key = (inside[r.head], inside[r.tail], r.label)
            scores[key] = max(r.score, scores.get(key, 0.0))
    for i in set(range(len(entities))) - read:
        width = entities[i].end - entities[i].start
        logger.warning(f"A given entity of {width} words does not fit into a window: it gets no relations")
    return build_extraction(entities, (Relation(*key, score) for key, score in scores.items()))


def _check_at_least_one(name: str, value: int | None) -> None:
    if value is not None and (not isinstance(value, int) or value < 1):
        raise ValueError(f"{name} must be an integer >= 1, got {value!r}")
