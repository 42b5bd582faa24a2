"""What a manifest lets the app do, and the ids and secrets of its installation."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

_SCOPES_OF_EVENTS = {
    "app_mention": "app_mentions:read",
    "message.channels": "channels:history",
    "message.groups": "groups:history",
    "message.im": "im:history",
    "message.mpim": "mpim:history",
    "reaction_added": "reactions:read",
    "reaction_removed": "reactions:read",
}


class ManifestError(ValueError):
    """The manifest contradicts itself; Slack would not import it."""


@dataclass(frozen=True, slots=True)
class Manifest:
    """The parts of an app manifest that decide what Slack lets the app do.

    Attributes:
        name: The bot's display name.
        scopes: Granted bot scopes, sorted.
        events: Subscribed bot events.
        commands: Slash commands with their slash.
        shortcuts: `message` or `global` by callback id.
        interactive: Whether clicks and submissions are sent.
        home_tab: Whether App Home shows a published view.
        messages_tab: Whether people may write to the bot.
    """

    name: str
    scopes: tuple[str, ...]
    events: frozenset[str]
    commands: frozenset[str]
    shortcuts: Mapping[str, str]
    interactive: bool
    home_tab: bool
    messages_tab: bool

    @classmethod
    def parse(cls, manifest: Mapping[str, Any]) -> Manifest:
        """Read a manifest as loaded from `manifest.yml`.

        Raises:
            ManifestError: An event, command or shortcut lacks the scope it needs.
        """
        features = manifest.get("features", {})
        settings = manifest.get("settings", {})
        home = features.get("app_home", {})
        parsed = cls(
            name=features.get("bot_user", {}).get("display_name", "app"),
            scopes=tuple(sorted(manifest.get("oauth_config", {}).get("scopes", {}).get("bot", ()))),
            events=frozenset(settings.get("event_subscriptions", {}).get("bot_events", ())),
            commands=frozenset(entry["command"] for entry in features.get("slash_commands", ())),
            shortcuts={e["callback_id"]: e["type"] for e in features.get("shortcuts", ())},
            interactive=bool(settings.get("interactivity", {}).get("is_enabled")),
            home_tab=bool(home.get("home_tab_enabled")),
            messages_tab=bool(home.get("messages_tab_enabled"))
            and not home.get("messages_tab_read_only_enabled"),
        )
        if problems := list(parsed._problems()):
            raise ManifestError("; ".join(problems))
        return parsed

    def _problems(self) -> Iterator[str]:
        for event in sorted(self.events):
            needed = _SCOPES_OF_EVENTS.get(event)
            if needed and needed not in self.scopes:
                yield f"event {event} needs the scope {needed}"
        if (self.commands or self.shortcuts) and "commands" not in self.scopes:
            yield "slash commands and shortcuts need the scope commands"
        if self.shortcuts and not self.interactive:
            yield "shortcuts need interactivity"


@dataclass(frozen=True, slots=True)
class Installation:
    """An app installed in one workspace.

    Attributes:
        manifest: What it may do.
        team_id: `T...`.
        team: The workspace's short name.
        app_id: `A...`.
        bot_id: `B...`.
        bot_user_id: `U...`.
        bot_token: `xoxb-...`.
        app_token: `xapp-...`, opens Socket Mode connections.
        signing_secret: Signs every HTTP request to the app.
    """

    manifest: Manifest
    team_id: str
    team: str
    app_id: str
    bot_id: str
    bot_user_id: str
    bot_token: str
    app_token: str
    signing_secret: str

    @classmethod
    def of(cls, manifest: Manifest, team: str, signing_secret: str | None = None) -> Installation:
        """Install the app; equal names give equal ids and secrets, so that runs can be repeated.

        Args:
            manifest: What the app may do.
            team: The workspace's short name.
            signing_secret: Of an app that is in several workspaces.
        """

        def digest(purpose: str) -> str:
            return hashlib.sha256(f"{team}/{purpose}".encode()).hexdigest()

        def new_id(prefix: str) -> str:
            return prefix + digest(prefix)[:10].upper()

        return cls(
            manifest=manifest,
            team_id=new_id("T"),
            team=team,
            app_id=new_id("A"),
            bot_id=new_id("B"),
            bot_user_id=new_id("U"),
            bot_token=f"xoxb-{digest('bot token')[:24]}",
            app_token=f"xapp-1-{new_id('A')}-{digest('app token')[:24]}",
            signing_secret=signing_secret or digest("signing secret")[:32],
        )
