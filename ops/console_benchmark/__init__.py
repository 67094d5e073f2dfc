"""How fast the console's pages are on a registry of many prompts, and how heavy they are for a browser."""
