"""The card that offers a new version of the model, and what it becomes once somebody decided."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from slackbot.mrkdwn import mention, snippet
from slackbot.views import blocks
from slackbot.views.message import Block, Message
from slackbot.views.words import counted, queue_name

_FLIPS = 8
_QUEUES = 8


class ModelAction(StrEnum):
    """`action_id` of the card's buttons; the value is the version."""

    PROMOTE = "model_promote"
    KEEP = "model_keep"
    ROLLBACK = "model_rollback"


@dataclass(frozen=True, slots=True)
class SetOfTexts:
    """How both versions do on one set of texts, in figures that are text already.

    Attributes:
        name: What the texts are.
        texts: How many.
        accuracy: Before and after.
        routed: Share routed automatically, before and after.
        precision: Share of these that is right, before and after.
        calibration: Expected calibration error, before and after.
        queues: Each queue of which that precision changes, with it before and after.
        gain: The change in accuracy with its interval, and whether it may be chance.
        better: Texts whose first choice became right.
        worse: Texts whose first choice became wrong.
    """

    name: str
    texts: int
    accuracy: tuple[str, str]
    routed: tuple[str, str]
    precision: tuple[str, str]
    calibration: tuple[str, str]
    queues: tuple[tuple[str, tuple[str, str]], ...]
    gain: str
    better: int
    worse: int


@dataclass(frozen=True, slots=True)
class Offer:
    """A version that could be put in force.

    Attributes:
        version: Its name.
        current: The version that it was compared with.
        learned_from: How many settled tickets it has learned from.
        contradicted: How many older answers it has not, for newer ones contradict them.
        sets: The comparisons.
        flips: Tickets that it sees otherwise, one line each: "T-12: Hardware → Access (better)".
    """

    version: str
    current: str
    learned_from: int
    contradicted: int
    sets: tuple[SetOfTexts, ...]
    flips: tuple[str, ...]


def offer(found: Offer) -> Message:
    """The card before anybody has decided."""
    buttons = [
        blocks.button(ModelAction.PROMOTE, "Promote", found.version, "primary"),
        blocks.button(ModelAction.KEEP, "Keep the present one", found.version),
    ]
    return Message(
        text=f"A new version of the model is ready: {snippet(found.version, 60)}",
        blocks=(
            blocks.header("A new version of the model is ready"),
            *_comparison(found),
            blocks.context("Nothing changes before somebody promotes it."),
            blocks.actions(f"model:{found.version}"[:255], buttons),
        ),
    )


def decided(found: Offer, *, by: str, promoted: bool) -> Message:
    """The card after somebody has decided; a promotion can be taken back with one tap."""
    what = "put it in force" if promoted else "kept the present version"
    header = "A new version of the model is in force" if promoted else "The model stays as it is"
    message = _closed(found, header, f"{mention(by)} {what}.")
    if not promoted:
        return message
    button = blocks.button(ModelAction.ROLLBACK, "Roll back", found.version)
    actions = blocks.actions(f"model:{found.version}:decided"[:255], [button])
    return Message(text=message.text, blocks=(*message.blocks, actions))


def rolled_back(found: Offer, *, by: str, to_version: str) -> Message:
    """The card after a promotion was taken back."""
    line = f"{mention(by)} took it back: {snippet(to_version, 60)} is in force again."
    return _closed(found, "A version of the model was taken back", line)


def _closed(found: Offer, header: str, line: str) -> Message:
    """What was decided comes first; what it was decided on stays to be read."""
    shown = (blocks.header(header), blocks.section(line), *_comparison(found))
    return Message(text=line, blocks=shown)


def _comparison(found: Offer) -> list[Block]:
    compared = f"{snippet(found.version, 60)}, compared with {snippet(found.current, 60)}"
    return [
        blocks.section(_learned(found)),
        *(blocks.section(_set(each)) for each in found.sets),
        *_flips(found.flips),
        blocks.context(compared),
    ]


def _learned(found: Offer) -> str:
    left_out = ""
    if found.contradicted:
        older = counted(found.contradicted, "older answer")
        left_out = f", and left out {older} that newer ones contradict"
    learned = counted(found.learned_from, "settled ticket")
    return (
        f"It has learned from {learned}{left_out}. On texts that neither version was trained on, "
        "before → after:"
    )


def _set(each: SetOfTexts) -> str:
    name = each.name[:1].upper() + each.name[1:]
    if not each.texts:
        return f"*{name}*: none yet"
    return (
        f"*{name}* ({counted(each.texts, 'text')})\n"
        f"Right queue: {_arrow(each.accuracy)}\n"
        f"{each.better} became right, {each.worse} became wrong: {each.gain}\n"
        f"Routed automatically: {_arrow(each.routed)}, of these right: {_arrow(each.precision)}"
        f"{_by_queue(each.queues)}\nConfidence is off by: {_arrow(each.calibration)}"
    )


def _by_queue(queues: Sequence[tuple[str, tuple[str, str]]]) -> str:
    if not queues:
        return ""
    lines = [f"{queue_name(name)}: {_arrow(pair)}" for name, pair in queues[:_QUEUES]]
    more = len(queues) - len(lines)
    lines += [f"and {counted(more, 'more queue')}"] if more else []
    return f"; {', '.join(lines)}"


def _arrow(pair: tuple[str, str]) -> str:
    return f"{pair[0]} → {pair[1]}"


def _flips(flips: Sequence[str]) -> list[Block]:
    if not flips:
        return []
    lines = ["Settled tickets that it sees otherwise:"]
    lines += [f"• {snippet(line, 150)}" for line in flips[:_FLIPS]]
    if len(flips) > _FLIPS:
        lines.append(f"and {len(flips) - _FLIPS} more")
    return [blocks.context("\n".join(lines))]
