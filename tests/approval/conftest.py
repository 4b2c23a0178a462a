from __future__ import annotations

from tests.limits.conftest import empty_redis, redis_server

__all__ = ["empty_redis", "redis_server"]
