"""A network learns classes of one's own: its head alone, or all of it, on any number of processes."""
