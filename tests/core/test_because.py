"""The words that a decision hangs on are found, by the same model that decided."""

from pathlib import Path

import pytest

from core.because import MAX_WORDS, _without, _words, because
from core.bundle import save
from core.classifier import Classifier


@pytest.fixture
def classifier(tmp_path: Path, tiny_manifest, tiny_files) -> Classifier:
    save(tmp_path / "bundle", tiny_manifest, tiny_files)
    return Classifier.load(tmp_path / "bundle")


def test_the_word_for_a_queue_comes_first_and_one_against_it_is_negative(classifier) -> None:
    text = "Hello, the laptop and my laptop password"
    moved = because(classifier, text, "Hardware")
    assert [each.word for each in moved] == ["laptop", "password"]
    assert moved[0].share > 0.3
    assert moved[1].share < 0
    assert because(classifier, text, "Access")[0].word == "laptop"


def test_a_share_is_what_the_probability_loses_without_the_word(classifier) -> None:
    found = because(classifier, "laptop disk", "Hardware")
    (moved,) = (each for each in found if each.word == "laptop")
    whole, without = (
        classifier.classify([text])[0].probabilities["Hardware"] for text in ("laptop disk", "disk")
    )
    assert moved.share == pytest.approx(whole - without, abs=1e-3)


@pytest.mark.parametrize("text", ["", "?!", "zebra", "nothing known here"])
def test_where_no_word_matters_none_is_named(classifier, text: str) -> None:
    assert because(classifier, text, "Hardware") == ()


def test_long_texts_cost_a_bounded_number_of_words(classifier, monkeypatch) -> None:
    asked = []
    encode = type(classifier.encoder).encode
    monkeypatch.setattr(
        type(classifier.encoder),
        "encode",
        lambda self, texts: asked.append(len(texts)) or encode(self, texts),
    )
    because(classifier, " ".join(f"word{n}x" for n in range(500)), "Hardware")
    assert asked == [MAX_WORDS + 1]


def test_an_unknown_queue_is_refused(classifier) -> None:
    with pytest.raises(ValueError, match="Nowhere"):
        because(classifier, "laptop", "Nowhere")


def test_words_keep_their_vowel_signs_and_leave_quotes_out() -> None:
    assert list(_words("हिन्दी में प्रिंटर 'quoted' wi-fi don\u2019t")) == [
        "हिन्दी",
        "में",
        "प्रिंटर",
        "quoted",
        "wi-fi",
        "don\u2019t",
    ]
    assert _without("'disk' disks DISK", "disk").split() == ["'", "'", "disks"]
