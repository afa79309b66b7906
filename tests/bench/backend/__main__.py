"""`make bench-backend`."""

from __future__ import annotations

import sys

from tests.bench.backend import importing

sys.exit(importing.main())
