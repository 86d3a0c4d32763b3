"""The closed vocabularies as files write them, Japanese and English, by their normalised words."""

from enmusubi.app.vocabulary import Cooperation, EntryStatus, IprStatus, Stage
from enmusubi.ingest.sources.fields import key

_YES = "可 可能 有 有り あり ○ 〇 ◯ ● ◎ はい 要 希望 希望する 希望します する yes y true t 1 ok レ ✓ ✔ 該当"
_NO = "不可 不可能 無 × ✕ ✗ x いいえ 不要 不希望 希望しない 希望しません しない no n false f 0 ng 非該当"
_MISSING = (
    "ー なし 無し ナシ 未定 未記入 未入力 特になし 特に無し 該当なし 該当無し 該当せず 不明 "
    "n/a na none null nil tbd tba nothing"
)
YES = frozenset(map(key, _YES.split()))
NO = frozenset(map(key, _NO.split()))
# Typed fields only: in prose every word stays. A closed vocabulary looks its own words up first.
MISSING = frozenset(map(key, _MISSING.split())) | {""}


def _table(words: dict[str, str]) -> dict[str, str]:
    return {key(word): value for value, text in words.items() for word in (value, *text.split("|"))}


STAGE = _table(
    {
        Stage.CONCEPT: (
            "概念|構想|構想段階|コンセプト|アイデア|アイディア|アイデア段階|基礎研究|基礎研究段階|concept stage|idea"
        ),
        Stage.UNDER_DEVELOPMENT: (
            "開発中|研究開発中|開発段階|応用研究|応用研究段階|応用段階|development|in development"
        ),
        Stage.LAB_TESTED: (
            "実験室検証|実験室検証済|実験室検証済み|実験室で検証済|実験室で検証済み|実験室レベル|"
            "ラボ検証済|ラボ検証済み|ラボ実証済|ラボ実証済み|研究室レベルで検証済|研究室レベルで検証済み|"
            "laboratory tested|tested in the lab|tested in laboratory|lab-tested|laboratory-tested"
        ),
        Stage.AVAILABLE_FOR_DEMONSTRATION: (
            "実証可能|デモ可能|デモンストレーション可能|実演可能|実証段階|試作品あり|試作機あり|実証済|"
            "実証済み|available for demo|demonstration available|ready for demonstration|demonstrable"
        ),
        Stage.ON_THE_MARKET: (
            "製品化|製品化済|製品化済み|実用化済|実用化済み|市販|市販中|市販済|市販済み|上市|上市済|"
            "上市済み|販売中|already on the market|on market|commercialised|commercialized|marketed"
        ),
    }
)
IPR_STATUS = _table(
    {
        IprStatus.NONE: "なし|無し|無|未出願|特許なし|出願なし|知財なし|no patent|not filed|no ipr",
        IprStatus.SECRET_KNOW_HOW: (
            "ノウハウ|秘匿ノウハウ|ノウハウ秘匿|ノウハウとして秘匿|営業秘密|秘密ノウハウ|know-how|"
            "trade secret|secret knowhow"
        ),
        IprStatus.APPLIED: (
            "出願|出願中|特許出願中|出願済|出願済み|特許出願済|特許出願済み|公開済|公開済み|審査中|"
            "審査請求中|patent pending|pending|filed|application filed|patent applied for|patent applied|"
            "applied for"
        ),
        IprStatus.GRANTED: (
            "登録|登録済|登録済み|特許登録済|特許登録済み|特許取得|特許取得済|特許取得済み|取得済|"
            "取得済み|権利化済|権利化済み|成立|patent granted|patented|registered|granted patent"
        ),
    }
)
COOPERATION = _table(
    {
        Cooperation.JOINT_RESEARCH: (
            "共同研究|共同開発|共同研究開発|collaborative research|joint r&d|joint development"
        ),
        Cooperation.COMMISSIONED_RESEARCH: (
            "受託研究|委託研究|研究委託|受託|委託|contract research|sponsored research"
        ),
        Cooperation.TECHNICAL_CONSULTATION: (
            "技術相談|技術コンサルティング|相談|consultation|technical consulting|consulting|technical advice"
        ),
        Cooperation.ACADEMIC_GUIDANCE: "学術指導|技術指導|academic advice|guidance|academic consulting",
        Cooperation.LICENCE: (
            "実施許諾|ライセンス|ライセンス契約|技術移転|特許実施許諾|license|licensing|licence agreement|"
            "technology transfer"
        ),
        Cooperation.CLINICAL_TRIAL: "治験|臨床試験|clinical trials|clinical study",
    }
)
STATUS = _table(
    {
        EntryStatus.DRAFT: "下書き|下書|草稿|作成中",
        EntryStatus.PUBLISHED: "公開|公開中|公開する|公開可|掲載|掲載中|可|public|open|live|active",
        EntryStatus.ON_HOLD: (
            "保留|保留中|非公開|公開しない|公開不可|不可|停止中|掲載停止|hold|not public|private|paused"
        ),
    }
)
LANGUAGE = {
    key(word): value
    for value, text in {
        "ja": "ja|jp|jpn|日|日本語|和文|japanese|ja-JP",
        "en": "en|eng|英|英語|英文|english|en-US|en-GB",
    }.items()
    for word in text.split("|")
}
CHOICES = {
    "stage": STAGE,
    "ipr_status": IPR_STATUS,
    "cooperation": COOPERATION,
    "status": STATUS,
    "language": LANGUAGE,
}
