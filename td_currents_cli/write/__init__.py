"""Events out: files that appear when they are complete."""
