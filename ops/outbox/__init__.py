"""The outbox: what happened to the registry, written with it, and told to webhooks afterwards."""
