import logging

from slackbot.logs import RedactingFormatter


def formatted(message, *args, exc_info=None, **extra):
    record = logging.makeLogRecord(
        {"name": "slackbot", "levelname": "INFO", "msg": message, "args": args, **extra}
    )
    record.exc_info = exc_info
    return RedactingFormatter().format(record)


def test_fields_stand_beside_the_event():
    line = formatted("ticket_settled", ticket="T-1", action="confirm")
    assert line.endswith("slackbot ticket_settled ticket=T-1 action=confirm")


def test_no_token_gets_into_a_line_whichever_way_it_came():
    token = "xoxb-123456789012-abcdefghijkl"
    try:
        raise ValueError(f"bad token {token}")
    except ValueError as error:
        caught = (type(error), error, error.__traceback__)
    for line in (
        formatted(f"x {token}"),
        formatted("x %s", token),
        formatted("x", field=token),
        formatted("x", exc_info=caught),
    ):
        assert token not in line
        assert "x" in line
    assert "Traceback" in formatted("x", exc_info=caught)
