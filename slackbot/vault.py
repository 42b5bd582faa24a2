"""Tokens at rest: sealed with a key from the environment, so that the database alone is no use."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field

from cryptography.fernet import Fernet, InvalidToken, MultiFernet

from slackbot.errors import AutoTicketError


class CannotUnseal(AutoTicketError):
    """No key of ours opens this, or it was sealed for another workspace."""

    def __init__(self, team: str) -> None:
        super().__init__(
            f"the tokens of {team} cannot be read: put the key that sealed them back into "
            "AUTOTICKET_ENCRYPTION_KEY, or install the app there again"
        )


@dataclass(frozen=True, slots=True)
class Secrets:
    """What must not lie open.

    Attributes:
        bot_token: `xoxb-…`.
        refresh_token: Gets the next bot token; empty when tokens do not end.
    """

    bot_token: str = field(repr=False)
    refresh_token: str = field(default="", repr=False)


class Vault:
    """Seals secrets (AES-128-CBC with HMAC-SHA256: https://github.com/fernet/spec).

    Args:
        keys: 32 bytes in URL-safe base64 each. The first one seals, any of them unseals.

    Raises:
        ValueError: There is none, or one is no such key.
    """

    def __init__(self, keys: Sequence[str]) -> None:
        if not keys:
            raise ValueError("no key")
        self._ring = [Fernet(key) for key in keys]

    def seal(self, team: str, secrets: Secrets) -> str:
        """Seal what belongs to one workspace."""
        plain = json.dumps({"team": team, **asdict(secrets)})
        return self._ring[0].encrypt(plain.encode()).decode()

    def unseal(self, team: str, sealed: str) -> Secrets:
        """Open what was sealed for that workspace, and for no other.

        Raises:
            CannotUnseal: It cannot be opened.
        """
        try:
            content = json.loads(MultiFernet(self._ring).decrypt(sealed))
        except InvalidToken:
            raise CannotUnseal(team) from None
        if content.pop("team") != team:  # somebody has moved rows about
            raise CannotUnseal(team)
        return Secrets(**content)

    def is_current(self, sealed: str) -> bool:
        """Whether the first key sealed it, so that the others may go."""
        try:
            self._ring[0].decrypt(sealed)
        except InvalidToken:
            return False
        return True
