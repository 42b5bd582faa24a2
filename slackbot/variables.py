"""The environment variables, as README.md and .env.example tell them."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Variable:
    """One environment variable, for documentation.

    Attributes:
        name: As in the environment.
        default: As one would write it; empty when there is none.
        help: One line for people.
    """

    name: str
    default: str
    help: str


VARIABLES = (
    Variable("SLACK_BOT_TOKEN", "", "Bot token of the installed app (`xoxb-…`)."),
    Variable("SLACK_APP_TOKEN", "", "App-level token (`xapp-…`); when set, Socket Mode is used."),
    Variable("SLACK_SIGNING_SECRET", "", "Signing secret; HTTP mode when there is no app token."),
    Variable(
        "SLACK_CLIENT_ID",
        "",
        "Client id, in place of the bot token: any workspace may install the app "
        "(`docs/workspaces.md`).",
    ),
    Variable("SLACK_CLIENT_SECRET", "", "Client secret, with the client id."),
    Variable(
        "AUTOTICKET_ENCRYPTION_KEY",
        "",
        "Seals the workspaces' tokens in the database; of several, comma-separated, the first one "
        "seals.",
    ),
    Variable("SLACK_API_URL", "https://slack.com/api/", "Base URL of Slack's Web API."),
    Variable("AUTOTICKET_HOST", "127.0.0.1", "Address the web server listens on."),
    Variable("AUTOTICKET_PORT", "3000", "Port the web server listens on; 0 takes a free one."),
    Variable(
        "AUTOTICKET_DATABASE_URL",
        "sqlite+aiosqlite:///data/autoticket.db",
        "SQLite file, or `postgresql+asyncpg://…` for several replicas.",
    ),
    Variable("AUTOTICKET_MODEL_DIR", "models/default", "Folder of the model bundle."),
    Variable(
        "AUTOTICKET_TRIAGE_CHANNELS",
        "",
        "Channel ids in which every message is triaged, comma-separated; `*` for every channel "
        "the bot is in. `C1=suggest` asks a person about every ticket, `C1=silent` only records.",
    ),
    Variable(
        "AUTOTICKET_REVIEW_CHANNEL", "", "Channel id in which people settle the unsure tickets."
    ),
    Variable(
        "AUTOTICKET_QUEUE_CHANNELS", "", "Where each queue's staff are: `Hardware=C1,Access=C2`."
    ),
    Variable(
        "AUTOTICKET_REVIEWERS",
        "",
        "User and user-group ids that may settle tickets, comma-separated; nobody when empty.",
    ),
    Variable(
        "AUTOTICKET_REVIEW_BUDGET",
        "0",
        "How many tickets reviewers shall settle a day; when more wait, the costliest come first. "
        "0 for no limit.",
    ),
    Variable(
        "AUTOTICKET_AUDIT_RATE",
        "0.05",
        "Share of the automatic routes that is also put to a reviewer, 0 to 1; needs a review "
        "channel.",
    ),
    Variable("AUTOTICKET_REACTION", "ticket", "Emoji that files a message as a ticket."),
    Variable(
        "AUTOTICKET_ALLOWED_BOTS",
        "",
        "Bot ids (`B…`) whose messages are triaged like people's, for monitoring alerts.",
    ),
    Variable(
        "AUTOTICKET_PRIORITY_MATRIX",
        "",
        "Changes to ITIL's matrix: `high/company=P1,low/user=P4`.",
    ),
    Variable(
        "AUTOTICKET_POSTS_PER_SECOND", "1", "Pace of posts in one channel; Slack allows about 1."
    ),
    Variable(
        "AUTOTICKET_RETENTION_DAYS",
        "0",
        "After so many days the text of closed tickets is erased; 0 keeps it.",
    ),
    Variable(
        "AUTOTICKET_RETRAIN_DAYS",
        "0",
        "So often a new version is fitted in the background and offered to the reviewers; 0: only "
        "by `autoticket retrain`.",
    ),
    Variable(
        "AUTOTICKET_API_TOKEN",
        "",
        "Bearer token of `POST /api/classify`; without it there is no such address.",
    ),
    Variable(
        "AUTOTICKET_WEBHOOKS",
        "",
        "URLs that are told what happens to tickets, comma-separated; see `docs/webhooks.md`.",
    ),
    Variable("AUTOTICKET_WEBHOOK_SECRET", "", "Signs what is sent to them."),
    Variable(
        "AUTOTICKET_WEBHOOK_TEXT", "yes", "`no` leaves the ticket's text out of what is sent."
    ),
    Variable("AUTOTICKET_LOG_LEVEL", "INFO", "DEBUG, INFO, WARNING or ERROR."),
    Variable(
        "AUTOTICKET_LOG_FORMAT", "text", "`text` for people, `json` for one object on each line."
    ),
)
"""Every variable that is read, in the order of the README's table and `.env.example`."""
