"""What all tests share: plugin folders mounted, no Redis of the person's own, colours off."""

from __future__ import annotations

import os

from auditor import plugins

plugins.mount("checks")
plugins.mount("reports")

for name in ("REDIS_URL", "REDISCLI_AUTH", "PROMETHEUS_TOKEN", "FORCE_COLOR"):
    os.environ.pop(name, None)
