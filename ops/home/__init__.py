"""The console's first page: how AFN is, what happened lately, and what to do next."""
