"""Signs a body as Slack does."""

import hashlib
import hmac
import time


def signed(secret, body, *, at=None):
    """The headers of a request; `at` in seconds since the epoch."""
    stamp = str(int(at or time.time()))
    digest = hmac.new(secret.encode(), f"v0:{stamp}:".encode() + body, hashlib.sha256).hexdigest()
    return {
        "X-Slack-Request-Timestamp": stamp,
        "X-Slack-Signature": f"v0={digest}",
        "Content-Type": "application/json",
    }
