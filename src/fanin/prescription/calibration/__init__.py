"""What a batch shows: factors and centres for the plan, and a check of it."""
