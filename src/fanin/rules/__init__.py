"""Rules: one check a file, their findings and the report."""
