"""The web API: what `autoticket classify` says, for programs on the network that have the token."""

from __future__ import annotations

import asyncio
import hmac
import html
import json
import logging
from collections.abc import Callable
from typing import Annotated, Any

from fastapi import APIRouter, Depends, FastAPI, HTTPException, Request, Response
from fastapi.openapi.utils import get_openapi
from fastapi.responses import HTMLResponse, JSONResponse
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer
from pydantic import BaseModel, ConfigDict, Discriminator, Field, Tag, TypeAdapter, ValidationError

from core.decision import Decision, Impact, Priority, Reason, Urgency
from slackbot.desk.judging import TextJudge
from storage.errors import DatabaseUnavailable

log = logging.getLogger(__name__)

PATH = "/api/classify"
VERSION = "1"
"""Of this interface; grows when a caller would have to change something."""
MAX_TEXTS = 256

Shown = Annotated[HTTPAuthorizationCredentials | None, Depends(HTTPBearer(auto_error=False))]
"""What a caller put into the Authorization header; None for anything but a bearer token."""

_STRICT = ConfigDict(extra="forbid", strict=True, frozen=True)


class OneText(BaseModel):
    """A text to be judged; `filed` judges it as filed on purpose, so that it is never ignored."""

    model_config = _STRICT

    text: str
    filed: bool = False


class ManyTexts(BaseModel):
    """Texts to be judged; the results come in the same order."""

    model_config = _STRICT

    texts: list[str] = Field(max_length=MAX_TEXTS)
    filed: bool = False


class Result(BaseModel):
    """What `Classification.to_json` gives, for the document; `docs/decisions.md` explains it."""

    model_config = ConfigDict(extra="forbid", protected_namespaces=())

    queue: str | None
    queue_label: str
    queue_confidence: float
    queue_top3: list[tuple[str, float]]
    threshold: float
    decision: Decision
    reason: Reason
    priority: Priority
    urgency: Urgency
    impact: Impact
    priority_confidence: float
    language: str
    model_version: str
    settled_like: str = Field(
        default="",
        pattern=r"^T-\d+$",
        description="The ticket that people settled, when nearly the same text decided; "
        "otherwise left out.",
    )


class Problem(BaseModel):
    """Why there is no result, in one line."""

    detail: str


def _form(body: object) -> str:
    return "texts" if isinstance(body, dict) and "texts" in body else "text"


Query = OneText | ManyTexts
_QUERY: TypeAdapter[Query] = TypeAdapter(
    Annotated[
        Annotated[OneText, Tag("text")] | Annotated[ManyTexts, Tag("texts")], Discriminator(_form)
    ]
)
_DESCRIPTION: dict[str, Any] = {
    "operation_id": "classify",
    "summary": "Say which queue a text belongs to, how urgent it is, and how sure that is.",
    "description": (
        "One object for a `text`, a list in the same order for `texts`. The answer is what the bot "
        "would decide about a message now: what people of its workspace have settled goes before "
        "the model (`settled_like`, `settled_otherwise`), and a queue that lost automatic routing "
        "there is reviewed (`queue_demoted`). A bot that any workspace may install (OAuth) cannot "
        "tell whose text this is, so there the model alone decides, as in `autoticket classify`."
    ),
    "response_model": Result | list[Result],
    "responses": {
        401: {"model": Problem, "description": "The bearer token is missing or wrong."},
        413: {"model": Problem, "description": "The body is over 1 MB."},
        422: {"model": Problem, "description": "The body is not as described."},
        503: {
            "model": Problem,
            "description": "The bot is still starting, or its database does not answer.",
        },
    },
    "openapi_extra": {
        "requestBody": {
            "required": True,
            "content": {
                "application/json": {
                    "schema": {
                        "oneOf": [OneText.model_json_schema(), ManyTexts.model_json_schema()]
                    }
                }
            },
        }
    },
}


def application(token: str, judging: Callable[[], TextJudge | None]) -> FastAPI:
    """The API as an application of its own; the arguments are `router`'s."""
    app = FastAPI(openapi_url=None)  # what is documented has a document of its own
    app.include_router(router(token, judging))
    return app


