"""Single flight and the rate through the whole site: web processes, a worker with threads, a shop that counts."""

import json
import os
import subprocess
import sys

import pytest

from mmproject.environment import BASE_DIR


@pytest.mark.slow
def test_two_hundred_equal_searches_ask_the_shop_once_and_nobody_passes_the_rate():
    # The benchmark has servers of its own: what names this session's would be in its way.
    own = {"MONGO_URI", "MONGO_DB", "REDIS_URL", "DATABASE_URL", "STATE_DIR", "SECRET_KEY", "DEMO_SHOP_URL"}
    environment = {name: value for name, value in os.environ.items() if name not in own}
    command = [sys.executable, "-m", "benchmarks.crawl", "--quick"]
    result = subprocess.run(command, cwd=BASE_DIR, env=environment, capture_output=True, text=True, timeout=280)
    assert result.returncode == 0, result.stderr[-3000:]
    report = json.loads(result.stdout.strip().splitlines()[-1])
    assert report["benchmark"] == "crawl"
    assert report["figures"]["single_flight_upstream_requests"] == 1
    assert report["figures"]["peak_rate_over_limit"] <= 1
