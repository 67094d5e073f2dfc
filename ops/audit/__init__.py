"""The audit log: who changed what, when and from where. It is only added to."""
