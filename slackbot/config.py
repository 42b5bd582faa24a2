"""Settings: read once from the environment and `.env`, checked together, passed explicitly."""

from __future__ import annotations

import base64
import math
import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import TypeVar
from urllib.parse import urlsplit

from dotenv import dotenv_values

from core.errors import SettingError
from core.priority import DEFAULT_MATRIX, PriorityMatrix
from slackbot.errors import ConfigError
from slackbot.logs import LogFormat
from slackbot.team_settings import EVERY_CHANNEL, TeamSettings, TriageMode
from slackbot.variables import VARIABLES

T = TypeVar("T")


_DEFAULTS = {variable.name: variable.default for variable in VARIABLES}


@dataclass(frozen=True, slots=True)
class Settings:
    """Everything that can be set.

    Attributes:
        client_id: When set, workspaces install the app by OAuth.
        encryption_keys: Seal their tokens; the first one seals, any of them unseals.
        api_url: Base URL of the Web API, ending in a slash.
        port: TCP port; 0 lets the system choose.
        team: First values of what a workspace's admins may set from Slack.
        audit_rate: Share in [0, 1] of automatic routes that is also put to a reviewer.
        posts_per_second: Sustained posts a second in one channel.
        retention_days: Days after which texts of closed tickets are erased; 0 keeps them.
        retrain_days: Days between new versions that are fitted in the background; 0: none are.
        api_token: What callers of the web API must show; without one there is no web API.
        webhooks: URLs that are told what happens to tickets.
        webhook_secret: Signs what they are sent.
        webhook_text: Whether they are sent the tickets' texts.
    """

    bot_token: str = field(default="", repr=False)
    app_token: str = field(default="", repr=False)
    signing_secret: str = field(default="", repr=False)
    client_id: str = ""
    client_secret: str = field(default="", repr=False)
    encryption_keys: tuple[str, ...] = field(default=(), repr=False)
    api_url: str = _DEFAULTS["SLACK_API_URL"]
    host: str = "127.0.0.1"
    port: int = 3000
    database_url: str = field(default=_DEFAULTS["AUTOTICKET_DATABASE_URL"], repr=False)
    model_dir: Path = Path("models/default")
    team: TeamSettings = field(default_factory=TeamSettings)
    audit_rate: float = 0.05
    reaction: str = "ticket"
    allowed_bots: frozenset[str] = frozenset()
    priority_matrix: PriorityMatrix = DEFAULT_MATRIX
    posts_per_second: float = 1.0
    retention_days: int = 0
    retrain_days: int = 0
    api_token: str = field(default="", repr=False)
    webhooks: tuple[str, ...] = field(default=(), repr=False)
    webhook_secret: str = field(default="", repr=False)
    webhook_text: bool = True
    log_level: str = "INFO"
    log_format: LogFormat = LogFormat.TEXT

    @property
    def first_of_teams(self) -> TeamSettings:
        """The first values for a team: channels and people of one are not those of others."""
        return TeamSettings() if self.client_id else self.team

    def require_slack(self) -> None:
        """Check that the bot can connect.

        Raises:
            ConfigError: When a token is missing or of the wrong kind.
        """
        problems = self._installing_problems() if self.client_id else self._token_problems()
        if problems:
            raise ConfigError(problems)

    def _token_problems(self) -> list[str]:
        problems = []
        if not self.bot_token:
            problems.append("SLACK_BOT_TOKEN is missing: copy it from OAuth & Permissions")
        elif not self.bot_token.startswith("xoxb-"):
            problems.append("SLACK_BOT_TOKEN must be a bot token (it starts with xoxb-)")
        if self.app_token and not self.app_token.startswith("xapp-"):
            problems.append("SLACK_APP_TOKEN must be an app-level token (it starts with xapp-)")
        if not self.app_token and not self.signing_secret:
            problems.append(
                "SLACK_APP_TOKEN (Socket Mode) or SLACK_SIGNING_SECRET (HTTP mode) is missing: "
                "copy it from Basic Information"
            )
        return problems

    def _installing_problems(self) -> list[str]:
        """What several workspaces need: HTTP mode, and no token of a single one."""
        problems = [
            f"{name} must be empty when SLACK_CLIENT_ID is set: {why}"
            for name, value, why in (
                ("SLACK_BOT_TOKEN", self.bot_token, "each workspace brings its own token"),
                ("SLACK_APP_TOKEN", self.app_token, "several workspaces need HTTP mode"),
            )
            if value
        ]
        problems += [
            f"{name} is missing: copy it from Basic Information"
            for name, value in (
                ("SLACK_CLIENT_SECRET", self.client_secret),
                ("SLACK_SIGNING_SECRET", self.signing_secret),
            )
            if not value
        ]
        if not self.encryption_keys:
            problems.append(
                "AUTOTICKET_ENCRYPTION_KEY is missing: make one with "
                "`openssl rand -base64 32 | tr +/ -_`"
            )
        return problems


