"""One forward pass: the same scores by every path, at every size, in every dtype; losses and gradients."""

from __future__ import annotations

import itertools
from typing import Any

import pytest
import torch
from tiny_models import HIDDEN, build_batch, build_spert, build_window
from torch import Tensor

from modeling_spert import SpertModel, SpertOutput
from modeling_spert import heads_spert as heads
from modeling_spert.configuration_spert import RELATION_CONTEXTS, SPAN_POOLINGS
from modeling_spert.spans_spert import candidate_mask, ordered_pairs, spans_of_mask

ABLATIONS = list(itertools.product(SPAN_POOLINGS, RELATION_CONTEXTS, (7, 0)))
NO_DROPOUT = {"hidden_dropout_prob": 0.0, "attention_probs_dropout_prob": 0.0}


def ablation(pooling: str, context: str, width_size: int, **settings: Any) -> SpertModel:
    choice = {"span_pooling": pooling, "relation_context": context, "width_embedding_size": width_size}
    return build_spert(scale=3.0, backbone=NO_DROPOUT, head_dropout=0.0, **choice, **settings)


def mixed_batch() -> dict[str, Tensor]:
    """Windows of several lengths, one of three sentences, one without words."""
    return build_batch(
        build_window([1, 2, 1, 3, 1, 1]),
        build_window([2, 1, 1], [1], [3, 1, 2, 1], seed=1),
        build_window(),
        build_window([1, 1], seed=2),
    )


def every_span(model: SpertModel, batch: dict[str, Tensor]) -> dict[str, Tensor]:
    """Every candidate and every pair of them, to be given to the model."""
    sentences = batch["sentence_index"]
    spans = spans_of_mask(candidate_mask(sentences, model.config.max_span_width))
    row, start, _ = spans.unbind(1)
    return {"spans": spans, "pairs": ordered_pairs(row * sentences.shape[1] + sentences[row, start])}


def assert_equal_output(found: SpertOutput, expected: SpertOutput, rtol: float = 1e-5, atol: float = 2e-5):
    assert torch.equal(found.spans, expected.spans) and torch.equal(found.pairs, expected.pairs)
    torch.testing.assert_close(found.entity_logits, expected.entity_logits, rtol=rtol, atol=atol)
    torch.testing.assert_close(found.relation_logits, expected.relation_logits, rtol=rtol, atol=atol)


def score_one_by_one(model: SpertModel, batch: dict[str, Tensor], spans: Tensor, pairs: Tensor) -> SpertOutput:
    """The paper's figures 1 and 2 word for word: each candidate's vectors picked, pooled and put side by side."""
    config = model.config
    hidden = model.backbone(batch["input_ids"], attention_mask=batch["attention_mask"]).last_hidden_state

    def subwords(row: int, start: int, end: int) -> Tensor:
        index = batch["word_index"][row]
        return hidden[row, (start <= index) & (index < end)]

    def fuse(vectors: Tensor) -> Tensor:
        return {"max": lambda v: v.amax(0), "mean": lambda v: v.mean(0), "sum": lambda v: v.sum(0)}[
            config.span_pooling
        ](vectors)

    def width(start: int, end: int) -> list[Tensor]:
        return [model.width_embeddings.weight[end - start]] if config.width_embedding_size else []

    def context(a: tuple[int, int, int], b: tuple[int, int, int]) -> Tensor:
        row = a[0]
        if config.relation_context == "cls":
            return hidden[row, 0]
        if config.relation_context == "full":
            sentences = batch["sentence_index"][row].tolist()
            start = sentences.index(sentences[a[1]])
            vectors = subwords(row, start, start + sentences.count(sentences[a[1]]))
        else:
            vectors = subwords(row, min(a[2], b[2]), max(a[1], b[1]))
        return vectors.amax(0) if len(vectors) else hidden.new_zeros(HIDDEN)

    tuples = [tuple(span) for span in spans.tolist()]
    entity = [torch.cat((hidden[r, 0], fuse(subwords(r, a, b)), *width(a, b))) for r, a, b in tuples]
    relation = [
        torch.cat(
            (
                context(tuples[h], tuples[t]),
                *(fuse(subwords(*tuples[i])) for i in (h, t)),
                *(vector for i in (h, t) for vector in width(*tuples[i][1:])),
            )
        )
        for h, t in pairs.tolist()
    ]
    return SpertOutput(
        None,
        model.entity_classifier(torch.stack(entity)),
        model.relation_classifier(torch.stack(relation)),
        spans,
        pairs,
    )


