"""`pipeline("joint-extraction")`: text in, entities and relations with scores and character offsets out.

Texts are split into sentences and words by the rules in the model's configuration, `extraction_spert` finds entities
and relations in them, and the answers come back in the order of the texts.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from itertools import islice
from typing import Any

from torch import nn
from transformers import Pipeline

from .answer_spert import Answer
from .configuration_spert import check_setting
from .decoding_spert import Extraction, resolve_overlaps
from .extraction_spert import Extractor, check_settings
from .inputs_spert import Document, add_given_entities, document_of_tokens, input_form, words_of_ranges
from .precision_spert import set_precision
from .segmentation_rules_spert import rules_of_settings
from .segmentation_spert import Word, segment

# transformers before 5.11 copies only the modules that the pipeline's own file names.
from .spans_spert import ordered_pairs  # noqa: F401
from .tokenization_spert import check_vocabulary
from .windows_spert import Window  # noqa: F401

# Documents that are split, sorted and answered together: enough for full batches of equal length, few enough to
# keep a stream flowing.
_CHUNK_DOCUMENTS = 256

Splitter = Callable[[str], Sequence[Sequence[tuple[int, int]]]]

_EXTRACTION_SETTINGS = ("entity_threshold", "relation_threshold", "max_tokens", "max_window_length", "context")


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

    def __init__(self, *args: Any, precision: str | None = None, **kwargs: Any):
        super().__init__(*args, **kwargs)
        if self.tokenizer is None:
            raise ValueError("the pipeline needs the model's tokenizer: tokenizer=AutoTokenizer.from_pretrained(…)")
        check_vocabulary(self.tokenizer, self.model.config.backbone_config.vocab_size)
        if isinstance(self.model, nn.Module):
            self.model.eval()
        if precision is not None:
            set_precision(self.model, precision, self.device)

    def _sanitize_parameters(
        self, splitter: Splitter | None = None, overlap: str | None = None, **extraction: Any
    ) -> tuple[dict[str, Any], dict[str, Any], dict[str, Any]]:
        """Check the settings and sort them to the steps that use them."""
        unknown = sorted(set(extraction) - set(_EXTRACTION_SETTINGS))
        if unknown:
            raise TypeError(f"unknown setting {unknown[0]!r}")
        if overlap is not None:
            check_setting("overlap", overlap)
        check_settings(self.model.config, **extraction)
        steps = ({"splitter": splitter}, extraction, {"overlap": overlap})
        return tuple({k: v for k, v in step.items() if v is not None} for step in steps)  # type: ignore[return-value]

    def __call__(self, inputs: Any, *args: Any, batch_size: int | None = None, **kwargs: Any) -> Any:
        """Answer one input, a list of them, or an iterable of them; see the class for forms and settings."""
        if args:
            raise TypeError("the pipeline takes one positional argument, the inputs; settings are keywords")
        if isinstance(inputs, bytes) or not isinstance(inputs, Iterable):
            raise ValueError(f"inputs must be a text, a dict, or a list or iterable of these, got {inputs!r}")
        kwargs.pop("num_workers", None)  # of the base class; nothing here runs in workers
        # Settings of this call replace those of the pipeline.
        chosen = self._sanitize_parameters(**kwargs)
        steps = zip((self._preprocess_params, self._forward_params, self._postprocess_params), chosen, strict=True)
        preprocess, forward, postprocess = ({**default, **own} for default, own in steps)
        extract = self._extractor(batch_size=batch_size, **forward)
        # One input, a list, or a stream.
        if isinstance(inputs, str | Mapping):
            return next(self._stream([inputs], extract, preprocess, postprocess))
        answers = self._stream(inputs, extract, preprocess, postprocess)
        return list(answers) if isinstance(inputs, list | tuple) else answers

    def _extractor(self, batch_size: int | None = None, **settings: Any) -> Extractor:
        batch_size = self._batch_size if batch_size is None else batch_size
        if batch_size is not None:
            settings["batch_size"] = batch_size
        return Extractor(self.model, self.tokenizer, device=self.device, **settings)

    def _stream(
        self, inputs: Iterable[Any], extract: Extractor, preprocess: dict[str, Any], postprocess: dict[str, Any]
    ) -> Iterator[dict[str, Any]]:
        """Answers in the order of the inputs, a chunk of documents at a time."""
        rest = iter(inputs)
        while chunk := list(islice(rest, _CHUNK_DOCUMENTS)):
            documents = [self.preprocess(item, **preprocess) for item in chunk]
            with self.device_placement():
                found = extract(documents)
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
        form = input_form(input_)
        if form == "text":
            sentences = self._split_text(input_["text"], splitter)
            document = Document(input_["text"], tuple(tuple(sentence) for sentence in sentences))
        else:
            document = document_of_tokens([input_["tokens"]] if form == "tokens" else input_["sentences"], form)
        if input_.get("entities") is None:
            return document
        return add_given_entities(document, input_["entities"], in_characters=form == "text")

    def _split_text(self, text: str, splitter: Splitter | None) -> Sequence[Sequence[Word]]:
        if splitter is None:
            return segment(text, rules_of_settings(self.model.config.segmentation))
        return words_of_ranges(text, splitter(text))

    def _forward(self, input_tensors: Document, **settings: Any) -> tuple[Document, list[Extraction]]:
        """One document, with what was found in its sentences: the base class's step between the other two."""
        return input_tensors, self._extractor(**settings)([input_tensors])[0]

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
        return Answer(text=document.text, entities=entities, relations=relations)

    def save_pretrained(self, save_directory: Any, **kwargs: Any) -> None:
        """Save the model, with its code, and the tokenizer.

        The base class would write what is registered here into the configuration; ours always names its pipeline.
        """
        self.model.save_pretrained(save_directory, **kwargs)
        self.tokenizer.save_pretrained(save_directory, **kwargs)
