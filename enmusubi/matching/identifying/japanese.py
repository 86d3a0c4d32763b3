"""Names in Japanese text: firms and institutions, persons, places, addresses, words that no dictionary has."""

import re
from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Sequence

from enmusubi.matching.identifying.findings import Hit, Kind, Sureness
from enmusubi.matching.identifying.owners import FORM_JA
from enmusubi.matching.identifying.technical import is_region
from enmusubi.matching.identifying.text import Text
from enmusubi.matching.lexical.japanese import Tagged

CERTAIN, LIKELY, POSSIBLE = Sureness.CERTAIN, Sureness.LIKELY, Sureness.POSSIBLE

_FORM = re.compile(FORM_JA)
_INSTITUTION = re.compile(
    r"(?:大学(?:校|院)?|高専|高等専門学校|高校|高等学校|学園|病院|クリニック|医院|生協|生活協同組合|農協|"
    r"農業協同組合|漁協|漁業協同組合|協同組合|"
    r"森林組合|財団|協会|研究所|試験場|製作所|製造所|造船所|醸造所?|酒造|商店|商会|銀行|信用金庫|牧場|農場|"
    r"ホテル|旅館|スーパー|ホールディングス|工業|"
    r"食品|乳業|水産|製薬|化成|化学|電機|建設|物産|産業|重工|製菓|運輸|鉄工|精機|紡績|製紙)$"
)
_WEAK = re.compile(
    r"(?:工業|食品|水産|製薬|化学|電機|建設|物産|産業|運輸|紡績|製紙|酒造|醸造所?|農場|牧場|協会|研究所|スーパー)$"
)
_GENERIC = """
当 本 各 同 他 自社 他社 社内 国立 公立 県立 市立 町立 私立 地方 地域 地元 中核 基幹 総合 救急 急性 療養 動物
医科 工科 農科 単科 理科 大手 中小
国内 海外 全国 連携 提携 協力 契約 公的 民間 附属 付属 専門 中央 大型 小型 有機 酪農 観光 実験 試験 開発 研究
精密 技術 先端 産業 工業 農業 林業 漁業
水産 食品 冷凍 加工 健康 機能 介護 医療 高分子 有機 無機 分析 環境 応用 物理 生物 合成 電気 土木 建築 機械
複数 別 某 大 小 近隣 周辺 共同 全 両 加盟
会員 参加 取引 養殖 乳用 肉用 都市 離島 寒冷 一次 二次 地場 関連 製造 自動車 医薬 化粧 樹脂 繊維 金属 情報
伝統 発酵 保存 加熱 生鮮 高齢 乳 石油
"""
_GENERIC_WORDS = frozenset(_GENERIC.split())

_TITLES_LISTED = """
さん 様 氏 殿 君 主任 係長 課長 部長 次長 室長 所長 工場長 社長 専務 常務 会長 取締役 代表 教授
准教授 助教 講師 博士 先生 技師 技師長 主査 主幹 主事 リーダー 店長 院長 町長 市長 村長 理事 理事長
"""
_TITLES = frozenset(_TITLES_LISTED.split())
_IN_CHARGE = re.compile(
    r"(?:担当|責任者|代表|窓口|連絡先|社長|部長|課長|主任|開発者|発明者|創業者)(?:者)?(?:は|の|が|:|:|、|・)?\s?$"
)

