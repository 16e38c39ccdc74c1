"""A model beside its base: what grew, and what that asks of stds and rates."""
