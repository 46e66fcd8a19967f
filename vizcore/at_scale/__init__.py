"""Studies of whole folders by any number of processes: files in, a table and its summary out."""
