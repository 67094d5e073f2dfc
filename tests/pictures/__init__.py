"""The pictures of the documentation, taken of a registry that works: `make pictures` takes them anew."""