@pytest.mark.parametrize(("pooling", "context", "width_size"), ABLATIONS)
@torch.no_grad()
def test_modeling_every_path_gives_the_same_scores(pooling: str, context: str, width_size: int):
    model, batch = ablation(pooling, context, width_size), mixed_batch()
    logits = model(**batch).entity_logits
    margins = (logits[:, 1:].amax(1) - logits[:, 0]).sort().values
    model.entity_classifier.bias[0] += margins[18:20].mean()  # half of the spans survive
    fast = model(**batch)
    assert len(fast.entities) == 19 and len(fast.spans) == 38 and len(fast.pairs) > 60
    assert torch.equal(fast.entities, (fast.entity_logits.argmax(1) > 0).nonzero().squeeze(1))
    assert_equal_output(fast, score_one_by_one(model, batch, fast.spans, fast.pairs))
    given = {"spans": fast.spans, "pairs": fast.pairs}
    for training in (False, True):
        output = model.train(training)(**batch, **given)
        assert_equal_output(output, fast)
        assert output.entities is None
    assert_equal_output(model(**batch), fast)


@pytest.mark.parametrize(("pooling", "context", "width_size"), ABLATIONS)
@pytest.mark.parametrize("given", [True, False])
@torch.no_grad()
def test_modeling_pairs_in_chunks_score_as_at_once(
    pooling: str, context: str, width_size: int, given: bool, monkeypatch: pytest.MonkeyPatch
):
    model = ablation(pooling, context, width_size, max_span_width=9)
    windows = [build_window([1, 2, 1], [1, 1, 1, 2, 1, 1], seed=3), build_window([2, 1, 1, 1], seed=4)]
    batch = build_batch(*windows)
    chosen = every_span(model, batch) if given else {"entity_threshold": 0.0}
    at_once = model(**batch, **chosen)
    assert 30 < len(at_once.pairs) < heads._MAX_CHUNK_VALUES // HIDDEN
    monkeypatch.setattr(heads, "_MAX_CHUNK_VALUES", 7 * HIDDEN)
    assert_equal_output(model(**batch, **chosen), at_once)
    monkeypatch.setattr(heads, "_MAX_CHUNK_VALUES", 1)  # a pair at a time
    assert_equal_output(model(**batch, **chosen), at_once)


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16, torch.float16])
@pytest.mark.parametrize("pooling", SPAN_POOLINGS)
def test_modeling_dtype_follows_the_weights(dtype: torch.dtype, pooling: str):
    model, batch = ablation(pooling, "localized", 7), mixed_batch()
    reference = model(**batch)
    labels = {"span_labels": torch.zeros(len(reference.spans), dtype=torch.long)}
    labels["pair_labels"] = torch.zeros(len(reference.pairs), 2)
    given = {"spans": reference.spans, "pairs": reference.pairs}
    model.to(dtype)
    for training in (False, True):
        output = model.train(training)(**batch, **given, **labels)
        assert output.entity_logits.dtype == output.relation_logits.dtype == dtype
        # The loss is summed in fp32: over thousands of candidates fp16 would overflow.
        assert output.loss.dtype == torch.float32 and output.loss.isfinite()
        tolerance = {torch.float32: 2e-5, torch.float16: 0.05, torch.bfloat16: 0.5}[dtype]
        logits = output.entity_logits.float(), output.relation_logits.float()
        assert_equal_output(SpertOutput(None, *logits, output.spans, output.pairs), reference, 0.02, tolerance)
    output.loss.backward()
    assert all(parameter.grad.isfinite().all() for parameter in model.parameters() if parameter.grad is not None)
    assert model.eval()(**batch).entity_logits.isfinite().all()


@torch.no_grad()
def test_modeling_scores_do_not_depend_on_the_rest_of_the_batch():
    model = ablation("max", "full", 7)
    windows = [build_window([1, 2, 1, 3, 1, 1]), build_window([2, 1], [1, 1], seed=1), build_window([3], seed=2)]
    together = model(**build_batch(*windows))
    for row, window in enumerate(windows):
        alone = model(**build_batch(window))
        own = together.spans[:, 0] == row
        own_pairs = own[together.pairs[:, 0]]
        torch.testing.assert_close(together.spans[own][:, 1:], alone.spans[:, 1:])
        torch.testing.assert_close(together.entity_logits[own], alone.entity_logits, rtol=0, atol=1e-5)
        torch.testing.assert_close(together.relation_logits[own_pairs], alone.relation_logits, rtol=0, atol=1e-5)
        numbers = own.cumsum(0) - 1
        assert torch.equal(numbers[together.pairs[own_pairs]], alone.pairs)


