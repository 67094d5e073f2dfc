"""Webhooks: addresses that are told of what happens to the registry, signed, with tries again and a log."""
