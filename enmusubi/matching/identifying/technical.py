"""What looks like a name and is the field's common language: standards, materials, formulas, units, acronyms."""

import re
from collections.abc import Iterator
from typing import Final

_BODIES = (
    "ISO|IEC|JIS|ASTM|ANSI|IEEE|AASHTO|SAE|AISI|DIN|EN|BS|GB|GOST|UL|MIL(?:-STD)?|NFPA|OECD|OIML|ITU|IETF|RFC|"
    "JAS|JEITA|"
    "JEC|SEMI|AOAC|AATCC|ICH|USP|API|ASME|AWS|NACE|CISPR|ETSI|3GPP|ICD|HL7|IPC|CPC|UN|TRL|SDGs?|PMDA|FDA|HACCP|GMP|CAS"
)
_STANDARD = rf"\b(?:{_BODIES})(?:/(?:{_BODIES}|TS|TR|R))*(?:[ -]?[A-Z]{{1,2}})?[ -]?\d[\d.:/A-Z-]*\b"
_PATENT_CLASS = r"\b[A-HY]\d{2}[A-Z](?: ?\d{1,4}/\d{2,6})?\b"
_MATERIAL = (
    r"\b(?:SUS|SUH|SUJ|SUM|SCM|SCR|SNCM|SNC|SMn|SKD|SKH|SKS|SK|SS|SM|SN|SPCC|SPHC|SPFC|SGCC|SGD|STKM|STK|STPG|"
    r"SCS|FCD|FCV|FC|"
    r"ADC|AC|AZ|AM|AL|A|C|S|PA|PP|PE|PC|PEEK|PTFE|ABS|PET|PVDF|NBR|FKM|EPDM|R|E|SPF|GH|IN|INCONEL|NCF|HX|UNS|"
    r"AISI)-?\d{1,4}"
    r"[A-Z]{0,3}\d{0,2}(?:-[A-Z0-9]{1,4})?\b\+?"
)
_ELEMENTS = (
    "He|Li|Be|Ne|Na|Mg|Al|Si|Cl|Ar|Ca|Sc|Ti|Cr|Mn|Fe|Co|Ni|Cu|Zn|Ga|Ge|As|Se|Br|Kr|Rb|Sr|Zr|Nb|Mo|Tc|Ru|Rh|Pd|"
    "Ag|Cd|In|Sn|"
    "Sb|Te|Xe|Cs|Ba|La|Ce|Pr|Nd|Sm|Eu|Gd|Tb|Dy|Ho|Er|Tm|Yb|Lu|Hf|Ta|Re|Os|Ir|Pt|Au|Hg|Tl|Pb|Bi|Th|U|H|B|C|N|O|"
    "F|P|S|K|V|W|Y|I"
)
_FORMULA = rf"\b(?:\d[HCR]-)?(?:\(?(?:{_ELEMENTS})\)?[\d.x]{{0,3}}){{2,12}}(?:\d?[+-])?(?![A-Za-z])"
_ION = rf"\b(?:{_ELEMENTS})\d?[+-]"
_PROTOCOL = r"\b(?:RS-?(?:232C?|422|485)|USB ?\d[\d.]*|IP-?\d\d|Cat-?\d\w?|Bluetooth ?\d[\d.]*|IPv[46]|Q-?\d\d|UH-?F)\b"
_UNIT = (
    r"(?<![\w,.-])[±~]?\d[\d,.]{0,20}+(?:\s?[×x]\s?10\^?-?\d+)?\s?"
    r"(?:[kMGTmcdnpfμµ]?(?:m|g|L|l|s|A|V|W|Wh|Pa|Hz|J|N|K|mol|M|F|H|T|bar|eV|rpm|Gy|Sv|lx|lm|cd|ppm|ppb|bps|"
    r"B)(?:\d|/\w+)?"
    r"|°C|°|%|ha|a|t|kDa|Da|dB|pH|cc|mmHg|rpm|h|min|USD|JPY|yen|円|万|億)(?![A-Za-z])"
)
# ASCII: a Latin word ends where Japanese begins.
_TECHNICAL = re.compile("|".join((_STANDARD, _PATENT_CLASS, _MATERIAL, _FORMULA, _ION, _PROTOCOL, _UNIT)), re.ASCII)

