"""The migrations, named after their revisions."""
