"""The policy "auto": from what a weight reads to its std, in one walk."""
