"""The tables of the record, as the newest migration leaves them."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa

from storage.columns import BIG_ID, FreeText, JsonText, UtcTime, enum_text
from storage.model_records import ModelChangeKind
from storage.records import Action, DeliveryKind, DeliveryState, Place, Source, State
from storage.review_records import RoutingChange, Why

REVISION = "0015"
"""The newest migration: what a database must be at for this code."""

metadata = sa.MetaData(
    naming_convention={
        "pk": "%(table_name)s_pkey",
        "fk": "%(table_name)s_%(column_0_name)s_fkey",
    }
)


def _id() -> sa.Column[int]:
    return sa.Column("id", BIG_ID, primary_key=True)


inbox = sa.Table(
    "inbox",
    metadata,
    _id(),
    sa.Column("team", sa.Text, nullable=False),
    sa.Column("key", sa.Text, nullable=False),
    sa.Column("kind", sa.Text, nullable=False),
    sa.Column("payload", JsonText, nullable=False),
    sa.Column("correlation", sa.Text, nullable=False),
    sa.Column("received_at", UtcTime, nullable=False),
    sa.Column("state", enum_text(DeliveryState), nullable=False),
    sa.Column("owner", sa.Text),
    sa.Column("lease_until", UtcTime),
    sa.Column("due_at", UtcTime, nullable=False),
    sa.Column("attempts", sa.Integer, nullable=False),
    sa.Column("error", FreeText, nullable=False),
    sa.Column("changes", sa.Text),
    sa.UniqueConstraint("team", "key", name="inbox_key"),
    sqlite_autoincrement=True,
)

tickets = sa.Table(
    "tickets",
    metadata,
    _id(),
    sa.Column("team", sa.Text, nullable=False),
    sa.Column("key", sa.Text, nullable=False),
    sa.Column("channel", sa.Text),
    sa.Column("ts", sa.Text),
    sa.Column("thread_ts", sa.Text),
    sa.Column("source", enum_text(Source), nullable=False),
    sa.Column("reporter", sa.Text, nullable=False),
    sa.Column("text", FreeText, nullable=False),
    sa.Column("state", enum_text(State), nullable=False),
    sa.Column("queue", sa.Text),
    sa.Column("urgency", sa.Text, nullable=False),
    sa.Column("impact", sa.Text, nullable=False),
    sa.Column("priority", sa.Text, nullable=False),
    sa.Column("created_at", UtcTime, nullable=False),
    sa.Column("updated_at", UtcTime, nullable=False),
    sa.Column("version", sa.Integer, nullable=False),
    sa.UniqueConstraint("team", "key", name="tickets_key"),
    sqlite_autoincrement=True,
)

predictions = sa.Table(
    "predictions",
    metadata,
    _id(),
    sa.Column("team", sa.Text, nullable=False),
    sa.Column("ticket_id", BIG_ID, sa.ForeignKey("tickets.id")),
    sa.Column("model_version", sa.Text, nullable=False),
    sa.Column("queue", sa.Text, nullable=False),
    sa.Column("confidence", sa.Double, nullable=False),
    sa.Column("probabilities", JsonText, nullable=False),
    sa.Column("threshold", sa.Double, nullable=False),
    sa.Column("decision", sa.Text, nullable=False),
    sa.Column("reason", sa.Text, nullable=False),
    sa.Column("urgency", sa.Text, nullable=False),
    sa.Column("impact", sa.Text, nullable=False),
    sa.Column("priority", sa.Text, nullable=False),
    sa.Column("language", sa.Text, nullable=False),
    sa.Column("latency_ms", sa.Double, nullable=False),
    sa.Column("created_at", UtcTime, nullable=False),
    sa.Column("precedent", BIG_ID),
    sqlite_autoincrement=True,
)

reviews = sa.Table(
    "reviews",
    metadata,
    _id(),
    sa.Column("team", sa.Text, nullable=False),
    sa.Column("ticket_id", BIG_ID, sa.ForeignKey("tickets.id"), nullable=False),
    sa.Column("reviewer", sa.Text, nullable=False),
    sa.Column("action", enum_text(Action), nullable=False),
    sa.Column("queue_before", sa.Text),
    sa.Column("queue_after", sa.Text),
    sa.Column("priority_before", sa.Text, nullable=False),
    sa.Column("priority_after", sa.Text, nullable=False),
    sa.Column("created_at", UtcTime, nullable=False),
    sqlite_autoincrement=True,
)

cards = sa.Table(
    "cards",
    metadata,
    _id(),
    sa.Column("team", sa.Text, nullable=False),
    sa.Column("ticket_id", BIG_ID, sa.ForeignKey("tickets.id"), nullable=False),
    sa.Column("place", enum_text(Place), nullable=False),
    sa.Column("channel", sa.Text, nullable=False),
    sa.Column("thread_ts", sa.Text),
    sa.Column("ts", sa.Text),
    sa.Column("posted_channel", sa.Text),
    sa.Column("retired", sa.Boolean, nullable=False),
    sa.Column("refused", sa.Boolean, nullable=False),
    sqlite_autoincrement=True,
)

deliveries = sa.Table(
    "deliveries",
    metadata,
    _id(),
    sa.Column("team", sa.Text, nullable=False),
    sa.Column("lane", sa.Text, nullable=False),
    sa.Column("kind", enum_text(DeliveryKind), nullable=False),
    sa.Column("ticket_id", BIG_ID, sa.ForeignKey("tickets.id")),
    sa.Column("card_id", BIG_ID, sa.ForeignKey("cards.id")),
    sa.Column("key", sa.Text),
    sa.Column("payload", JsonText, nullable=False),
    sa.Column("state", enum_text(DeliveryState), nullable=False),
    sa.Column("attempts", sa.Integer, nullable=False),
    sa.Column("uncertain", sa.Boolean, nullable=False),
    sa.Column("due_at", UtcTime, nullable=False),
    sa.Column("error", FreeText, nullable=False),
    sa.Column("correlation", sa.Text, nullable=False),
    sa.Column("created_at", UtcTime, nullable=False),
    sa.Column("done_at", UtcTime),
    sa.UniqueConstraint("team", "key", name="deliveries_key"),
    sqlite_autoincrement=True,
)

lanes = sa.Table(
    "lanes",
    metadata,
    sa.Column("team", sa.Text, primary_key=True),
    sa.Column("lane", sa.Text, primary_key=True),
    sa.Column("owner", sa.Text),
    sa.Column("lease_until", UtcTime),
    sa.Column("not_before", UtcTime, nullable=False),
)

review_requests = sa.Table(
    "review_requests",
    metadata,
    _id(),
    sa.Column("team", sa.Text, nullable=False),
    sa.Column("ticket_id", BIG_ID, sa.ForeignKey("tickets.id"), nullable=False),
    sa.Column("why", enum_text(Why), nullable=False),
    sa.Column("probability", sa.Double, nullable=False),
    sa.Column("blind", sa.Boolean, nullable=False),
    sa.Column("created_at", UtcTime, nullable=False),
    sqlite_autoincrement=True,
)

review_answers = sa.Table(
    "review_answers",
    metadata,
    sa.Column(
        "request_id",
        BIG_ID,
        sa.ForeignKey("review_requests.id"),
        primary_key=True,
        autoincrement=False,
    ),
    sa.Column("team", sa.Text, nullable=False),
    sa.Column("review_id", BIG_ID, sa.ForeignKey("reviews.id"), nullable=False),
    sa.Column("asked", sa.Boolean, nullable=False),
    sa.Column("created_at", UtcTime, nullable=False),
)

queue_changes = sa.Table(
    "queue_changes",
    metadata,
    _id(),
    sa.Column("team", sa.Text, nullable=False),
    sa.Column("queue", sa.Text, nullable=False),
    sa.Column("change", enum_text(RoutingChange), nullable=False),
    sa.Column("by", sa.Text, nullable=False),
    sa.Column("evidence", JsonText, nullable=False),
    sa.Column("created_at", UtcTime, nullable=False),
    sqlite_autoincrement=True,
)

queue_edits = sa.Table(
    "queue_edits",
    metadata,
    _id(),
    sa.Column("queues", JsonText, nullable=False),
    sa.Column("by", sa.Text, nullable=False),
    sa.Column("written", JsonText, nullable=False),
    sa.Column("created_at", UtcTime, nullable=False),
    sqlite_autoincrement=True,
)

secrets = sa.Table(
    "secrets",
    metadata,
    sa.Column("name", sa.Text, primary_key=True),
    sa.Column("value", sa.Text, nullable=False),
    sa.Column("created_at", UtcTime, nullable=False),
)


team_settings = sa.Table(
    "team_settings",
    metadata,
    _id(),
    sa.Column("team", sa.Text, nullable=False),
    sa.Column("version", sa.Integer, nullable=False),
    sa.Column("changed_by", sa.Text, nullable=False),
    sa.Column("values", JsonText, nullable=False),
    sa.Column("created_at", UtcTime, nullable=False),
    sa.UniqueConstraint("team", "version", name="team_settings_version"),
    sqlite_autoincrement=True,
)

model_changes = sa.Table(
    "model_changes",
    metadata,
    _id(),
    sa.Column("change", enum_text(ModelChangeKind), nullable=False),
    sa.Column("by", sa.Text, nullable=False),
    sa.Column("from_version", sa.Text, nullable=False),
    sa.Column("to_version", sa.Text, nullable=False),
    sa.Column("offer", sa.Text),
    sa.Column("created_at", UtcTime, nullable=False),
    sa.UniqueConstraint("offer", name="model_changes_offer"),
    sqlite_autoincrement=True,
)

settled_embeddings = sa.Table(
    "settled_embeddings",
    metadata,
    sa.Column(
        "ticket_id", BIG_ID, sa.ForeignKey("tickets.id"), primary_key=True, autoincrement=False
    ),
    sa.Column("encoder", sa.Text, primary_key=True),
    sa.Column("team", sa.Text, nullable=False),
    sa.Column("vector", sa.LargeBinary, nullable=False),
)

installations = sa.Table(
    "installations",
    metadata,
    sa.Column("team", sa.Text, primary_key=True),
    sa.Column("team_name", FreeText, nullable=False),
    sa.Column("enterprise", sa.Text),
    sa.Column("bot_user", sa.Text, nullable=False),
    sa.Column("bot_id", sa.Text, nullable=False),
    sa.Column("workspace_url", sa.Text, nullable=False),
    sa.Column("scopes", sa.Text, nullable=False),
    sa.Column("installed_by", sa.Text, nullable=False),
    sa.Column("secrets", sa.Text, nullable=False),
    sa.Column("expires_at", UtcTime),
    sa.Column("installed_at", UtcTime, nullable=False),
    sa.Column("version", sa.Integer, nullable=False),
    sa.Column("renewing_until", UtcTime),
)

oauth_states = sa.Table(
    "oauth_states",
    metadata,
    sa.Column("state", sa.Text, primary_key=True),
    sa.Column("expires_at", UtcTime, nullable=False),
)


def _index(name: str, *columns: sa.Column[Any], unique: bool = False, where: str = "") -> None:
    condition = sa.text(where) if where else None
    sa.Index(name, *columns, unique=unique, sqlite_where=condition, postgresql_where=condition)


# A database uses a partial index only for a query that says its condition word for word:
# see `storage.work`, which writes these as literals and not as bound parameters.
_OPEN = "state IN ('waiting', 'leased')"

_index("inbox_open", inbox.c.id, where=_OPEN)
_index("inbox_dead", inbox.c.id, where="state = 'dead'")
_index("inbox_changes", inbox.c.team, inbox.c.changes, where="changes IS NOT NULL")
_index("tickets_of_reporter", tickets.c.team, tickets.c.reporter, tickets.c.id)
_index("tickets_pending", tickets.c.team, tickets.c.id, where="state = 'pending'")
_index("tickets_with_text", tickets.c.updated_at, where="text <> ''")
_index("predictions_of_ticket", predictions.c.ticket_id, predictions.c.id)
_index("reviews_of_ticket", reviews.c.ticket_id, reviews.c.id)
_index("cards_of_ticket", cards.c.ticket_id)
_index("cards_in_place", cards.c.ticket_id, cards.c.place, unique=True, where="NOT retired")
_index("deliveries_open", deliveries.c.team, deliveries.c.lane, deliveries.c.id, where=_OPEN)
_index("deliveries_dead", deliveries.c.id, where="state = 'dead'")
_index("deliveries_of_card", deliveries.c.card_id, unique=True, where="state = 'waiting'")
_index("deliveries_of_ticket", deliveries.c.ticket_id)
_index("review_requests_of_ticket", review_requests.c.ticket_id, review_requests.c.id)
_index("review_requests_in_time", review_requests.c.team, review_requests.c.created_at)
_index("queue_changes_of_team", queue_changes.c.team, queue_changes.c.queue, queue_changes.c.id)
_index("settled_embeddings_of_team", settled_embeddings.c.team, settled_embeddings.c.encoder)
