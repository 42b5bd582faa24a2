"""Tickets to show: an ordinary one, and as bad as they come."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from hypothesis import strategies as st

from core.decision import Decision, Priority, Reason
from core.text import clean
from slackbot.views.ids import MAX_QUEUE_NAME, MAX_QUEUES
from slackbot.views.ticket import Step, TicketCard
from storage.records import Action, Source, State, Ticket

FILED = datetime(2026, 11, 22, 11, 9, tzinfo=UTC)
QUEUES = ("Hardware", "Access", "Storage", "Purchase")

PENDING = TicketCard(
    number="T-12",
    text="vpn drops every 5 minutes",
    reporter="U0ANA",
    permalink="https://acme.slack.com/archives/C1/p1795345740000100",
    state=State.PENDING,
    queue=None,
    queues=QUEUES,
    top3=(("Hardware", 0.38), ("Access", 0.31), ("Storage", 0.29)),
    confidence=0.38,
    decision=Decision.REVIEW,
    reason=Reason.LOW_CONFIDENCE,
    priority=Priority.P3,
    priority_why="one person, work slowed",
    language="en",
    model_version="2026.11.22-ab12cd34",
    created_at=FILED,
)
ASSIGNED = replace(
    PENDING,
    state=State.ASSIGNED,
    queue="Hardware",
    top3=(("Hardware", 0.97), ("Access", 0.02), ("Storage", 0.01)),
    confidence=0.97,
    decision=Decision.AUTO,
    reason=Reason.CONFIDENT,
)
TICKET = Ticket(
    id=12,
    team="T1",
    key="message:C1:1.1",
    channel="C1",
    ts="1.1",
    thread_ts=None,
    source=Source.MESSAGE,
    reporter="U0ANA",
    text="vpn drops every 5 minutes",
    state=State.ASSIGNED,
    queue="Hardware",
    urgency="medium",
    impact="user",
    priority="P3",
    created_at=FILED,
    updated_at=FILED,
    version=1,
)


def step(action, *, by="U0RITA", queue="Access", priority=Priority.P2, minutes=5):
    return Step(by, action, FILED + timedelta(minutes=minutes), queue, priority)


_PIECES = (
    *("<!channel>", "<!here|x>", "<!subteam^S1|@it>", "<@U1>", "@everyone", "&lt;", "```", "\n> "),
    *(
        "https://x.org/a|b",
        "*_~`",
        ":fire:",
        "\U0001f469\u200d\U0001f4bb",
        "\u202e",
        "مرحبا",
        "印刷",
    ),
)
hostile_texts = st.lists(
    st.sampled_from(_PIECES) | st.text(max_size=10), min_size=1, max_size=6
).map("".join)
texts = st.one_of(
    st.just(""),
    hostile_texts,
    hostile_texts.map(lambda text: (text * 40_000)[:40_000]),
).map(clean)


@st.composite
def queue_names(draw, most=MAX_QUEUES):
    """Distinct names with odd characters, many or few."""
    count = draw(st.sampled_from([n for n in (1, 2, 3, 8, 100, 101, 150, MAX_QUEUES) if n <= most]))
    odd = clean(draw(hostile_texts)) or "x"
    wide = odd * draw(st.sampled_from([1, MAX_QUEUE_NAME]))
    return tuple(f"{n}{wide}"[:MAX_QUEUE_NAME] for n in range(count))


any_state = st.sampled_from(State)


@st.composite
def ticket_cards(draw, states=any_state, most_queues=MAX_QUEUES):
    """Any ticket that the record could hold."""
    queues = draw(queue_names(most_queues))
    at = st.datetimes(datetime(2020, 1, 1), datetime(2099, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001
    chances = sorted(draw(st.lists(st.floats(0, 1), min_size=3, max_size=3)), reverse=True)
    users = st.sampled_from(["U0ANA", "W1", "<!channel>", ""])
    steps = st.builds(
        Step,
        users,
        st.sampled_from(Action),
        at,
        st.none() | st.sampled_from(queues),
        st.sampled_from(Priority),
    )
    return TicketCard(
        number=f"T-{draw(st.integers(1, 2**63 - 1))}",
        text=draw(texts),
        reporter=draw(users),
        permalink=draw(st.sampled_from([None, PENDING.permalink, "https://x|<!channel>"])),
        state=draw(states),
        queue=draw(st.none() | st.sampled_from(queues)),
        queues=queues,
        top3=tuple(zip(queues[:3], chances, strict=False)),
        confidence=chances[0],
        decision=draw(st.sampled_from(Decision)),
        reason=draw(st.sampled_from(Reason)),
        priority=draw(st.sampled_from(Priority)),
        priority_why=clean(draw(hostile_texts)),
        language=draw(st.sampled_from(["en", "und", "de"])),
        model_version=clean(draw(hostile_texts)),
        created_at=draw(at),
        steps=tuple(draw(st.lists(steps, max_size=6))) * draw(st.sampled_from([1, 20])),
    )


@st.composite
def tickets(draw):
    """Any row of the record, as lists show it."""
    return replace(
        TICKET,
        id=draw(st.integers(1, 2**63 - 1)),
        text=draw(texts),
        state=draw(st.sampled_from(State)),
        queue=draw(st.none() | queue_names(1).map(lambda names: names[0])),
        priority=draw(st.sampled_from(Priority)).value,
    )
