"""One question over HTTP to a time stamping authority (RFC 3161, section 3.4), and its answer as bytes.

Custody reaches the network in this way alone, and only where somebody asks for a time stamp. The answer is
bounded in bytes and, whatever the authority does, in seconds; a redirection is not followed, so that the request goes
to whom it was meant for.
"""

from __future__ import annotations

import threading
import time
from urllib.parse import urlsplit

from deepscan.errors import OutputError, UsageError
from deepscan.text import clean

SECONDS = 30.0
"""Time for the whole exchange."""

MAX_BYTES = 256 * 1024
"""Size of an answer: a token with its certificates has about 6 kB."""

AGAIN = "The report is whole, without a time stamp. Ask again with `deepscan report`, or ask another authority."


def require_url(url: str) -> None:
    """Raise UsageError unless this is the address of a server."""
    try:
        parts = urlsplit(url)
        holds = parts.scheme in ("http", "https") and bool(parts.hostname) and (parts.port or 1) > 0
    except ValueError:
        holds = False
    if not holds or not url.isascii() or not url.isprintable() or " " in url:
        raise UsageError(
            f"{clean(url)!r} is not the address of a time stamping authority.", "It begins with https:// or http://."
        )


def post(url: str, request: bytes) -> bytes:
    """Send a request and return the answer. Raises OutputError when there is none, or a very large or slow one."""
    answers: list[bytes | OutputError] = []
    until = time.monotonic() + SECONDS
    # A thread, because a server that sends a byte now and then never runs into the time limit of a socket. It ends with
    # the program at the latest.
    thread = threading.Thread(target=lambda: answers.append(_answer(url, request, until)), daemon=True)
    thread.start()
    thread.join(SECONDS)
    answer = answers[0] if answers else _slow(url)
    if isinstance(answer, OutputError):
        raise answer
    return answer


def _answer(url: str, request: bytes, until: float) -> bytes | OutputError:
    import http.client
    import urllib.error
    import urllib.request

    class Stay(urllib.request.HTTPRedirectHandler):
        def redirect_request(self, *_: object) -> None:
            """Nowhere: the answer that asks for it is an error."""

    headers = {"Content-Type": "application/timestamp-query", "Accept": "application/timestamp-reply"}
    shown = clean(url)
    asked = urllib.request.Request(url, data=request, headers=headers)  # noqa: S310 - require_url allows http alone
    try:
        with urllib.request.build_opener(Stay).open(asked, timeout=SECONDS) as answer:
            content = b""
            while len(content) <= MAX_BYTES and (block := answer.read1(MAX_BYTES)):
                content += block
                if time.monotonic() > until:
                    return _slow(url)
    except urllib.error.HTTPError as e:
        with e:
            return OutputError(f"The time stamping authority {shown} answered with the HTTP status {e.code}.", AGAIN)
    except TimeoutError:
        return _slow(url)
    except (OSError, http.client.HTTPException) as e:
        reason = clean(str(getattr(e, "reason", e))) or type(e).__name__
        return OutputError(f"The time stamping authority {shown} cannot be reached: {reason}.", AGAIN)
    if len(content) > MAX_BYTES:
        return OutputError(
            f"The answer of the time stamping authority {shown} is larger than {MAX_BYTES // 1024} KiB.", AGAIN
        )
    return content


def _slow(url: str) -> OutputError:
    return OutputError(f"The time stamping authority {clean(url)} did not answer within {SECONDS:g} seconds.", AGAIN)
