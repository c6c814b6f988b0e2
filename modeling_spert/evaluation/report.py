"""Scores as a table people can read, each convention stated before its figures."""

from __future__ import annotations

from collections.abc import Mapping

from modeling_spert.evaluation.conventions import CONVENTIONS

_MEASURES = ("precision", "recall", "f1")


def format_report(scores: Mapping[str, float], *, no_overlapping: bool = False) -> str:
    """Lay out what `score_examples` returns.

    Args:
        scores: Its flat dict, percent.
        no_overlapping: Whether the scores were counted so; only stated, nothing is counted here.

    Returns:
        For entities, relations by boundaries and strict relations: what counts as correct, then a line per type,
        micro and macro with precision, recall, F1 (percent, two decimals) and support. Types that occur neither in
        gold nor in predictions do not count in the macro average and are named below the table.

    Raises:
        ValueError: If `scores` lacks an average or a support.

    >>> from modeling_spert.evaluation.metrics import score_examples
    >>> gold = [{"entities": [{"type": "Peop", "start": 0, "end": 2}], "relations": []}]
    >>> print(format_report(score_examples(gold, gold)).partition("Relations")[0].rstrip())
    Entities
    Correct if the entity type and the span are correct.
    <BLANKLINE>
               precision     recall         f1    support
         Peop     100.00     100.00     100.00          1
    <BLANKLINE>
        micro     100.00     100.00     100.00          1
        macro     100.00     100.00     100.00          1
    """
    overlaps = (
        "Overlapping entities are left out, in gold and predictions, as are relations whose two spans overlap.\n\n"
        if no_overlapping
        else ""
    )
    return overlaps + "\n\n".join(_section(scores, prefix) for prefix in CONVENTIONS) + "\n"


def _section(scores: Mapping[str, float], prefix: str) -> str:
    """One convention: its title and definition, a line per type, micro and macro."""
    convention = CONVENTIONS[prefix]
    types = [key.removeprefix(f"{prefix}_f1/") for key in scores if key.startswith(f"{prefix}_f1/")]
    absent = [t for t in types if not scores[f"{prefix}_support/{t}"] and not scores[f"{prefix}_predicted/{t}"]]
    width = 4 + max(len(name) for name in (*types, "micro"))

    def line(name: str, suffix: str, support_key: str) -> str:
        keys = [*(f"{prefix}_{measure}{suffix}" for measure in _MEASURES), support_key]
        missing = [key for key in keys if key not in scores]
        if missing:
            raise ValueError(f"scores lack {missing}; pass the whole dict that score_examples returned")
        *values, support = (scores[key] for key in keys)
        return f"{name:>{width}}" + "".join(f"{value:11.2f}" for value in values) + f"{support:11.0f}"

    lines = [convention.title, f"Correct if {convention.definition}.", ""]
    lines.append(" " * width + "".join(f"{name:>11}" for name in (*_MEASURES, "support")))
    lines += [line(t, f"/{t}", f"{prefix}_support/{t}") for t in types if t not in absent]
    lines += ["", *(line(average, f"_{average}", f"{prefix}_support") for average in ("micro", "macro"))]
    if absent:
        lines += ["", f"Not in gold or predictions, so not in the macro average: {', '.join(absent)}."]
    return "\n".join(lines)
