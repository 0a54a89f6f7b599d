"""Floor 7: how good a reconstruction is, pictures, pages."""
