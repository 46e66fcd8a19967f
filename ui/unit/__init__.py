"""The own room of the page about one unit."""
