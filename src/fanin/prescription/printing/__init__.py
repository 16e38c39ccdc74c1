"""Plans as text: tables for the terminal, JSON for files."""
