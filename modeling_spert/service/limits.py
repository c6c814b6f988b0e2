"""What the service takes, how long it waits, and when it refuses."""

from __future__ import annotations

from dataclasses import dataclass, fields


@dataclass(frozen=True)
class Limits:
    """Limits of the service.

    Tokens are estimated before a text is read: one for every four bytes, at least one a text.

    Attributes:
        max_body_bytes: Longest body of a request.
        max_texts: Most texts of a request.
        max_text_length: Longest text, in characters.
        max_given_entities: Most entities given with a text: every pair of a sentence's is scored.
        max_batch_tokens: Tokens with which a batch is full.
        max_wait_ms: Longest time, in milliseconds, for which a text waits for others to share its batch.
        max_queue_tokens: Tokens that may wait; a request that would exceed them is refused.
        max_requests: Requests that may be in work, waiting included.
        timeout: Seconds in which a request must be answered.
        stop_timeout: Seconds in which a service that stops answers what it has accepted.

    Raises:
        ValueError: If a limit is not a positive number (`max_wait_ms` may be 0).

    >>> Limits(max_texts=0)
    Traceback (most recent call last):
    ValueError: max_texts must be an integer >= 1, got 0
    """

    max_body_bytes: int = 1_048_576
    max_texts: int = 256
    max_text_length: int = 100_000
    max_given_entities: int = 256
    max_batch_tokens: int = 4096
    max_wait_ms: float = 5.0
    max_queue_tokens: int = 65_536
    max_requests: int = 256
    timeout: float = 30.0
    stop_timeout: float = 30.0

    def __post_init__(self) -> None:
        """Check the ranges."""
        for field in fields(self):
            value = getattr(self, field.name)
            if field.type == "int" and (type(value) is not int or value < 1):
                raise ValueError(f"{field.name} must be an integer >= 1, got {value!r}")
            if field.type == "float":
                is_number = isinstance(value, int | float) and not isinstance(value, bool)
                if not is_number or not 0 <= value <= 86_400_000 or (value == 0 and field.name != "max_wait_ms"):
                    least = "0 or more" if field.name == "max_wait_ms" else "above 0"
                    raise ValueError(f"{field.name} must be a number {least}, got {value!r}")
