"""What to write instead of what was found."""

from enmusubi.matching.identifying.findings import Kind, Owner, Suggestion

_BY_KIND = {
    Kind.ORGANISATION: Suggestion(
        "相手先の名前は書かず、「取引先」「大手小売」「大学」のように種類だけにします。",
        "Leave the name out; say only what it is: a customer, a retailer, a university.",
    ),
    Kind.PERSON: Suggestion(
        "人名は書かず、「担当者」とします。連絡はコーディネータが取り次ぎます。",
        "Leave the person out, or write “our staff”; the coordinator passes messages on.",
    ),
    Kind.PLACE: Suggestion(
        "市町村や地名は都道府県か地方までにします（例：「北海道の工場」）。",
        "Name the prefecture or a larger region only, for example “a plant in Hokkaido”.",
    ),
    Kind.ADDRESS: Suggestion(
        "住所は消します。必要なら都道府県だけを書きます。",
        "Remove the address; name the prefecture at most.",
    ),
    Kind.POSTAL_CODE: Suggestion("郵便番号は消します。", "Remove the postal code."),
    Kind.PHONE: Suggestion(
        "電話番号は消します。連絡はコーディネータが取り次ぎます。",
        "Remove the telephone number; the coordinator passes messages on.",
    ),
    Kind.EMAIL: Suggestion(
        "メールアドレスは消します。連絡はコーディネータが取り次ぎます。",
        "Remove the e-mail address; the coordinator passes messages on.",
    ),
    Kind.WEB_ADDRESS: Suggestion(
        "リンクは消し、必要な内容だけを文で書きます。", "Remove the link and say in words what matters of it."
    ),
    Kind.CORPORATE_NUMBER: Suggestion("法人番号は消します。", "Remove the corporate number."),
    Kind.PATENT_NUMBER: Suggestion(
        "特許番号は非公開の「詳細」に移し、ここでは技術の内容だけを書きます。",
        "Move the patent number to the confidential description and tell only what the technique does.",
    ),
    Kind.REGISTRATION_NUMBER: Suggestion(
        "登録・許可などの番号は消すか、非公開の「詳細」に移します。",
        "Remove the registration number or move it to the confidential description.",
    ),
    Kind.MODEL_NUMBER: Suggestion(
        "型番や開発番号は書かず、「現行機」「候補品」のように種類だけにします。",
        "Leave the model number out; write “our present machine” or “a candidate”.",
    ),
    Kind.PRODUCT: Suggestion(
        "商品名は書かず、「植物性飲料」のような一般的な種類にします。",
        "Replace the brand by the kind of product, for example “a plant-based drink”.",
    ),
    Kind.RARE_TERM: Suggestion(
        "ほかで使われない言葉です。誰もが使う技術用語に言い換えます。",
        "Nobody else in the catalogue uses this word; write a technical term that is common in your field.",
    ),
}


def suggestion(kind: Kind, owner: Owner | None) -> Suggestion:
    """What to write instead; for the owner's name, its region and size band as far as they are known."""
    if kind is not Kind.OWN_NAME:
        return _BY_KIND[kind]
    region = owner.region if owner else None
    size = owner.size_band if owner else None
    ja = (f"{region}の" if region else "") + (f"従業員{size}名の企業" if size else "企業")
    en = "a company" + (f" of {size} employees" if size else "") + (f" in {region}" if region else "")
    return Suggestion(
        f"自社の名前は書かず、「{ja}」のように地域と規模だけにします。",
        f"Leave your own name out; give region and size band only, for example “{en}”.",
    )
