"""Schemes: ways to draw a weight, each with formula, source and what it keeps."""