@torch.no_grad()
def test_modeling_no_span_and_no_pair_crosses_a_sentence():
    model = ablation("max", "localized", 7, max_span_width=6)
    batch = build_batch(build_window([1, 1, 2], [1], [2, 1, 1, 1]), build_window([1, 1], [1, 1], seed=1))
    sentences = batch["sentence_index"]
    for output in (model(**batch, entity_threshold=0.0), model.train()(**batch, entity_threshold=0.0)):
        row, start, end = output.spans.unbind(1)
        assert torch.equal(sentences[row, start], sentences[row, end - 1])
        own = torch.stack((row, sentences[row, start]), 1)
        head, tail = output.pairs.unbind(1)
        assert torch.equal(own[head], own[tail])
        sizes = [6, 1, 10, 3, 3]  # spans of sentences of 3, 1, 4, 2 and 2 words
        assert len(output.spans) == sum(sizes) and len(output.pairs) == sum(n * (n - 1) for n in sizes)


@torch.no_grad()
def test_modeling_context_reaches_the_encoder_but_not_the_candidates():
    model = ablation("max", "localized", 7)
    alone = model(**build_batch(build_window([1, 1, 2])))
    after = model(**build_batch(build_window([1, 1, 2], [1, 2])))
    own = after.spans[:, 2] <= 3
    assert torch.equal(after.spans[own], alone.spans)
    assert not torch.allclose(after.entity_logits[own], alone.entity_logits, atol=1e-3)


def empty_batches() -> dict[str, dict[str, Tensor]]:
    one = build_batch(build_window([1]))
    no_words = build_batch(build_window())
    padded = build_batch(build_window([1, 2]), build_window())
    padded["input_ids"][1], padded["attention_mask"][1] = 0, 0
    return {"one word": one, "no words": no_words, "no words twice": build_batch(build_window(), build_window()),
            "a row of padding": padded}  # fmt: skip


@pytest.mark.parametrize("name", empty_batches())
@pytest.mark.parametrize("training", [False, True])
@pytest.mark.parametrize(("pooling", "context"), [("max", "localized"), ("mean", "full"), ("sum", "cls")])
def test_modeling_small_and_empty_batches(name: str, training: bool, pooling: str, context: str):
    model, batch = ablation(pooling, context, 7).train(training), empty_batches()[name]
    num_spans = {"one word": 1, "a row of padding": 3}.get(name, 0)
    output = model(**batch, entity_threshold=0.0)
    assert output.entity_logits.shape == (num_spans, 4) and output.entity_logits.isfinite().all()
    assert output.relation_logits.shape == (num_spans * (num_spans - 1), 2)
    assert output.relation_logits.isfinite().all()
    labels = {"span_labels": torch.zeros(num_spans, dtype=torch.long), "pair_labels": output.relation_logits * 0}
    loss = model(**batch, spans=output.spans, pairs=output.pairs, **labels).loss
    loss.backward()
    assert loss.isfinite() and model.relation_classifier.weight.grad.isfinite().all()


@torch.no_grad()
def test_modeling_row_of_padding_leaves_the_other_rows_alone():
    model = ablation("max", "localized", 7)
    alone = model(**build_batch(build_window([1, 2])))
    assert_equal_output(model(**empty_batches()["a row of padding"]), alone)


@pytest.mark.parametrize("training", [False, True])
@pytest.mark.parametrize("entities", [0, 1, 2])
def test_modeling_few_entities_give_few_pairs(training: bool, entities: int):
    model = build_spert(backbone=NO_DROPOUT, head_dropout=0.0).train(training)
    batch = build_batch(build_window([1, 2, 1, 3, 1, 1]))
    chances = model(**batch).entity_logits.softmax(1)[:, 1:].amax(1).sort(descending=True).values
    threshold = (chances[entities - 1] + chances[entities]).item() / 2 if entities else 1.0
    output = model(**batch, entity_threshold=threshold)
    first, *rest = output.entities.tolist() or [0]
    assert len(output.entities) == entities
    assert output.pairs.tolist() == [pair for second in rest for pair in ([first, second], [second, first])]
    assert output.relation_logits.shape == (len(output.pairs), 2)


