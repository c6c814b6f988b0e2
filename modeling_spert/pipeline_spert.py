"""`pipeline("joint-extraction")`: text in, entities and relations with scores and character offsets out.

Texts are split into sentences and words by the rules in the model's configuration, `extraction_spert` finds entities
and relations in them, and the answers come back in the order of the texts.
"""

import difflib
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence, Sized
from typing import Any

import torch
from torch import nn
from transformers import Pipeline
from transformers.utils import logging

# transformers before 5.11 copies only the modules that the pipeline's own file names: some are named for that alone.
from .configuration_spert import SpertConfig  # noqa: F401
from .decoding_spert import Extraction
from .extraction_spert import EXTRACTION_SETTINGS, Extractor, check_settings
from .inputs_spert import Document, add_given_entities, document_of_tokens, read_form, words_of_ranges
from .precision_spert import set_precision
from .segmentation_rules_spert import rules_of_settings
from .segmentation_spert import segment
from .spans_spert import ordered_pairs  # noqa: F401
from .streams_spert import Answers, SizedAnswers, check_inputs, iterate_inputs, read_documents
from .tokenization_spert import check_vocabulary
from .windows_spert import Window  # noqa: F401

Splitter = Callable[[str], Sequence[Sequence[tuple[int, int]]]]

_CALL_SETTINGS = ("splitter", "on_error", "progress_bar")