_MUNICIPALITY = re.compile(r"[市町村郡](?:立|内|役所|役場|営|民)?$")
_SITE = re.compile(
    r"の?(?:第[一二三四五\d]+)?(?:本社|工場|事業所|支店|支社|営業所|研究所|倉庫|牧場|農場|港|漁港|沖|湾|川|岳|"
    r"空港|店|製造所|物流センター|センター|圃場|処理場|漁協|農協|発電所|鉱山|ダム)"
)
_TOWN = re.compile(
    r"(?<![一-龥々ァ-ヶー])([一-龥々ヶケ]{1,5}|[ァ-ヶー]{3,8})(?:市立|町立|村立|市内|町内|村内|市|町|村|"
    r"郡)(?![場況販街価落部])"
    r"(?=[のにでとはがをへや、。,.)」\s]|$|[一-龥]{1,2}(?:の|に|で|、|が)|病院|沖|産|営|工場|民|役場|から|まで|"
    r"より|及び|および|周辺|近郊|との|とも)"
)
_COMPANY = re.compile(
    r"(?<![一-龥々ァ-ヶーA-Za-z0-9])([ァ-ヶー]{3,12}|[A-Z][A-Za-z&]{2,15}|"
    r"[一-龥々]{2,4})社(?![員会内外長屋食印宅史用団殿製協費風運是告主])"
)
_SOCIETIES_LISTED = """
株式会 有限会 合同会 合資会 合名会 相互会 会 自 他 当 弊 本 同 各 全 複数 親会 子会 関連会 協力会
取引 競合 メーカー ベンダー グループ グループ会 商 出版 新聞 通信 競合他 ライバル 数 元請 下請
"""
_SOCIETIES = frozenset(_SOCIETIES_LISTED.split())
_DEALING = re.compile(r"(?:様|グループ|との取引|に納|へ納|に供給|への納|から受注|の下請|の協力会社|の特約店|と共同)")
_TOWNLESS_LISTED = """
都 各 同 当 本 他 下 山 農 漁 港 全 両 近隣 地元 周辺 隣 城下 門前 温泉 三 四 五 二 数 一 架空 離島
政令 地方 主要 大 小
"""
_TOWNLESS = frozenset(_TOWNLESS_LISTED.split())
_ADDRESS = re.compile(
    r"[一-龥々ァ-ヶー]{0,8}(?:[0-9]{1,3}|[一二三四五六七八九十]{1,3})丁目(?:[0-9]{1,4}|"
    r"[一二三四五六七八九十]{1,3})?(?:番地?(?:の?[0-9]+号?)?|-[0-9]+(?:-[0-9]+)?)?"
    r"|[一-龥々ァ-ヶー]{0,8}[0-9]{1,5}番地(?:の?[0-9]+)?|"
    r"[市町村区][一-龥々ァ-ヶー]{1,8}[0-9]{1,4}-[0-9]{1,4}(?:-[0-9]{1,4})?(?![0-9-])"
)

_OWN_WORD = (
    re.compile(
        r"(?:社内|当社|弊社|自社|現場|工場|うち|我々)(?:では?|にて|"
        r"の中で)[「『\"]?([^、。「」『』\n]{2,16}?)[」』\"]?(?:と|と言って|として)(?:呼|称|名付|いう|言)"
    ),
    re.compile(
        r"([^\s、。「」『』をがはにで]{2,16})[」』]?(?:という|と呼ぶ|と称する|と名付けた|と呼んでいる)(?:自社|"
        r"社内|独自|当社|弊社|我が社|自前|商品|製品|ブランド)"
    ),
    re.compile(
        r"([^\s、。「」『』をがはにで]{2,16})[」』]?(?:と|を)(?:は)?、?(?:社内|当社|弊社|自社|現場|工場|"
        r"うち)(?:では?|にて|の中で|が|は)(?:呼|称|名付|言|いう)"
    ),
    re.compile(
        r"(?:通称|愛称|社内呼称|自社工法|独自工法|自社開発の|独自の|当社独自の)[「『:]?([ァ-ヶー]{3,}[一-龥]{0,4})"
    ),
    re.compile(r"([ァ-ヶーA-Za-z一-龥ぁ-ん]{2,16})(?:シリーズ|ブランド)"),
)
_COINED = re.compile(r"[ァ-ヶ]{3}|[A-Z]")
_AFTER_PLACE_LISTED = """
の で に から へ や と まで 産 発 沖 近郊 周辺 では での への からの 、 。
"""
_AFTER_PLACE = frozenset(_AFTER_PLACE_LISTED.split())
_WORDS_OF_A_NAME = 8
_ENDING = 12  # characters of the longest ending of an institution's name
_LONGEST = 40
_KANJI = re.compile(r"[一-龥々ヶケノ]{2,}")
_KATAKANA = re.compile(r"[ァ-ヶー]{4,}")
_CHEMICAL = re.compile(
    r"(?:アミン|アミド|イミド|エステル|エーテル|アルコール|ール|ナール|オール|アルデヒド|ケトン|酸|塩|シド|"
    r"ゾール|チド|ペプチド|タンパク|ナーゼ|アーゼ|ース|オース|"
    r"イン|チン|リン|ニン|ミン|ジン|シン|ピン|ロン|ドン|トン|レン|セン|ゲン|マー|ライト|ナイト|タイト|ゼル|"
    r"ゲル|ゾル|セル|イオン|ラジカル|ポリマー|シリカ|"
    r"シロキサン|シラン|フィン|ウム|ニア|シア|クス|スコピー|メトリー|グラフィー|グラフ|メーター|スコープ|"
    r"センサー?|テスト|プロセス|システム|モデル|フィルター?|"
    r"ション|ティング|リング|ング|イズ|テック|ロジー|ミクス|ティクス|ティ|リティ|シー|ター|サー|ダー|ラー|"
    r"レーター|ネーター|ロニクス|フリー|レス|ベース|"
    r"キトイ|ウス|エラ|バクター|コッカス|バチルス|マイセス)$"
)


