"""Why a request gets no answer: the status, the reason as the metrics count it, and the message."""

from __future__ import annotations


class Refusal(Exception):
    """A request that is not answered.

    Args:
        status: Of the response.
        reason: A key of `REASONS`.
        message: What is wrong and what to do.
        retry_after: Seconds after which the client should try again, if it should.
    """

    def __init__(self, status: int, reason: str, message: str, retry_after: int | None = None):
        super().__init__(message)
        self.status = status
        self.reason = reason
        self.headers = {} if retry_after is None else {"Retry-After": str(retry_after)}
        if status == 401:
            self.headers["WWW-Authenticate"] = "Bearer"


# The reasons, each with its status, as OpenAPI describes them.
REASONS = {
    "unauthorized": (401, "The API key is missing or wrong."),
    "slow_body": (408, "The body did not arrive in time."),
    "too_large": (413, "The body, or the request as a whole, is too large: send it in parts."),
    "media_type": (415, "The body must be JSON, with `Content-Type: application/json`."),
    "invalid": (422, "The request is not of a known form; the message names the text, the field and what it may be."),
    "queue_full": (429, "Too much is waiting: try again after the seconds in `Retry-After`."),
    "failed": (500, "The extraction failed for this request; the service's log says why."),
    "not_ready": (503, "The model is still being loaded, or the service stops."),
    "timeout": (504, "The answer was not there in time."),
}


def refuse(reason: str, message: str, retry_after: int | None = None) -> Refusal:
    """The refusal for a reason.

    >>> refuse("queue_full", "full", retry_after=2).headers
    {'Retry-After': '2'}
    """
    return Refusal(REASONS[reason][0], reason, message, retry_after)
