from tests.ops.health.conftest import Clock, clock, watch

__all__ = ["Clock", "clock", "watch"]
