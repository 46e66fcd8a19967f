"""What a person does to a picture, by cells or by pixels, and what a network or a map makes of it."""
