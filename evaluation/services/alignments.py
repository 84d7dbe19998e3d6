"""Word-patch alignment of one listing: asked for on a page, drawn by the prediction worker, one picture a word.

Drawn pictures go to the image store like any other. Nothing refers to them, so they are cleaned away after a day, and
the alignment counts only for KEPT; asked again after that, it is drawn anew.
"""

import io
import logging
from datetime import timedelta
from typing import TYPE_CHECKING

from django.conf import settings
from django.core.exceptions import ValidationError
from django.utils import timezone
from django.utils.translation import gettext as _

from crawler.images import read_image, store_image
from crawler.models import Listing, WorkState
from evaluation.models import ModelVersion, WordAlignment
from mmproject.queue import nudge

if TYPE_CHECKING:
    from PIL import Image

logger = logging.getLogger(__name__)

DRAW_ALIGNMENT = "evaluation.tasks.draw_alignment"
KEPT = timedelta(hours=20)
RESUME_AFTER = timedelta(seconds=30)
MAX_ATTEMPTS = 3
MAX_WORDS = 40


def alignment_kept(asked: WordAlignment) -> bool:
    """Whether its drawn pictures are still there for sure."""
    return asked.asked_at > timezone.now() - KEPT


def alignment_ask(*, model: ModelVersion, listing_named: str) -> WordAlignment:
    """Have the model's words drawn over a listing's picture, unless they are drawn already.

    `listing_named` is a listing's id or its address at the shop. Raises ValidationError when there is none such, or
    when it has no title or no picture.
    """
    name = listing_named.strip()
    listing = Listing.objects.filter(id=name).first() or Listing.objects.filter(url=name).first() if name else None
    if listing is None:
        raise ValidationError(
            _("There is no listing “%(name)s”: give its number here or its address.") % {"name": name}
        )
    if not listing.image_sha256 or not listing.title.strip():
        raise ValidationError(_("This listing has no picture, or no title: there is nothing to align."))
    key = WordAlignment.make_id(model_id=model.id, listing_id=listing.id)
    known = WordAlignment.objects.filter(id=key).first()
    shown = {"title": listing.title, "image_sha256": listing.image_sha256}
    if known is None or known.state == WorkState.FAILED or not alignment_kept(known) or not _shows(known, shown):
        start = {"state": WorkState.PENDING, "error": "", "attempts": 0, "words": [], "asked_at": timezone.now()}
        values = {"model_id": model.id, "about_id": listing.id} | shown | start
        known, _made = WordAlignment.objects.update_or_create(id=key, defaults=values)
    if known.state == WorkState.PENDING:
        nudge(DRAW_ALIGNMENT, known.id)
    return known


def alignment_draw(*, alignment_id: str) -> None:
    """Draw it, or say why not. Does nothing when it is drawn already; drawn twice, it is the same."""
    waiting = WordAlignment.objects.filter(id=alignment_id, state=WorkState.PENDING)
    asked = waiting.first()
    if asked is None:
        return
    if asked.attempts >= MAX_ATTEMPTS:
        waiting.update(state=WorkState.FAILED, error=_("The prediction worker stopped while it drew this."))
        return
    waiting.update(attempts=asked.attempts + 1)
    try:
        words = _drawn(asked)
    except Exception as error:  # the page must say why; the log has the traceback
        logger.exception("alignment %s failed", asked.id)
        waiting.update(state=WorkState.FAILED, error=str(error)[:500])
    else:
        waiting.filter(asked_at=asked.asked_at).update(state=WorkState.DONE, words=words)


def alignments_resume() -> int:
    """Queue again what nobody has drawn."""
    before = timezone.now() - RESUME_AFTER
    left = WordAlignment.objects.filter(state=WorkState.PENDING, asked_at__lt=before).values_list("id", flat=True)[:100]
    for alignment_id in left:
        nudge(DRAW_ALIGNMENT, alignment_id)
    return len(left)


def _shows(asked: WordAlignment, shown: dict[str, str]) -> bool:
    return all(getattr(asked, name) == value for name, value in shown.items())


def _drawn(asked: WordAlignment) -> list[tuple[str, str]]:
    """Each word with the picture on which its heat is drawn."""
    from ml.data.images import load_image  # loads torch, which only workers do
    from ml.serving.alignment import draw_alignment, word_alignment
    from ml.serving.model_folder import load_model_folder

    model = ModelVersion.objects.get(id=asked.model_id)
    image = load_image(read_image(asked.image_sha256))
    loaded = load_model_folder(settings.MODELS_DIR / model.folder)
    found = word_alignment(loaded.model, loaded.tokenizer, loaded.preprocessing, image, asked.title)
    pairs = list(zip(found.words, found.heats, strict=True))[:MAX_WORDS]
    return [(word, _stored(draw_alignment(image, heat))) for word, heat in pairs]


def _stored(drawn: "Image.Image") -> str:
    buffer = io.BytesIO()
    drawn.save(buffer, "PNG")
    return store_image(buffer.getvalue()).sha256
