"""From a candidate's `replay.json` to what its card shows."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from slackbot.views.model import Offer, SetOfTexts


def offer_of(replay: Mapping[str, Any]) -> Offer:
    """What the card shows of a comparison.

    Raises:
        KeyError: The file is not one that `core.replay` wrote.
        TypeError: Likewise.
    """
    settled = replay["settled"]
    people = replay["sets"][0]["shown"] if replay["sets"] else ()
    return Offer(
        version=str(replay["candidate"]),
        current=str(replay["current"]),
        learned_from=sum(settled.values()),
        contradicted=int(replay.get("contradicted", {}).get("answers", 0)),
        sets=tuple(_set(each) for each in replay["sets"]),
        flips=tuple(_flip(each) for each in people),
    )


def _set(each: Mapping[str, Any]) -> SetOfTexts:
    def pair(name: str) -> tuple[str, str]:
        before, after = (_share(each[side][name]) for side in ("current", "candidate"))
        return before, after

    return SetOfTexts(
        name=str(each["name"]),
        texts=int(each["texts"]),
        accuracy=pair("accuracy"),
        routed=pair("coverage"),
        precision=pair("routed_precision"),
        calibration=pair("calibration_error"),
        queues=tuple(_queues(each["current"]["queues"], each["candidate"]["queues"])),
        gain=_gain(each["gain"]),
        better=int(each["flips"]["better"]),
        worse=int(each["flips"]["worse"]),
    )


def _queues(
    before: Sequence[Mapping[str, Any]], after: Sequence[Mapping[str, Any]]
) -> Iterator[tuple[str, tuple[str, str]]]:
    """The queues of the candidate whose precision changes."""
    known = {queue["name"]: _share(queue["precision"]) for queue in before}
    for queue in after:
        was, now = known.get(queue["name"], "-"), _share(queue["precision"])
        if was != now:
            yield str(queue["name"]), (was, now)


def _gain(gain: Mapping[str, Any]) -> str:
    if not gain["n"]:
        return "no queue known"
    value, low, high = (f"{100 * gain[end]:+.1f}" for end in ("value", "low", "high"))
    chance = ", may be chance" if gain["low"] <= 0 <= gain["high"] else ""
    return f"{value} points (95 % interval {low} to {high}{chance})"


def _share(figure: Mapping[str, Any]) -> str:
    return f"{100 * figure['value']:.1f} %" if figure["n"] else "-"


def _flip(flip: Mapping[str, Any]) -> str:
    was, now = flip["current"][0], flip["candidate"][0]
    if was == now:
        was, now = (f"{each[0]} ({each[1]})" for each in (flip["current"], flip["candidate"]))
    return f"{flip['text']}: {was} → {now} ({flip['change']})"
