"""The article's programs, and what its readers asked for: each of `examples/article/`, run as a reader would."""
