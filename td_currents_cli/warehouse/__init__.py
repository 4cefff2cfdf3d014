"""Treasure Data's query engine: tables by their address, queries as jobs, and the rows that come of them."""
