"""Lessons that are a few curves: what was measured, and what theory has beside it."""
