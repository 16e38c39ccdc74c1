"""Races: schemes compared by training."""
