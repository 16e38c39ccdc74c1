"""The sections that every lesson has."""
