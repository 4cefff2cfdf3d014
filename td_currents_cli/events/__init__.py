"""What is done to events: decoding just the fields a command needs, filtering, flattening."""
