"""Hypothesis without deadlines: how long an example takes depends on what else runs."""

from hypothesis import settings

settings.register_profile("no_deadline", deadline=None)
settings.load_profile("no_deadline")
