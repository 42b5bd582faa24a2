"""How messages, threads and tombstones hang together, whatever happens in whatever order."""

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, consumes, invariant, rule

from slackbot.playground.app import Installation, Manifest
from slackbot.playground.changes import Feed, What
from slackbot.playground.records import ChannelKind
from slackbot.playground.workspace import Draft, Workspace
from tests.playground.kit import MANIFEST


def new_workspace(clock=lambda: 1_700_000_000.0):
    return Workspace(Installation.of(Manifest.parse(MANIFEST), "acme"), Feed(), clock)


@pytest.fixture
def workspace():
    return new_workspace()


@pytest.fixture
def ana(workspace):
    return workspace.add_user("ana")


@pytest.fixture
def channel(workspace, ana):
    return workspace.add_channel("it-help", ChannelKind.PUBLIC, [ana.id, workspace.bot.id])


def test_a_reply_to_a_deleted_message_stands_in_the_channel(workspace, channel, ana):
    parent = workspace.post(channel, ana, Draft("vpn down"))
    workspace.delete(parent, ana.id)
    reply = workspace.post(channel, workspace.bot, Draft("card", thread_ts=parent.ts))
    assert reply.thread_ts is None
    assert reply.is_root


def test_a_deleted_message_with_replies_is_a_tombstone_until_they_are_gone(workspace, channel, ana):
    changes = []
    parent = workspace.post(channel, ana, Draft("vpn down"))
    card = workspace.post(channel, workspace.bot, Draft("card", thread_ts=parent.ts))
    workspace.feed.subscribe(changes.append)
    workspace.delete(parent, ana.id)
    late = workspace.post(channel, workspace.bot, Draft("late", thread_ts=parent.ts))
    assert late.thread_ts == parent.ts
    assert workspace.find(channel.id, parent.ts) is parent

    workspace.delete(late, workspace.bot.id)
    workspace.delete(card, workspace.bot.id)
    assert workspace.find(channel.id, parent.ts) is None
    assert [change.what for change in changes] == [
        What.BURIED,
        What.POSTED,
        What.DELETED,
        What.DELETED,
        What.DELETED,
    ]
    assert changes[-1].message is parent


def test_a_reply_to_a_reply_goes_to_its_thread(workspace, channel, ana):
    parent = workspace.post(channel, ana, Draft("one"))
    reply = workspace.post(channel, ana, Draft("two", thread_ts=parent.ts))
    nested = workspace.post(channel, ana, Draft("three", thread_ts=reply.ts))
    assert nested.thread_ts == parent.ts
    assert parent.replies == [reply, nested]


def test_an_edit_tells_what_was_there_before(workspace, channel, ana):
    changes = []
    message = workspace.post(channel, ana, Draft("vpn down"))
    workspace.feed.subscribe(changes.append)
    workspace.edit(message, Draft("vpn up"), ana.id)
    assert (changes[0].before.text, changes[0].message.text) == ("vpn down", "vpn up")
    assert changes[0].before.edited is None
    assert message.edited


def test_every_block_and_element_gets_an_id(workspace, channel):
    text = {"type": "plain_text", "text": "x"}
    blocks = (
        {"type": "actions", "elements": [{"type": "button", "text": text}]},
        {"type": "section", "text": text, "block_id": "mine"},
    )
    message = workspace.post(channel, workspace.bot, Draft("x", blocks=blocks))
    assert message.blocks[0]["block_id"]
    assert message.blocks[0]["elements"][0]["action_id"]
    assert message.blocks[1]["block_id"] == "mine"
    assert "block_id" not in blocks[0]


class Threads(RuleBasedStateMachine):
    """Posts, replies and deletes at random, with a clock that stands still."""

    messages = Bundle("messages")

    def __init__(self):
        super().__init__()
        self.workspace = new_workspace()
        self.ana = self.workspace.add_user("ana")
        members = [self.ana.id, self.workspace.bot.id]
        self.channel = self.workspace.add_channel("x", ChannelKind.PUBLIC, members)
        self.seen = []
        self.workspace.feed.subscribe(self.seen.append)

    @rule(target=messages)
    def post(self):
        return self.workspace.post(self.channel, self.ana, Draft("x"))

    @rule(target=messages, parent=messages, broadcast=st.booleans())
    def reply(self, parent, broadcast):
        subtype = "thread_broadcast" if broadcast else None
        draft = Draft("x", thread_ts=parent.ts, subtype=subtype)
        return self.workspace.post(self.channel, self.ana, draft)

    @rule(message=consumes(messages))
    def delete(self, message):
        self.workspace.delete(message, self.ana.id)

    @invariant()
    def threads_are_whole(self):
        everything = list(self.channel.messages.values())
        assert [m.ts for m in everything] == sorted({m.ts for m in everything})
        for message in everything:
            assert all(r.thread_ts == message.ts and not r.deleted for r in message.replies)
            if message.is_reply and not message.deleted:
                parent = self.workspace.find(self.channel.id, message.thread_ts)
                assert message in parent.replies
                assert not parent.is_reply
            if message.replies:
                assert message.thread_ts == message.ts
                assert self.workspace.find(self.channel.id, message.ts) is message

    @invariant()
    def every_deletion_is_told_once(self):
        told = [c.message.ts for c in self.seen if c.what is What.DELETED]
        gone = [
            m.ts
            for m in self.channel.messages.values()
            if self.workspace.find(self.channel.id, m.ts) is None
        ]
        assert sorted(told) == sorted(gone)


TestThreads = Threads.TestCase
TestThreads.settings = settings(max_examples=40, stateful_step_count=25, deadline=None)
