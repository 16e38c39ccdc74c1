"""Glorot, He and LeCun derived: from independence to the variance of a weight."""
