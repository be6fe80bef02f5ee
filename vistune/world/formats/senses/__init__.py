"""File formats of films, sounds, solids, pages and edits, one a file."""
