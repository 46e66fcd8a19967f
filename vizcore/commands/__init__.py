"""What ``sightlines`` can be told, a command a file."""
