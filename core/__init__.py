"""The decision: from a text to a queue, a priority, and how sure that is."""
