"""A local Slack: the Web API, events, interactivity and Socket Mode, in one process."""