class JointExtractionPipeline(Pipeline):
    """Entities and relations of texts, of words, or relations between entities you already have.

    Call it with a string or a dict for one answer, or with a list for a list. Anything else that can be iterated, or
    indexed from 0 to its length (a torch `Dataset`), gives an iterator, which has a length if the inputs have one. A
    stream is answered in growing chunks, from one input to 256; a slow source after 0.1 seconds, or as soon as its next
    input comes.

    Inputs: a text; `{"text": …}`; `{"tokens": […]}`, one sentence; `{"sentences": [[…], …]}`, a document; any of the
    dicts with `"entities": [{"start", "end", "label"}]` (characters of a text, words of tokens) for the relations
    between just these.

    Settings, here or per call:
        entity_threshold: Probability that an entity's best type must reach; default: the best class wins.
        relation_threshold: Probability from which a relation holds; default: the model's.
        max_entities_per_sentence: Most entities of a sentence, the best first (256): more than any ordinary sentence
            has. It bounds the memory that a low `entity_threshold` takes. A sentence longer than a window may have so
            many in each of its pieces.
        overlap: "allow", "nested" (spans may contain one another) or "flat": of entities that may not share words the
            best one stays; default: the model's, and "allow" for given entities.
        batch_size: Most windows in a forward pass (32).
        max_tokens: Most subwords in a forward pass, padding included (4096).
        max_window_length: Longest window in subwords; default: the model's.
        context: "none", a window per sentence, or "document"; default: as the model was trained.
        splitter: A function from a text to the `(start, end)` characters of the words of each sentence, to replace the
            model's own rules.
        on_error: "raise" (default) stops at an input that cannot be read, after the answers before it; the error names
            its index. "record" gives it an answer without entities, with the message as `"error"`.
        progress_bar: Whether to show one; not by default.

    Here only:
        precision: "auto" measures whether the device multiplies faster in bf16 or in fp32 and takes the faster; "fp32",
            "bf16" and "fp16" are themselves. Default: as the model was loaded. The model is converted in place.
            (transformers' own `dtype="auto"` means: as the weights were saved.)

    The model is put in eval mode when the pipeline is made and before each call, and stays in it. Threads may share a
    pipeline as long as none of them trains its model.
    """

    _load_tokenizer = True
    _load_processor = _load_image_processor = _load_video_processor = _load_feature_extractor = False

    def __init__(self, *args: Any, precision: str | None = None, **kwargs: Any):
        super().__init__(*args, **kwargs)
        if self.tokenizer is None:
            raise ValueError("the pipeline needs the model's tokenizer: tokenizer=AutoTokenizer.from_pretrained(…)")
        check_vocabulary(self.tokenizer, self.model.config.backbone_config.vocab_size)
        self._batch_size: int | None = check_settings(self.model.config, batch_size=self._batch_size).get("batch_size")
        if isinstance(self.model, nn.Module):
            self.model.eval()
        if precision is not None:
            set_precision(self.model, precision, self.device)

    def _sanitize_parameters(self, **settings: Any) -> tuple[dict[str, Any], dict[str, Any], dict[str, Any]]:
        """Check the settings and sort them to the steps that use them."""
        steps = (_CALL_SETTINGS, EXTRACTION_SETTINGS, ())  # `postprocess` has none
        known: tuple[str, ...] = sum(steps, ())
        for name in settings:
            if name == "precision":
                raise TypeError("precision is set once, when the pipeline is made: pipeline(…, precision=…)")
            if name not in known:
                close = " or ".join(difflib.get_close_matches(name, known, n=2))
                hint = f"did you mean {close}?" if close else f"the settings are {', '.join(sorted(known))}"
                raise TypeError(f"unknown setting {name!r}; {hint}")
        checked = check_settings(self.model.config, **settings)
        if not callable(checked.get("splitter", callable)):
            raise ValueError(
                "splitter must be a function from a text to the (start, end) characters of the words of each "
                f"sentence, got {settings['splitter']!r}"
            )
        return tuple({k: checked[k] for k in step if k in checked} for step in steps)  # type: ignore[return-value]

    def __call__(self, inputs: Any, *args: Any, **kwargs: Any) -> Any:
        """Answer one input, a list of them, or a stream of them; see the class for forms and settings."""
        if args:
            raise TypeError("the pipeline takes one positional argument, the inputs; settings are keywords")
        kwargs.pop("num_workers", None)  # of the base class; nothing here runs in workers
        chosen = self._sanitize_parameters(**kwargs)  # which replace the pipeline's
        steps = zip((self._preprocess_params, self._forward_params), chosen, strict=False)
        read, forward = ({**default, **own} for default, own in steps)
        progress_bar, on_error = read.pop("progress_bar", False), read.pop("on_error", "raise")
        extract = self._extractor(**forward)
        is_single, is_list = isinstance(inputs, str | Mapping), isinstance(inputs, list | tuple)
        source = [inputs] if is_single else iterate_inputs(inputs)
        if is_list and on_error == "raise":
            check_inputs(inputs)  # at once, not after the inputs before a bad one have been answered
        chunks = read_documents(source, lambda item: self.preprocess(item, **read), on_error, is_single, is_list)
        answers = self._answer(chunks, extract)
        if is_single:
            return list(answers)[0]
        length = len(inputs) if isinstance(inputs, Sized) else None
        if progress_bar:  # tqdm itself: bars that transformers has switched off are those of loading
            answers = iter(logging.tqdm_lib.tqdm(answers, total=length, unit="input"))
        if is_list:
            return list(answers)
        return Answers(answers) if length is None else SizedAnswers(answers, length)

    def _extractor(self, **settings: Any) -> Extractor:
        if self._batch_size is not None:  # which the base class keeps apart from the other settings
            settings.setdefault("batch_size", self._batch_size)
        return Extractor(self.model, self.tokenizer, device=self.device, **settings)

    def _answer(
        self, chunks: Iterable[tuple[list[Document], Exception | None]], extract: Extractor
    ) -> Iterator[dict[str, Any]]:
        """Answers in the order of the documents; an error is raised after the answers before it."""
        try:
            for documents, failure in chunks:
                # Not in the extractor, which also evaluates during training: an encoder may keep tensors for later.
                with self.device_placement(), torch.inference_mode():
                    found = extract.extract(documents)
                for document, extractions in zip(documents, found, strict=True):
                    yield self.postprocess((document, extractions))
                if failure is not None:
                    raise failure
        finally:
            extract.report()

    def preprocess(self, input_: Any, splitter: Splitter | None = None) -> Document:
        """Split an input into sentences and words.

        Raises:
            ValueError: If the input has none of the known forms, or a given entity has no words.
        """
        form, item = read_form(input_)
        if form == "text":
            text = item["text"]
            if splitter is None:
                sentences = segment(text, rules_of_settings(self.model.config.segmentation))
            else:
                sentences = words_of_ranges(text, splitter(text))
            document = Document(text, tuple(map(tuple, sentences)))
        else:
            document = document_of_tokens([item["tokens"]] if form == "tokens" else item["sentences"], form)
        if item.get("entities") is None:
            return document
        return add_given_entities(document, item["entities"], in_characters=form == "text")

    def _forward(self, input_tensors: Document, **settings: Any) -> tuple[Document, list[Extraction]]:
        """One document, with what was found in its sentences: the base class's step between the other two."""
        return input_tensors, self._extractor(**settings)([input_tensors])[0]

    def postprocess(self, model_outputs: tuple[Document, list[Extraction]]) -> dict[str, Any]:
        """The answer as plain JSON types: `text`, `entities` with characters and words, `relations` between them."""
        document, extractions = model_outputs
        words = document.words
        widened = {(e.start, e.end, e.label) for e in document.given or () if e.widened}
        entities: list[dict[str, Any]] = []
        relations: list[dict[str, Any]] = []
        for first, extraction in zip(document.first_words, extractions, strict=True):
            for r in extraction.relations:
                head, tail = r.head + len(entities), r.tail + len(entities)
                relations.append({"label": r.label, "score": r.score, "head": head, "tail": tail})
            for e in extraction.entities:
                start, end = words[first + e.start].start, words[first + e.end - 1].end
                answer = {"label": e.label, "score": e.score, "start": start, "end": end}
                answer |= {"text": document.text[start:end], "words": [first + e.start, first + e.end]}
                if (first + e.start, first + e.end, e.label) in widened:
                    answer["widened"] = True
                entities.append(answer)
        error = {} if document.error is None else {"error": document.error}
        return Answer(text=document.text, entities=entities, relations=relations, **error)

    def save_pretrained(self, save_directory: Any, **kwargs: Any) -> None:
        """Save the model, with its code, and the tokenizer.

        The base class would write what is registered here into the configuration; ours always names its pipeline.
        """
        self.model.save_pretrained(save_directory, **kwargs)
        self.tokenizer.save_pretrained(save_directory, **kwargs)


class Answer(dict[str, Any]):
    """An answer of the pipeline, `{"text", "entities", "relations"}`.

    It is a dict to everyone: `json.dumps`, `==` and `repr` see no difference, and copies and pickles are plain dicts,
    so that whoever unpickles one needs no class of ours. Only notebooks find `_repr_html_`.
    """

    def __reduce__(self) -> tuple[type, tuple[dict[str, Any]]]:
        return dict, (dict(self),)

    def _repr_html_(self) -> str | None:
        """The answer drawn, or None, upon which a notebook shows it as text.

        None where `modeling_spert.rendering` is not installed, as on the machine of someone who loaded a model with
        `trust_remote_code`; and where the dict has been changed into something that is not an answer.
        """
        try:
            from modeling_spert.rendering import render
        except ImportError:
            return None
        try:
            return render(self, page=False)
        except ValueError:
            return None
