"""Well-known names for the demo corpus: places, companies, institutions, products, events and persons of the past.

One set per split, next to the invented names of `names`. The notation: names separated by commas; `the` in front of a
name that running text gives an article; `<Cannes> Film Festival` for a place inside a name. The persons are historical.
The sentences that the generator makes of these names are not facts.
"""

from __future__ import annotations

# Words that only say what kind of thing a name is, or where: the splits may share them.
GENERIC_WORDS = frozenset(
    "Academy Airlines Airport Art Bank Bay Book British Cape Channel City Club College Cup Day Desert "
    "East European Fair "
    "Festival Film Football Forest Gallery Game Games General Grand Group Hospital House Institute International "
    "Island Islands Isle Jazz Lake Las Los Marathon Motor Motors Mount Museum Music National New North Northern Old "
    "Open Opera Orchestra Palace Park Prix Red Republic River Royal Saint San School Sea Show South State States "
    "Station Street Symphony Theatre Times Tower Town Trade Union United University Valley War Week West Winter World "
    "and de for in la of the II".split()
)

_KNOWN = {
    "train": {
        "female_first_names": (
            "Alice,Amy,Angela,Anna,Barbara,Betty,Carla,Carmen,Caroline,Cecilia,Claire,Claudia,Diana,Elena,Emily,Emma,"
            "Erika,Eva,Fiona,Francesca,Giulia,Grace,Hannah,Inga,Isabel,Jane,Jennifer,Jessica,Julia,Karen,Karin,Kate,"
            "Laura,Leila,Lena,Linda,Lisa,Louise,Lucy,Maria,Marie,Mary,Mila,Monika,Nancy,Natasha,Nicole,Nina,Olga,Paula,"
            "Rosa,Ruth,Sandra,Sarah,Sofia,Sophie,Susan,Tanja,Teresa,Ulla,Vera,Wanda,Ximena,Yvonne,Zoe"
        ),
        "male_first_names": (
            "Adam,Ahmed,Albert,Alexander,Ali,Andreas,Antonio,Arthur,Ben,Bernd,Bob,Carlos,Charles,Chris,Christian,"
            "Daniel,David,Diego,Edward,Eric,Felix,Francis,Frank,Franz,Fred,Georg,George,Giovanni,Hans,Harry,Henry,Hugo,"
            "Igor,Ivan,Jack,Jan,Jean,Jim,Joe,Johann,John,Jose,Juan,Karl,Kevin,Klaus,Lars,Leo,Lukas,Marco,Martin,Max,"
            "Michael,Mohammed,Nick,Oscar,Paul,Pedro,Peter,Philip,Pierre,Ravi,Richard,Robert,Samuel,Simon,Stefan,Steve,"
            "Thomas,Tim,Tom,Victor,Walter,Wei,William,Wolfgang"
        ),
        "surnames": (
            "Ackermann,Andersen,Andersson,Baker,Bauer,Becker,Bennett,Bianchi,Braun,Brown,Carter,Chen,Clarke,Cooper,"
            "Costa,Davies,Diaz,Dubois,Evans,Fernandez,Fischer,Garcia,Gonzalez,Gupta,Hansen,Harris,Hoffmann,Ivanov,"
            "Jackson,Janssen,Jensen,Johnson,Jones,Keller,Khan,Kim,Klein,Kowalski,Kumar,Larsen,Lee,Martinez,Meyer,"
            "Miller,Morris,Muller,Nguyen,Nielsen,Novak,Patel,Petrov,Ramirez,Roberts,Rossi,Sato,Schmidt,Schneider,"
            "Silva,Singh,Smith,Suzuki,Tanaka,Taylor,Tran,Wagner,Walker,Wang,Weber,White,Wilson,Wong,Wright,Zhang"
        ),
        "persons": (
            "Abraham Lincoln,Agatha Christie,Albert Einstein,Alexander Fleming,Antonio Vivaldi,Charles Darwin,"
            "Charles Dickens,Claude Monet,Emily Bronte,Florence Nightingale,Franz Kafka,Frida Kahlo,Galileo Galilei,"
            "George Washington,Henry Ford,Isaac Newton,Jane Austen,Johann Sebastian Bach,John Steinbeck,Karl Marx,"
            "Leo Tolstoy,Leonardo da Vinci,Louis Pasteur,Ludwig van Beethoven,Mahatma Gandhi,Marie Curie,Mark Twain,"
            "Martin Luther King,Max Planck,Michael Faraday,Niels Bohr,Oscar Wilde,Pablo Picasso,Rosa Parks,"
            "Samuel Beckett,Sigmund Freud,Simone de Beauvoir,Thomas Edison,Vincent van Gogh,Walt Disney,"
            "William Shakespeare,Wolfgang Amadeus Mozart,Rudolf Diesel,Werner von Siemens,Carl Benz,Clara Schumann,"
            "Alfred Nobel,Einstein,Mozart,Darwin,Picasso,Beethoven,Shakespeare,Astrid Lindgren,Anne Frank,"
            "Neil Armstrong"
        ),
        "towns": (
            "Amsterdam,Athens,Baltimore,Bangkok,Barcelona,Beijing,Berlin,Birmingham,Bologna,Bordeaux,Boston,Brighton,"
            "Bristol,Brussels,Budapest,Cairo,Cambridge,Cape Town,Cardiff,Chicago,Cologne,Dallas,Delhi,Denver,Detroit,"
            "Dresden,Dublin,Edinburgh,Florence,Frankfurt,Geneva,Glasgow,Hamburg,Hanoi,Helsinki,Houston,Istanbul,"
            "Jakarta,Kiev,Krakow,Lagos,Las Vegas,Liverpool,London,Los Angeles,Madrid,Manchester,Melbourne,"
            "Mexico City,Miami,Milan,Montreal,Moscow,Mumbai,Munich,Naples,New York,Oslo,Paris,Philadelphia,"
            "Prague,Rome,Rotterdam,San Francisco,Seattle,Seoul,Shanghai,Singapore,Stockholm,Stuttgart,Sydney,Tokyo,"
            "Toronto,Turin,Vancouver,Venice,Vienna,Warsaw,Washington,York,Zurich"
        ),
        "regions": (
            "America,Argentina,Australia,Austria,Bavaria,Belgium,Brazil,California,Canada,China,Denmark,Egypt,England,"
            "Europe,Finland,Florida,France,Germany,Greece,India,Ireland,Italy,Japan,Kenya,Mexico,Morocco,New Zealand,"
            "Nigeria,Norway,Poland,Portugal,Russia,Scotland,Sicily,Africa,South Africa,South Korea,Spain,Sweden,"
            "Switzerland,"
            "Texas,Thailand,Tuscany,Ukraine,Vietnam,Wales,Asia,Yorkshire,the United States"
        ),
        "landmarks": (
            "Lake Garda,Lake Michigan,Loch Ness,Mont Blanc,Mount Everest,Mount Fuji,Ben Nevis,the Alps,the Rhine,"
            "the Thames,the Nile,the Danube,the Seine,the Black Forest,the Eiffel Tower,Hyde Park,Big Ben,"
            "the Golden Gate Bridge,the Sahara,Mount Kilimanjaro,Niagara Falls"
        ),
        "companies": (
            "Adidas,Airbus,Amazon,Apple,BMW,Boeing,Bosch,Cisco,Coca-Cola,Dell,Disney,Facebook,Fiat,Ford,Google,"
            "Heineken,Hitachi,Honda,Ikea,Intel,Kodak,Lego,Microsoft,Mitsubishi,Nestle,Netflix,Nike,Nokia,Novartis,"
            "Oracle,Panasonic,Pfizer,Philips,Porsche,Renault,Ryanair,Samsung,Shell,Siemens,Skype,Sony,Starbucks,"
            "Toyota,Twitter,Unilever,Volkswagen,Volvo,Walmart,YouTube,IBM,Air <France>,Deutsche Bank"
        ),
        "institutions": (
            "the BBC,the European Union,Harvard University,the Louvre,the Mayo Clinic,NASA,the New York Times,"
            "Oxfam,the Red Cross,the Royal Opera House,the United Nations,Yale University,the <Vienna> Philharmonic,"
            "Greenpeace,the Guggenheim Museum,Eton College,the Charite,Real <Madrid>,Bayern <Munich>,"
            "<Manchester> United,Amnesty International,Interpol,the British Museum,the Sorbonne,the Labour Party,"
            "the Salvation Army,the Max Planck Institute,<Oxford> University,<Princeton> University,the Prado"
        ),
        "products": (
            "Android,Barbie,Beetle,Blackberry,Concorde,Corolla,Excel,Fiat 500,Fiesta,Firefox,Game Boy,Gmail,iPad,"
            "iPhone,iPhone 15,Jumbo Jet,Kindle,Leica M6,Linux,Nutella,Photoshop,PlayStation,"
            "PlayStation 5,Polaroid,Prius,Ford Fiesta,Ford Mustang,Toyota Prius,Sony Walkman,Apple Watch,Boeing 747,"
            "Airbus A320,Google Maps,Microsoft Word,BMW X5,Samsung Galaxy,Volkswagen Beetle,Nokia 3310,Rolex,"
            "Vespa,Viagra,Walkman"
        ),
        "contests": (
            "Olympic Games,World Cup,FIFA World Cup,Tour de <France>,Super Bowl,Champions League,Davis Cup,"
            "<Boston> Marathon,"
            "Winter Olympics,<Australian> Open,<Monaco> Grand Prix"
        ),
        "events": (
            "<Cannes> Film Festival,<Frankfurt> Book Fair,Oktoberfest,<Hanover> Trade Fair,Oscars,"
            "<Montreux> Jazz Festival,<Geneva> Motor Show,<Edinburgh> Festival,Eurovision Song Contest,"
            "<Rio> Carnival,<Paris> Fashion Week,World Economic Forum"
        ),
    },
    "dev": {
        "female_first_names": "Brenda,Doris,Irene,Joan,Katherine,Margaret,Marta,Rita,Silvia,Tina",
        "male_first_names": "Alan,Bruno,Colin,Dennis,Emil,Gary,Ian,Otto,Roger",
        "surnames": "Adams,Bergmann,Campbell,Ferrari,Ito,Lindberg,Mayer,Pereira,Rao,Turner",
        "persons": (
            "Ada Lovelace,Amelia Earhart,Nelson Mandela,Virginia Woolf,Salvador Dali,James Watt,Guglielmo Marconi"
        ),
        "towns": "Antwerp,Bilbao,Bonn,Calgary,Cork,Genoa,Lima,Leicester,Lyon,Osaka,Perth,Phoenix,Riga,Salzburg,Tunis",
        "regions": "Bulgaria,Chile,Cornwall,Estonia,Ghana,Iceland,Malaysia,Nevada,Peru,Serbia",
        "landmarks": "Lake Como,Mount Etna,the Elbe,the Pyrenees",
        "companies": "Canon,eBay,Ericsson,Hyundai,Lufthansa,Michelin,Puma,Reuters,Spotify,Visa",
        "institutions": "the Tate Gallery,UNICEF,<Stanford> University,Juventus,the Bundesbank",
        "products": "Cadillac,iPod,Vaseline,Lumix,Nescafe",
        "contests": "Ryder Cup,Giro d'Italia",
        "events": "<Glastonbury> Festival,<Bilbao> Book Fair",
    },
    "test": {
        "female_first_names": (
            "Agnes,Beatrice,Carol,Catherine,Charlotte,Christine,Dorothy,Eleanor,Elizabeth,Ella,Esther,Gloria,"
            "Heidi,Ines,Joanna,Judith,Lara,Martha,Mia,Monica,Nora,Patricia,Rebecca,Sally,Stella,Sylvia,Victoria"
        ),
        "male_first_names": (
            "Andrew,Anthony,Aaron,Boris,Brian,Christopher,Dieter,Donald,Enrique,Ernest,Fritz,Gerald,Giuseppe,"
            "Harold,Howard,Jacques,Jeff,Jonas,Joseph,Keith,Lorenzo,Matthew,Miguel,Mike,Nathan,Neville,Omar,"
            "Patrick,Ralph,Raymond,Ronald,Sam,Stephen,Sven,Timothy,Vladimir"
        ),
        "surnames": (
            "Allen,Anderson,Barker,Berg,Bell,Castro,Clark,Cohen,Collins,Cruz,Edwards,Eriksson,Fontana,Foster,Fuchs,"
            "Gibson,Graham,Greene,Gruber,Hamilton,Hernandez,Huber,Hughes,Jansen,Kaya,Koch,Lambert,Lang,Lewis,Lindgreen,"
            "Marino,Mitchell,Moreau,Murphy,Olsen,Parker,Perez,Popescu,Richter,Robinson,Rogers,Santos,Scott,Stewart,"
            "Thompson,Torres,Watson,Wolf,Yamamoto,Zhou"
        ),
        "persons": (
            "Benjamin Franklin,Gregor Mendel,Dante Alighieri,Edgar Allan Poe,Fryderyk Chopin,"
            "Heinrich Heine,Hedy Lamarr,Immanuel Kant,Joseph Haydn,Jules Verne,Lise Meitner,Miguel de Cervantes,"
            "Nikola Tesla,Rachel Carson,Rembrandt,Rosalia de Castro,Theodore Roosevelt,Winston Churchill,Napoleon"
        ),
        "towns": (
            "Aberdeen,Adelaide,Ankara,Atlanta,Auckland,Basel,Belfast,Bern,Bogota,Bremen,Bucharest,Copenhagen,Damascus,"
            "Essen,Gdansk,Gothenburg,Graz,Hong Kong,Islamabad,Jerusalem,Johannesburg,Karachi,Kyoto,Leeds,Leipzig,Lille,"
            "Lisbon,Malmo,Marseille,Minneapolis,Nairobi,Newcastle,Nuremberg,Oakland,Orlando,Ottawa,Palermo,Pittsburgh,"
            "Portland,Quebec,Reykjavik,Santiago de Compostela,Seville,Sheffield,Tallinn,"
            "Tel Aviv,Utrecht,Valencia,Verona,Wellington,Zagreb"
        ),
        "regions": (
            "Algeria,Andalusia,Arizona,Bolivia,Catalonia,Colombia,Croatia,Cuba,Ethiopia,Hungary,Indonesia,Iran,"
            "Iraq,Israel,Kansas,Kent,Lithuania,Normandy,Oregon,Pakistan,Romania,Saxony,Slovenia,Tunisia,Turkey,Utah,"
            "Venezuela"
        ),
        "landmarks": (
            "Lake Constance,Lake Victoria,Mount Olympus,Mount Rainier,the Amazonas,the Andes,the Colosseum,the Volga,"
            "the Matterhorn,the Acropolis"
        ),
        "companies": (
            "Accenture,Audi,Bayer,Burberry,Canonical,Chrysler,Ducati,Electrolux,Ferrero,Fujitsu,GitHub,"
            "Gucci,Hewlett-Packard,Instagram,Lenovo,LinkedIn,Mazda,Nintendo,Nissan,Nvidia,Olivetti,Opel,PayPal,Pepsi,"
            "Peugeot,Pixar,Qualcomm,Roche,Saab,Telefonica,Toshiba,Vodafone,WhatsApp,Xerox,Yahoo,Zara"
        ),
        "institutions": (
            "the CIA,Columbia University,the Hermitage,the Guardian,the Rijksmuseum,the Smithsonian Institute,"
            "Chelsea,Ajax,the Uffizi,Cornell University,UNESCO,NATO,Caltech,the Bundestag,"
            "the Metropolitan Museum"
        ),
        "products": (
            "Airpods,Boxster,Audi A4,Nissan Micra,Opel Corsa,Chromebook,Defender,Hasselblad,Lightroom,MacBook,"
            "Macintosh,Nespresso,Nikon Z9,Outlook,"
            "Rubik 's Cube,Tic Tac,Trabant,Wii,Xbox,Zenit"
        ),
        "contests": "Stanley Cup,Vuelta,Paralympics,Rugby World Cup",
        "events": ("Berlinale,Biennale,Woodstock,<Roskilde> Festival,<Sundance> Film Festival,<Bayreuth> Festival"),
    },
}


def known_names(split: str, kind: str) -> tuple[str, ...]:
    """The names of a kind, in the notation of this module."""
    return tuple(_KNOWN[split][kind].split(","))


def known_words(split: str) -> tuple[str, ...]:
    """The words of a split's names that no other split may share.

    >>> "Curie" in known_words("train"), "University" in known_words("train")
    (True, False)
    """
    text = ",".join(_KNOWN[split].values()).replace("<", "").replace(">", "")
    words = (part for name in text.split(",") for word in name.split() for part in word.split("-"))
    return tuple(dict.fromkeys(word for word in words if _is_name_word(word)))


def _is_name_word(word: str) -> bool:
    return word not in GENERIC_WORDS and word != "the" and len(word) > 1 and word[0].isalpha()
