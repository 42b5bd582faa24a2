"""Outgoing webhooks: what the outbox has for programs elsewhere, signed and sent once at a time."""

from __future__ import annotations

import hashlib
import hmac
import json
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Self
from urllib.parse import urlsplit

import aiohttp

from slackbot.slack_calls import OutcomeUnknown, Refused, seconds
from storage.records import Delivery

TIMEOUT_S = 10.0

ID_HEADER = "X-AutoTicket-Delivery"
EVENT_HEADER = "X-AutoTicket-Event"
TIMESTAMP_HEADER = "X-AutoTicket-Timestamp"
SIGNATURE_HEADER = "X-AutoTicket-Signature"

_PASSING = frozenset({408, 425, 429})
"""Answers below 500 that go away by themselves."""


def lane_of(url: str) -> str:
    """Where the outbox keeps what is for `url`; shows its host, and nothing else of it."""
    digest = hashlib.sha256(url.encode()).hexdigest()[:8]
    return f"webhook:{urlsplit(url).hostname}:{digest}"


def signature(secret: str, timestamp: str, body: bytes) -> str:
    """`v1=` and the HMAC-SHA256 of timestamp, a full stop and body, in hexadecimal."""
    signed = timestamp.encode() + b"." + body
    return "v1=" + hmac.new(secret.encode(), signed, hashlib.sha256).hexdigest()


def webhook_session() -> aiohttp.ClientSession:
    """Connections apart from those to Slack, so that none waits for the other; keeps no cookies."""
    return aiohttp.ClientSession(
        timeout=aiohttp.ClientTimeout(total=TIMEOUT_S), cookie_jar=aiohttp.DummyCookieJar()
    )


@dataclass(frozen=True, slots=True)
class Webhooks:
    """Sends single events.

    Attributes:
        urls: By the lanes that the outbox keeps for them.
        secret: Signs every request.
        with_text: Whether the ticket's masked text is sent along.
        session: From `webhook_session`.
        clock: Seconds since 1970.
    """

    urls: Mapping[str, str] = field(repr=False)
    secret: str = field(repr=False)
    with_text: bool
    session: aiohttp.ClientSession
    clock: Callable[[], float] = time.time

    @classmethod
    def of(
        cls, urls: Sequence[str], secret: str, session: aiohttp.ClientSession, *, with_text: bool
    ) -> Self:
        """For the configured URLs."""
        return cls({lane_of(url): url for url in urls}, secret, with_text, session)

    @property
    def lanes(self) -> tuple[str, ...]:
        """One for each URL."""
        return tuple(self.urls)

    async def send(self, delivery: Delivery, text: str) -> None:
        """Make one request; any answer from 200 to 299 is success.

        Args:
            delivery: A row of the outbox.
            text: The ticket's text as it is now, masked; empty when it was erased.

        Raises:
            OutcomeUnknown: To be tried again: no answer, 408, 425, 429 or from 500 on.
            Refused: Not to be tried again: any other answer, redirects too, or the URL is not
                configured any more.
        """
        url = self.urls.get(delivery.lane)
        if url is None:
            raise Refused("the URL is not in AUTOTICKET_WEBHOOKS any more")
        body = self._body(delivery.payload, text)
        try:
            async with self.session.post(
                url,
                data=body,
                headers=self._headers(delivery.payload, body),
                allow_redirects=False,  # nobody but the operator decides where tickets go
            ) as answer:
                status, wait = answer.status, answer.headers.get("Retry-After")
        except TimeoutError:
            raise OutcomeUnknown(f"timed out after {TIMEOUT_S:g} s") from None
        except (aiohttp.ClientError, OSError) as error:
            raise OutcomeUnknown(type(error).__name__) from None  # its text may hold the URL
        _judge(status, wait)

    def _body(self, payload: Mapping[str, Any], text: str) -> bytes:
        shown = (text or None) if self.with_text else None
        complete = {**payload, "ticket": {**payload["ticket"], "text": shown}}
        return json.dumps(complete, separators=(",", ":")).encode()

    def _headers(self, payload: Mapping[str, Any], body: bytes) -> dict[str, str]:
        timestamp = str(int(self.clock()))
        return {
            "Content-Type": "application/json",
            "User-Agent": "AutoTicket",
            ID_HEADER: payload["id"],
            EVENT_HEADER: payload["event"],
            TIMESTAMP_HEADER: timestamp,
            SIGNATURE_HEADER: signature(self.secret, timestamp, body),
        }


def _judge(status: int, wait: str | None) -> None:
    if 200 <= status < 300:
        return
    if status >= 500 or status in _PASSING:
        asked = seconds(wait) if wait else 0.0
        raise OutcomeUnknown(f"HTTP {status}", asked)
    hint = " (redirects are not followed)" if 300 <= status < 400 else ""
    raise Refused(f"HTTP {status}{hint}")
