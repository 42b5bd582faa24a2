"""A local, strict Slack: for the demo without an account, and for tests over real HTTP."""

from slackbot.playground.errors import NotPossibleError, PlaygroundError
from slackbot.playground.playground import Playground

__all__ = ["NotPossibleError", "Playground", "PlaygroundError"]
