"""Tickets that wait for a decision, as the record tells of them."""

from dataclasses import replace
from datetime import UTC, datetime

from hypothesis import strategies as st

from core.decision import Priority
from storage.waiting import Waiting

SOME = Waiting(
    ticket_id=1,
    priority="P3",
    created_at=datetime(2026, 11, 22, tzinfo=UTC),
    prediction_id=1,
    queue="Access",
    confidence=0.4,
    reason="low_confidence",
)
waiting_tickets = st.lists(
    st.builds(
        replace,
        st.just(SOME),
        ticket_id=st.integers(1, 10**6),
        priority=st.sampled_from(Priority).map(str),
        queue=st.sampled_from(["Access", "Storage"]),
        confidence=st.floats(0, 1),
        reason=st.sampled_from(["low_confidence", "unknown_language"]),
    ),
    max_size=40,
    unique_by=lambda each: each.ticket_id,
)
