"""The record: what came in, what was predicted, what people decided, what must be told to Slack."""
