"""The story that ``make demo`` tells: every room at work, every line of it from a live response."""
