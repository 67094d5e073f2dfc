"""Redis as AFN needs it: users and their rights, a configuration with passwords and TLS, a check."""
