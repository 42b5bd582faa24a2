"""storage.waiting: what waits, as the model last judged it."""

from storage import waiting
from storage.records import State
from storage.waiting import Waiting
from tests.storage.examples import NOW, TEAM, file_ticket, later, predict


async def test_what_waits_is_listed_with_what_the_model_said_last(db):
    async with db.write() as conn:
        first = await file_ticket(conn, "C1:1.1", priority="P2")
        await predict(conn, first.id, queue="Access")
        await predict(conn, first.id, queue="Storage", confidence=0.4, reason="low_confidence")
        second = await file_ticket(conn, "C1:2.2", now=later(1))
        await predict(conn, second.id)
        for state in set(State) - {State.PENDING}:
            done = await file_ticket(conn, f"C1:{state}", state=state)
            await predict(conn, done.id)
        elsewhere = await file_ticket(conn, "C1:3.3", team="T2")
        await predict(conn, elsewhere.id, team="T2")
        found = await waiting.of_team(conn, TEAM)
    assert [each.ticket_id for each in found] == [first.id, second.id]
    assert found[0] == Waiting(
        ticket_id=first.id,
        priority="P2",
        created_at=NOW,
        prediction_id=2,
        queue="Storage",
        confidence=0.4,
        reason="low_confidence",
    )
