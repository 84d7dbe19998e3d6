"""Bad pictures and lines: each is named in the log and left out, until there are too many of them."""

import logging
from dataclasses import dataclass

from ml.data.errors import DatasetError

log = logging.getLogger(__name__)


@dataclass(kw_only=True)
class BadRecords:
    """How many of `total` records were bad. `total` may grow while they are read."""

    limit_share: float = 0.05
    limit: int = 10
    total: int = 0
    count: int = 0
    first: str = ""

    def report(self, id: str, reason: object) -> None:
        """Warn of a record, once more is left out.

        Raises DatasetError when that makes more than `limit` and more than `limit_share` of `total`.
        """
        log.warning("record %s is left out: %s", id, reason)
        self.count += 1
        self.first = self.first or f"{id}: {reason}"
        if self.count > self.limit and self.count > self.limit_share * self.total:
            raise DatasetError(f"{self.count} of {self.total} records cannot be read, the first is {self.first}")
