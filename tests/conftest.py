import json
from pathlib import Path

import pytest

from core.classifier import Classifier
from core.decision import Decision

ROOT = Path(__file__).parents[1]


@pytest.fixture(scope="session")
def root():
    return ROOT


@pytest.fixture(scope="session")
def classifier():
    """The bundle that is shipped."""
    loaded = Classifier.load(ROOT / "models" / "default")
    loaded.warm_up()
    return loaded


@pytest.fixture(scope="session")
def texts(classifier):
    """Real messages by what the shipped bundle decides about them, whatever it is."""
    lines = (ROOT / "models" / "samples.jsonl").read_text(encoding="utf-8").splitlines()
    found = {decision: [] for decision in Decision}
    all_texts = [json.loads(line)["text"] for line in lines]
    filed = classifier.classify(all_texts, filed=True)
    for text, judged, on_purpose in zip(
        all_texts, classifier.classify(all_texts), filed, strict=True
    ):
        # Judged the same in a channel and filed on purpose, so that tests may do either.
        if judged.decision in (on_purpose.decision, Decision.IGNORE):
            found[judged.decision].append(text)
    assert all(len(of_kind) >= 3 for of_kind in found.values()), found
    return found
