"""Numbers of bytes, for people."""


def format_size(size: float) -> str:
    """Format a number of bytes in the unit that fits it: `812 B`, `45.1 kB`, `3.5 MB`."""
    if size < 1000:
        return f"{size:.0f} B"
    for unit in ("kB", "MB", "GB"):
        size /= 1000
        if round(size, 1) < 1000:
            return f"{size:,.1f} {unit}"
    return f"{size / 1000:,.1f} TB"
