"""The queries that run inside Treasure Data."""