@pytest.mark.parametrize("training", [False, True])
def test_modeling_without_relation_types_finds_entities(training: bool):
    model, batch = build_spert(relation_types=[], scale=3.0).train(training), mixed_batch()
    output = model(**batch)
    assert model.relation_classifier is None and len(output.entities) > 1
    assert output.pairs.shape == (0, 2) and output.relation_logits.shape == (0, 0)
    labels = torch.ones(len(output.spans), dtype=torch.long)
    no_pairs = {"pairs": output.pairs, "pair_labels": torch.zeros(0, 0)}  # as the collator gives them
    output = model(**batch, spans=output.spans, span_labels=labels, **no_pairs)
    output.loss.backward()
    assert all(parameter.grad is not None for parameter in model.parameters())


@pytest.mark.parametrize("training", [False, True])
@pytest.mark.parametrize("entity_types", [["A"], []])
def test_modeling_with_one_or_no_entity_type(training: bool, entity_types: list[str]):
    model, batch = build_spert(entity_types=entity_types, scale=3.0).train(training), mixed_batch()
    torch.manual_seed(0)  # of the dropout
    output = model(**batch)
    assert output.entity_logits.shape == (len(output.spans), len(entity_types) + 1)
    assert (len(output.entities) > 0) == bool(entity_types)
    assert set(output.pairs.flatten().tolist()) <= set(output.entities.tolist())


@torch.no_grad()
def test_modeling_entity_threshold_decides_who_is_in_pairs():
    model, batch = ablation("max", "localized", 7), build_batch(build_window([1, 2, 1, 1]))
    logits = model(**batch).entity_logits
    sizes = []
    for threshold in (0.0, 0.4, 0.6, 0.9, 1.0):
        output = model(**batch, entity_threshold=threshold)
        members = (logits.softmax(1)[:, 1:].amax(1) >= threshold).nonzero().squeeze(1)
        expected = members[ordered_pairs(torch.zeros_like(members))]
        assert torch.equal(output.pairs, expected) and torch.equal(output.entity_logits, logits)
        assert torch.equal(output.entities, members)
        sizes.append(len(members))
    assert sizes == sorted(sizes, reverse=True) and sizes[0] == len(logits) and sizes[-1] == 0 and len(set(sizes)) > 3


def labelled(windows: list[Any], seed: int = 0) -> dict[str, Tensor]:
    """A batch with random labels for a third of its spans and the pairs among them."""
    batch = build_batch(*windows)
    model = build_spert()
    generator = torch.Generator().manual_seed(seed)
    batch["spans"] = model(**batch).spans[::3]
    batch["span_labels"] = torch.randint(0, 4, (len(batch["spans"]),), generator=generator)
    batch["pairs"] = ordered_pairs(batch["spans"][:, 0])[::2]
    batch["pair_labels"] = torch.rand(len(batch["pairs"]), 2, generator=generator).round()
    return batch


def test_modeling_loss_is_the_papers():
    model, batch = ablation("max", "localized", 7), labelled([build_window([1, 2, 1, 1, 1])])
    output = model(**batch)
    chances = output.entity_logits.softmax(1)[range(len(batch["spans"])), batch["span_labels"]]
    q, y = output.relation_logits.sigmoid(), batch["pair_labels"]
    relation = -(y * q.log() + (1 - y) * (1 - q).log()).mean(1).mean()
    torch.testing.assert_close(output.loss, -chances.log().mean() + relation)
    assert model(**{**batch, "pair_labels": None}).loss < output.loss
    assert model(**{**batch, "span_labels": None, "pair_labels": None}).loss is None


