"""Whether a map is true: known answers, curves, weights drawn anew, and what is said. Knows no method."""
