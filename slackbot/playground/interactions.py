"""Writes down what a person does with the app: commands, shortcuts, clicks, submissions."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from slackbot.playground import forms
from slackbot.playground.app import Installation
from slackbot.playground.payloads import (
    VERIFICATION_TOKEN,
    channel_name,
    interaction_json,
    message_json,
    view_json,
)
from slackbot.playground.records import Channel, Json, Message, User, View
from slackbot.playground.site import Site

State = Mapping[str, Mapping[str, Json]]
"""Values of elements by block id and action id."""


@dataclass(frozen=True, slots=True, eq=False)
class Interactions:
    """The payloads of one person's actions; each takes a fresh `trigger_id`.

    Attributes:
        user: Who acts.
        site: Gives triggers and reply handles.
        base_url: The playground's address, for `response_url`s.
    """

    user: User
    site: Site
    base_url: str

    @property
    def _app(self) -> Installation:
        return self.site.workspace.app

    def command(self, command: str, text: str, channel: Channel) -> Json:
        """A slash command, as the fields of a form."""
        return {
            "token": VERIFICATION_TOKEN,
            "team_id": self._app.team_id,
            "team_domain": self._app.team,
            "channel_id": channel.id,
            "channel_name": channel_name(channel),
            "user_id": self.user.id,
            "user_name": self.user.name,
            "command": command,
            "text": text,
            "api_app_id": self._app.app_id,
            "is_enterprise_install": "false",
            "response_url": self._response_url(channel),
            "trigger_id": self.site.triggers.give(self.user.id),
        }

    def message_shortcut(self, callback_id: str, message: Message) -> Json:
        """A shortcut in a message's menu."""
        channel = self.site.workspace.channels[message.channel]
        return self._interaction(
            "message_action",
            callback_id=callback_id,
            action_ts=self.site.workspace.tick(),
            message_ts=message.ts,
            message=message_json(message, self._app),
            channel={"id": channel.id, "name": channel_name(channel)},
            response_url=self._response_url(channel),
        )

    def global_shortcut(self, callback_id: str) -> Json:
        """A shortcut in the search or plus menu."""
        tick = self.site.workspace.tick()
        return self._interaction("shortcut", callback_id=callback_id, action_ts=tick)

    def action_on_message(self, message: Message, action: Json, typed: State) -> Json:
        """A click or a choice on a message; `typed` is what was chosen there."""
        channel = self.site.workspace.channels[message.channel]
        ephemeral = message.only_for is not None
        container = {
            "type": "message",
            "message_ts": message.ts,
            "channel_id": channel.id,
            "is_ephemeral": ephemeral,
        }
        if message.is_reply:
            container["thread_ts"] = message.thread_ts
        shown = {} if ephemeral else {"message": message_json(message, self._app)}
        return self._interaction(
            "block_actions",
            container=container,
            channel={"id": channel.id, "name": channel_name(channel)},
            state={"values": forms.merged(forms.initial_values(message.blocks), typed)},
            response_url=self._response_url(channel, message),
            actions=[{**action, "action_ts": self.site.workspace.tick()}],
            **shown,
        )

    def action_on_view(self, view: View, action: Json) -> Json:
        """A click or a choice in a modal or App Home."""
        return self._interaction(
            "block_actions",
            container={"type": "view", "view_id": view.id},
            view=self._view(view),
            actions=[{**action, "action_ts": self.site.workspace.tick()}],
        )

    def submission(self, view: View) -> Json:
        """The submit button of a modal."""
        return self._interaction("view_submission", view=self._view(view), response_urls=[])

    def closing(self, view: View) -> Json:
        """The close button of a modal."""
        return self._interaction("view_closed", view=self._view(view), is_cleared=False)

    def _interaction(self, kind: str, **more: object) -> Json:
        common = interaction_json(kind, self.user, self._app)
        return {**common, "trigger_id": self.site.triggers.give(self.user.id), **more}

    def _view(self, view: View) -> Json:
        values = forms.merged(forms.initial_values(view.blocks), view.values)
        return view_json(replace(view, values=values), self._app)

    def _response_url(self, channel: Channel, message: Message | None = None) -> str:
        secret = self.site.replies.give(self.user.id, channel.id, message)
        return f"{self.base_url}/actions/{self._app.team_id}/{secret}"
