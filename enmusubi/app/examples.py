"""Fictional bodies for the API description; a test posts every one of them."""

from typing import Any

Example = dict[str, Any]

SEEDS: list[Example] = [
    {
        "external_id": "KTU-2026-014",
        "title": "魚うろこ由来コラーゲンを用いた耐凍害コンクリート混和材",
        "summary": "水産加工で廃棄される魚うろこから得たコラーゲンペプチドを混和し、凍結融解によるひび割れを抑えます。",
        "translation_title": "Freeze-tolerant concrete additive from fish-scale collagen",
        "description": "ペプチドが氷晶の成長面に吸着し、毛細管空隙での膨張圧を下げる。"
        "300サイクルの凍結融解試験で相対動弾性係数92%を保った。",
        "advantages": "従来のAE剤と異なり、空気量を増やさないため強度が落ちない。",
        "applications": "寒冷地の橋梁床版、港湾構造物、道路縁石の補修材",
        "open_challenges": "うろこのロットによる分子量のばらつき、年間10トン規模での抽出コスト",
        "expected_partner": "生コンクリートまたは補修材の製造設備を持ち、冬季の実地試験に協力いただける企業",
        "technology_keywords": ["コラーゲンペプチド", "耐凍害性", "混和材"],
        "market_keywords": ["インフラ補修"],
        "field_codes": ["IPC:C04B 24/14", "JSIC:D06"],
        "sdgs": [9, 12],
        "regions": ["北海道"],
        "language": "ja",
        "trl": 4,
        "stage": "lab_tested",
        "ipr_status": "applied",
        "ipr_numbers": ["特願2025-123456"],
        "licensable": True,
        "transferable": False,
        "researchers": [{"name": "潮見 花", "orcid": "0000-0002-1825-0097"}],
    },
    {
        "title": "Hyperspectral sorting of scallop adductor muscle at line speed",
        "summary": "A line-scan camera and a small classifier reject discoloured scallops at 12 pieces a second.",
        "applications": "Shellfish processing lines; other wet, reflective foods",
        "technology_keywords": ["hyperspectral imaging", "line-scan camera"],
        "field_codes": ["IPC:G01N 21/27"],
        "language": "en",
        "trl": 6,
        "stage": "available_for_demonstration",
        "ipr_status": "secret_know_how",
        "licensable": True,
    },
]
NEEDS: list[Example] = [
    {
        "title": "冬季でもひび割れない道路縁石の材料",
        "summary": "凍結防止剤をまく路線で縁石の表面がはがれます。5年以上もつ材料か補修方法を探しています。",
        "expertise_sought": "コンクリートの耐凍害性、塩化物による劣化の評価",
        "technology_keywords": ["耐凍害性", "スケーリング"],
        "field_codes": ["IPC:C04B"],
        "regions": ["北海道"],
        "language": "ja",
        "wanted_trl": 5,
        "cooperation": ["joint_research", "technical_consultation"],
        "description": "既設路線の約3割で補修が必要になっており、来季までに試験施工したい。",
        "requirements": "1個あたりの材料費の増加は15%まで",
        "constraints": "既存の型枠を使えること",
        "budget_yen": 8_000_000,
        "excluded_organisations": ["架空セメント総合研究所"],
    },
    {
        "title": "Non-contact freshness check for shellfish",
        "summary": "We sort 40,000 scallops a day by eye and want a camera that does it as reliably.",
        "cooperation": ["commissioned_research", "licence"],
        "language": "en",
        "anonymous": False,
        "budget_yen": 3_500_000,
    },
]
ORGANISATIONS: list[Example] = [
    {
        "name": "潮見工科大学",
        "name_en": "Shiomi Institute of Technology",
        "kind": "university",
        "region": "北海道",
    },
    {"name": "Northwind Kerbstone K.K.", "kind": "company", "size_band": "21-100", "region": "Hokkaido"},
]
SEED_REVISIONS: list[Example] = [
    {"trl": 5, "stage": "available_for_demonstration", "open_challenges": None},
    {"status": "on_hold"},
]
NEED_REVISIONS: list[Example] = [
    {"summary": "縁石に加え、歩道の平板も対象にします。", "budget_yen": 12_000_000},
    {"open_for_interest": False},
]
ORGANISATION_REVISIONS: list[Example] = [{"region": "Tohoku", "size_band": None}]
MATCH_QUERIES: list[Example] = [
    {"text": "凍結融解に強いコンクリートの混和材", "limit": 5},
    {"text": "We can grade shellfish by hyperspectral imaging.", "against": "needs"},
]
REVIEWS: list[Example] = [
    {"verdict": "shortlist", "note": "両者とも冬季の試験施工に前向き"},
    {"verdict": "dismiss", "reason": "too_early"},
]
STEPS: list[Example] = [{"note": "電話で双方の意向を確認済み"}, {}]
PAIRS: list[Example] = [
    {
        "need": "7f6b2c1e-5f0e-4d0a-9a3e-0f6f4b0f6a11",
        "seed": "0b9f3f4e-9d51-4a0c-8f43-7a4b1c2d3e4f",
        "note": "展示会での立ち話から",
    }
]
YESES: list[Example] = [
    {"message": "冬季の試験施工に関心があります。", "discloses": ["requirements"], "note": "予算は次年度から"},
    {},
]
REFUSALS: list[Example] = [{"reason": "too_early", "message": "Please ask again when it has left the laboratory."}]
REPORTS: list[Example] = [{"on": "2027-02-03", "message": "次回は現地で。"}, {}]
OUTCOMES: list[Example] = [
    {
        "kind": "joint_research",
        "amount_yen": 3_000_000,
        "agreed_on": "2027-03-01",
        "starts_on": "2027-04-01",
        "ends_on": "2028-03-31",
    }
]
HANDOVERS: list[Example] = [{"to": "3d1c9a52-0c3e-4a7e-8a55-6f2a9d0f7c21", "note": "年度末の異動"}]
