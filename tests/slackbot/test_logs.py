import json
import logging
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from slackbot.logs import JsonFormatter, LogFormat, RedactingFormatter, configure_logging

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
