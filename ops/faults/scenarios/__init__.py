"""One module for each scenario: TARGET, ROUNDS, and `run` over an Options, which returns a result."""
