"""The WSGI entry of the web process."""

import os

from mmproject.environment import load_state

load_state()
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "mmproject.settings")

from django.core.wsgi import get_wsgi_application  # noqa: E402

application = get_wsgi_application()
