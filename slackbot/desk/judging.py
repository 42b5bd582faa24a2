"""What texts would be told if they came now; nothing is filed. The web API asks."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Protocol

from core.classifier import Classifier
from core.decision import Classification
from core.neighbours import judge_with_precedents
from slackbot.desk.precedents import Precedents
from slackbot.desk.watch import QueueWatch, under_watch


class TextJudge(Protocol):
    """Judges texts as they would be judged if they came now."""

    async def __call__(self, texts: Sequence[str], *, filed: bool) -> list[Classification]:
        """One classification for each text, in order.

        Raises:
            DatabaseUnavailable: The record cannot be read.
        """


async def judge_for_team(
    texts: Sequence[str],
    *,
    filed: bool,
    team: str,
    classifier: Classifier,
    precedents: Precedents,
    watch: QueueWatch,
) -> list[Classification]:
    """Judge texts by the model, what people of the team have settled, and its demoted queues.

    Args:
        texts: As written.
        filed: They would be filed on purpose, so that none is ignored.
        team: The workspace; what another one settled says nothing.
        classifier: The model in force.
        precedents: What people have settled.
        watch: Knows which queues have lost automatic routing.

    Raises:
        DatabaseUnavailable: The record cannot be read.
    """
    memory, demoted = await precedents.of(team, classifier), await watch.demoted(team)
    count = len(texts)
    said = await asyncio.to_thread(
        judge_with_precedents, classifier, texts, [filed] * count, [memory] * count
    )
    return [under_watch(each, demoted) for each in said]
