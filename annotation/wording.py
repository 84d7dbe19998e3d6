"""What became of a submission, in a sentence to its annotator."""

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from annotation.models import Submission
from annotation.undo import Undone


def saved_text(submission: Submission) -> str:
    """What was saved, or skipped and why."""
    values = {"keyword": submission.keyword, "product": submission.product_name}
    if submission.skip_reason:
        values["reason"] = str(submission.get_skip_reason_display())
        return _("Skipped: “%(keyword)s” for %(product)s (%(reason)s).") % values
    count, marks = len(submission.matched_listing_ids), _marks_text(submission)
    if not count:
        return _("Saved for %(product)s, without a label: %(marks)s.") % (values | {"marks": marks})
    text = ngettext("Saved: %(count)d label for %(product)s.", "Saved: %(count)d labels for %(product)s.", count)
    parts = [text % (values | {"count": count})]
    if marks:
        parts.append(_("Marked: %(marks)s.") % {"marks": marks})
    return " ".join(parts)


def undone_text(undone: Undone) -> str:
    """What was taken back, and what of it stays."""
    submission = undone.submission
    text = _("Taken back: “%(keyword)s” for %(product)s.") % {
        "keyword": submission.keyword,
        "product": submission.product_name,
    }
    if not undone.kept:
        return text
    kept = ngettext(
        "%(count)d label stays, because a reviewer has spoken of it.",
        "%(count)d labels stay, because a reviewer has spoken of them.",
        undone.kept,
    )
    return f"{text} {kept % {'count': undone.kept}}"


def _marks_text(submission: Submission) -> str:
    parts = []
    if count := len(submission.refused_listing_ids):
        parts.append(ngettext("%(count)d no match", "%(count)d no match", count) % {"count": count})
    if count := len(submission.unsure_listing_ids):
        parts.append(ngettext("%(count)d unsure", "%(count)d unsure", count) % {"count": count})
    return ", ".join(parts)
