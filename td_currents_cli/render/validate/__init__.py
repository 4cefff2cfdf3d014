"""Problems in the formats that people and CI servers read: a module per format."""
