"""What is done to events: decoding just the fields a verb needs, filtering, flattening."""
