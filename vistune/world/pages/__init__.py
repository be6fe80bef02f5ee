"""Pages: headings, paragraphs, tables, charts and forms, larger than an encoder's one tile, with every word's place."""
