"""The settings as a form: what admins see of `/ticket setup`, and what comes back from it."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from slackbot.team_settings import EVERY_CHANNEL, TeamSettings, TriageMode
from slackbot.views import blocks
from slackbot.views.blocks import Option
from slackbot.views.ids import ActionId, queue_named
from slackbot.views.message import Block

CALLBACK = "setup_modal"
QUEUES_ON_A_PAGE = 60
"""With the other fields well below the 100 blocks of a view."""

ELSEWHERE = "elsewhere"
REVIEW = "review_channel"
USERS = "reviewer_users"
GROUPS = "reviewer_groups"
BUDGET = "review_budget"
MOST_A_DAY = 100_000
_QUEUE = "queue:"

_MODES = {
    TriageMode.AUTO: (
        "Read and route",
        "Every message is judged; the bot routes what it is sure of, and asks about the rest.",
    ),
    TriageMode.SUGGEST: ("Read and always ask", "A person settles every ticket."),
    TriageMode.SILENT: (
        "Read in silence",
        "Judged and recorded only: nobody sees anything, not even who wrote.",
    ),
}
_LEAVE_ALONE = ("Leave them alone", "none")
_ELSEWHERE_OPTIONS = [
    _LEAVE_ALONE,
    *((label, mode.value) for mode, (label, _) in _MODES.items()),
]


@dataclass(frozen=True, slots=True, kw_only=True)
class SetupForm:
    """What the form shows.

    Attributes:
        settings: In force now.
        version: Of the settings; comes back, so that nobody overwrites what they have not seen.
        queues: All queues of the model.
        groups: The workspace's user groups as (name, id); empty when there are none, or Slack
            did not tell: those that are set then stay.
        page: Which part of the queues, from 0.
        edits: How often the list of queues had been edited; comes back as the version does.
    """

    settings: TeamSettings
    version: int
    queues: tuple[str, ...]
    groups: tuple[Option, ...]
    page: int = 0
    edits: int = 0


@dataclass(frozen=True, slots=True)
class Submitted:
    """A form that came back.

    Attributes:
        settings: All settings as they shall be.
        seen: The version that was shown.
        edits: How often the list of queues had been edited then.
        chosen: By block_id, the channels that were chosen there.
        twice: block_ids of triage channels that are chosen in another mode too.
        lost_queues: block_ids of queues that do not exist any more.
    """

    settings: TeamSettings
    seen: int
    edits: int
    chosen: Mapping[str, tuple[str, ...]]
    twice: frozenset[str]
    lost_queues: frozenset[str]


def loading() -> Block:
    """What is shown at once, while the settings are read."""
    return _modal([blocks.section("One moment …")])


def not_readable() -> Block:
    """What is shown when the settings cannot be read."""
    return _modal([blocks.section("The settings cannot be read. Please try again in a minute.")])


def setup_modal(form: SetupForm) -> Block:
    """The form, as views.update takes it."""
    settings = form.settings
    shown = [
        *(_mode_field(mode, settings) for mode in TriageMode),
        _elsewhere(settings),
        _channel(REVIEW, "Review channel", settings.review_channel),
        *_reviewers(settings, form.groups),
        _budget(settings),
        *_queue_channels(form),
    ]
    origin = {"version": form.version, "edits": form.edits, "page": form.page}
    return _modal(shown) | {
        "submit": blocks.plain_text("Save"),
        "private_metadata": json.dumps(origin),
    }


def read(view: Mapping[str, Any], before: TeamSettings, queues: Collection[str]) -> Submitted:
    """Read the `view` of a view_submission payload.

    Args:
        view: As Slack sends it.
        before: The settings in force; what the form does not show stays as it is there.
        queues: The queues that exist.
    """
    state = view.get("state", {}).get("values", {})
    values: dict[str, Mapping[str, Any]] = {
        block: next(iter(fields.values()), {}) for block, fields in state.items()
    }
    chosen = {block: channels for block, value in values.items() if (channels := _channels(value))}
    by_queue = {
        block: queue_named(block.removeprefix(_QUEUE), queues)
        for block in values
        if block.startswith(_QUEUE)
    }
    origin = _origin(view)
    wanted = replace(
        before,
        triage=_triage(values),
        review_channel=next(iter(chosen.get(REVIEW, ())), None),
        reviewers=_reviewers_chosen(values, before),
        queue_channels=_channels_of_queues(by_queue, chosen, before),
        review_budget=_number(values.get(BUDGET, {}), before.review_budget),
    )
    return Submitted(
        settings=wanted,
        seen=origin["version"],
        edits=origin["edits"],
        chosen=chosen,
        twice=frozenset(_twice(chosen)),
        lost_queues=frozenset(block for block, queue in by_queue.items() if queue is None),
    )


def first_field(view: Mapping[str, Any]) -> str:
    """The block_id at which to say what is wrong with the form as a whole."""
    return next(
        (str(b["block_id"]) for b in view.get("blocks") or [] if b.get("type") == "input"), REVIEW
    )


def _modal(shown: list[Block]) -> Block:
    return {
        "type": "modal",
        "callback_id": CALLBACK,
        "title": blocks.plain_text("AutoTicket settings"),
        "close": blocks.plain_text("Cancel"),
        "blocks": shown,
    }


def _origin(view: Mapping[str, Any]) -> dict[str, int]:
    try:
        said = json.loads(view.get("private_metadata") or "{}")
        return {name: int(said.get(name, 0)) for name in ("version", "edits", "page")}
    except (AttributeError, TypeError, ValueError):
        # A version that never was: nothing can be saved.
        return {"version": -1, "edits": 0, "page": 0}


# What the form shows ---------------------------------------------------------------------------


def _mode_block(mode: TriageMode) -> str:
    return f"triage:{mode.value}"


def _mode_field(mode: TriageMode, settings: TeamSettings) -> Block:
    label, hint = _MODES[mode]
    channels = sorted(c for c, m in settings.triage.items() if m is mode and c != EVERY_CHANNEL)
    name = _mode_block(mode)
    element = blocks.pick_channels(name, "Channels", channels)
    return blocks.field(name, label, element, optional=True, hint=hint)


def _elsewhere(settings: TeamSettings) -> Block:
    mode = settings.triage.get(EVERY_CHANNEL)
    chosen = next((o for o in _ELSEWHERE_OPTIONS if mode and o[1] == mode), _LEAVE_ALONE)
    element = blocks.select(ELSEWHERE, "Other channels", _ELSEWHERE_OPTIONS, chosen)
    return blocks.field(
        ELSEWHERE,
        "All other channels that the bot is in",
        element,
        optional=False,
        hint="The review channel and the channels of the queues are left out.",
    )


def _channel(name: str, label: str, channel: str | None) -> Block:
    return blocks.field(
        name, label, blocks.pick_channel(name, "No channel", channel), optional=True
    )


def _reviewers(settings: TeamSettings, groups: tuple[Option, ...]) -> Iterator[Block]:
    users = sorted(i for i in settings.reviewers if not i.startswith("S"))
    yield blocks.field(
        USERS,
        "Reviewers",
        blocks.pick_users(USERS, "People", users),
        optional=True,
        hint="They settle tickets. Guests never can.",
    )
    if groups:
        chosen = [option for option in groups if option[1] in settings.reviewers]
        element = blocks.multi_select(GROUPS, "User groups", groups, chosen)
        yield blocks.field(GROUPS, "Reviewers by user group", element, optional=True)


def _budget(settings: TeamSettings) -> Block:
    return blocks.field(
        BUDGET,
        "Tickets that reviewers settle a day",
        blocks.number(BUDGET, settings.review_budget, MOST_A_DAY),
        optional=True,
        hint="When more wait, those come first where a wrong route would cost most. 0: no limit.",
    )


def _queue_channels(form: SetupForm) -> Iterator[Block]:
    last = max(0, len(form.queues) - 1) // QUEUES_ON_A_PAGE
    page = min(max(form.page, 0), last)
    yield blocks.header("Channels of the queues")
    for queue in form.queues[page * QUEUES_ON_A_PAGE : (page + 1) * QUEUES_ON_A_PAGE]:
        yield _channel(f"{_QUEUE}{queue}", queue, form.settings.queue_channels.get(queue))
    if last:
        yield blocks.context(f"Part {page + 1} of {last + 1}. Save before you turn the page.")
        buttons = []
        if page > 0:
            buttons.append(blocks.button(ActionId.SETUP_BACK, "← Back", str(page - 1)))
        if page < last:
            buttons.append(blocks.button(ActionId.SETUP_MORE, "More →", str(page + 1)))
        yield blocks.actions("setup:pages", buttons)


# What comes back -------------------------------------------------------------------------------


def _channels(value: Mapping[str, Any]) -> tuple[str, ...]:
    several = value.get("selected_conversations") or ()
    one = value.get("selected_conversation")
    return (*several, *((one,) if one else ()))


def _triage(values: Mapping[str, Mapping[str, Any]]) -> dict[str, TriageMode]:
    triage = {
        channel: mode
        for mode in TriageMode
        for channel in _channels(values.get(_mode_block(mode), {}))
    }
    picked = (values.get(ELSEWHERE, {}).get("selected_option") or {}).get("value")
    if picked in list(TriageMode):
        triage[EVERY_CHANNEL] = TriageMode(picked)
    return triage


def _number(value: Mapping[str, Any], before: int) -> int:
    """What was typed; an emptied field is 0, and Slack lets nothing else than a number through."""
    if "value" not in value:
        return before
    text = str(value["value"] or "0")
    return min(int(text), MOST_A_DAY) if text.isdecimal() else before


def _twice(chosen: Mapping[str, tuple[str, ...]]) -> Iterator[str]:
    seen: set[str] = set()
    for mode in TriageMode:
        channels = chosen.get(_mode_block(mode), ())
        if not seen.isdisjoint(channels):
            yield _mode_block(mode)
        seen.update(channels)


def _reviewers_chosen(
    values: Mapping[str, Mapping[str, Any]], before: TeamSettings
) -> frozenset[str]:
    users = values.get(USERS, {}).get("selected_users") or ()
    if GROUPS in values:
        options = values[GROUPS].get("selected_options") or ()
        return frozenset([*users, *(option["value"] for option in options)])
    return frozenset([*users, *(i for i in before.reviewers if i.startswith("S"))])


def _channels_of_queues(
    by_queue: Mapping[str, str | None],
    chosen: Mapping[str, tuple[str, ...]],
    before: TeamSettings,
) -> dict[str, str]:
    kept = {q: c for q, c in before.queue_channels.items() if q not in by_queue.values()}
    new = {
        queue: chosen[block][0] for block, queue in by_queue.items() if queue and block in chosen
    }
    return kept | new
