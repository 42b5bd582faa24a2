"""Which Slack payload goes where: one table. Listeners parse, call the desk, and answer."""

from __future__ import annotations

import re

from slack_bolt.async_app import AsyncApp

from slackbot.intake import FILE_SHORTCUT
from slackbot.listeners.actions import ReviewActions
from slackbot.listeners.because import Because
from slackbot.listeners.commands import TicketCommand
from slackbot.listeners.errors import report_error
from slackbot.listeners.events import SaidToTheBot, acknowledge
from slackbot.listeners.home import Home
from slackbot.listeners.modals import submit_ticket
from slackbot.listeners.models import ModelActions
from slackbot.listeners.queues import Queues
from slackbot.listeners.removal import Removal
from slackbot.listeners.services import Services
from slackbot.listeners.setup import Setup
from slackbot.views import modal, setup
from slackbot.views.ids import ActionId


def register(app: AsyncApp, services: Services) -> None:
    """Connect every payload that manifest.yml subscribes to with its listener.

    What files, changes or withdraws a ticket is recorded by the intake middleware before any
    listener runs; those listeners only acknowledge.
    """
    home, command = Home(services), TicketCommand(services)
    actions = ReviewActions(services, home)
    said, settings = SaidToTheBot(services), Setup(services)
    removal = Removal(services)

    app.command("/ticket")(command.run)
    app.shortcut({"type": "message_action", "callback_id": FILE_SHORTCUT})(said.run)
    app.view(modal.CALLBACK)(submit_ticket)
    app.view(setup.CALLBACK)(settings.submit)

    app.event("app_mention")(said.run)
    app.event("message")(said.run)
    app.event("reaction_added")(acknowledge)
    app.event("app_home_opened")(home.opened)
    app.event("app_uninstalled")(removal.uninstalled)
    app.event("tokens_revoked")(removal.revoked)

    app.action(ActionId.BECAUSE.value)(Because(services).run)
    app.action(re.compile(r"^(review|ticket)_(?!because$)"))(actions.run)
    app.action(ActionId.RESTORE.value)(Queues(services).restore)
    app.action(ActionId.NEW_TICKET.value)(home.new_ticket)
    app.action(re.compile(r"^home_(page|filter)_"))(home.show_other)
    app.action(ActionId.SETTINGS.value)(settings.open)
    app.action(re.compile(r"^setup_page_"))(settings.turn_page)

    app.action(re.compile(r"^model_"))(ModelActions(services).run)

    app.error(report_error)
