"""Methods that say where: one technique a file, and ``table``, which lists them all."""
