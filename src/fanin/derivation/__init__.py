"""The lesson in symbols: cases, claims and their proofs."""