_NAMES_IN_USE = """
GitHub JavaScript TypeScript LabVIEW TensorFlow PyTorch OpenFOAM OpenCV MacOS WiFi FeliCa PowerPoint ZigBee BlueTooth
LiDAR LoRa LoRaWAN SigFox PubMed PubChem ChatGPT MySQL PostgreSQL AutoCAD SolidWorks MatLab SimuLink LiFePO PhysioNet
Bluetooth Zigbee Linux Windows Android Python Excel Ethernet Modbus Profibus Wi-Fi Internet Web DevOps McKinsey
"""
NAMES_IN_USE: Final = frozenset(_NAMES_IN_USE.split())
"""Names of tools that so many use that they name nobody."""

_LATIN_WORD = re.compile(
    r"(?:us|um|ia|is|ella|coccus|bacter|bacillus|myces|monas|spora|phyta|ium|ensis|oides|virus|plasma|aceae|"
    r"ales|otus|dinium)$"
)
_EPONYM_OF = """
acid acids algorithm analysis anode approach barrier base bath bond bridge cell cells chamber chart clause coefficient
constant correction curve cycle cycles decomposition detector detectors diagram disease distance distribution effect
effects electrode emulsion emulsions engine equation equations expansion factor filter filters flask flow force formula
function group hardness index instability integral interferometer interferometry isotherm layer law lens limit loop
machine matrix medium method methods microscopy mirror mode model models modulus network number oscillator plot plate
potential principle process pump ratio reaction reactor reagent resin resonance scale scattering sensor series shift
shock solution spectroscopy stain structure syndrome system temperature test tests theorem theory transform
transformation
tube turbine type valve velocity vortex wave waves yield
"""
EPONYM_OF: Final = frozenset(_EPONYM_OF.split())
"""What is named after a person: before these, a name is the field's own."""

_REGIONS = """
Hokkaido Aomori Iwate Miyagi Akita Yamagata Fukushima Ibaraki Tochigi Gunma Saitama Chiba Tokyo Kanagawa Niigata Toyama
Ishikawa Fukui Yamanashi Nagano Gifu Shizuoka Aichi Mie Shiga Kyoto Osaka Hyogo Nara Wakayama Tottori Shimane Okayama
Hiroshima Yamaguchi Tokushima Kagawa Ehime Kochi Fukuoka Saga Nagasaki Kumamoto Oita Miyazaki Kagoshima Okinawa
Tohoku Kanto Chubu Hokuriku Kansai Kinki Chugoku Shikoku Kyushu Honshu Okhotsk Europe Asia Africa America Americas
Southeast Northeast Nordic Scandinavia Arctic Antarctic Pacific Atlantic Baltic Siberia ASEAN EU
北海道 青森 岩手 宮城 秋田 山形 福島 茨城 栃木 群馬 埼玉 千葉 東京 神奈川 新潟 富山 石川 福井 山梨 長野 岐阜
静岡 愛知 三重 滋賀
京都 大阪 兵庫 奈良 和歌山 鳥取 島根 岡山 広島 山口 徳島 香川 愛媛 高知 福岡 佐賀 長崎 熊本 大分 宮崎 鹿児島 沖縄
東北 関東 中部 北陸 東海 甲信越 信越 関西 近畿 中国 四国 九州 道東 道央 道南 道北 首都圏 北関東 南関東 山陰
山陽 本州 日本 国内
日本海 太平洋 大西洋 オホーツク オホーツク海 瀬戸内 瀬戸内海 東シナ海 北極 南極 アジア 欧州 ヨーロッパ 北米
南米 アフリカ 東南アジア 世界
"""
REGIONS: Final = frozenset(_REGIONS.split())
"""Prefectures and what is larger: what a need may say of its place."""

_PREFECTURE = re.compile(r"(?:都|道|府|県|地方|地域|沿岸|圏|側|産|内|海|湾岸)+$")


def technical_spans(normal: str) -> Iterator[tuple[int, int]]:
    """Where standards, classes, materials, formulas, ions, protocols and figures with units are written."""
    for found in _TECHNICAL.finditer(normal):
        yield found.span()


def is_scientific_name(word: str, following: str) -> bool:
    """Whether a capitalised word has the ending of a genus or species, or is what something is named after."""
    return (
        bool(_LATIN_WORD.search(word.lower()))
        or following.lower().removesuffix("s") in EPONYM_OF
        or following.lower() in EPONYM_OF
    )


def is_region(name: str) -> bool:
    """Whether a place is a prefecture, a part of the country or larger."""
    return name in REGIONS or _PREFECTURE.sub("", name) in REGIONS
