"""What comes in: rows of images, checked at the door, from memory or from a file."""
