"""Instructions for pictures: to make (`Painting`) and to change (`Edit`: a picture before and after), with full truth."""
