"""The learning loop: fit again, compare, promote, swap."""
