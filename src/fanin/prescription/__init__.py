"""Prescriptions: what each parameter gets, and why."""