def load_settings(env_file: Path = Path(".env")) -> Settings:
    """Read the environment, and `.env` for what the environment does not say.

    Raises:
        ConfigError: With every problem found.
    """
    try:
        from_file = {k: v for k, v in dotenv_values(env_file).items() if v is not None}
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError([f"{env_file} cannot be read ({type(error).__name__})"]) from error
    return parse_settings({**from_file, **os.environ})


def parse_settings(env: Mapping[str, str]) -> Settings:
    """Turn environment variables into settings.

    Raises:
        ConfigError: With every problem found.
    """
    read = _Reader(env)
    settings = Settings(
        bot_token=read.text("SLACK_BOT_TOKEN"),
        app_token=read.text("SLACK_APP_TOKEN"),
        signing_secret=read.text("SLACK_SIGNING_SECRET"),
        client_id=read.text("SLACK_CLIENT_ID"),
        client_secret=read.text("SLACK_CLIENT_SECRET"),
        encryption_keys=read.converted("AUTOTICKET_ENCRYPTION_KEY", _keys),
        api_url=read.converted("SLACK_API_URL", _base_url),
        host=read.text("AUTOTICKET_HOST"),
        port=read.converted("AUTOTICKET_PORT", _whole(0, 65535)),
        database_url=read.text("AUTOTICKET_DATABASE_URL"),
        model_dir=Path(read.text("AUTOTICKET_MODEL_DIR")),
        team=TeamSettings(
            triage=read.converted("AUTOTICKET_TRIAGE_CHANNELS", _triage),
            review_channel=read.converted("AUTOTICKET_REVIEW_CHANNEL", _optional_channel),
            queue_channels=read.converted("AUTOTICKET_QUEUE_CHANNELS", _queue_channels),
            reviewers=read.converted("AUTOTICKET_REVIEWERS", _ids("UWS", _REVIEWER_ID)),
            review_budget=read.converted("AUTOTICKET_REVIEW_BUDGET", _whole(0, 100_000)),
        ),
        audit_rate=read.converted("AUTOTICKET_AUDIT_RATE", _share),
        reaction=read.text("AUTOTICKET_REACTION").strip(":"),
        allowed_bots=read.converted("AUTOTICKET_ALLOWED_BOTS", _ids("B", _BOT_ID)),
        priority_matrix=read.converted("AUTOTICKET_PRIORITY_MATRIX", PriorityMatrix.parse),
        posts_per_second=read.converted("AUTOTICKET_POSTS_PER_SECOND", _positive),
        retention_days=read.converted("AUTOTICKET_RETENTION_DAYS", _whole(0, 36500)),
        retrain_days=read.converted("AUTOTICKET_RETRAIN_DAYS", _whole(0, 3650)),
        api_token=read.text("AUTOTICKET_API_TOKEN"),
        webhooks=read.converted("AUTOTICKET_WEBHOOKS", _webhooks),
        webhook_secret=read.text("AUTOTICKET_WEBHOOK_SECRET"),
        webhook_text=read.converted("AUTOTICKET_WEBHOOK_TEXT", _yes_or_no),
        log_level=read.converted("AUTOTICKET_LOG_LEVEL", _level),
        log_format=read.converted("AUTOTICKET_LOG_FORMAT", _log_format),
    )
    if settings.webhooks and not settings.webhook_secret:
        read.problems.append(
            "AUTOTICKET_WEBHOOK_SECRET is missing: make one up (openssl rand -hex 32) and give it "
            "to who receives AUTOTICKET_WEBHOOKS"
        )
    if read.problems:
        raise ConfigError(read.problems)
    return settings


class _Reader:
    """Reads variables and collects what is wrong with them."""

    def __init__(self, env: Mapping[str, str]) -> None:
        self._env = env
        self.problems: list[str] = []

    def text(self, name: str) -> str:
        return self._env.get(name, "").strip() or _DEFAULTS[name]

    def converted(self, name: str, convert: Callable[[str], T]) -> T:
        try:
            return convert(self.text(name))
        except (ValueError, SettingError) as error:
            self.problems.append(f"{name}: {error}")
            return convert(_DEFAULTS[name])


def _base_url(text: str) -> str:
    parts = urlsplit(text)
    if parts.scheme not in ("http", "https") or not parts.netloc:
        raise ValueError(f"{text!r} is no http(s) URL")
    return text.rstrip("/") + "/"


