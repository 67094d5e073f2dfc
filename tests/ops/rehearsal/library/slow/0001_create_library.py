from tests.ops.rehearsal.library.base import FIRST as Migration  # noqa: F401
