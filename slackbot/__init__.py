"""The conversation: Slack in, Slack out, and the command line."""