def _whole(low: int, high: int) -> Callable[[str], int]:
    def convert(text: str) -> int:
        if not text.isascii() or not text.isdigit() or not low <= int(text) <= high:
            raise ValueError(f"{text!r} is no whole number from {low} to {high}")
        return int(text)

    return convert


def _positive(text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not (value > 0 and math.isfinite(value)):
        raise ValueError(f"{text!r} is no number above 0")
    return value


def _share(text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not 0 <= value <= 1:
        raise ValueError(f"{text!r} is no share from 0 to 1")
    return value


_CHANNEL_ID = "C0123456789, at the end of the channel's details"
_REVIEWER_ID = "U0123456789, behind ⋮ in the profile, or a user group's S0123456789"
_BOT_ID = "B0123456789"


def _ids(first_letters: str, such_as: str) -> Callable[[str], frozenset[str]]:
    def convert(text: str) -> frozenset[str]:
        ids = frozenset(part.strip() for part in text.split(",") if part.strip())
        wrong = sorted(i for i in ids if i[0] not in first_letters or not _is_id(i))
        if wrong:
            raise ValueError(f"{wrong[0]!r} is no Slack id (such as {such_as})")
        return ids

    return convert


def _is_id(text: str) -> bool:
    return text == EVERY_CHANNEL or (text.isascii() and text.replace("_", "").isalnum())


def _optional_channel(text: str) -> str | None:
    ids = _ids("CGD", _CHANNEL_ID)(text)
    if len(ids) > 1:
        raise ValueError("takes one channel id")
    return next(iter(ids), None)


def _triage(text: str) -> Mapping[str, TriageMode]:
    triage: dict[str, TriageMode] = {}
    for part in filter(None, (part.strip() for part in text.split(","))):
        channel, _, mode = (piece.strip() for piece in part.partition("="))
        if not channel:
            raise ValueError(f"{part!r} names no channel")
        _ids("*CGD", _CHANNEL_ID)(channel)
        if channel in triage:
            raise ValueError(f"{channel!r} is named twice")
        triage[channel] = _mode(mode or TriageMode.AUTO)
    return MappingProxyType(triage)


def _mode(text: str) -> TriageMode:
    try:
        return TriageMode(text.lower())
    except ValueError:
        raise ValueError(f"{text!r} is none of {', '.join(TriageMode)}") from None


def _queue_channels(text: str) -> Mapping[str, str]:
    channels: dict[str, str] = {}
    for pair in filter(None, (part.strip() for part in text.split(","))):
        queue, separator, channel = (piece.strip() for piece in pair.rpartition("="))
        if not separator or not queue or not channel:
            raise ValueError(f"{pair!r} is not of the form Queue=C0123456789")
        if queue in channels:
            raise ValueError(f"queue {queue!r} is named twice")
        _ids("CGD", _CHANNEL_ID)(channel)
        channels[queue] = channel
    return MappingProxyType(channels)


def _keys(text: str) -> tuple[str, ...]:
    keys = tuple(filter(None, (part.strip() for part in text.split(","))))
    for number, key in enumerate(keys, start=1):
        try:
            length = len(base64.b64decode(key, altchars=b"-_", validate=True))
        except ValueError:
            length = 0
        if length != 32:
            raise ValueError(f"key {number} is not 32 bytes in URL-safe base64")
    return keys


def _webhooks(text: str) -> tuple[str, ...]:
    urls = tuple(dict.fromkeys(filter(None, (part.strip() for part in text.split(",")))))
    for number, url in enumerate(urls, start=1):
        if not _is_web_address(url):  # not shown: such URLs often are secrets
            raise ValueError(f"number {number} is no http(s) URL")
    return urls


def _is_web_address(url: str) -> bool:
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        return False
    plain = url.isprintable() and not any(map(str.isspace, url))
    return plain and parts.scheme in ("http", "https") and bool(parts.hostname) and port != 0


def _yes_or_no(text: str) -> bool:
    if text.lower() not in ("yes", "no"):
        raise ValueError(f"{text!r} is neither yes nor no")
    return text.lower() == "yes"


def _level(text: str) -> str:
    if text.upper() not in ("DEBUG", "INFO", "WARNING", "ERROR"):
        raise ValueError(f"{text!r} is none of DEBUG, INFO, WARNING, ERROR")
    return text.upper()


def _log_format(text: str) -> LogFormat:
    try:
        return LogFormat(text.lower())
    except ValueError:
        raise ValueError(f"{text!r} is none of {', '.join(LogFormat)}") from None
