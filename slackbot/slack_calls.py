"""What we ask of Slack beyond Bolt: one client, and every failure sorted by what to do about it."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

import aiohttp
from slack_sdk.errors import SlackApiError
from slack_sdk.http_retry.async_handler import AsyncRetryHandler
from slack_sdk.http_retry.request import HttpRequest
from slack_sdk.http_retry.response import HttpResponse
from slack_sdk.http_retry.state import RetryState
from slack_sdk.web.async_client import AsyncWebClient

TIMEOUT_S = 15
LONGEST_WAIT_S = 3600.0
"""What is asked for in `Retry-After` is heeded up to here."""

PAGE_WAIT_S = 60.0
"""A search that has begun waits so long for its next page; Slack's limits are by the minute."""

PASSING_ERRORS = frozenset(
    {
        "fatal_error",
        "internal_error",
        "ratelimited",
        "rate_limited",
        "request_timeout",
        "service_unavailable",
        "team_added_to_org",
        "token_expired",  # the next one is being fetched: `installed.py`
    }
)
"""Errors in an `ok: false` answer that go away by themselves; all others stay until fixed."""


class CallOutcome(StrEnum):
    """How a call ended; what failed is named like the failures below."""

    OK = "ok"
    RATE_LIMITED = "rate_limited"
    UNKNOWN = "unknown"
    REFUSED = "refused"


class SlackFailure(Exception):
    """A call that did not succeed."""


class RateLimited(SlackFailure):
    """Slack asks to wait; the call had no effect.

    Attributes:
        retry_after: Seconds.
    """

    def __init__(self, retry_after: float) -> None:
        self.retry_after = retry_after
        super().__init__(f"rate limited for {retry_after:g} s")


class OutcomeUnknown(SlackFailure):
    """A time-out, a lost connection or a 5xx: the call may have had its effect.

    Attributes:
        settles_in_s: Seconds after which the effect shows if it came; a call that timed out may
            still be under way.
    """

    def __init__(self, what: str, settles_in_s: float = 0.0) -> None:
        self.settles_in_s = settles_in_s
        super().__init__(what)


class Refused(SlackFailure):
    """Slack's answer will be the same until somebody changes something.

    Attributes:
        error: Slack's word for it, such as `channel_not_found`.
    """

    def __init__(self, error: str, needed: str = "") -> None:
        self.error = error
        super().__init__(f"{error} (needs {needed})" if needed else error)


def web_session() -> aiohttp.ClientSession:
    """Connections that outlive a call, to be closed by the caller; needs a running event loop."""
    return aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=TIMEOUT_S))


def web_client(
    token: str,
    api_url: str,
    heard: Callable[[CallOutcome], None] | None = None,
    session: aiohttp.ClientSession | None = None,
) -> AsyncWebClient:
    """A Web API client that never repeats a call by itself: posting is not idempotent.

    Args:
        token: The bot's.
        api_url: Base URL of the Web API.
        heard: Is told how each call ended, also of the copies that Bolt makes of the client.
        session: From `web_session`; without one every call makes a connection of its own.
    """
    handlers: list[AsyncRetryHandler] = [_Listening(heard)] if heard else []
    return AsyncWebClient(
        token=token,
        base_url=api_url,
        timeout=TIMEOUT_S,
        session=session,
        retry_handlers=handlers,
    )


class _Listening(AsyncRetryHandler):
    """A retry handler that only listens, and never has a call repeated."""

    def __init__(self, heard: Callable[[CallOutcome], None]) -> None:
        super().__init__(max_retry_count=0)
        self._heard = heard

    async def can_retry_async(
        self,
        *,
        state: RetryState,
        request: HttpRequest,
        response: HttpResponse | None = None,
        error: Exception | None = None,
    ) -> bool:
        body = response.body if response is not None and error is None else None
        status = response.status_code if response is not None else 0
        said = body if isinstance(body, dict) else {}
        self._heard(CallOutcome.OK if said.get("ok") else _failed(status, said.get("error")))
        return False


@asynccontextmanager
async def sorted_failures() -> AsyncIterator[None]:
    """Turn what slack_sdk and aiohttp raise into one of the failures above.

    Raises:
        RateLimited: HTTP 429.
        OutcomeUnknown: Time-out, lost connection, 5xx, or an answer that is no JSON.
        Refused: Slack said no.
    """
    try:
        yield
    except SlackApiError as error:
        raise _sorted(error) from None  # the SDK's text holds the whole answer
    except TimeoutError as error:
        raise OutcomeUnknown("timed out", settles_in_s=TIMEOUT_S) from error
    except (aiohttp.ClientError, ssl.SSLError, OSError) as error:
        raise OutcomeUnknown(type(error).__name__) from error


def _sorted(error: SlackApiError) -> SlackFailure:
    response = error.response
    status = getattr(response, "status_code", None) or 0
    headers = {k.lower(): v for k, v in (getattr(response, "headers", None) or {}).items()}
    said = response.get("error") if isinstance(getattr(response, "data", None), dict) else None
    match _failed(status, said):
        case CallOutcome.RATE_LIMITED:
            return RateLimited(seconds(headers.get("retry-after")))
        case CallOutcome.REFUSED:
            return Refused(str(said), str(response.get("needed") or ""))
    return OutcomeUnknown(str(said or f"HTTP {status}"))


