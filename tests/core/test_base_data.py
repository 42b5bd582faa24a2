"""The texts in a bundle come back as they went in, and a damaged file is refused."""

import gzip

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.base_data import pack, unpack
from core.dataset import Example
from core.decision import Impact, Urgency
from core.errors import BundleError
from core.masking import mask
from core.training_data import Part, TrainingData

QUEUES = ("Access", "Hardware")

examples = st.builds(
    Example,
    text=st.text(min_size=1).map(mask).filter(lambda text: mask(text) == text),
    queue=st.sampled_from([*QUEUES, None]),
    alt_queue=st.sampled_from([*QUEUES, None]),
    is_ticket=st.sampled_from([True, False, None]),
    urgency=st.sampled_from([*Urgency, None]),
    impact=st.sampled_from([*Impact, None]),
    language=st.sampled_from(["en", "und"]),
)
tickets = st.lists(examples, min_size=1).map(tuple)


def data(train: Part, calibrate: Part | None = None) -> TrainingData:
    nothing = Part((), ())
    return TrainingData(QUEUES, train, calibrate or nothing, nothing, blank=0)


@given(tickets, tickets, st.text(min_size=1))
def test_what_was_packed_comes_back(train, calibrate, batch):
    messages = tuple(Example(**{**example_fields(e), "batch": batch}) for e in calibrate)
    packed = data(Part(train, messages), Part(calibrate, ()))
    assert unpack(pack(packed), QUEUES) == packed
    assert pack(packed) == pack(packed)


def example_fields(example: Example) -> dict:
    return {name: getattr(example, name) for name in Example.__slots__}


def test_secrets_do_not_travel_with_the_bundle():
    packed = pack(data(Part((Example("my card 4111 1111 1111 1111 is stuck", "Access"),), ())))
    assert b"4111" not in gzip.decompress(packed)


@pytest.mark.parametrize(
    "content",
    [
        b"no gzip",
        gzip.compress(b"{", mtime=0),
        gzip.compress(b'{"text": "a"}', mtime=0),
        gzip.compress(b'{"text": "a", "part": "elsewhere"}', mtime=0),
        gzip.compress(b'{"text": "a", "part": "train", "queue": "Cats"}', mtime=0),
        gzip.compress(b'{"text": "a", "part": "train", "urgency": "very"}', mtime=0),
        gzip.compress(b"\xff", mtime=0),
        pack(data(Part((Example("a", "Access"),), ())))[:-9],
    ],
)
def test_a_damaged_file_is_refused(content):
    with pytest.raises(BundleError, match=r"base_data\.jsonl\.gz is damaged"):
        unpack(content, QUEUES)
