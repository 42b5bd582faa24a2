"""Probabilities that hold and thresholds that keep a promise, on data whose truth is known."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.calibration import (
    Prior,
    calibration_error,
    calibration_interval,
    fit_pool,
    lower_bound,
    threshold,
)
from core.heads import softmax


def _drawn(n: int, *, sharpness: float) -> tuple[np.ndarray, np.ndarray]:
    """Logits that are too sharp by a factor, and classes drawn from the true probabilities."""
    random = np.random.default_rng(7)
    true = random.normal(size=(n, 3)) * 2
    chosen = (softmax(true).cumsum(axis=1) > random.random((n, 1))).argmax(axis=1)
    return true * sharpness, np.eye(3)[chosen]


def test_pooling_finds_the_temperature() -> None:
    logits, targets = _drawn(4000, sharpness=4.0)
    nothing = np.zeros_like(logits)
    pool = fit_pool([logits, nothing], targets)
    assert pool.weights[0] == pytest.approx(0.25, abs=0.03)
    assert np.abs(pool.bias).max() < 0.15
    confidence = pool([logits, nothing])
    correct = confidence.argmax(axis=1) == targets.argmax(axis=1)
    assert calibration_error(confidence.max(axis=1), correct) < 0.03
    raw = softmax(logits)
    assert calibration_error(raw.max(axis=1), raw.argmax(axis=1) == targets.argmax(axis=1)) > 0.08


def test_pooling_ignores_a_model_that_knows_nothing_and_rows_without_weight() -> None:
    logits, targets = _drawn(2000, sharpness=1.0)
    noise = np.random.default_rng(1).normal(size=logits.shape) * 3
    targets[:500] = 0
    logits[:500] = -logits[:500] * 10
    weights = fit_pool([logits, noise], targets).weights
    assert weights[0] == pytest.approx(1.0, abs=0.12)
    assert weights[1] < 0.05


def test_pooling_moves_the_bias_to_the_frequencies() -> None:
    targets = np.repeat(np.eye(2), [900, 100], axis=0)
    nothing = np.zeros((1000, 2))
    assert fit_pool([nothing, nothing], targets)([nothing, nothing])[0, 0] == pytest.approx(
        0.9, abs=0.03
    )


def test_calibration_error_of_known_cases() -> None:
    sure = np.full(100, 0.9)
    assert calibration_error(sure, np.arange(100) < 90) == pytest.approx(0.0, abs=1e-9)
    assert calibration_error(sure, np.arange(100) < 40) == pytest.approx(0.5)
    assert calibration_error(np.array([]), np.array([], dtype=bool)) == 0.0


@pytest.mark.parametrize(
    ("wrong", "of", "bound"), [(0, 59, 0.950), (1, 93, 0.950), (5, 100, 0.897)]
)
def test_the_lower_bound_is_clopper_pearsons(wrong: int, of: int, bound: float) -> None:
    correct = np.arange(of) >= wrong
    assert lower_bound(correct, np.ones(of), 0.95) == pytest.approx(bound, abs=2e-3)
    assert lower_bound(correct, np.full(of, 7.0), 0.95) == pytest.approx(bound, abs=2e-3)


def test_uneven_weights_are_worth_less_evidence() -> None:
    correct = np.ones(100, dtype=bool)
    uneven = np.where(np.arange(100) < 10, 50.0, 1.0)
    assert lower_bound(correct, uneven, 0.95) < lower_bound(correct, np.ones(100), 0.95)
    assert lower_bound(correct[:0], np.ones(0), 0.95) == 0.0


def _threshold(confidence: np.ndarray, correct: np.ndarray, promised: float) -> float | None:
    return threshold(confidence, correct, np.ones(len(correct)), promised=promised, certainty=0.9)


def test_the_threshold_is_the_lowest_that_keeps_the_promise() -> None:
    confidence = np.linspace(0.2, 0.99, 400)
    found = _threshold(confidence, confidence > 0.6, 0.95)
    assert found is not None
    assert 0.55 < found < 0.61


def test_too_little_evidence_proves_nothing() -> None:
    assert _threshold(np.full(20, 0.99), np.ones(20, dtype=bool), 0.95) is None
    assert _threshold(np.linspace(0, 0.9, 200), np.zeros(200, dtype=bool), 0.5) is None


def test_likeness_to_the_others_proves_what_few_texts_cannot() -> None:
    def found(correct: np.ndarray, expected: float) -> float | None:
        return threshold(
            np.full(len(correct), 0.99),
            correct,
            np.ones(len(correct)),
            promised=0.95,
            certainty=0.8,
            prior=Prior(share=lambda _: expected, strength=50, least=10),
        )

    right = np.ones(20, dtype=bool)
    assert found(right, 0.98) == 0.99
    assert found(right, 0.90) is None
    assert found(right[:9], 0.99) is None
    assert found(np.arange(20) >= 3, 0.98) is None  # its own texts speak against it


@settings(max_examples=50)
@given(st.data())
def test_what_passes_a_threshold_has_kept_the_promise(data: st.DataObject) -> None:
    n = data.draw(st.integers(1, 120))
    confidence = np.array(
        data.draw(st.lists(st.sampled_from([0.3, 0.6, 0.8, 0.95]), min_size=n, max_size=n))
    )
    correct = np.array(data.draw(st.lists(st.booleans(), min_size=n, max_size=n)))
    found = _threshold(confidence, correct, 0.7)
    if found is not None:
        kept = correct[confidence >= found]
        assert lower_bound(kept, np.ones(len(kept)), 0.9) >= 0.7


@pytest.mark.parametrize("too_high", [0.0, 0.1])
def test_the_interval_of_the_calibration_error_holds_the_true_one(too_high: float) -> None:
    random = np.random.default_rng(0)
    held = 0
    for _ in range(20):
        confidence = random.uniform(0.5, 1, 300)
        correct = random.random(300) < confidence - too_high
        low, high = calibration_interval(confidence, correct)
        held += low <= too_high <= high
        assert low <= calibration_error(confidence, correct) <= high
    assert held >= 18


def test_without_data_nothing_is_known_of_calibration() -> None:
    assert calibration_interval(np.empty(0), np.empty(0, dtype=bool)) == (0.0, 1.0)
    low, high = calibration_interval(np.array([0.99]), np.array([True]))
    assert low < 0.02
    assert high > 0.9  # one text tells next to nothing
