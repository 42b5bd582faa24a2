"""storage.schema: the migrations make exactly these tables; hot statements use their indices."""

from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import event

import storage
from storage import cards, deliveries, forget, inbox, lanes, predictions, reviews, tickets, waiting
from storage.records import Place, State
from storage.schema import REVISION, metadata
from tests.storage.examples import (
    NOW,
    TEAM,
    enqueue,
    file_ticket,
    finish,
    later,
    predict,
    receive,
    review,
    want_card,
)


def test_the_code_expects_the_newest_migration():
    config = Config()
    config.set_main_option("script_location", str(Path(storage.__file__).parent / "migrations"))
    assert ScriptDirectory.from_config(config).get_heads() == [REVISION]


async def test_the_migrations_make_what_the_code_expects(db):
    def differences(connection):
        return compare_metadata(MigrationContext.configure(connection), metadata)

    async with db.read() as conn:
        assert await conn.run_sync(differences) == []


async def the_way_of_a_message(db):
    """All that happens for every message, and what people ask for while it does."""
    async with db.write() as conn:
        await receive(conn, "C1:1.1")
        (item,) = await inbox.lease(conn, owner="x", limit=9, now=NOW)
        ticket = await file_ticket(conn)
        await predict(conn, ticket.id)
        card = await want_card(conn, ticket.id, Place.THREAD)
        await enqueue(conn, ticket_id=ticket.id, card_id=card.id)
        await inbox.renew(conn, owner="x", ids=[item.id], now=NOW)
        await inbox.finish(conn, owner="x", ids=[item.id])
    async with db.write() as conn:
        (lane,) = await lanes.lease(conn, owner="x", limit=9, per_lane=9, now=NOW)
        await tickets.get(conn, TEAM, ticket.id)
        await tickets.by_key(conn, TEAM, "C1:1.1")
        await cards.of_tickets(conn, [ticket.id])
        await predictions.latest(conn, [ticket.id])
        await reviews.last_of_ticket(conn, ticket.id)
        await cards.posted(conn, [(card.id, "C1", "2.2")])
        made = {"owner": "x", "delivery_id": lane.deliveries[0].id}
        await finish(conn, **made, now=NOW)
        held = {"owner": "x", "team": TEAM, "lane": "C1"}
        await lanes.renew(conn, **held, now=NOW)
        await lanes.let_go(conn, **held, not_before=NOW)
    async with db.write() as conn:
        settled = {"expected": [State.PENDING], "now": later(1), "state": State.ASSIGNED}
        await tickets.change(conn, team=TEAM, ticket_id=ticket.id, **settled)
        await review(conn, ticket.id)
        await reviews.of_tickets(conn, [ticket.id])
        await inbox.status(conn, team=TEAM, key="C1:1.1")
        await tickets.of_reporter(conn, TEAM, "U1", 9)
        await tickets.pending(conn, TEAM, 9)
        await waiting.of_team(conn, TEAM)
        await inbox.depth(conn)
        await deliveries.depth(conn)
        await deliveries.dead(conn, 9)
        await inbox.purge(conn, NOW)
        await forget.expire(conn, NOW)


@pytest.mark.parametrize("kind", ["sqlite"])
async def test_no_hot_statement_reads_a_whole_table(db):
    statements = {}

    @event.listens_for(db._engine.sync_engine, "before_cursor_execute")
    def _(conn, cursor, statement, parameters, *_):
        statements.setdefault(statement, parameters)

    await the_way_of_a_message(db)
    scans = {}
    async with db.read() as conn:
        for statement, parameters in list(statements.items()):
            # An insert looks into other tables only where a foreign key is broken already, and a
            # sweep ends at the first row that is young enough: their plans do not show it.
            if statement.startswith(("INSERT", "DELETE")):
                continue
            plan = await conn.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", parameters)
            for step in (row[3] for row in plan):
                if step.startswith("SCAN") and step.split()[1] in metadata.tables:
                    scans.setdefault(step, statement)
    # These read only rows that are open or dead, which are few; all else is looked up.
    allowed = {
        "SCAN inbox USING INDEX inbox_open",
        "SCAN inbox USING INDEX inbox_dead",
        "SCAN deliveries USING INDEX deliveries_open",
        "SCAN deliveries USING INDEX deliveries_dead",
    }
    assert len(statements) > 30
    assert {step: scans[step] for step in scans.keys() - allowed} == {}
