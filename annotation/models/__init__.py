"""The documents of annotation."""

from annotation.models.catalogue import Brand, Product
from annotation.models.imports import TableImport, TableKind
from annotation.models.labels import MAX_NOTE, Label, LabelChange, RejectReason, Review, SkipReason, Submission
from annotation.models.webhooks import Webhook, WebhookDelivery
from annotation.models.work import AnnotatorSettings, Claim, Dispute, Task

__all__ = [
    "MAX_NOTE",
    "AnnotatorSettings",
    "Brand",
    "Claim",
    "Dispute",
    "Label",
    "LabelChange",
    "Product",
    "RejectReason",
    "Review",
    "SkipReason",
    "Submission",
    "TableImport",
    "TableKind",
    "Task",
    "Webhook",
    "WebhookDelivery",
]
