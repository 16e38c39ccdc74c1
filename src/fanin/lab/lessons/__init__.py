"""The lesson's cases as pages: predict, run, explain, and what to do instead."""
