"""Work spread over the cores: worker processes, splits of large files, and one map that all commands use."""
