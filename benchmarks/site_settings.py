"""The settings of the web process that benchmarks ask: the product's, with one more address."""

from mmproject.settings import *  # noqa: F403
from mmproject.settings import REST_FRAMEWORK

ROOT_URLCONF = "benchmarks.site_urls"
REST_FRAMEWORK |= {"DEFAULT_THROTTLE_RATES": {"user": "600/second"}}  # counted as ever, but one client asks more here
