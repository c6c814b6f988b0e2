"""The invented words that names of the demo corpus are made of: one set of pools per split."""

INVENTED_WORDS = {
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
