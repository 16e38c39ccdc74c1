"""What published policies share: blocks, branches and their ends, laws with a std."""
