"""What a person does to a picture, cell by cell or pixel by pixel, and what a network or a map makes of it."""
