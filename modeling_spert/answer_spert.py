"""The pipeline's answer: a dict that a notebook shows as a picture."""

from typing import Any


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
