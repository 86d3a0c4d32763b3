"""The words by which files head the fields, Japanese and English, parted by bars, per kind of entry."""

COMMON = {
    "external_id": (
        "ID|id番号|番号|No|管理番号|整理番号|登録番号|案件番号|案件ID|識別番号|identifier|record id|entry id"
    ),
    "reference": "参照番号|照会番号|問合せ番号|reference number|ref|ref no",
    "title": "タイトル|題名|表題|標題|件名|テーマ|テーマ名|名称|title|name|headline",
    "summary": ("概要|要約|要旨|公開概要|概要（公開）|summary|abstract|overview|public summary|short description"),
    "translation_title": (
        "英文タイトル|英語タイトル|タイトル（英語）|タイトル（英文）|英語名称|英文名称|名称（英語）|"
        "名称（英文）|件名（英語）|件名（英文）|英文件名|発明の名称（英語）|発明の名称（英文）|"
        "title (English)|title in English|English title|title (en)|title_en|title (translation)|"
        "translated title"
    ),
    "translation_summary": (
        "英文概要|英語概要|概要（英語）|概要（英文）|英文要約|要約（英語）|要約（英文）|技術概要（英語）|"
        "技術概要（英文）|summary (English)|summary in English|English summary|English abstract|"
        "summary (en)|summary_en|abstract (English)|translated summary"
    ),
    "applications": (
        "用途|想定用途|想定される用途|応用分野|応用例|活用例|活用場面|利用分野|想定される活用|"
        "想定される応用|applications|potential applications|possible applications|use cases|"
        "intended applications|target applications"
    ),
    "technology_keywords": (
        "キーワード|技術キーワード|技術用語|技術分野|分野|研究分野|専門分野|keywords|keyword|"
        "technology keywords|technical keywords|technology keyword|tags|field|technology field|"
        "technical field|research field"
    ),
    "market_keywords": (
        "市場キーワード|マーケットキーワード|市場|対象市場|業種|対象業種|関連業種|市場分野|"
        "market keywords|market keyword|market|target market|industry|industries|sector"
    ),
    "field_codes": "分野コード|分類コード|field codes|field code|classification codes",
    "field_codes:IPC": (
        "IPC|IPC分類|国際特許分類|国際特許分類（IPC）|特許分類|IPCコード|IPC codes|IPC code|"
        "IPC classification|international patent classification"
    ),
    "field_codes:CPC": ("CPC|CPC分類|CPCコード|共同特許分類|CPC codes|CPC code|cooperative patent classification"),
    "field_codes:FORD": "FORD|FORD分類|FORDコード|OECD分類|OECD FORD|FORD codes|FORD code|OECD field",
    "field_codes:KAKENHI": (
        "科研費分類|科研費審査区分|科研費小区分|審査区分|KAKENHI|KAKENHI code|KAKENHI review section"
    ),
    "field_codes:JSIC": "産業分類|日本標準産業分類|産業分類コード|JSIC|JSIC code|JSIC codes",
    "sdgs": "SDGs|SDG|SDGs目標|SDGs目標番号|関連するSDGs|関連SDGs|SDG goals|SDG number",
    "regions": "地域|対象地域|所在地域|都道府県|region|regions|prefecture|area",
    "language": "言語|記載言語|使用言語|language|lang",
    "expires_on": (
        "掲載期限|掲載終了日|公開期限|公開終了日|有効期限|掲載期間終了日|expires on|expiry date|expires|"
        "expiry|valid until|publish until"
    ),
    "open_for_interest": (
        "問い合わせ受付|問合せ受付|引き合い受付|受付可否|募集中|open for interest|open to interest|accepting enquiries"
    ),
    "status": (
        "状態|ステータス|公開状態|公開区分|公開可否|公開・非公開|公開／非公開|公開又は非公開|公開の可否|"
        "掲載状態|status|publication status"
    ),
    "organisation_ror": "ROR|ROR ID|organisation ROR|organization ROR|institution ROR",
    "organisation_corporate_number": (
        "法人番号|corporate number|organisation corporate number|organization corporate number"
    ),
    "opened_to": "公開先クラスター|opened to|opened to clusters",
}
SEED = {
    "external_id": (
        "シーズ番号|シーズID|シーズNo|技術番号|発明番号|seed id|seed number|seed no|technology id|technology number"
    ),
    "title": (
        "発明の名称|シーズ名|シーズ名称|技術名|技術名称|技術の名称|研究テーマ|研究テーマ名|研究課題名|"
        "技術タイトル|シーズタイトル|invention title|title of invention|technology title|technology name|"
        "seed title|seed name"
    ),
    "summary": (
        "技術概要|発明の概要|シーズ概要|研究概要|技術要約|研究の要約|technology summary|technical summary|"
        "technology overview|seed summary"
    ),
    "description": (
        "詳細|詳細説明|内容|技術内容|技術の詳細|技術詳細|技術説明|発明の内容|発明の詳細|研究内容|"
        "シーズ内容|シーズ詳細|description|full description|detailed description|details|"
        "technology description|technical description"
    ),
    "advantages": (
        "従来技術との比較|従来技術との違い|従来技術に対する優位性|従来技術との差異|優位性|新規性|"
        "新規性・優位性|特徴|特長|技術の特徴|強み|セールスポイント|advantages|advantage|"
        "comparison with prior art|competitive advantage|advantages over prior art|benefits|novelty|"
        "comparison with existing technology"
    ),
    "open_challenges": (
        "実用化に向けた課題|課題|今後の課題|残された課題|実用化への課題|技術課題|開発課題|open challenges|"
        "challenges|remaining challenges|challenges to commercialisation|challenges to commercialization|"
        "issues to be solved"
    ),
    "expected_partner": (
        "企業への期待|企業に期待すること|企業への要望|連携先への期待|期待するパートナー|求める連携先|"
        "想定連携先|求めるパートナー|expected partner|partner sought|expectations of partners|"
        "expectations for companies|expected partners|what we expect from companies|"
        "type of partner sought"
    ),
    "unpublished": (
        "未公開情報|未公開事項|未公開の内容|未公開部分|非公開情報|非公開事項|出願前情報|未発表情報|unpublished|"
        "unpublished part|unpublished information|confidential information|undisclosed information|not yet disclosed"
    ),
    "filing_expected_on": (
        "出願予定日|特許出願予定日|出願予定|filing expected|filing expected on|expected filing date|planned filing date"
    ),
    "trl": (
        "TRL|技術成熟度|技術成熟度（TRL）|技術成熟度レベル|技術成熟度レベル（TRL）|技術熟度|成熟度|"
        "現在のTRL|TRLレベル|TRL level|technology readiness level|technology readiness level (TRL)|"
        "technology readiness|current TRL"
    ),
    "stage": (
        "開発段階|開発ステージ|開発状況|研究段階|研究開発段階|開発フェーズ|ステージ|stage|"
        "development stage|stage of development|development status"
    ),
    "ipr_status": (
        "知財の状況|知的財産の状況|知的財産|知財|知財状況|知的財産権|出願状況|特許状況|特許の状況|"
        "特許出願状況|特許出願の状況|権利状況|IPR status|IP status|patent status|"
        "intellectual property status|IPR|intellectual property|IP rights status"
    ),
    "ipr_numbers": (
        "特許番号|出願番号|特許・出願番号|特許番号／出願番号|特許番号・出願番号|出願番号・特許番号|"
        "特許出願番号|公開番号|登録・出願番号|知財番号|IPR numbers|IPR number|patent number|"
        "patent numbers|application number|application numbers|patent or application number|"
        "patent/application number"
    ),
    "licensable": (
        "実施許諾|実施許諾の可否|実施許諾可否|ライセンス|ライセンス可否|ライセンスの可否|licensable|"
        "licensing|licence available|license available|available for licence|available for license|"
        "licensing available"
    ),
    "transferable": (
        "譲渡|譲渡の可否|譲渡可否|権利譲渡|権利譲渡の可否|transferable|assignable|available for transfer|"
        "transfer|assignment"
    ),
    "researcher_names": (
        "研究者|研究者名|研究者氏名|研究代表者|研究代表者名|研究代表者氏名|発明者|発明者名|代表研究者|"
        "教員名|氏名|researcher|researchers names|researcher name|researcher names|inventor|inventors|"
        "inventor name|principal investigator|lead researcher"
    ),
    "researchers": "researchers",
    "researcher_orcids": "ORCID|ORCID ID|ORCID iD|研究者ORCID|researcher ORCID|ORCIDs|researcher orcids",
    "researcher_erad_numbers": (
        "e-Rad|e-Rad番号|e-Rad研究者番号|研究者番号|研究者番号（e-Rad）|府省共通研究開発管理システム番号|"
        "e-Rad number|erad number|e-Rad researcher number|researcher erad number"
    ),
    "researcher_researchmaps": (
        "researchmap|リサーチマップ|researchmap URL|researchmap ID|researchmapパーマリンク|"
        "researchmap permalink|研究者researchmap"
    ),
    "organisation_name": (
        "所属機関|所属|所属機関名|大学|大学名|機関名|機関|研究機関|研究機関名|組織名|所属大学|"
        "大学・機関名|大学／機関名|出願人|affiliation|university|institution|organisation name|"
        "organization name|organisation|organization|institute|research institution|university name"
    ),
}
NEED = {
    "external_id": (
        "受付番号|ニーズ番号|ニーズID|ニーズNo|依頼番号|need id|need number|need no|request number|"
        "request id|receipt number"
    ),
    "title": ("ニーズ名|ニーズ名称|ニーズ件名|課題名|ニーズタイトル|案件名|need title|need name|request title|subject"),
    "summary": (
        "ニーズ概要|ニーズの要約|課題概要|依頼概要|相談概要|ニーズ|ニーズ内容|解決したい課題|need summary|"
        "need overview|need|problem summary|challenge summary|summary of need"
    ),
    "expertise_sought": (
        "求める技術・知見|求める技術|求める知見|必要な技術|必要な技術・知見|求める技術や知見|求める専門性|"
        "求める専門知識|求める技術シーズ|探している技術|expertise sought|expertise required|"
        "technology sought|sought expertise|expertise wanted|required expertise|"
        "technology or expertise sought"
    ),
    "wanted_trl": (
        "希望TRL|希望するTRL|求めるTRL|希望技術成熟度|希望する技術成熟度|TRL|技術成熟度|希望TRLレベル|"
        "wanted TRL|desired TRL|target TRL|required TRL|TRL wanted|希望する技術成熟度（TRL）|"
        "希望技術成熟度（TRL）|minimum TRL"
    ),
    "cooperation": (
        "連携形態|希望する連携形態|希望連携形態|連携の形態|連携方法|希望する連携|協力形態|cooperation|"
        "form of cooperation|forms of cooperation|type of cooperation|cooperation type|collaboration type|"
        "type of collaboration|cooperation sought|form of collaboration|preferred cooperation"
    ),
    "region_preference": (
        "希望地域|希望する地域|連携先の希望地域|希望エリア|地域の希望|region preference|preferred region|"
        "preferred regions|regional preference"
    ),
    "deadline": (
        "募集締切|募集締切日|締切|締切日|募集期限|回答期限|期限|応募締切|deadline|application deadline|"
        "closing date|due date"
    ),
    "anonymous": (
        "匿名希望|匿名|匿名の希望|匿名での掲載|匿名掲載|anonymous|anonymity|post anonymously|anonymous posting"
    ),
    "owner_named": (
        "企業名公開|企業名公開可否|企業名の公開|企業名の公開可否|企業名（公開可否）|社名公開|社名公開可否|"
        "社名の公開|社名の公開可否|owner named|company name public"
    ),
    "description": (
        "詳細|ニーズ詳細|詳細内容|詳細説明|詳細（非公開）|非公開詳細|description|details|detail|"
        "confidential description|confidential details|detailed description|full description"
    ),
    "requirements": (
        "必須要件|要件|要求仕様|必要要件|技術要件|要求事項|requirements|must have|mandatory requirements|"
        "technical requirements|requirement"
    ),
    "constraints": "制約条件|制約|制約事項|条件|constraints|constraint|restrictions|limitations",
    "budget_yen": (
        "想定予算|予算|予算額|予算規模|概算予算|想定予算額|想定費用|budget|budget in yen|expected budget|"
        "estimated budget|budget yen"
    ),
    "excluded_organisations": (
        "除外機関|除外する機関|対象外機関|除外先|除外希望機関|連携不可機関|除外機関名|除外大学|"
        "excluded organisations|excluded organizations|excluded institutions|organisations to exclude"
    ),
    "organisation_name": (
        "企業名|会社名|社名|企業|会社|法人名|組織名|事業者名|機関名|貴社名|company|company name|"
        "organisation name|organization name|organisation|organization|firm|client"
    ),
}
