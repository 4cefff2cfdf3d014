"""Ingested rows, one module per format: each turns rows into batches."""