def test_modeling_global_counts_make_small_batches_add_up_to_the_big_one():
    model = ablation("max", "localized", 7)
    windows = [build_window([1] * length, seed=length) for length in (6, 2, 4, 3)]
    parts = [labelled([window], seed) for seed, window in enumerate(windows)]
    whole = build_batch(*windows)
    counts = [len(part["spans"]) for part in parts]
    firsts = [sum(counts[:i]) for i in range(len(parts))]
    shift = [torch.tensor([row, 0, 0]) for row in range(len(parts))]
    whole["spans"] = torch.cat([part["spans"] + row for part, row in zip(parts, shift, strict=True)])
    whole["pairs"] = torch.cat([part["pairs"] + first for part, first in zip(parts, firsts, strict=True)])
    for name in ("span_labels", "pair_labels"):
        whole[name] = torch.cat([part[name] for part in parts])

    def gradients(batches: list[dict[str, Tensor]], **counts: Any) -> tuple[Tensor, list[Tensor]]:
        model.zero_grad()
        losses = [model(**batch, **counts).loss for batch in batches]
        sum(losses).backward()
        return sum(losses), [parameter.grad.clone() for parameter in model.parameters()]

    assert any(len(part["pairs"]) == 0 for part in parts)
    expected, expected_gradients = gradients([whole])
    total = {"num_spans": len(whole["spans"]), "num_pairs": len(whole["pairs"])}
    for form in (total, {name: torch.tensor(value) for name, value in total.items()}):
        loss, found = gradients(parts, **form)
        torch.testing.assert_close(loss, expected)
        torch.testing.assert_close(found, expected_gradients, rtol=0, atol=2e-6)
    assert not torch.allclose(gradients(parts)[0], expected, atol=0.1)  # without the counts they do not


@pytest.mark.parametrize("training", [False, True])
def test_modeling_both_heads_get_gradients_without_pairs(training: bool):
    model, batch = ablation("max", "localized", 7).train(training), labelled([build_window([1, 2, 1, 1, 1])])
    batch["pairs"], batch["pair_labels"] = batch["pairs"][:0], batch["pair_labels"][:0]
    output = model(**batch)
    assert torch.allclose(output.loss, model(**{**batch, "pair_labels": None}).loss)
    output.loss.backward()
    # A parameter without a gradient would stop distributed training.
    assert [name for name, parameter in model.named_parameters() if parameter.grad is None] == []
    assert not model.relation_classifier.weight.grad.any() and model.entity_classifier.weight.grad.any()


def test_modeling_dropout_is_drawn_per_candidate_and_off_in_eval_mode():
    model = build_spert(backbone=NO_DROPOUT, head_dropout=0.5)
    batch = build_batch(build_window([1, 2, 1]))
    batch["spans"] = torch.tensor([[0, 0, 2], [0, 0, 2], [0, 2, 3]])
    batch["pairs"] = torch.tensor([[0, 2], [1, 2]])
    for training in (False, True):
        output = model.train(training)(**batch)
        for twins in (output.entity_logits[:2], output.relation_logits):
            assert torch.allclose(twins[0], twins[1], rtol=0, atol=1e-5) != training


def test_modeling_given_spans_may_be_wider_than_the_widest_candidate():
    model = build_spert(max_span_width=2, width_table_size=4)
    batch = build_batch(build_window([1] * 6))
    batch["spans"], batch["pairs"] = torch.tensor([[0, 0, 3], [0, 0, 6]]), torch.zeros(0, 2, dtype=torch.long)
    output = model(**batch)
    with torch.no_grad():
        model.width_embeddings.weight[3] += 1  # the last row of the table, for every width from 3 on
    assert not torch.isclose(model(**batch).entity_logits, output.entity_logits).all(1).any()
    assert model(**build_batch(build_window([1] * 6))).spans[:, 2].max() == 6


def test_modeling_forward_takes_embeddings_and_gives_tuples():
    model, batch = ablation("max", "localized", 7), mixed_batch()
    expected = model(**batch)
    ids = batch.pop("input_ids")
    assert_equal_output(model(inputs_embeds=model.get_input_embeddings()(ids), **batch), expected, 0, 1e-6)
    entity_logits, relation_logits, spans, pairs, entities = model(ids, **batch, return_dict=False)
    assert_equal_output(SpertOutput(None, entity_logits, relation_logits, spans, pairs), expected, 0, 0)
    assert torch.equal(entities, expected.entities)


def test_modeling_forward_without_word_index_says_what_makes_one():
    with pytest.raises(ValueError, match=r"word_index .* sentence_index .* collate_windows"):
        build_spert()(input_ids=torch.zeros(1, 3, dtype=torch.long))


@pytest.mark.parametrize("names", [("spans",), ("pairs",), ("span_labels",), ("spans", "span_labels", "pair_labels")])
def test_modeling_forward_takes_spans_and_pairs_together(names: tuple[str, ...]):
    batch = labelled([build_window([1, 2, 1, 1, 1])])
    given = {name: batch.pop(name) for name in ("spans", "pairs", "span_labels", "pair_labels")}
    for training in (False, True):
        with pytest.raises(ValueError, match="spans and pairs come together, and labels come with them: pass both"):
            build_spert().train(training)(**batch, **{name: given[name] for name in names})
