"""Who judges a view: the local Slack's limits, slack_sdk's models and the blockkit package."""

import json

import blockkit
from slack_sdk.models.blocks import Block as SdkBlock
from slack_sdk.models.views import View as SdkView

from slackbot.playground import blocks as block_kit
from slackbot.playground import limits
from slackbot.playground.limits import Surface
from slackbot.views.message import Message

_COMPONENTS = {
    "plain_text": blockkit.Text,
    "mrkdwn": blockkit.Text,
    "header": blockkit.Header,
    "section": blockkit.Section,
    "context": blockkit.Context,
    "divider": blockkit.Divider,
    "actions": blockkit.Actions,
    "input": blockkit.Input,
    "button": blockkit.Button,
    "static_select": blockkit.StaticSelect,
    "multi_static_select": blockkit.MultiStaticSelect,
    "conversations_select": blockkit.ConversationsSelect,
    "multi_conversations_select": blockkit.MultiConversationsSelect,
    "multi_users_select": blockkit.MultiUsersSelect,
    "number_input": blockkit.NumberInput,
    "plain_text_input": blockkit.PlainTextInput,
    "modal": blockkit.Modal,
    "home": blockkit.Home,
}
_NUMBERS = {"initial_value", "min_value", "max_value"}


def accept_message(message):
    """Fail unless Slack would take the message, and nobody is notified by it but by name."""
    payload = message.to_payload()
    assert Message.from_payload(json.loads(json.dumps(payload))).to_payload() == payload
    assert 0 < len(message.text) <= 3000
    assert not list(limits.block_kit.live_mentions(message.text))
    limits.check_message_blocks(payload["blocks"])
    limits.check_metadata(payload.get("metadata"))
    _accept_blocks(payload["blocks"])


def accept_view(view, surface):
    """Fail unless Slack would open or publish the view."""
    limits.check_view(view, Surface(surface))
    SdkView(**view).validate_json()
    assert _component(view).build() == view
    _accept_blocks(view["blocks"])


def _accept_blocks(blocks):
    assert not list(block_kit.mentions_of_many(blocks))
    for text in block_kit.walk(blocks):
        # Otherwise Slack makes links and mentions out of what people wrote.
        assert text.get("type") != "mrkdwn" or text["verbatim"] is True
    parsed = SdkBlock.parse_all(blocks)
    assert len(parsed) == len(blocks)
    for block, json_block in zip(parsed, blocks, strict=True):
        block.validate_json()
        assert _component(json_block).build() == json_block


def _component(value):
    """The same as blockkit components, which object when they are built."""
    if isinstance(value, list):
        return [_component(item) for item in value]
    if not isinstance(value, dict):
        return value
    kind = value.get("type")
    fields = {key: _component(item) for key, item in value.items() if key != "type"}
    if kind in ("plain_text", "mrkdwn"):
        return blockkit.Text(type=kind, **fields)
    if "include" in fields:
        return blockkit.ConversationFilter(**fields)
    if "deny" in fields:
        return blockkit.Confirm(**fields)
    if kind is None:
        return (blockkit.OptionGroup if "options" in fields else blockkit.Option)(**fields)
    if kind == "number_input":  # blockkit takes numbers, Slack the text of them
        fields |= {name: int(fields[name]) for name in fields.keys() & _NUMBERS}
    return _COMPONENTS[kind](**fields)


def elements(blocks):
    """Every interactive element by its action_id."""
    return {element["action_id"]: element for _, element in block_kit.elements(blocks)}


def shown(blocks):
    """All that a person reads without opening a menu."""
    return "\n".join(block_kit.texts_at_first_sight(list(blocks)))
