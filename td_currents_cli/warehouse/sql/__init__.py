"""SQL queries for tables. Nothing here uses the network."""
