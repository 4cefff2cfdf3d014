"""Treasure Data: table addresses, settings, jobs, and the REST client."""
