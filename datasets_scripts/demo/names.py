"""Names for the demo corpus: the shapes that invented names take, and well-known names among them.

The *name words* (first names, surnames, places, brands, products, acronyms, research topics) of one split never appear
in another. Words that only say what kind of thing a name is ("University", "Port", "Holdings") are shared: they are
the part of a name from which a reader, or a pretrained encoder, guesses its type.

Invented places, companies and products are made up; so is every pairing of a first name with a surname. Well-known
names (`known_names`) are for plain, harmless sentences.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass

from datasets_scripts.demo.invented_names import INVENTED_WORDS
from datasets_scripts.demo.known_names import known_names, known_words

# Name words by split and kind. Two splits share none of them.
NAME_POOLS: dict[str, dict[str, tuple[str, ...]]] = {
    split: {**{kind: tuple(words.split()) for kind, words in pools.items()}, "known": known_words(split)}
    for split, pools in INVENTED_WORDS.items()
}

_INDUSTRIES = (
    "Airlines Bank Brewery Chemicals Electronics Energy Foods Insurance Logistics Media Motors Pharmaceuticals Power "
    "Publishing Robotics Shipping Software Steel Systems Telecom Textiles Timber Tools"
).split()
# Names that begin or end so are read with an article: "the Bank of Aldoria", "the Marrowby City Council".
_ARTICLE_FIRST = {"Bank", "Institute", "National", "University"}
_ARTICLE_LAST = {
    "Authority",
    "Commerce",
    "Council",
    "Department",
    "Foundation",
    "Institute",
    "Orchestra",
    "Trust",
    "Union",
}
# Where well-known names are wanted: how often one is drawn, a first name alone, a person of history.
_KNOWN_SHARE, _FIRST_NAME_SHARE, _FAMOUS_SHARE = 0.6, 0.4, 0.2
_INITIALS = "A. B. C. D. E. F. G. H. J. K. L. M. N. P. R. S. T. W.".split()


@dataclass(frozen=True)
class Name:
    """A name as words, with its entity type and the names inside it.

    Attributes:
        tokens: The words of the name.
        entity_type: Its entity type.
        inner: The first word (counted from the start of this name) of each name inside, and that name.
        article: Whether running text puts "the" before it, outside the name.
    """

    tokens: tuple[str, ...]
    entity_type: str
    inner: tuple[tuple[int, Name], ...] = ()
    article: bool = False


def _name(entity_type: str, *parts: str | Name) -> Name:
    """Join words and inner names into one name.

    >>> _name("Organization", "Bank of", Name(("Aldoria",), "Location")).inner
    ((2, Name(tokens=('Aldoria',), entity_type='Location', inner=(), article=False)),)
    """
    tokens: list[str] = []
    inner = []
    for part in parts:
        if isinstance(part, Name):
            inner.append((len(tokens), part))
            tokens.extend(part.tokens)
        else:
            tokens.extend(part.split())
    return Name(tuple(tokens), entity_type, tuple(inner), tokens[0] in _ARTICLE_FIRST or tokens[-1] in _ARTICLE_LAST)


def _known_name(entity_type: str, text: str) -> Name:
    """Read a name in the notation of `known_names`.

    >>> _known_name("Event", "<Cannes> Film Festival").inner
    ((0, Name(tokens=('Cannes',), entity_type='Location', inner=(), article=False)),)
    >>> _known_name("Location", "the Alps")
    Name(tokens=('Alps',), entity_type='Location', inner=(), article=True)
    """
    tokens: list[str] = []
    inner = []
    for word in text.removeprefix("the ").split():
        if word.startswith("<"):
            inner.append((len(tokens), _name("Location", word.strip("<>"))))
        tokens.append(word.strip("<>"))
    return Name(tuple(tokens), entity_type, tuple(inner), text.startswith("the "))


class NameSource:
    """Draws names of one split.

    Args:
        split: A key of `NAME_POOLS`.
        generator: Source of randomness; the same state gives the same names.
        well_known: Whether to draw well-known names too, and people by their first name.
    """

    def __init__(self, split: str, generator: random.Random, well_known: bool = False):
        self.split = split
        self.pools = NAME_POOLS[split]
        self.generator = generator
        self.well_known = well_known

    def draw(self, kind: str) -> Name:
        """Draw a name of a kind.

        Args:
            kind: One letter. `F`, `M`, `P`: a woman, a man, either. `S`: a surname alone. `C`, `I`, `O`: a company, an
                institution, either. `U`: a school or institute. `T`, `R`, `L`: a town, a region or country, either.
                `N`: a landmark.
                `K`: a region whose name takes a compass direction. `E`, `G`: an event, a contest. `W`: a product.

        Returns:
            The name.
        """
        return _KINDS[kind](self)

    def _word(self, pool: str) -> str:
        if pool in ("female_first_names", "male_first_names", "surnames") and self._draws_known():
            return self.generator.choice(known_names(self.split, pool))
        return self.generator.choice(self.pools[pool])

    def _draws_known(self) -> bool:
        return self.well_known and self.generator.random() < _KNOWN_SHARE

    def _known_or(self, kind: str, entity_type: str, invent: Callable[[], Name]) -> Name:
        """A well-known name of a kind, some of the time where they are wanted; else an invented one."""
        if not self._draws_known():
            return invent()
        return _known_name(entity_type, self.generator.choice(known_names(self.split, kind)))

    def _choose(self, *shapes: tuple[int, Callable[[], Name]]) -> Name:
        """Draw one of several shapes, each given with its weight."""
        weights = [weight for weight, _ in shapes]
        return self.generator.choices([shape for _, shape in shapes], weights)[0]()

    def _person(self, pool: str) -> Name:
        first = self._word(pool)
        if self.well_known and self.generator.random() < _FIRST_NAME_SHARE:
            return _name("Person", first)
        surname = self._word("surnames")
        return self._choose(
            (66, lambda: _name("Person", first, surname)),
            (20, lambda: _name("Person", first, self.generator.choice(_INITIALS), surname)),
            (8, lambda: _name("Person", first, self.generator.choice(["van", "de", "von"]), surname)),
            (6, lambda: _name("Person", first, f"{surname}-{self._other('surnames', surname)}")),
        )

    def _other(self, pool: str, word: str) -> str:
        return self.generator.choice([candidate for candidate in self.pools[pool] if candidate != word])

    def _woman(self) -> Name:
        return self._person("female_first_names")

    def _man(self) -> Name:
        return self._person("male_first_names")

    def _anyone(self) -> Name:
        if self.well_known and self.generator.random() < _FAMOUS_SHARE:
            return _known_name("Person", self.generator.choice(known_names(self.split, "persons")))
        return self._choose((1, self._woman), (1, self._man))

    def _surname(self) -> Name:
        return _name("Person", self._word("surnames"))

    def _company(self) -> Name:
        return self._known_or("companies", "Organization", self._invented_company)

    def _invented_company(self) -> Name:
        brand, surname = self._word("brands"), self._word("surnames")
        industry = self.generator.choice(_INDUSTRIES)
        return self._choose(
            (34, lambda: _name("Organization", brand, industry)),
            (18, lambda: _name("Organization", brand)),
            (14, lambda: _name("Organization", surname, industry)),
            (12, lambda: _name("Organization", brand, self.generator.choice(["Group", "Holdings", "Industries"]))),
            (8, lambda: _name("Organization", surname, "&", self.generator.choice(["Sons", "Partners", "Company"]))),
            (5, lambda: _name("Organization", surname, "&", self._other("surnames", surname))),
            (9, lambda: _name("Organization", self._word("acronyms"))),
        )

    def _school(self) -> Name:
        pick = self.generator.choice
        return self._choose(
            (45, lambda: _name("Organization", "University of", self._town())),
            (35, lambda: _name("Organization", self._word("surnames"), pick(["College", "Institute", "Academy"]))),
            (20, lambda: _name("Organization", "Institute for", self._word("topics"), "Studies")),
        )

    def _institution(self) -> Name:
        return self._known_or("institutions", "Organization", self._invented_institution)

    def _invented_institution(self) -> Name:
        topic, pick = self._word("topics"), self.generator.choice
        civic = ["City Council", "General Hospital", "Police Department", "Port Authority", "Chamber of Commerce"]
        return self._choose(
            (42, self._school),
            (20, lambda: _name("Organization", self._town(), pick(civic))),
            (12, lambda: _name("Organization", pick(["Bank of", "National Museum of"]), self._region())),
            (8, lambda: _name("Organization", self._region(), pick(["Railways", "Symphony Orchestra"]))),
            (8, lambda: _name("Organization", self._anyone(), pick(["Foundation", "Trust"]))),
            (10, lambda: _name("Organization", topic, pick(["Research Council", "Workers Union"]))),
        )

    def _organization(self) -> Name:
        return self._choose((11, self._company), (9, self._institution))

    def _town(self) -> Name:
        return self._known_or("towns", "Location", self._invented_town)

    def _invented_town(self) -> Name:
        stem, pick = self._word("towns"), self.generator.choice
        return self._choose(
            (70, lambda: _name("Location", stem)),
            (16, lambda: _name("Location", pick(["Port", "New", "Upper", "Saint", "Fort"]), stem)),
            (14, lambda: _name("Location", stem, pick(["Bay", "Falls", "Springs", "Heights"]))),
        )

    def _country(self) -> Name:
        return self._known_or("regions", "Location", self._invented_country)

    def _invented_country(self) -> Name:
        stem, pick = self._word("regions"), self.generator.choice
        return self._choose(
            (3, lambda: _name("Location", stem)),
            (1, lambda: _name("Location", stem, pick(["County", "Province"]))),
        )

    def _region(self) -> Name:
        stem, pick = self._word("regions"), self.generator.choice
        return self._choose(
            (6, self._country),
            (1, lambda: _name("Location", pick(["West", "South", "Lower"]), stem)),
        )

    def _place(self) -> Name:
        return self._choose((3, self._town), (1, self._country))

    def _landmark(self) -> Name:
        return self._known_or("landmarks", "Location", self._invented_landmark)

    def _invented_landmark(self) -> Name:
        stem, pick = self._word("landmarks"), self.generator.choice
        return self._choose(
            (1, lambda: _name("Location", pick(["Lake", "Mount"]), stem)),
            (1, lambda: _name("Location", stem, pick(["Forest", "Ridge", "Point", "Glacier"]))),
        )

    def _contest(self) -> Name:
        return self._known_or("contests", "Event", self._invented_contest)

    def _invented_contest(self) -> Name:
        pick = self.generator.choice
        return self._choose(
            (3, lambda: _name("Event", self._word("brands"), pick(["Cup", "Open", "Classic", "Grand Prix"]))),
            (2, lambda: _name("Event", self._town(), pick(["Marathon", "Regatta"]))),
        )

    def _event(self) -> Name:
        return self._known_or("events", "Event", self._invented_event)

    def _invented_event(self) -> Name:
        pick = self.generator.choice
        occasion = pick(["Film Festival", "Book Fair", "Trade Summit", "Jazz Festival", "Air Show"])
        return self._choose(
            (35, lambda: _name("Event", self._region(), occasion)),
            (15, lambda: _name("Event", self._town(), occasion)),
            (30, self._contest),
            (20, lambda: _name("Event", "World", self._word("topics"), pick(["Congress", "Forum"]))),
        )

    def _product(self) -> Name:
        return self._known_or("products", "Product", self._invented_product)

    def _invented_product(self) -> Name:
        brand, model = self._word("products"), self.generator.choice("2 3 5 7 X1 X2 Pro Mini Plus Max".split())
        return self._choose((6, lambda: _name("Product", brand, model)), (4, lambda: _name("Product", brand)))


_KINDS: dict[str, Callable[[NameSource], Name]] = {
    "F": NameSource._woman,
    "M": NameSource._man,
    "P": NameSource._anyone,
    "S": NameSource._surname,
    "C": NameSource._company,
    "I": NameSource._institution,
    "U": NameSource._school,
    "O": NameSource._organization,
    "T": NameSource._town,
    "R": NameSource._region,
    "K": NameSource._country,
    "L": NameSource._place,
    "N": NameSource._landmark,
    "E": NameSource._event,
    "G": NameSource._contest,
    "W": NameSource._product,
}
