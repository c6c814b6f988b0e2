"""Examples of the labels of well-known data sets, for model cards. Invented here: none is taken from the data.

Keys are `<data set>/<label>`; a relation's example is (head, tail).
"""

from collections.abc import Mapping
from types import MappingProxyType

ENTITY_EXAMPLES: Mapping[str, str] = MappingProxyType(
    {
        "conll04/Peop": "Ada Lund",
        "conll04/Loc": "Port Ellisk",
        "conll04/Org": "Harbour Institute",
        "conll04/Other": "the Tide Prize",
        "scierc/Task": "word alignment",
        "scierc/Method": "beam search",
        "scierc/Metric": "recall",
        "scierc/Material": "a corpus of letters",
        "scierc/OtherScientificTerm": "vowel length",
        "scierc/Generic": "this approach",
        "ade/Drug": "a sleeping pill",
        "ade/Adverse-Effect": "dizziness",
        "demo/Person": "Bela Quist",
        "demo/Organization": "Harbour Institute",
        "demo/Location": "Port Ellisk",
        "demo/Product": "Vela One",
        "demo/Event": "Ellisk Book Fair",
    }
)

RELATION_EXAMPLES: Mapping[str, tuple[str, str]] = MappingProxyType(
    {
        "conll04/Work_For": ("Ada Lund", "Harbour Institute"),
        "conll04/Kill": ("the gunman Tor Vik", "the mayor Piet Brand"),
        "conll04/OrgBased_In": ("Harbour Institute", "Port Ellisk"),
        "conll04/Live_In": ("Ada Lund", "Port Ellisk"),
        "conll04/Located_In": ("Port Ellisk", "Norvane"),
        "scierc/Used-for": ("beam search", "word alignment"),
        "scierc/Feature-of": ("vowel length", "spoken vowels"),
        "scierc/Hyponym-of": ("beam search", "heuristic search"),
        "scierc/Evaluate-for": ("recall", "word alignment"),
        "scierc/Part-of": ("the decoder", "a translation system"),
        "scierc/Compare": ("beam search", "exact search"),
        "scierc/Conjunction": ("precision", "recall"),
        "ade/Adverse-Effect": ("dizziness", "a sleeping pill"),
        "demo/works_for": ("Bela Quist", "Harbour Institute"),
        "demo/lives_in": ("Bela Quist", "Port Ellisk"),
        "demo/married_to": ("Bela Quist", "Ines Quist"),
        "demo/founded": ("Bela Quist", "Vela Motors"),
        "demo/based_in": ("Harbour Institute", "Port Ellisk"),
        "demo/acquired": ("Vela Motors", "Lumo Batteries"),
        "demo/makes": ("Vela Motors", "Vela One"),
        "demo/located_in": ("Port Ellisk", "Norvane"),
        "demo/held_in": ("Ellisk Book Fair", "Port Ellisk"),
    }
)

# The sentence in the card's snippet, for data sets that others have published.
SENTENCES: Mapping[str, str] = MappingProxyType(
    {
        "conll04": "Ada Lund of the Harbour Institute lives in Port Ellisk, Norvane.",
        "scierc": "We use beam search for word alignment and report its recall.",
        "ade": "The patient felt dizziness after she had taken a sleeping pill.",
    }
)
DEMO_SENTENCE = "Bela Quist, who lives in Norvane, has worked for the Harbour Institute since May."


def data_set_family(name: str | None) -> str:
    """The well-known data set that a name stands for, or "".

    >>> data_set_family("ade_fold_3"), data_set_family("scierc_documents"), data_set_family("mine")
    ('ade', 'scierc', '')
    """
    root = (name or "").split("_")[0]
    return root if root in {key.split("/")[0] for key in ENTITY_EXAMPLES} else ""
