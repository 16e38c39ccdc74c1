"""A small net, step by step: its numbers, its picture, its player."""
