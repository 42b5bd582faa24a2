"""Honest numbers for people: counted from the record, drawn, and written as a report."""
