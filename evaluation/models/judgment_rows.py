"""The queryset of judgments: whatever it writes, the days it touches are counted again."""

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from django.db import models

from evaluation.marks import changing

NOT_COUNTED = {"label_id"}  # no figure depends on it


class JudgmentRows(models.QuerySet):
    def bulk_create(self, objs: Iterable[Any], *args: Any, **kwargs: Any) -> list[Any]:
        made = list(objs)
        with changing(judgment.judged_at for judgment in made):
            return super().bulk_create(made, *args, **kwargs)

    def update(self, **values: Any) -> int:
        if values.keys() <= NOT_COUNTED:
            return super().update(**values)
        moments = self._moments()
        if "judged_at" in values:
            moments.add(values["judged_at"])
        with changing(moments):
            return super().update(**values)

    update.alters_data = True  # type: ignore[attr-defined]

    def delete(self) -> tuple[int, dict[str, int]]:
        with changing(self._moments()):
            return super().delete()

    delete.alters_data = True  # type: ignore[attr-defined]
    delete.queryset_only = True  # type: ignore[attr-defined]

    def _moments(self) -> set[datetime]:
        return set(self.order_by().values_list("judged_at", flat=True))
