"""storage.predictions: every word of the model's is kept as it was said."""

import pytest
import sqlalchemy as sa
from sqlalchemy.exc import DBAPIError

from storage import predictions
from storage.schema import predictions as table
from tests.storage.examples import NOW, file_ticket, later, predict


async def test_predictions_add_up_and_the_last_is_the_latest(db):
    async with db.write() as conn:
        ticket = await file_ticket(conn)
        assert await predictions.latest(conn, [ticket.id]) == {}
        await predict(conn, ticket.id, confidence=1 / 3, probabilities={"b": 2 / 3, "a": 1 / 3})
        await predict(conn, ticket.id, model_version="m2", now=later(1))
        first, second = await predictions.of_ticket(conn, ticket.id)
        assert await predictions.latest(conn, [ticket.id]) == {ticket.id: second}
    assert (first.confidence, first.created_at) == (1 / 3, NOW)
    assert list(first.probabilities.items()) == [("b", 2 / 3), ("a", 1 / 3)]
    assert (second.model_version, second.created_at) == ("m2", later(1))


async def test_what_is_no_ticket_leaves_a_prediction_all_the_same(db):
    async with db.write() as conn:
        await predict(conn, None, decision="ignore", reason="not_a_ticket")
        assert (await conn.execute(sa.select(table.c.decision))).scalars().all() == ["ignore"]


@pytest.mark.parametrize("change", [sa.update(table).values(queue="x"), sa.delete(table)])
async def test_nobody_changes_what_was_said(db, change):
    async with db.write() as conn:
        await predict(conn, None)
    with pytest.raises(DBAPIError, match="append-only"):
        async with db.write() as conn:
            await conn.execute(change)
    async with db.read() as conn:
        assert (await conn.execute(sa.select(table.c.queue))).scalars().all() == ["Hardware"]
