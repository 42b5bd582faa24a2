"""A local, strict Slack: for the demo without an account, and for tests over real HTTP.

It imports nothing else of AutoTicket, and the bot does not know that it is there: the bot is
given another `SLACK_API_URL`, that is all.

    async with Playground(manifest=manifest) as slack:
        ...  # start the bot with slack.api_url, slack.bot_token and slack.app_token
        ana = slack.add_user("ana")
        help_channel = slack.add_channel("it-help")
        message = await ana.say(help_channel, "vpn down")
        card, = await slack.until(lambda: slack.thread(message))
        await ana.click(card, "review_confirm")
"""

from slackbot.playground.errors import NotPossibleError, PlaygroundError
from slackbot.playground.playground import Playground

__all__ = ["NotPossibleError", "Playground", "PlaygroundError"]
