"""The playground in a browser on this machine: what one person sees, and what they do."""

from slackbot.playground.page.morning import Morning
from slackbot.playground.page.routes import Member, Page, Scene

__all__ = ["Member", "Morning", "Page", "Scene"]
