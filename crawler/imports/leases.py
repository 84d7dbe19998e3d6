"""The lease on the document of an import: who holds it works on it; one that ran out means that worker is gone."""

from datetime import timedelta
from typing import Any

from django.utils import timezone

from crawler.models import WorkState
from mmproject.ids import new_id

LEASE = timedelta(seconds=120)


class LeaseLostError(Exception):
    """Another worker has taken the import over: this one must write no more of it."""


def lease_take(run: Any) -> bool:
    """Put a lease on the import, in the document and on the object; False when somebody was faster."""
    token, attempts = new_id(), run.attempts + 1
    free = type(run).objects.filter(id=run.id, state=run.state, lease_token=run.lease_token)
    until = timezone.now() + LEASE
    if not free.update(state=WorkState.RUNNING, lease_token=token, attempts=attempts, leased_until=until):
        return False
    run.state, run.lease_token, run.attempts = str(WorkState.RUNNING), token, attempts
    return True


def lease_renew(run: Any, *names: str) -> None:
    """Hold the lease for another while and write these fields. Raises LeaseLostError when it is not ours any more."""
    values = {name: getattr(run, name) for name in names}
    held = type(run).objects.filter(id=run.id, state=WorkState.RUNNING, lease_token=run.lease_token)
    if not held.update(leased_until=timezone.now() + LEASE, **values):
        raise LeaseLostError(run.id)


def lease_finish(run: Any, *, state: str, error: str = "") -> bool:
    """Write the outcome; False when the lease is somebody else's by now."""
    held = type(run).objects.filter(id=run.id, state=run.state, lease_token=run.lease_token)
    if not held.update(state=state, error=error[:500], finished_at=timezone.now()):
        return False
    run.state, run.error = state, error[:500]
    return True
