"""One POST to somebody else's server: to a public address only, signed, bounded in time, redirects not followed.

Signed as the Standard Webhooks specification says (github.com/standard-webhooks, "Signature scheme"): the headers
`webhook-id`, `webhook-timestamp` and `webhook-signature: v1,<base64 of the HMAC-SHA256 of "id.timestamp.body">`.
"""

import base64
import hashlib
import hmac
import secrets
import time

import httpx2
from django.conf import settings
from django.utils.translation import gettext as _

from crawler.addresses import checked_addresses, host_and_port
from crawler.connections import BoundedTransport, deadline_of_thread
from crawler.errors import FetchError, ForbiddenAddressError
from mmproject.links import is_web_link

TIMEOUT_S = 10.0
_PREFIX = "whsec_"
_PORTS = {"http": 80, "https": 443}


class PostError(Exception):
    """It was not taken; the message is shown to operators. `status` is the HTTP status where there was one."""

    def __init__(self, message: str, *, status: int | None = None) -> None:
        super().__init__(message)
        self.status = status


def new_secret() -> str:
    """A secret of 32 random bytes, written as the specification does."""
    return _PREFIX + base64.b64encode(secrets.token_bytes(32)).decode()


def signature(*, secret: str, message_id: str, timestamp: int, body: bytes) -> str:
    """The value of `webhook-signature`."""
    key = base64.b64decode(secret.removeprefix(_PREFIX))
    signed = f"{message_id}.{timestamp}.".encode() + body
    return "v1," + base64.b64encode(hmac.new(key, signed, hashlib.sha256).digest()).decode()


def target_of(url: str) -> tuple[httpx2.URL, int]:
    """The parsed address and its port. Raises PostError for what is no web address."""
    try:
        parsed = httpx2.URL(url)
    except (httpx2.InvalidURL, ValueError) as error:
        raise PostError(_("“%(url)s” is not a web address.") % {"url": url[:200]}) from error
    if not is_web_link(url) or parsed.scheme not in _PORTS or not parsed.host:
        raise PostError(_("“%(url)s” is not a web address.") % {"url": url[:200]})
    return parsed, parsed.port or _PORTS[parsed.scheme]


def post(*, url: str, secret: str, message_id: str, body: bytes) -> int:
    """Send `body`, JSON, in TIMEOUT_S at most; returns the HTTP status, which is one of success (2xx).

    Raises PostError for every other outcome: a private address (unless `CRAWLER_PRIVATE_HOSTS` names it), no answer in
    time, a broken connection, a redirect, any other status.
    """
    target, port = target_of(url)
    where = host_and_port(target.host, port)
    with deadline_of_thread(time.monotonic() + TIMEOUT_S):
        try:
            addresses = checked_addresses(target.host, port, private_hosts=settings.CRAWLER_PRIVATE_HOSTS)
        except ForbiddenAddressError as error:
            message = _("%(host)s is not a public address: nothing was sent.") % {"host": where}
            raise PostError(message) from error
        except FetchError as error:
            raise PostError(str(error)) from error
        timestamp = int(time.time())
        headers = {
            "Host": target.netloc.decode("ascii"),
            "User-Agent": settings.CRAWLER_USER_AGENT,
            "Content-Type": "application/json",
            "webhook-id": message_id,
            "webhook-timestamp": str(timestamp),
            "webhook-signature": signature(secret=secret, message_id=message_id, timestamp=timestamp, body=body),
        }
        status = _status(target, addresses, headers, body, where)
    if 200 <= status < 300:
        return status
    if 300 <= status < 400:
        message = _("%(host)s answered with a redirect (%(status)d), which is not followed.")
    else:
        message = _("%(host)s answered %(status)d.")
    raise PostError(message % {"host": where, "status": status}, status=status)


def _status(target: httpx2.URL, addresses: list[str], headers: dict[str, str], body: bytes, where: str) -> int:
    """Ask the first of the checked addresses that can be connected to; what it answers besides is not read."""
    with httpx2.Client(
        transport=BoundedTransport(), timeout=TIMEOUT_S, follow_redirects=False, trust_env=False
    ) as client:
        for number, address in enumerate(addresses, start=1):
            request = client.build_request(
                "POST",
                target.copy_with(host=address, fragment=None),
                content=body,
                headers=headers,
                extensions={"sni_hostname": target.host},
            )
            try:
                response = client.send(request, stream=True)
            except (httpx2.ConnectError, httpx2.ConnectTimeout) as error:
                if number == len(addresses):
                    raise PostError(_("%(host)s cannot be reached.") % {"host": where}) from error
            except httpx2.TimeoutException as error:
                raise PostError(_("%(host)s took too long to answer.") % {"host": where}) from error
            except (httpx2.TransportError, httpx2.InvalidURL) as error:
                raise PostError(_("%(host)s broke off the connection.") % {"host": where}) from error
            else:
                response.close()
                return response.status_code
    raise AssertionError("checked_addresses returned none")
