"""storage.columns: what goes in comes out, whatever it is and whatever the database."""

from datetime import datetime, timedelta, timezone

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from sqlalchemy.exc import StatementError

from storage import inbox
from tests.storage.examples import file_ticket, receive

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)
ZONES = st.integers(-14 * 60, 14 * 60).map(lambda minutes: timezone(timedelta(minutes=minutes)))
FIRST, LAST = (datetime.fromisoformat(f"{year}-01-01") for year in (1990, 2100))

# Whatever an example writes is rolled back, so that one database serves them all.
one_database = settings(
    max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)


@one_database
@given(st.dictionaries(st.text(), JSON), st.datetimes(FIRST, LAST, timezones=ZONES))
@example({"lone \ud800": "nul \0"}, datetime.fromisoformat("2026-03-29T02:30:00.000001+02:00"))
async def test_payloads_and_times_come_out_as_they_went_in(db, payload, time):
    async with db.read() as conn:
        await receive(conn, "k", payload=payload, now=time)
        (item,) = await inbox.lease(conn, owner="x", limit=1, now=time)
    assert item.payload == payload
    assert list(item.payload) == list(payload)
    assert item.received_at == time
    assert item.received_at.utcoffset() == timedelta(0)


@one_database
@given(st.text(st.characters()))
@example("a\0b\ud800c\udfff")
async def test_text_comes_out_with_what_no_database_takes_replaced(db, text):
    async with db.read() as conn:
        stored = (await file_ticket(conn, text=text)).text
    assert len(stored) == len(text)
    for was, now in zip(text, stored, strict=True):
        assert now == ("\ufffd" if was == "\0" or "\ud800" <= was <= "\udfff" else was)


async def test_a_time_without_a_zone_is_refused(db):
    async with db.read() as conn:
        with pytest.raises(StatementError, match="without a time zone"):
            await receive(conn, "k", now=FIRST)
