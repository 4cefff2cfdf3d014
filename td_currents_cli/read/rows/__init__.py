"""Ingested rows, a form a module: each turns rows into batches with the number of their row."""
