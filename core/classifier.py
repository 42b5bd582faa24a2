"""From a text to a classification: the one thing that the bot asks of `core`."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from core.bundle import Bundle, encoder_key
from core.decision import Classification, Decision, Reason
from core.encoder import Encoder
from core.heads import HeadOutputs, Heads
from core.language import detect
from core.manifest import Manifest
from core.policy import Evidence, Rules, decide
from core.priority import DEFAULT_MATRIX, PriorityMatrix, explain, judge
from core.queue_edits import ClassNames, QueueEdit
from core.text import normalize


@dataclass(frozen=True, slots=True)
class Classifier:
    """A loaded bundle with the priorities in force; may be shared between threads.

    Attributes:
        manifest: What the bundle says about itself.
        encoder: Its sentence encoder.
        heads: Its classifier heads.
        matrix: Which priority follows from urgency and impact.
        edits: What ever became of queues, the oldest first.
        made_after: How many of these had been made when the bundle was.
        names: What its classes are called today.
        rules: Its limits for the queues of today.
    """

    manifest: Manifest
    encoder: Encoder
    heads: Heads
    matrix: PriorityMatrix = DEFAULT_MATRIX
    edits: Sequence[QueueEdit] = ()
    made_after: int = 0
    names: ClassNames = field(init=False)
    rules: Rules = field(init=False)

    def __post_init__(self) -> None:
        """Carry the names to today."""
        names = ClassNames.of(self.manifest.queues, self.edits, self.made_after)
        object.__setattr__(self, "names", names)
        object.__setattr__(self, "rules", names.rules(self.manifest.rules))

    @classmethod
    def load(
        cls,
        path: str | os.PathLike[str],
        *,
        matrix: PriorityMatrix = DEFAULT_MATRIX,
        threads: int = 2,
        like: Classifier | None = None,
    ) -> Classifier:
        """Load a bundle, checked file by file.

        Args:
            path: The bundle's folder.
            matrix: Which priority follows from urgency and impact.
            threads: Threads inside one multiplication of the encoder.
            like: Shares its encoder with the new one when the files are the same.

        Raises:
            BundleError: No usable bundle there.
            EncoderError: Its encoder cannot be opened.
        """
        bundle = Bundle.load(path)
        if like is not None and encoder_key(like.manifest) == encoder_key(bundle.manifest):
            encoder = like.encoder
        else:
            encoder = bundle.encoder(threads=threads)
        return cls(bundle.manifest, encoder, bundle.heads(), matrix)

    @property
    def version(self) -> str:
        """The bundle's version, such as `2026.11.22-ab12cd34`."""
        return self.manifest.version

    @property
    def queues(self) -> tuple[str, ...]:
        """Names of all queues that there are today."""
        return self.names.queues

    def after(self, edits: Sequence[QueueEdit], made_after: int) -> Classifier:
        """The same model where queues were edited.

        Args:
            edits: All that were ever made, the oldest first.
            made_after: How many of them had been made when the bundle was.
        """
        return replace(self, edits=tuple(edits), made_after=made_after)

    def warm_up(self) -> None:
        """Do once what only the first text would pay for."""
        self.classify(["my laptop does not start"])

    def classify(
        self, texts: Sequence[str], *, filed: Sequence[bool] | bool = False
    ) -> list[Classification]:
        """Judge texts, in batches of the encoder's choice.

        Args:
            texts: As people wrote them.
            filed: Whether they were filed on purpose (then nothing is ignored): one value for
                all, or one for each.

        Returns:
            One classification for each text, in order.

        Raises:
            ValueError: `filed` has another length than `texts`.
        """
        if not texts:
            return []
        normal = [normalize(text) for text in texts]
        return self.judge(normal, self.encoder.encode(normal), filed=filed)

    def judge(
        self,
        normal: Sequence[str],
        embeddings: NDArray[np.float32],
        *,
        filed: Sequence[bool] | bool = False,
    ) -> list[Classification]:
        """Judge texts that are embedded already.

        Args:
            normal: n normalized texts.
            embeddings: The encoder's, float32 [n, dim].
            filed: As in `classify`.

        Returns:
            One classification for each text, in order.

        Raises:
            ValueError: `filed` has another length than `normal`.
        """
        on_purpose = [filed] * len(normal) if isinstance(filed, bool) else filed
        outputs = self.heads.predict(normal, embeddings)
        queues = outputs.queue @ self.names.shares if self.edits else outputs.queue
        outages = outputs.outage.tolist()
        return [
            self._classification(outputs, queues[row], outages[row], row, text, purpose)
            for row, (text, purpose) in enumerate(zip(normal, on_purpose, strict=True))
        ]

    def _classification(
        self,
        outputs: HeadOutputs,
        of_queues: NDArray[np.float64],
        outage: float,
        row: int,
        text: str,
        filed: bool,
    ) -> Classification:
        rules = self.rules
        pairs = zip(self.queues, of_queues.tolist(), strict=True)
        ranked = dict(sorted(pairs, key=lambda pair: -pair[1]))
        queue, confidence = next(iter(ranked.items()))
        language = detect(text)
        ticket = float(outputs.ticket[row])
        decision, reason = decide(
            Evidence(
                text=text,
                filed=filed,
                language=language,
                ticket_probability=ticket,
                outage_probability=outage,
                novelty=float(outputs.novelty[row]),
                queue=queue,
                confidence=confidence,
            ),
            rules,
        )
        sure = decision is Decision.AUTO
        if self.edits and sure and self.names.is_divided(outputs.queue[row]):
            decision, reason = Decision.REVIEW, Reason.QUEUE_NOT_PROVEN
        urgency, impact, certainty = judge(
            outputs.urgency[row].tolist(),
            outputs.impact[row].tolist(),
            outage_above=rules.outage_above,
        )
        return Classification(
            queue_label=queue,
            probabilities=ranked,
            threshold=rules.threshold(queue, text),
            decision=decision,
            reason=reason,
            urgency=urgency,
            impact=impact,
            priority=self.matrix.priority(urgency, impact),
            priority_confidence=certainty,
            priority_why=explain(urgency, impact, text),
            language=language,
            ticket_probability=ticket,
            model_version=self.version,
        )