def _failed(status: int, said: str | None) -> CallOutcome:
    """What a failed call's HTTP status and Slack's word for the error mean."""
    if status == 429 or said in ("ratelimited", "rate_limited"):
        return CallOutcome.RATE_LIMITED
    if status >= 500 or said is None or said in PASSING_ERRORS:
        return CallOutcome.UNKNOWN
    return CallOutcome.REFUSED


def seconds(text: str | None) -> float:
    """A `Retry-After` header in seconds up to an hour; 1 when it is missing or says otherwise."""
    try:
        return min(max(0.1, float(text or 1)), LONGEST_WAIT_S)
    except ValueError:
        return 1.0


@dataclass(frozen=True, slots=True)
class FoundMessage:
    """A message fetched from Slack.

    Attributes:
        text: On the wire, as Slack stores it.
        user: Its author; empty for a bot.
        thread_ts: The thread it is in; None at top level.
    """

    text: str
    user: str
    thread_ts: str | None


async def find_message(client: AsyncWebClient, channel: str, ts: str) -> FoundMessage | None:
    """Fetch one message, also when it is a reply in a thread; None when it is gone.

    Raises:
        SlackFailure: As `sorted_failures` says.
    """
    async with sorted_failures():
        answer = await client.conversations_history(
            channel=channel, oldest=ts, latest=ts, inclusive=True, limit=1
        )
        found = _with_ts(answer.get("messages"), ts)
        if found is None:  # a reply is not in the channel's history
            found = _with_ts(await _replies_or_none(client, channel, ts), ts)
    if found is None:
        return None
    thread = found.get("thread_ts")
    return FoundMessage(
        text=found.get("text") or "",
        user=found.get("user") or "",
        thread_ts=thread if thread != ts else None,
    )


def _with_ts(messages: list[dict[str, Any]] | None, ts: str) -> dict[str, Any] | None:
    return next((message for message in messages or [] if message.get("ts") == ts), None)


async def _replies_or_none(
    client: AsyncWebClient, channel: str, ts: str
) -> list[dict[str, Any]] | None:
    try:
        answer = await client.conversations_replies(
            channel=channel, ts=ts, oldest=ts, latest=ts, inclusive=True, limit=1
        )
    except SlackApiError as error:
        if error.response.get("error") == "thread_not_found":
            return None
        raise
    return list(answer.get("messages") or [])


async def find_own_message(
    client: AsyncWebClient,
    *,
    channel: str,
    thread_ts: str | None,
    oldest: str,
    metadata: Mapping[str, Any],
) -> dict[str, Any] | None:
    """Look for a message of ours by its metadata, also astray in the channel of a lost thread.

    Returns:
        The message as Slack has it; None when it was never posted.

    Raises:
        SlackFailure: As `sorted_failures` says.
    """
    for thread in (thread_ts, None) if thread_ts else (None,):
        try:
            async for message in _own_messages(client, channel, thread, oldest):
                if message.get("metadata") == metadata:
                    return message
        except Refused as refused:
            if refused.error != "thread_not_found":
                raise
    return None


async def _own_messages(
    client: AsyncWebClient, channel: str, thread_ts: str | None, oldest: str
) -> AsyncIterator[dict[str, Any]]:
    cursor = None
    while True:
        window: dict[str, Any] = {
            "channel": channel,
            "oldest": oldest,
            "include_all_metadata": True,
            "limit": 200,
            **({"cursor": cursor} if cursor else {}),
        }
        try:
            async with sorted_failures():
                if thread_ts:
                    answer = await client.conversations_replies(ts=thread_ts, **window)
                else:
                    answer = await client.conversations_history(**window)
        except RateLimited as limited:
            if cursor is None or limited.retry_after > PAGE_WAIT_S:
                raise
            # Whoever began anew would meet the same limit at the same page, again and again.
            await asyncio.sleep(limited.retry_after)
            continue
        for message in answer.get("messages") or []:
            yield message
        cursor = (answer.get("response_metadata") or {}).get("next_cursor")
        if not cursor:
            return


@dataclass(frozen=True, slots=True)
class Upload:
    """A file for people.

    Attributes:
        name: File name.
        title: Shown with it.
        alt: What is to be seen, for who does not see it; Slack takes 1,000 characters.
        content: The file.
    """

    name: str
    title: str
    alt: str
    content: bytes


_ALT_TEXT = 1000


async def upload(
    client: AsyncWebClient, channel: str, files: Sequence[Upload], comment: str
) -> None:
    """Share files in a conversation, in one message.

    Raises:
        SlackFailure: As `sorted_failures` says; nothing is shown then.
    """
    done = []
    for file in files:
        async with sorted_failures():
            place = await client.files_getUploadURLExternal(
                filename=file.name, length=len(file.content), alt_txt=file.alt[:_ALT_TEXT]
            )
            async with (
                web_session() as session,
                session.post(place["upload_url"], data=file.content) as response,
            ):
                if response.status != 200:
                    raise OutcomeUnknown(f"upload: HTTP {response.status}")
        done.append({"id": place["file_id"], "title": file.title})
    async with sorted_failures():
        await client.files_completeUploadExternal(
            files=done, channel_id=channel, initial_comment=comment
        )
