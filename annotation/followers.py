"""What follows from a submission once its labels are written, or deleted because it was taken back.

Each follower gets the submission and may run any number of times for it: after a crash all run again.
`cancelled_at` says which of the two it is.
"""

from collections.abc import Callable

from annotation import claims, disputes, webhook_events, work
from annotation.models import Submission

FOLLOWERS: tuple[Callable[[Submission], None], ...] = (
    claims.follow_submission,
    work.follow_submission,
    disputes.follow_submission,
    webhook_events.follow_submission,
)


def follow(submission: Submission) -> None:
    """Let everything follow that depends on `submission`, in order."""
    for follower in FOLLOWERS:
        follower(submission)
