"""Events out: files that appear whole or not at all, and their formats."""
