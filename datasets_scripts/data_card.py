"""The data card of a converted data set: its README.md, with the YAML that `datasets.load_dataset` reads."""

from __future__ import annotations

import re
from collections.abc import Mapping

from huggingface_hub import DatasetCardData

from datasets_scripts.corpora import Benchmark, find_benchmark
from datasets_scripts.joint_dataset import JointDataset

_FORM = """\
One row is one {unit}:

- `tokens`: its words;
- `entities`: `type`, `start`, `end`, a half-open span `[start, end)` of words;
- `relations`: `type`, `head`, `tail`, indices into `entities`;
- `orig_id`: the {unit}'s id in the source{documents}.

`types.json` gives the order of the labels and says which relation types are symmetric (their direction means nothing).
"""
_DOCUMENTS = ";\n- `doc_id`, `sentence_index`: its document and its place there"

_THIRD_PARTY_NOTE = """\
These are third-party research data. They were converted, not created, by the project `modeling-spert`, whose licence
does not extend to them: the terms of the corpus and of the texts it is made of apply. Check them before you share this
copy. If you use the data, cite:
"""
_OWN_NOTE = """\
Converted from files of the user's own with `modeling-spert`. Fill in where the data come from, who annotated them, and
under which licence they may be used.
"""
# Markup, and what makes a link of a bare address; control characters, and those that turn the direction of text.
_MARKUP = re.compile(r"[\\`*_{}\[\]<>#|~&!@]|:(?=//)|(?<=\w)\.(?=[^\W\d_])")
_CONTROLS = re.compile(r"[\x00-\x1f\x7f-\x9f\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]")


def render_data_card(dataset: JointDataset, files: Mapping[str, str]) -> str:
    """Write the data card.

    Args:
        dataset: The data.
        files: Path of each split's Parquet file, relative to the card.

    Returns:
        YAML front matter and Markdown.
    """
    benchmark = find_benchmark(dataset.name)
    title, unit = _title(dataset, benchmark), dataset.unit
    documents = _DOCUMENTS if any("doc_id" in rows.column_names for rows in dataset.splits.values()) else ""
    sections = [
        f"# {escape_markdown(title)}\n\n{unit.capitalize()}s with entities and the relations between them.\n",
        _counts_table(dataset, unit),
        "## Form\n\n" + _FORM.format(documents=documents, unit=unit),
        _labels_section(dataset),
        "## Source and licence\n\n" + _source_note(benchmark),
    ]
    if dataset.skipped:
        sections.append(f"{len(dataset.skipped)} rows of the source were invalid and left out.\n")
    return f"---\n{_metadata(dataset, benchmark, title, files)}\n---\n\n" + "\n".join(sections)


def _title(dataset: JointDataset, benchmark: Benchmark | None) -> str:
    if benchmark is None:
        return dataset.name
    fold = dataset.name.partition("_fold_")[2]
    return f"{benchmark.title}, fold {fold}" if fold else benchmark.title


def _metadata(dataset: JointDataset, benchmark: Benchmark | None, title: str, files: Mapping[str, str]) -> str:
    card = DatasetCardData(
        language=benchmark.language if benchmark else None,
        license=benchmark.licence if benchmark else "unknown",
        task_categories=["token-classification"],
        pretty_name=title,
        tags=["joint-extraction", "named-entity-recognition", "relation-extraction"],
        configs=[
            {
                "config_name": "default",
                "data_files": [{"split": split, "path": path} for split, path in files.items()],
            }
        ],
    )
    return card.to_yaml()


def _counts_table(dataset: JointDataset, unit: str) -> str:
    """The only table of this package, in Markdown."""
    rows = [
        f"| {escape_markdown(split)} | {count.rows} | {count.entities} | {count.relations} |"
        for split, count in dataset.counts().items()
    ]
    return "\n".join([f"| split | {unit}s | entities | relations |", "|---|---|---|---|", *rows]) + "\n"


def _labels_section(dataset: JointDataset) -> str:
    lines = ["## Labels\n"]
    for title, labels, names in (
        ("Entity types", dataset.entity_types, dataset.entity_type_names),
        ("Relation types", dataset.relation_types, dataset.relation_type_names),
    ):
        shown = []
        for label in labels:
            verbose = names[label].verbose if label in names else label
            remarks = [verbose] if verbose != label else []
            remarks += ["symmetric"] if label in dataset.symmetric_relation_types else []
            shown.append(escape_markdown(label + (f" ({', '.join(remarks)})" if remarks else "")))
        lines.append(f"{title}: {', '.join(shown) or 'none'}.\n")
    return "\n".join(lines)


def _source_note(benchmark: Benchmark | None) -> str:
    if benchmark is None:
        return _OWN_NOTE
    if benchmark.citation is None:
        return f"{benchmark.note}\n"
    return f"{benchmark.note}\n\n{_THIRD_PARTY_NOTE}\n> {benchmark.citation}\n"


def escape_markdown(text: str) -> str:
    r"""Escape what Markdown or HTML would take for markup, and join lines, so that a quoted label stays a label.

    It does what `modeling_spert.shared.markdown.escape` does; a test compares them.

    >>> escape_markdown("Live_In | <b>")
    'Live\\_In \\| \\<b\\>'
    """
    line = _CONTROLS.sub("\N{REPLACEMENT CHARACTER}", " ".join(text.split()))
    return _MARKUP.sub(r"\\\g<0>", line)
