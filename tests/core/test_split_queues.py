"""Base data after queues were edited, and what is learned of the parts of a split queue."""

import numpy as np
import pytest

from core.base_data import pack, unpack
from core.dataset import Example
from core.fitting import fit_data
from core.queue_edits import ClassNames, QueueEdit
from core.split_queues import LEAST_EACH, carried, share_out
from core.training_data import Part, TrainingData

QUEUES = ("Hardware", "Access", "Storage")
SPLIT = QueueEdit(("Hardware",), ("Laptops", "Printers"))


def data_of(*examples):
    empty = Part((), ())
    return TrainingData(QUEUES, Part((), examples), empty, empty, blank=0)


def in_training(data):
    return [(each.queue, each.alt_queue, each.one_of) for each in data.train.examples]


@pytest.mark.parametrize(
    ("edit", "expected"),
    [
        (
            QueueEdit(("Hardware",), ("Devices",)),
            [("Devices", "Access", ()), ("Access", "Devices", ()), (None, None, ())],
        ),
        (
            QueueEdit(("Hardware", "Access"), ("Desk",)),
            [("Desk", None, ()), ("Desk", None, ()), (None, None, ())],
        ),
        (
            SPLIT,
            [(None, None, SPLIT.after), ("Access", None, ()), (None, None, ())],
        ),
    ],
)
def test_base_data_are_carried_and_kept(edit, expected):
    made = data_of(
        Example("a", "Hardware", "Access", is_ticket=True, batch="b"),
        Example("b", "Access", "Hardware", is_ticket=True, batch="b"),
        Example("c", is_ticket=False, batch="b"),
    )
    names = ClassNames.of(QUEUES, [edit])
    after = carried(made, names)
    assert after.queues == names.queues
    assert in_training(after) == expected
    assert unpack(pack(after), after.queues) == after


def test_a_split_that_is_taken_back_brings_the_labels_back():
    made = carried(data_of(Example("a", "Hardware", batch="b")), ClassNames.of(QUEUES, [SPLIT]))
    merged = QueueEdit(SPLIT.after, ("Hardware",))
    again = carried(made, ClassNames.of(made.queues, [merged]))
    assert in_training(again) == [("Hardware", None, ())]


def some(count_of_each):
    """Texts of the whole on two axes, and so many of each part."""
    axis = {"laptop": [1.0, 0.0, 0.0], "printer": [0.0, 1.0, 0.0], "password": [0.0, 0.0, 1.0]}
    rows = [("laptop", None), ("printer", None), ("password", "Access")]
    rows += [("laptop", "Laptops"), ("printer", "Printers")] * count_of_each
    examples = [
        Example(f"my {word} {number}", queue, batch="b", one_of=() if queue else SPLIT.after)
        for number, (word, queue) in enumerate(rows)
    ]
    vectors = np.array([axis[word] for word, _ in rows], dtype=np.float32)
    return examples, vectors


@pytest.mark.parametrize("to_calibrate", [False, True])
def test_the_parts_share_what_is_known_of_the_whole(to_calibrate):
    examples, vectors = some(10)
    queues = ("Laptops", "Printers", "Access")
    known = fit_data(examples, queues, vectors, to_calibrate=to_calibrate)
    if to_calibrate:
        assert not known.targets.queue[:2].any()  # nothing is calibrated by "one of these"
        return
    even = known.targets.queue[:2]
    assert even == pytest.approx(np.full((2, 3), [2.5, 2.5, 0]))
    shared = share_out(known, examples, queues).targets.queue
    assert shared.sum(axis=1) == pytest.approx(known.targets.queue.sum(axis=1))
    assert shared[0].argmax() == 0
    assert shared[1].argmax() == 1
    assert shared[2:] == pytest.approx(known.targets.queue[2:])


def test_too_few_answers_tell_nothing():
    examples, vectors = some(LEAST_EACH - 1)
    queues = ("Laptops", "Printers", "Access")
    known = fit_data(examples, queues, vectors)
    assert share_out(known, examples, queues).targets.queue == pytest.approx(known.targets.queue)
