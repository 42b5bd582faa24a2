import asyncio
import json
import logging
import traceback
from datetime import UTC, datetime

import pytest
from click.testing import CliRunner
from hypothesis import given
from hypothesis import strategies as st

from slackbot import delivery
from slackbot.cli import main
from slackbot.logs import JsonFormatter, LogFormat, RedactingFormatter, configure_logging
from storage.database import Database
from storage.errors import StorageError

TOKEN = "xoxb-123456789012-abcdefghijkl"


def formatted(message, *args, exc_info=None, formatter=None, **extra):
    record = logging.makeLogRecord(
        {"name": "slackbot", "levelname": "INFO", "msg": message, "args": args, **extra}
    )
    record.exc_info = exc_info
    return (formatter or RedactingFormatter()).format(record)


def as_json(message, *args, **more):
    line = formatted(message, *args, formatter=JsonFormatter(), **more)
    assert "\n" not in line
    return json.loads(line)


def test_fields_stand_beside_the_event():
    line = formatted("ticket_settled", ticket="T-1", action="confirm")
    assert line.endswith("slackbot ticket_settled ticket=T-1 action=confirm")


def test_as_json_a_line_is_one_object():
    line = as_json("ticket_settled", ticket="T-1", tries=2, created=0.5, none=None)
    assert line == {
        "time": "1970-01-01T00:00:00.500+00:00",
        "level": "INFO",
        "logger": "slackbot",
        "event": "ticket_settled",
        "fields": {"ticket": "T-1", "tries": 2, "none": None},
    }


@pytest.mark.parametrize("formatter", [RedactingFormatter(), JsonFormatter()])
def test_no_token_gets_into_a_line_whichever_way_it_came(formatter):
    try:
        raise ValueError(f"bad token {TOKEN}")
    except ValueError as error:
        caught = (type(error), error, error.__traceback__)
    for line in (
        formatted(f"x {TOKEN}", formatter=formatter),
        formatted("x %s", TOKEN, formatter=formatter),
        formatted("x", field=TOKEN, formatter=formatter),
        formatted("x", field={"deep": [TOKEN]}, formatter=formatter),
        formatted("x", exc_info=caught, formatter=formatter),
    ):
        assert TOKEN not in line
        assert "x" in line
    assert "Traceback" in formatted("x", exc_info=caught, formatter=formatter)
    assert "hunter2" not in formatted("x", password="hunter2", formatter=formatter)


@given(st.text(), st.dictionaries(st.sampled_from(["a", "b"]), st.text() | st.floats()))
def test_whatever_is_logged_is_json_in_one_line(event, fields):
    assert list(as_json(event.replace("%", ""), **fields)["fields"]) == list(fields)


@pytest.fixture
def unconfigured():
    """Logging is left as it was found."""
    loggers = [logging.getLogger(), *map(logging.getLogger, logging.root.manager.loggerDict)]
    before = [(logger, logger.level, logger.handlers[:]) for logger in loggers]
    yield
    for logger, level, handlers in before:
        logger.setLevel(level)
        logger.handlers[:] = handlers


def test_the_setting_chooses_the_form(unconfigured, capsys):
    for form in LogFormat:
        configure_logging("INFO", form)
        logging.getLogger("slackbot").info("event", extra={"field": 1})
    text, line = capsys.readouterr().err.splitlines()
    assert text.endswith("slackbot event field=1")
    assert json.loads(line)["fields"] == {"field": 1}
    assert datetime.fromisoformat(json.loads(line)["time"]).tzinfo == UTC


def everything_in(records):
    """All that any formatter could write of them, unmasked."""
    formatter = logging.Formatter()
    lines = []
    for record in records:
        lines += [formatter.format(record), *(str(value) for value in vars(record).values())]
    return "\n".join(lines)


async def fail_at_everything(office):
    """People at work while every call fails in every way."""
    faults = office.slack.faults
    for strike in (
        lambda: faults.drop("*", times=3),
        lambda: faults.limit("*", times=3),
        lambda: faults.fail("*", times=3, status=503),
        lambda: faults.fail("*", times=3, status=200, error="invalid_auth"),
        lambda: faults.fail("*", times=3, status=200, error="fatal_error"),
    ):
        strike()
        await office.ana.say(office.help_, office.unsure())
        await office.ana.command("/ticket", "", channel=office.random)
        await office.rita.open_home()
        await asyncio.sleep(0.3)
        faults.clear()


@pytest.mark.parametrize("mode", ["socket", "http"])
async def test_no_failure_tells_a_token(new_office, mode, caplog, monkeypatch):
    monkeypatch.setattr(delivery, "backoff_s", lambda attempts, rng: 0.01)
    caplog.set_level(logging.DEBUG, logger="slackbot")  # the most talkative setting
    caplog.set_level(logging.ERROR)
    secret = "wh-secret-774411"
    dead_end = "http://bob:hunter2@127.0.0.1:9/hook?key=hunter2"
    office = new_office(mode, AUTOTICKET_WEBHOOKS=dead_end, AUTOTICKET_WEBHOOK_SECRET=secret)
    async with office.open():
        await fail_at_everything(office)
        if mode == "socket":
            await office.slack.socket.close()
            await asyncio.sleep(0.2)
    said = everything_in(caplog.records)
    assert "invalid_auth" in said
    slack = office.slack
    for hidden in (slack.bot_token, slack.app_token, slack.signing_secret, secret, "hunter2"):
        assert hidden not in said
    for written in (office.unsure(),):
        assert written not in said


@pytest.mark.parametrize(
    "url",
    [
        "postgresql+asyncpg://bot:hunter2@127.0.0.1:9/record",
        "postgresql://bot:hunter2@127.0.0.1:9/record?no_such_option=1",
        "postgresql://bot:hunter2@[broken/record",
        "mysql://bot:hunter2@127.0.0.1/record",
        "postgresql//bot:hunter2@127.0.0.1/record",
        "postgresql://bot:hunter2@127.0.0.1:port/record",
    ],
)
async def test_no_error_of_the_database_tells_the_password(url, monkeypatch):
    with pytest.raises(StorageError) as caught:
        await Database.open(url)
    lines = "".join(traceback.format_exception(caught.value))
    assert "hunter2" not in lines
    monkeypatch.setenv("AUTOTICKET_DATABASE_URL", url)
    shown = await asyncio.to_thread(CliRunner().invoke, main, ["export", "tickets"])
    assert (shown.exit_code, "hunter2" in shown.output) == (2, False)


async def test_one_correlation_id_follows_a_message_all_the_way(new_office, caplog):
    caplog.set_level(logging.INFO, logger="slackbot")
    async with new_office().open() as office:
        office.slack.faults.fail("chat.postMessage", times=1, status=503)
        await office.ana.say(office.help_, office.unsure())
        review = await office.card("review")
        await office.settled()
        way = {}
        for record in caplog.records:
            way.setdefault(getattr(record, "correlation", None), []).append(record.message)
        way.pop(None)
        [[correlation, events]] = way.items()
        assert events[:2] == ["payload_recorded", "payload_triaged"]
        assert sorted(events[2:]) == ["delivered", "delivered", "delivery_uncertain"]
        await office.rita.click(review, "review_confirm")
        await office.settled()
    clicked = [r for r in caplog.records if getattr(r, "correlation", correlation) != correlation]
    assert len({record.correlation for record in clicked}) == 1
    assert {record.message for record in clicked} == {"ticket_settled", "delivered"}
    assert {record.ticket for record in clicked} == {"T-1"}
    assert office.unsure() not in caplog.text
