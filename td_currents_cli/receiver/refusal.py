"""An answer other than 200, raised where a rule of the Postback API is found broken."""


class HttpError(Exception):
    """The request is answered with this status, and no row is stored.

    Attributes:
        status: HTTP status.
        reason: for the answer's body and the log; no content of the body and no key.
    """

    def __init__(self, status: int, reason: str) -> None:
        super().__init__(reason)
        self.status = status
        self.reason = reason
