"""The demo shop as a source."""

from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from crawler.models import Source, SourceKind
from crawler.sources.presets import DEMO_SHOP

SOURCE_ID = "demo-shop"


class Command(BaseCommand):
    help = "Make the demo shop of DEMO_SHOP_URL a source, or follow it to another address. Changes nothing else."

    def handle(self, *args: Any, **options: Any) -> None:
        if not settings.DEMO_SHOP_URL:
            raise CommandError("DEMO_SHOP_URL is not set: it says where the demo shop answers")
        changed = Source.objects.filter(id=SOURCE_ID).update(base_url=settings.DEMO_SHOP_URL)
        if not changed:
            demo_source(base_url=settings.DEMO_SHOP_URL).save(force_insert=True)
        self.stdout.write(f"the source {SOURCE_ID} is at {settings.DEMO_SHOP_URL}")


def demo_source(*, base_url: str) -> Source:
    """The demo shop on this machine, which may be asked a little faster than a stranger; not saved yet."""
    return Source(
        id=SOURCE_ID,
        name="Demo shop 演示店",
        kind=SourceKind.STOREFRONT,
        position=1,
        base_url=base_url,
        rate="20/second",
        config=DEMO_SHOP,
    )
