"""A request that violates a rule of the Postback API."""


class HttpError(Exception):
    """The request gets this status, and no row is stored. The reason has no content of the body, and no key."""

    def __init__(self, status: int, reason: str) -> None:
        super().__init__(reason)
        self.status = status
        self.reason = reason
