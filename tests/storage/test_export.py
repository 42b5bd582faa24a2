"""storage.export: the columns as promised, the values as recorded, labels only from people."""

import csv
import io
import json

import pytest

from storage import export, tickets
from storage.export import Dataset, Format
from storage.records import Action, State
from tests.storage.examples import NOW, TEAM, file_ticket, later, predict, review

COLUMNS = {
    "tickets": "ticket, team, channel, ts, source, reporter, text, state, queue, priority, "
    "created_at",
    "predictions": "ticket, model_version, queue, confidence, probabilities, threshold, decision, "
    "reason, urgency, impact, priority, created_at",
    "reviews": "ticket, reviewer, action, queue_before, queue_after, created_at",
    "labels": "text, queue, source, weight",
}
NASTY = 'line one\r\nline two\u2028three "quoted", \x85 ünïcode\ttab'


async def rows_of(db, dataset):
    async with db.read() as conn:
        return [row async for row in export.rows(conn, dataset)]


async def written(db, dataset, form):
    out = io.StringIO(newline="")
    async with db.read() as conn:
        count = await export.write(conn, dataset, form, out)
    return count, out.getvalue()


@pytest.mark.parametrize("dataset", Dataset)
def test_the_columns_are_the_promised_ones(dataset):
    assert ", ".join(export.columns(dataset)) == COLUMNS[dataset]


async def test_all_that_was_recorded_comes_out(db):
    async with db.write() as conn:
        ticket = await file_ticket(conn, queue="Access", state=State.ASSIGNED, text=NASTY)
        await predict(conn, None, decision="ignore")
        await predict(conn, ticket.id)
        await review(conn, ticket.id, Action.REASSIGN, queue_before="Access")
    (filed,) = await rows_of(db, Dataset.TICKETS)
    assert list(filed) == COLUMNS["tickets"].split(", ")
    assert list(filed.values())[:6] == [ticket.number, TEAM, "C1", "1.1", "message", "U1"]
    assert list(filed.values())[6:] == [NASTY, "assigned", "Access", "P4", NOW]
    ignored, predicted = await rows_of(db, Dataset.PREDICTIONS)
    assert (ignored["ticket"], predicted["ticket"]) == (None, ticket.number)
    assert predicted["probabilities"] == {"Hardware": 0.75, "Access": 0.25}
    (answered,) = await rows_of(db, Dataset.REVIEWS)
    assert list(answered.values()) == [ticket.number, "U9", "reassign", "Access", "Hardware", NOW]


async def test_json_lines_keep_every_value_on_one_line(db):
    async with db.write() as conn:
        await file_ticket(conn, text=NASTY)
    count, text = await written(db, Dataset.TICKETS, Format.JSONL)
    assert count == len(text.splitlines()) == 1
    line = json.loads(text)
    assert (line["text"], line["queue"]) == (NASTY, None)
    assert line["created_at"] == NOW.isoformat()


async def test_csv_comes_back_through_a_reader(db):
    async with db.write() as conn:
        ticket = await file_ticket(conn, text=NASTY)
        await predict(conn, ticket.id)
    _, text = await written(db, Dataset.TICKETS, Format.CSV)
    (row,) = csv.DictReader(io.StringIO(text, newline=""))
    assert (row["text"], row["queue"], row["created_at"]) == (NASTY, "", NOW.isoformat())
    _, text = await written(db, Dataset.PREDICTIONS, Format.CSV)
    (row,) = csv.DictReader(io.StringIO(text, newline=""))
    assert json.loads(row["probabilities"]) == {"Hardware": 0.75, "Access": 0.25}
    assert float(row["confidence"]) == 0.75


@pytest.mark.parametrize("start", ["=", "+", "-", "@", "\t", "\r"])
async def test_a_cell_that_a_spreadsheet_would_run_is_disarmed(db, start):
    async with db.write() as conn:
        await file_ticket(conn, text=f"{start}HYPERLINK(1)", reporter=f"{start}U1")
    _, text = await written(db, Dataset.TICKETS, Format.CSV)
    (row,) = csv.DictReader(io.StringIO(text, newline=""))
    assert (row["text"], row["reporter"]) == (f"'{start}HYPERLINK(1)", f"'{start}U1")


async def test_an_empty_record_is_a_header_or_nothing(db):
    assert await written(db, Dataset.REVIEWS, Format.JSONL) == (0, "")
    header = "ticket,reviewer,action,queue_before,queue_after,created_at\r\n"
    assert await written(db, Dataset.REVIEWS, Format.CSV) == (0, header)


async def test_labels_are_the_last_word_of_people(db):
    async with db.write() as conn:

        async def settled(text, *steps, state=State.ASSIGNED, **values):
            ticket = await file_ticket(conn, text, text=text, state=state, **values)
            for action, queue in steps:
                await review(conn, ticket.id, action, queue_after=queue)
            return ticket

        confirm, reassign, dismiss = Action.CONFIRM, Action.REASSIGN, Action.DISMISS
        await settled("only the model's", queue="Access")
        await settled("confirmed", (confirm, "Access"))
        await settled("changed twice", (confirm, "A"), (reassign, "B"), (reassign, "C"))
        await settled("then resolved", (reassign, "Hardware"), (Action.RESOLVE, "Hardware"))
        await settled("no ticket", (dismiss, None), state=State.DISMISSED)
        await settled("a ticket after all", (dismiss, None), state=State.PENDING)
        await settled("dismissed late", (confirm, "A"), (dismiss, None), state=State.DISMISSED)
        await settled("taken back", (confirm, "A"), state=State.WITHDRAWN)
        await settled("merely claimed", (Action.CLAIM, "Access"), (Action.PRIORITY, "Access"))
        forgotten = await settled("forgotten", (confirm, "Access"))
        await tickets.change(
            conn, team=TEAM, ticket_id=forgotten.id, expected=list(State), now=later(1), text=""
        )
    rows = await rows_of(db, Dataset.LABELS)
    assert {row["text"]: (row["queue"], row["source"]) for row in rows} == {
        "confirmed": ("Access", "confirm"),
        "changed twice": ("C", "reassign"),
        "then resolved": ("Hardware", "reassign"),
        "no ticket": ("", "dismiss"),
        "dismissed late": ("", "dismiss"),
    }
    assert {row["weight"] for row in rows} == {1.0}


async def test_more_rows_than_a_page_come_once_and_in_order(db, monkeypatch):
    monkeypatch.setattr(export, "_PAGE", 7)
    async with db.write() as conn:
        filed = [await file_ticket(conn, f"k{n}") for n in range(21)]
        for ticket in filed:
            await review(conn, ticket.id)
    for dataset in (Dataset.TICKETS, Dataset.REVIEWS):
        rows = await rows_of(db, dataset)
        assert [row["ticket"] for row in rows] == [ticket.number for ticket in filed]
    assert len(await rows_of(db, Dataset.LABELS)) == 21
