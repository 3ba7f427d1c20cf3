"""Who carries a notice out of the house. Only the night watch calls them."""