def japanese(text: Text) -> Iterator[Hit]:
    """Names in the Japanese words of a text."""
    normal, words = text.normal, text.words
    yield from _firms(normal, words)
    yield from _institutions(words)
    yield from _companies(normal, words)
    yield from _persons(normal, words)
    yield from _places(normal, words, not text.lists_terms)
    for found in _ADDRESS.finditer(normal):
        yield Hit(*found.span(), Kind.ADDRESS, CERTAIN)
    yield from _own_words(normal, words)
    yield from _unknown(words)


def _firms(normal: str, words: Sequence[Tagged]) -> Iterator[Hit]:
    """A company's form with the name before or after it."""
    starts = {word.start: place for place, word in enumerate(words)}
    ends = {word.end: place for place, word in enumerate(words)}
    for found in _FORM.finditer(normal):
        start, end = found.span()
        place = starts.get(end)
        while place is not None and place < len(words) and _in_name(words[place]) and end - start < _LONGEST:
            end = words[place].end
            place += 1
        place = ends.get(start)
        while (
            end == found.end()
            and place is not None
            and place >= 0
            and _in_name(words[place])
            and end - start < _LONGEST
        ):
            start = words[place].start
            place -= 1
        if (start, end) != found.span():
            yield Hit(start, end, Kind.ORGANISATION, CERTAIN)


def _companies(normal: str, words: Sequence[Tagged]) -> Iterator[Hit]:
    """A name with 社, or a proper name that business is done with."""
    for found in _COMPANY.finditer(normal):
        if found[1] not in _SOCIETIES and found[1] not in _GENERIC_WORDS:
            yield Hit(*found.span(1), Kind.ORGANISATION, LIKELY)
    for word in words:
        proper = word.tags[1] == "固有名詞" and word.tags[2] == "一般" and len(word.surface) > 2
        if proper and not word.surface.isascii():
            dealing = _DEALING.match(normal, word.end)
            yield Hit(word.start, word.end, Kind.ORGANISATION, LIKELY if dealing else POSSIBLE, common_clears=True)


def _in_name(word: Tagged) -> bool:
    return word.tags[0] in ("名詞", "接頭辞", "接尾辞", "形状詞") and word.surface not in _TITLES


def _institutions(words: Sequence[Tagged]) -> Iterator[Hit]:
    """A run of nouns that ends like an institution or a firm and begins with something that tells which."""
    for start, end in _noun_runs(words):
        for last in range(start, end):
            first = max(start, last + 1 - _WORDS_OF_A_NAME)
            name = "".join(word.surface for word in words[first : last + 1])
            if not _INSTITUTION.search(name[-_ENDING:]):
                continue
            before = [word for word in words[first : last + 1] if not is_region(word.surface)]
            telling = [word for word in before if _is_telling(word)]
            strong = not _WEAK.search(name)
            rest = before[:-1] if len(before) > 1 else []
            named = any(word.tags[1] == "固有名詞" for word in telling)
            if named or (strong and any(word in telling for word in rest)):
                yield Hit(words[first].start, words[last].end, Kind.ORGANISATION, LIKELY)


