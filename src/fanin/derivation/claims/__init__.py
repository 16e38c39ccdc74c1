"""Statements of the lesson, each decided by proof or by a computed counterexample."""
