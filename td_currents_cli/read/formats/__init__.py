"""A module for each input format: from bytes to rows."""