def _is_telling(word: Tagged) -> bool:
    if word.surface in _GENERIC_WORDS or word.tags[1] == "数詞" or len(word.surface) == 1 or word.surface.isascii():
        return False
    if word.tags[1] == "固有名詞":
        return True
    # A word for something counted or done is no name; a rare noun of two or three characters may be one.
    return word.tags[2] == "一般" and not _INSTITUTION.fullmatch(word.surface) and 2 <= len(word.surface) <= 4


def _noun_runs(words: Sequence[Tagged]) -> Iterator[tuple[int, int]]:
    start = None
    for place, word in enumerate(words):
        noun = word.tags[0] == "名詞" or (
            start is not None and word.tags[0] == "接尾辞" and word.surface not in _TITLES
        )
        if noun and start is None:
            start = place
        elif not noun and start is not None:
            yield start, place
            start = None
    if start is not None:
        yield start, len(words)


def _persons(normal: str, words: Sequence[Tagged]) -> Iterator[Hit]:
    for place, word in enumerate(words):
        if word.tags[2] != "人名" or word.tags[3] != "姓":
            continue
        following = words[place + 1 : place + 4]
        given = following[0] if following and following[0].tags[2] == "人名" and following[0].tags[3] == "名" else None
        end = given.end if given else word.end
        after = [each for each in following if each.start >= end and each.tags[0] != "空白"]
        titled = bool(after) and any(after[0].surface.startswith(title) for title in _TITLES)
        if titled:
            yield Hit(word.start, end, Kind.PERSON, CERTAIN)
        elif (given and end - word.start > 2) or _IN_CHARGE.search(normal, max(0, word.start - 12), word.start):
            yield Hit(word.start, end, Kind.PERSON, LIKELY)


def _places(normal: str, words: Sequence[Tagged], prose: bool) -> Iterator[Hit]:
    common = {word.start: word.end for word in words if word.known and word.tags[1] != "固有名詞"}
    for found in _TOWN.finditer(normal):
        name = found[1]
        whole = common.get(found.start(), 0) > found.end(1)  # 農村, 朝市: one word of the dictionary
        if not whole and name not in _TOWNLESS and name not in _GENERIC_WORDS and not is_region(name):
            known = common.get(found.start()) == found.end(1) and len(name) < 2
            yield Hit(found.start(), found.end(), Kind.PLACE, POSSIBLE if known else LIKELY)
    for place, word in enumerate(words):
        surface = word.surface
        if word.tags[2] == "地名" and word.tags[3] != "国":
            if is_region(surface) or len(surface) < 2:
                continue
            followed = words[place + 1].surface if place + 1 < len(words) else ""
            town = _MUNICIPALITY.search(surface) or _MUNICIPALITY.match(followed)
            # Of katakana, サバ is a state and a fish; terms of a list are seldom places.
            told = prose and _KANJI.fullmatch(surface) and followed in _AFTER_PLACE
            likely = town or told or _SITE.match(normal, word.end)
            yield Hit(word.start, word.end, Kind.PLACE, LIKELY if likely else POSSIBLE, common_clears=not town)


def _own_words(normal: str, words: Sequence[Tagged]) -> Iterator[Hit]:
    """What the text itself says that its owner calls so."""
    starts = [word.start for word in words]
    for pattern in _OWN_WORD:
        for found in pattern.finditer(normal):
            start, end = found.span(1)
            inside = words[max(0, bisect_right(starts, start) - 1) : bisect_left(starts, end)]
            coined = any(not word.known or word.tags[1] == "固有名詞" for word in inside) or _COINED.search(found[1])
            if coined:
                kind = Kind.PRODUCT if found[0].endswith(("シリーズ", "ブランド")) else Kind.RARE_TERM
                yield Hit(start, end, kind, LIKELY, common_clears=True)


def _unknown(words: Sequence[Tagged]) -> Iterator[Hit]:
    """Katakana that no dictionary has and that is not built like a technical term."""
    for word in words:
        if not word.known and _KATAKANA.fullmatch(word.surface) and not _CHEMICAL.search(word.surface):
            yield Hit(word.start, word.end, Kind.RARE_TERM, POSSIBLE, common_clears=True)
