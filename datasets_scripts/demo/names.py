"""Invented names for the demo corpus: one set of word pools per split, and the shapes that names take.

The *name words* (first names, surnames, places, brands, products, acronyms, research topics) of one split never appear
in another. Words that only say what kind of thing a name is ("University", "Port", "Holdings") are shared: they are
the part of a name from which a reader, or a pretrained encoder, guesses its type.

Places, companies and products are made up; so is every pairing of a first name with a surname.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass

_POOLS = {
    "train": {
        "female_first_names": (
            "Adela Amara Anneke Astrid Beatrix Bronagh Camila Carys Daria Delphine Edith Eilidh Esperanza Fatima "
            "Freya Gudrun Hanako Ingrid Irina Jelena Kalinda Katya Leocadia Lieselotte Lucia Mairead Marisol Mei "
            "Nadia Ngozi Noor Odette Oksana Paloma Priya Ragnhild Rosalind Sabine Saoirse Shirin Sunniva Tamsin "
            "Ursula Valentina Wilhelmina Yasmin Yuki Zahra Zofia Zuleika"
        ),
        "male_first_names": (
            "Alasdair Amir Anselm Arjun Bartosz Benedikt Bogdan Caspian Cormac Dacian Desmond Dmitri Eamon Emeka "
            "Esteban Fabrizio Farid Fergus Gaspard Gustavo Hamish Haruto Hendrik Idris Ignacio Ismail Jakob Joaquin "
            "Kaspar Kwame Lachlan Leopold Ludvik Matthias Mehmet Mikkel Nikolai Olivier Osvaldo Pavel Quentin Rafael "
            "Rohan Sergei Stellan Tadeusz Tobias Viktor Wendell Zoltan"
        ),
        "surnames": (
            "Abernoth Aldermoor Arrandale Askelund Balvenor Barrowick Bellacourt Brandvold Brightwen Calloran "
            "Carvajel Castellane Corvanes Dahlqvist Danquaye Delacourte Derringfold Drovenko Eckersholm Elphick "
            "Emberlyn Fairbourne Falkenrath Ferreyro Fontaigne Galbraithe Garrowby Gilvane Grunewalde Halvorsen "
            "Hargrove Hathersage Hollingrave Ibanova Ilesanye Jarnefeld Kalloway Karlowitz Kestrevan Kinsale Korvald "
            "Lambrecht Larkspur Lindqvar Lockridge Lovatelli Maddocke Marchetto Mbekwe Merriwether Montavo Nakadori "
            "Nethercott Norvinsky Okonjira Oleander Ormsby Pallister Pemberlow Penhallow Petrakos Quillfeather "
            "Ramasundar Rasmunde Ravenholt Rookwood Sadowska Sandoval Schellinger Silvestrin Skarsgren Stavrin "
            "Stonebridge Tanakawa Thackery Tolveth Torquist Underhay Valdemere Vanterpool Vasquero Wexcombe Whitlock "
            "Yarborne Zamorin Zielonka"
        ),
        "towns": (
            "Abbotswick Aldersea Ashenford Balmora Barrowmere Brackenhurst Briarley Calderwick Carrowdun Castlemoor "
            "Coldhaven Corrindale Cressingdale Dalwhistle Dornby Dunvarra Eastmarsh Elverton Farnholt Fennmouth "
            "Gallowick Glenorrick Greyhaven Harrowsgate Hexwell Holmsund Hythecombe Inverlaith Kettleby Kilbrannoch "
            "Kirkvale Langmere Larchfield Lethbury Lindisford Lowenna Marrowby Millbrae Mossgrave Netherby Norrstad "
            "Oakenhythe Orrinford Pellworth Penmarrow Quarrington Ravelstoke Redmarsh Rosswick Saltmere Selbourne "
            "Skelbeck Stannergate Tarrowdale Thistlewood Thornabeck Ulverley Vessingham Wainsford Westerlow "
            "Wickenfold Yarrowmouth"
        ),
        "regions": (
            "Aldoria Arvenia Belmarsh Brevonia Calvaria Drosnia Elboria Estavia Gravonia Halmaria Jorvania Kestania "
            "Lorvania Meridova Norvegna Ostravia Pelagonia Ruvenia Solvania Tamaria Toravia Ustavia Valdania Zembria"
        ),
        "landmarks": ("Arkle Braemoor Corvan Dunnick Fenwyll Gorran Hollin Karsk Lochty Orrest Skarra Tolmen"),
        "brands": (
            "Aerovin Altiga Arcovia Bexley Brightara Calyra Cindertek Coralis Dynara Elvantis Ferrovex Fluxora "
            "Glaciem Gridwell Helvia Hydranta Ikonis Inverra Junova Kavello Kelvara Lumora Maristo Meltria Nembro "
            "Nordavia Novaquil Octavon Optera Orbivance Palvero Pelagor Phalanor Primora Quendrix Ravellon Rivuleta "
            "Seltura Silvaris Solenta Stratiga Syntheon Talvera Terrafix Ultravent Vantora Verdala Vireo Wavecrest "
            "Zorvex"
        ),
        "products": (
            "Aeliq Brisa Cadenza Corva Delphi Dravio Eclipta Flintor Glidera Halcyon Iridis Joltex Kestra Lyrica "
            "Mistral Nimbra Ovanto Pellona Quasaro Rondel Sabrix Talonix Tempesta Umbrio Vanguardo Veloria Wispera "
            "Xenda Yonda Zephyra Zelvio Zircona"
        ),
        "acronyms": ("AKV BLX DNR EVT GHN JKL KVT LMR NTB ORV PLK RZT TVK VBN"),
        "topics": (
            "Agricultural Atlantic Botanical Civic Coastal Economic Forestry Geological Historical Linguistic "
            "Maritime Medical Polar Railway Rural Veterinary"
        ),
    },
    "dev": {
        "female_first_names": (
            "Ailsa Bianca Chiara Dagny Elspeth Fumiko Greta Helena Iolanthe Kirsten Lavinia Maren Niamh Ottilie Petra "
            "Soraya"
        ),
        "male_first_names": (
            "Anton Baldur Cedric Dario Emrys Florian Gideon Hakim Ivo Jerzy Kenji Lorcan Magnus Nestor Piotr Rurik"
        ),
        "surnames": (
            "Ambrovic Birkenshaw Calderone Dunmoreau Eskildsen Fennimore Goranson Hesselby Ivarsdal Jessamyn "
            "Kowalenko Lundgarde Mortlake Nwosira Ostergaarde Pellegrino Quintrell Rosenvinge Sallowfield Tremayne "
            "Uddingham Vossberg Wintergreen Zaragova"
        ),
        "towns": (
            "Amblewick Birkfold Cranmoor Dovercombe Eskmouth Fallowden Glimmerby Hartsmere Ivelchester Jarrowholm "
            "Kelderstad Lynmoor Mallowdene Northolme Plumstoke Ravenglade Silverdyke Tolleshunt Upwick Winterbourne"
        ),
        "regions": ("Anavia Bergonia Corlandia Dravania Istoria Kelvonia Moldania Silvonia"),
        "landmarks": ("Brannick Cullen Darrow Keld Umber"),
        "brands": (
            "Ambiara Bravura Celestrix Dorvane Exalta Fibrion Granita Hexagore Isoldane Kryonis Lantera Monvera "
            "Nexivo Pyrelia Rubicor Tessaract"
        ),
        "products": ("Albix Bolero Ceruli Dynamel Fenix Giro Levanto Orbita Pixara Sorrel"),
        "acronyms": ("CDX FWG HPQ MZB SKD"),
        "topics": ("Alluvial Ceramic Dental Folklore Monetary Urban"),
    },
    "test": {
        "female_first_names": (
            "Agnieszka Alessandra Aoife Bergljot Catriona Clementine Dolores Eleni Fiammetta Florentina Gwendolyn "
            "Halima Henrietta Isabeau Jolanta Kamala Leonora Magdalena Mireille Natsumi Olympia Parvati Rowena "
            "Seraphina Theodora Vivienne Xiomara Ysolde"
        ),
        "male_first_names": (
            "Aurelio Bertrand Callum Dragan Eustace Fyodor Gennaro Hiroshi Iskander Jorah Konrad Lennart Malachi "
            "Nikhil Obadiah Percival Radomir Santiago Severin Thaddeus Ulrich Vincenzo Waldemar Xander Yannick Yusuf "
            "Zacharias Zdenek"
        ),
        "surnames": (
            "Adebanwe Ainscough Anzelmo Birchall Blackmere Bonfantini Bramwell Cadwallen Chaudhary Cromarty Deverell "
            "Drummonde Eastlake Ellingsberg Farquharne Fitzalan Gainsford Gundersrud Haverstock Hightower Ivanescu "
            "Janowicz Kavanaugh Kurosaki Lascelles Lindholme Lysander Macallister Moncrieffe Morwenstow Nakashiro "
            "Novotnik Osterlind Paxworth Perrault Quarles Rademaker Ridgewell Santangelo Soderlund Strathearn "
            "Tregenza Thornquist Uchebo Varnhagen Vellacott Wolstenholme Wyndham Yamanaka Zellweger"
        ),
        "towns": (
            "Ardenmouth Aylesworth Bexcombe Bramblewick Cairnbrook Claverdon Copperwick Crowfell Dunelby Edgemoor "
            "Ellesworth Fairhythe Foxholme Gannerdale Gorseham Haverleigh Hollowmere Ilmarsh Kestlewood Kingsbarrow "
            "Lambfold Luddenby Maplestead Minsterley Nettlecombe Ockbridge Otterbeck Pinewick Polgarth Rendlesby "
            "Sandholt Shelmerdine Starfold Tidewell Trevanion Umberdale Velmouth Wetherfold Whitscar Yelverdon"
        ),
        "regions": (
            "Andravia Borvania Castoria Dalmora Ervenia Florania Garvonia Helmaria Ivonia Karelda Livadia Mordavia "
            "Orlania Rostovia Sarvania Velkoria"
        ),
        "landmarks": ("Ambler Carrock Dursley Embleton Harrack Nevin Scafer Tarnock"),
        "brands": (
            "Acutron Almeris Biovanta Caldessa Centaurel Dextrel Embraxa Everlin Fortunel Galvanta Harmodyne Illumira "
            "Jadestar Kinetra Levantis Magnoval Miradane Neptara Omnivault Pinnacor Qualtrex Radiantis Sapphera "
            "Tridentia Umbrellis Valtiera Westralis Xylograf Yellowfin Zenithal"
        ),
        "products": (
            "Arrowen Bellatrix Cygna Dorado Elvara Falcata Gyrella Hornelle Impalto Javelo Krypta Lumette Marlin "
            "Nautelle Oryx Pantera Rapida Sirocco Turbina Vesper"
        ),
        "acronyms": ("BQT CFM DGW GRS HJV QLN WPD ZMK"),
        "topics": ("Alpine Archaeological Baltic Climate Dairy Educational Fisheries Genetic Nautical Textile"),
    },
}

# Name words by split and kind. Two splits share none of them.
NAME_POOLS: dict[str, dict[str, tuple[str, ...]]] = {
    split: {kind: tuple(words.split()) for kind, words in pools.items()} for split, pools in _POOLS.items()
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


class NameSource:
    """Draws names of one split.

    Args:
        split: A key of `NAME_POOLS`.
        generator: Source of randomness; the same state gives the same names.
    """

    def __init__(self, split: str, generator: random.Random):
        self.pools = NAME_POOLS[split]
        self.generator = generator

    def draw(self, kind: str) -> Name:
        """Draw a name of a kind.

        Args:
            kind: One letter. `F`, `M`, `P`: a woman, a man, either. `S`: a surname alone. `C`, `I`, `O`: a company, an
                institution, either. `U`: a school or institute. `T`, `R`, `N`: a town, a region or country, a landmark.
                `K`: a region whose name takes a compass direction. `E`, `G`: an event, a contest. `W`: a product.

        Returns:
            The name.
        """
        return _KINDS[kind](self)

    def _word(self, pool: str) -> str:
        return self.generator.choice(self.pools[pool])

    def _choose(self, *shapes: tuple[int, Callable[[], Name]]) -> Name:
        """Draw one of several shapes, each given with its weight."""
        weights = [weight for weight, _ in shapes]
        return self.generator.choices([shape for _, shape in shapes], weights)[0]()

    def _person(self, pool: str) -> Name:
        first, surname = self._word(pool), self._word("surnames")
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
        return self._choose((1, self._woman), (1, self._man))

    def _surname(self) -> Name:
        return _name("Person", self._word("surnames"))

    def _company(self) -> Name:
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
        stem, pick = self._word("towns"), self.generator.choice
        return self._choose(
            (70, lambda: _name("Location", stem)),
            (16, lambda: _name("Location", pick(["Port", "New", "Upper", "Saint", "Fort"]), stem)),
            (14, lambda: _name("Location", stem, pick(["Bay", "Falls", "Springs", "Heights"]))),
        )

    def _country(self) -> Name:
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

    def _landmark(self) -> Name:
        stem, pick = self._word("landmarks"), self.generator.choice
        return self._choose(
            (1, lambda: _name("Location", pick(["Lake", "Mount"]), stem)),
            (1, lambda: _name("Location", stem, pick(["Forest", "Ridge", "Point", "Glacier"]))),
        )

    def _contest(self) -> Name:
        pick = self.generator.choice
        return self._choose(
            (3, lambda: _name("Event", self._word("brands"), pick(["Cup", "Open", "Classic", "Grand Prix"]))),
            (2, lambda: _name("Event", self._town(), pick(["Marathon", "Regatta"]))),
        )

    def _event(self) -> Name:
        pick = self.generator.choice
        occasion = pick(["Film Festival", "Book Fair", "Trade Summit", "Jazz Festival", "Air Show"])
        return self._choose(
            (35, lambda: _name("Event", self._region(), occasion)),
            (15, lambda: _name("Event", self._town(), occasion)),
            (30, self._contest),
            (20, lambda: _name("Event", "World", self._word("topics"), pick(["Congress", "Forum"]))),
        )

    def _product(self) -> Name:
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
    "N": NameSource._landmark,
    "E": NameSource._event,
    "G": NameSource._contest,
    "W": NameSource._product,
}
