from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.decision import Decision, Reason
from core.policy import Evidence, Rules, decide

RULES = Rules(
    promised_precision=0.95,
    thresholds={"Hardware": 0.8, "Storage": 1.0},
    languages=("en", "und"),
    ignore_below=0.1,
    doubt_below=0.6,
    novelty_above=0.9,
    outage_above=1.0,
)
SURE = Evidence(
    text="my laptop is broken",
    filed=False,
    language="en",
    ticket_probability=0.99,
    outage_probability=0.0,
    novelty=0.3,
    queue="Hardware",
    confidence=0.9,
)
PROBABILITY = st.floats(0, 1)
EVIDENCE = st.builds(
    Evidence,
    text=st.sampled_from(["", "?", "ok", "vpn", "my laptop is broken"]),
    filed=st.booleans(),
    language=st.sampled_from(["en", "und", "de", "zh"]),
    ticket_probability=PROBABILITY,
    outage_probability=PROBABILITY,
    novelty=PROBABILITY,
    queue=st.sampled_from(["Hardware", "Storage"]),
    confidence=PROBABILITY,
)


@pytest.mark.parametrize(
    ("change", "decision", "reason"),
    [
        ({}, "auto", "confident"),
        ({"confidence": 0.8}, "auto", "confident"),
        ({"confidence": 0.79}, "review", "low_confidence"),
        ({"queue": "Storage", "confidence": 1.0}, "review", "queue_not_proven"),
        ({"language": "de"}, "review", "unknown_language"),
        ({"language": "de", "ticket_probability": 0.0}, "review", "unknown_language"),
        ({"novelty": 0.91}, "review", "unlike_training"),
        ({"ticket_probability": 0.09}, "ignore", "not_a_ticket"),
        ({"ticket_probability": 0.09, "novelty": 1.0}, "ignore", "not_a_ticket"),
        ({"ticket_probability": 0.09, "filed": True}, "review", "maybe_not_a_ticket"),
        ({"ticket_probability": 0.59}, "review", "maybe_not_a_ticket"),
        ({"ticket_probability": 0.59, "filed": True}, "auto", "confident"),
        (
            {"text": "I clicked a phishing link", "ticket_probability": 0.0},
            "review",
            "maybe_not_a_ticket",
        ),
        ({"text": "Urgent!!! It's broken"}, "review", "too_little_text"),
        ({"text": "thanks, team!", "language": "de"}, "ignore", "not_a_ticket"),
        ({"text": "thanks, team!", "filed": True}, "review", "maybe_not_a_ticket"),
        ({"text": "?!"}, "ignore", "too_little_text"),
        ({"text": "?!", "filed": True}, "review", "too_little_text"),
    ],
)
def test_each_rule(change, decision, reason):
    assert decide(replace(SURE, **change), RULES) == (Decision(decision), Reason(reason))


def test_stripped_texts_have_thresholds_of_their_own():
    rules = replace(RULES, stripped_thresholds={"Hardware": 0.95, "Storage": 0.5})
    stripped, written = SURE, replace(SURE, text="My laptop is broken!")
    assert decide(stripped, rules) == (Decision.REVIEW, Reason.LOW_CONFIDENCE)
    assert decide(written, rules) == (Decision.AUTO, Reason.CONFIDENT)
    assert decide(replace(stripped, queue="Storage"), rules)[0] is Decision.AUTO


@given(EVIDENCE)
def test_what_is_filed_is_never_ignored(evidence):
    assert decide(replace(evidence, filed=True), RULES)[0] is not Decision.IGNORE


@given(EVIDENCE)
def test_an_unchecked_language_or_unproven_queue_is_never_routed(evidence):
    for change in ({"language": "de"}, {"queue": "Storage"}):
        assert decide(replace(evidence, **change), RULES)[0] is not Decision.AUTO


@given(EVIDENCE, PROBABILITY)
def test_more_confidence_never_takes_a_route_away(evidence, other):
    low, high = sorted([evidence.confidence, other])
    if decide(replace(evidence, confidence=low), RULES)[0] is Decision.AUTO:
        assert decide(replace(evidence, confidence=high), RULES)[0] is Decision.AUTO


@given(EVIDENCE, PROBABILITY)
def test_more_like_a_ticket_never_leads_to_ignore(evidence, other):
    low, high = sorted([evidence.ticket_probability, other])
    if decide(replace(evidence, ticket_probability=low), RULES)[0] is not Decision.IGNORE:
        assert decide(replace(evidence, ticket_probability=high), RULES)[0] is not Decision.IGNORE


@given(EVIDENCE)
def test_untrained_limits_switch_their_rules_off(evidence):
    rules = replace(RULES, ignore_below=0.0, doubt_below=0.0, novelty_above=1.0)
    reason = decide(evidence, rules)[1]
    assert reason not in {
        Reason.NOT_A_TICKET,
        Reason.MAYBE_NOT_A_TICKET,
        Reason.UNLIKE_TRAINING,
    }


@pytest.mark.parametrize(
    ("language", "likely", "decision"),
    [
        ("en", 0.0, "ignore"),
        ("en", 0.04, "ignore"),
        ("es", 0.0, "ignore"),
        ("es", 0.04, "review"),  # its own limit
        ("de", 0.0, "review"),
        ("und", 0.0, "ignore"),  # too short to tell
        ("und", 0.04, "review"),
        ("it", 0.0, "review"),
    ],
)
def test_small_talk_is_ignored_only_in_languages_that_allow_it(language, likely, decision):
    rules = replace(
        RULES,
        languages=("de", "en", "es"),
        ignore_below_in={"en": RULES.ignore_below, "es": 0.02, "und": 0.02},
    )
    talk = replace(SURE, language=language, ticket_probability=likely)
    assert decide(talk, rules)[0] == decision


def test_what_may_be_an_outage_is_not_ignored_as_easily():
    talk = replace(SURE, ticket_probability=RULES.ignore_below / 2)
    assert decide(talk, RULES)[0] is Decision.IGNORE
    assert decide(replace(talk, outage_probability=0.9), RULES)[0] is Decision.REVIEW
