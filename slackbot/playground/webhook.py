"""Delivers over HTTP, signed, as to an app with a request URL."""

from __future__ import annotations

import hashlib
import hmac
import json
import time
from urllib.parse import urlencode

import aiohttp

from slackbot.playground.delivery import Kind, Parcel
from slackbot.playground.errors import NotAcknowledgedError
from slackbot.playground.records import Json


def sign(secret: str, timestamp: str, body: bytes) -> str:
    """Slack's signature of a request, as `X-Slack-Signature` carries it."""
    message = b"v0:" + timestamp.encode() + b":" + body
    return "v0=" + hmac.new(secret.encode(), message, hashlib.sha256).hexdigest()


class Webhook:
    """One request URL.

    Args:
        url: Where the app listens, for events, commands and interactions alike.
        secret: The signing secret.
        ack_timeout: Seconds that the app has.
    """

    def __init__(self, url: str, secret: str, ack_timeout: float) -> None:
        self._url = url
        self._secret = secret
        self._session = aiohttp.ClientSession(
            # Not `total`: waiting for a free connection here is not the app's fault.
            timeout=aiohttp.ClientTimeout(None, sock_connect=ack_timeout, sock_read=ack_timeout),
        )

    async def send(self, parcel: Parcel) -> Json:
        """See `delivery.Transport`."""
        body, content_type = _encode(parcel)
        headers = self._headers(parcel, body, content_type)
        try:
            async with self._session.post(self._url, data=body, headers=headers) as response:
                if response.status != 200:
                    raise NotAcknowledgedError("http_error")
                return _decode(response.content_type, await response.text(errors="replace"))
        except TimeoutError as error:
            raise NotAcknowledgedError("http_timeout") from error
        except aiohttp.ClientError as error:
            raise NotAcknowledgedError("connection_failed") from error

    async def close(self) -> None:
        """Close the connections."""
        await self._session.close()

    def _headers(self, parcel: Parcel, body: bytes, content_type: str) -> dict[str, str]:
        timestamp = str(int(time.time()))
        headers = {
            "Content-Type": content_type,
            "User-Agent": "Slackbot 1.0 (+https://api.slack.com/robots)",
            "X-Slack-Request-Timestamp": timestamp,
            "X-Slack-Signature": sign(self._secret, timestamp, body),
        }
        if parcel.attempt:
            headers["X-Slack-Retry-Num"] = str(parcel.attempt)
            headers["X-Slack-Retry-Reason"] = parcel.reason
        return headers


def _encode(parcel: Parcel) -> tuple[bytes, str]:
    if parcel.kind is Kind.EVENT:
        return json.dumps(parcel.payload).encode(), "application/json"
    fields = parcel.payload
    if parcel.kind is Kind.INTERACTION:
        fields = {"payload": json.dumps(parcel.payload)}
    return urlencode(fields, errors="replace").encode(), "application/x-www-form-urlencoded"


def _decode(content_type: str, text: str) -> Json:
    """An acknowledgement's body: an object, or a text to show, or nothing."""
    if content_type == "application/json":
        try:
            body = json.loads(text)
        except ValueError:
            body = None
        if isinstance(body, dict):
            return body
    return {"text": text} if text else {}