def router(token: str, judging: Callable[[], TextJudge | None]) -> APIRouter:
    """The API with its OpenAPI document and a page about it.

    Args:
        token: What callers must show.
        judging: Gives what judges texts; None while the bot is starting.
    """
    routes = APIRouter()
    turn = asyncio.Lock()  # one caller at a time: tickets from Slack must not wait behind many

    @routes.post(PATH, **_DESCRIPTION)
    async def classify(request: Request, shown: Shown) -> Response:
        if shown is None or not _same(shown.credentials, token):
            raise HTTPException(401, "give the bearer token", {"WWW-Authenticate": "Bearer"})
        query = _parsed(await request.body())
        judge = judging()
        if judge is None:
            raise HTTPException(503, "the bot is still starting", {"Retry-After": "5"})
        async with turn:
            return JSONResponse(await _answer(judge, query))

    document = get_openapi(title="AutoTicket", version=VERSION, routes=routes.routes)

    @routes.get("/openapi.json")
    async def openapi() -> JSONResponse:
        return JSONResponse(document)

    @routes.get("/docs")
    async def page() -> HTMLResponse:
        return HTMLResponse(_page(document))

    return routes


def _same(shown: str, token: str) -> bool:
    """Whether a header's value is the token, in a time that does not tell how much of it is."""
    return hmac.compare_digest(shown.encode("latin-1"), token.encode())


def _parsed(body: bytes) -> Query:
    try:
        return _QUERY.validate_json(body)
    except ValidationError as error:
        raise HTTPException(422, _in_one_line(error)) from None


def _in_one_line(error: ValidationError) -> str:
    """The first problem and where it is, without the caller's values."""
    first = error.errors(include_url=False, include_context=False, include_input=False)[0]
    where = ".".join(map(str, first["loc"][1:]))[:80] or "body"
    line = f"{where}: {first['msg']}"
    return "".join(letter if letter.isprintable() else " " for letter in line)


async def _answer(judge: TextJudge, query: Query) -> dict[str, Any] | list[dict[str, Any]]:
    texts = [query.text] if isinstance(query, OneText) else query.texts
    try:
        said = await judge(texts, filed=query.filed)
    except DatabaseUnavailable as error:
        log.error("database_unavailable", extra={"error": str(error)})
        detail = "the database does not answer: try again in a minute"
        raise HTTPException(503, detail, {"Retry-After": "60"}) from None
    results = [each.to_json() for each in said]
    return results[0] if isinstance(query, OneText) else results


def _page(document: dict[str, Any]) -> str:
    """A page that needs no script and nothing from elsewhere."""
    operation = document["paths"][PATH]["post"]
    answers = "\n".join(
        f"<tr><td>{status}</td><td>{html.escape(answer['description'])}</td></tr>"
        for status, answer in operation["responses"].items()
    )
    return _PAGE.format(
        path=PATH,
        summary=html.escape(operation["summary"]),
        answers=answers,
        document=html.escape(json.dumps(document, indent=2)),
    )


_PAGE = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>AutoTicket: web API</title>
<style>
:root {{ color-scheme: light dark; }}
body {{ font: 1rem/1.5 system-ui, sans-serif; max-width: 50rem; margin: 2rem auto; }}
body {{ padding: 0 1rem; }}
pre {{ overflow-x: auto; padding: 1rem; border: 1px solid; border-radius: .5rem; }}
td, th {{ text-align: left; padding-right: 2rem; }}
</style>
</head>
<body>
<h1>POST {path}</h1>
<p>{summary}</p>
<pre>curl -H "Authorization: Bearer $AUTOTICKET_API_TOKEN" \\
     -d '{{"text": "my vpn drops every five minutes"}}' \\
     http://127.0.0.1:3000{path}</pre>
<p>Several texts: <code>{{"texts": ["...", "..."]}}</code>, results in the same order.
As filed on purpose, so that nothing is ignored: <code>"filed": true</code>.</p>
<table>
<thead><tr><th>Status</th><th>Answer</th></tr></thead>
<tbody>
{answers}
</tbody>
</table>
<h2><a href="/openapi.json">openapi.json</a></h2>
<pre>{document}</pre>
</body>
</html>
"""
