"""What published methods there are, read off their recipes: `table.py` the rows, `page.py` how they are shown."""
